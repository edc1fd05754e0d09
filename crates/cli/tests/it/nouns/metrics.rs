//! `mcpanel metrics`.

use serde_json::Value;

use crate::shell::Shell;

fn figure<'a>(figures: &'a [Value], metric: &str) -> &'a Value {
    let found = figures.iter().find(|figure| figure["metric"] == metric);
    found.unwrap_or_else(|| panic!("no `{metric}`: {figures:#?}"))
}

#[test]
fn figures_are_shown_to_people_and_programs() {
    let shell = Shell::open();
    shell.run(&["tasks", "submit", "--type", "demo"]).ok();
    shell.run(&["tasks", "list"]).ok();
    let table = shell.run(&["metrics"]).ok();
    assert!(table.starts_with("METRIC\tLABELS\tVALUE\n"), "{table}");
    assert!(
        table.contains("mcpanel_tasks\tstatus=\"pending\"\t1\n"),
        "{table}"
    );
    // What no task has told yet is missed by nobody.
    assert!(
        table.contains("mcpanel_task_processing_time_seconds\t-\t-\n"),
        "{table}"
    );
    let main = shell.run(&["metrics", "-o", "json"]).json();
    let main = main.as_array().unwrap();
    assert_eq!(figure(main, "mcpanel_task_queue_size")["value"], 1.0);
    let requests = figure(main, "mcpanel_request_count_total");
    assert_eq!(
        requests["labels"].as_object().unwrap().len(),
        1,
        "{requests}"
    );
    assert!(requests["value"].as_f64().unwrap() >= 2.0, "{requests}");
    let all = shell.run(&["metrics", "--all", "-o", "jsonl"]).jsonl();
    let route = &figure(&all, "mcpanel_response_time_seconds_count")["labels"]["route"];
    assert!(route.is_string(), "{route}");
    let names = shell.run(&["metrics", "--all", "-o", "name"]).lines();
    assert_eq!(names.len(), all.len());
    assert!(
        names.contains(&"mcpanel_tasks{status=\"pending\"}".to_owned()),
        "{names:?}"
    );
}

#[test]
fn figures_are_written_as_prometheus_reads_them() {
    let shell = Shell::open();
    let raw = shell.run(&["metrics", "--raw"]).ok();
    assert!(
        raw.contains("\n# TYPE mcpanel_tasks gauge\nmcpanel_tasks{"),
        "{raw}"
    );
    for more in [
        &["-o", "json"][..],
        &["--all"],
        &["--watch"],
        &["--columns", "value"],
    ] {
        let refused = shell
            .run(&[&["metrics", "--raw"], more].concat())
            .refused(2);
        assert!(refused.contains("--raw"), "{refused}");
    }
}
