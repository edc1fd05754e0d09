//! `mcpanel doctor`, `health` and `services`.

use serde_json::Value;

use crate::{
    shell::{Ran, Shell},
    support::mcpanel,
};

/// What it found about something.
fn found<'a>(report: &'a Value, check: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("nothing about `{check}`: {report:#}"))
}

#[test]
fn a_server_that_is_well_is_called_so() {
    let shell = Shell::open();
    let ran = shell.run(&["doctor", "--remote", "-o", "json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let report = ran.json();
    for check in ["contexts", "environment", "server", "clocks", "credential"] {
        assert_eq!(found(&report, check)["verdict"], "ok", "{report:#}");
    }
    let credential = found(&report, "credential")["what"].as_str().unwrap();
    assert!(
        credential.starts_with("admin in namespace `default`"),
        "{credential}"
    );
    let lines = shell.run(&["doctor", "--remote", "-o", "jsonl"]).jsonl();
    assert_eq!(lines.len(), report["findings"].as_array().unwrap().len());
    let table = shell.run(&["doctor", "--remote"]);
    assert!(
        table.err.contains("0 problems, 0 warnings"),
        "{}",
        table.err
    );
    assert!(table.ok().starts_with("CHECK\tVERDICT\tWHAT\tTRY\n"));
}

#[test]
fn a_machine_is_looked_at_before_a_server_starts() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_at = taken.local_addr().unwrap().to_string();
    let doctor = [
        "doctor",
        "-o",
        "json",
        "--realtime",
        "127.0.0.1:0",
        "--url",
        "http://127.0.0.1:1",
    ];
    let mut command = mcpanel(doctor);
    command
        .current_dir(folder.path())
        .args(["--http", &taken_at])
        .env("MCPANEL_APIKEY", "mistyped")
        .env("JWT_SECRET", "hunter2")
        .env("MCPANEL_ROLE", "api")
        .env("MCPANEL_RATE_LIMITS", "reeds=1:2")
        .env("MCPANEL_REALTIME_ORIGINS", "https://a.example.org,*")
        .env("FLASK_API_URL", "http://127.0.0.1:1")
        .env("MONGODB_URI", "mongodb://user:hidden@127.0.0.1:1/mcpanel");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        !text.contains("hunter2") && !text.contains("hidden"),
        "{text}"
    );
    let report: Value = serde_json::from_str(&text).unwrap();
    for (check, verdict, word) in [
        ("environment", "warning", "MCPANEL_APIKEY"),
        ("data folder", "ok", "first start"),
        ("JWT secret", "warning", "weak"),
        ("HTTP address", "problem", "another program"),
        ("realtime", "ok", "free"),
        ("stores", "problem", "REDIS_URL"),
        ("MongoDB", "problem", "127.0.0.1:1"),
        ("role", "problem", "runs alone"),
        ("rate limits", "problem", "`reeds`"),
        ("origins", "problem", "`*` lets nobody connect"),
        ("bias service", "problem", "nothing answers"),
        ("server", "problem", "cannot reach"),
        ("credential", "skipped", "no server"),
    ] {
        let finding = found(&report, check);
        assert_eq!(finding["verdict"], verdict, "{finding:#}");
        assert!(
            finding["what"].as_str().unwrap().contains(word),
            "{finding:#}"
        );
    }
    let hint = found(&report, "environment")["hint"].as_str().unwrap();
    assert!(hint.contains("MCPANEL_API_KEY"), "{hint}");
    assert!(
        !folder.path().join("mcpanel-data").exists(),
        "a look makes nothing"
    );
}

#[test]
fn a_server_that_runs_alone_is_looked_at_with_its_artifacts() {
    let shell = Shell::open();
    let ran = shell.run(&[
        "doctor",
        "--http",
        "127.0.0.1:0",
        "--realtime",
        "127.0.0.1:0",
        "-o",
        "json",
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let report = ran.json();
    for check in ["role", "rate limits", "origins", "clocks"] {
        assert_eq!(found(&report, check)["verdict"], "ok", "{report:#}");
    }
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().to_str().unwrap();
    let all = ["doctor", "--artifacts", named, "-o", "json"];
    let refused = shell.run(&all);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let report: Value = serde_json::from_str(&refused.out).unwrap();
    let artifacts = found(&report, "artifacts");
    assert_eq!(artifacts["verdict"], "problem", "{artifacts:#}");
    assert!(
        artifacts["hint"]
            .as_str()
            .unwrap()
            .contains("MCPANEL_ARTIFACTS"),
        "{artifacts:#}"
    );
}

#[test]
fn a_credential_that_is_not_taken_is_a_problem() {
    let shell = Shell::open();
    let mut command = shell.command(&["doctor", "--remote", "-o", "json"]);
    let ran = Ran::of(
        command
            .env("MCPANEL_API_KEY", "mcp_wrong")
            .output()
            .unwrap(),
    );
    assert_eq!(ran.code, Some(1));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found(&report, "server")["verdict"], "ok");
    let credential = found(&report, "credential");
    assert_eq!(credential["verdict"], "problem");
    assert!(
        credential["what"]
            .as_str()
            .unwrap()
            .contains("MCPANEL_API_KEY"),
        "{credential:#}"
    );
}

#[test]
fn health_and_services_are_shown() {
    let shell = Shell::open();
    let table = shell.run(&["health"]);
    assert!(table.err.contains(" is healthy"), "{}", table.err);
    assert!(table.ok().contains("database\thealthy\t"));
    let wide = shell.run(&["health", "-o", "wide"]).ok();
    assert!(wide.contains("\tcommits="), "{wide}");
    assert_eq!(shell.run(&["health", "-o", "name"]).ok(), "healthy\n");
    assert_eq!(
        shell.run(&["health", "-o", "json"]).json()["service"],
        "mcpanel"
    );
    let services = shell.run(&["services", "-o", "json"]).json();
    assert!(!services.as_array().unwrap().is_empty());
    let offered = shell.run(&["agents", "discover"]).ok();
    assert_eq!(offered, "CAPABILITY\tAGENTS\tFREE SLOTS\n");
}
