//! What a server says of a request before it looks at its store, for those who try before they send.
//!
//! The schema and the rules are those that a request meets. What only a store knows stays open: ids that are taken,
//! dependencies that are not there, templates and agents.

use mcpanel_api::{TaskId, Timestamp, pipeline::NewPipeline, task::NewTask, template::NewTemplate};
use mcpanel_control::StagesFrom;
use mcpanel_domain::{Fault, Rejection, pipeline::check_graph};

use crate::{body, error::ApiResult, views};

/// Reads a new task as a server would at `now`; the error names every fault.
pub fn new_task(json: &[u8], now: Timestamp) -> ApiResult<NewTask> {
    let task: NewTask = body::read(json)?;
    // The id that a server would make is new, and nothing can name it.
    let new = views::task::new(task.clone(), || TaskId::generate(now, 0));
    none(new.faults(now))?;
    Ok(task)
}

/// Reads a new pipeline as a server would; the error names every fault.
pub fn new_pipeline(json: &[u8]) -> ApiResult<NewPipeline> {
    let pipeline: NewPipeline = body::read(json)?;
    match views::pipeline::new(pipeline.clone())?.stages {
        StagesFrom::Request(stages) => none(check_graph(&stages))?,
        StagesFrom::Template(..) => {}
    }
    Ok(pipeline)
}

/// Reads a new template as a server would; the error names every fault.
pub fn new_template(json: &[u8]) -> ApiResult<NewTemplate> {
    let template: NewTemplate = body::read(json)?;
    none(check_graph(&views::template::new(template.clone()).stages))?;
    Ok(template)
}

fn none(faults: Vec<Fault>) -> ApiResult<()> {
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Rejection::Invalid { faults }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn pointers<T>(tried: ApiResult<T>) -> Vec<String> {
        let problem = tried.err().expect("something is wrong").problem();
        let pointers = problem.errors.into_iter().map(|fault| fault.pointer);
        pointers.collect()
    }

    #[test]
    fn the_schema_speaks_first_and_the_rules_after_it() {
        let now = Timestamp::from_ms(1_000_000);
        let try_one = |json: &str| new_task(json.as_bytes(), now);
        assert_eq!(
            try_one(r#"{"task_type": "demo"}"#)
                .unwrap()
                .task_type
                .as_str(),
            "demo"
        );
        let schema = r#"{"priority": 5000, "prio": 1}"#;
        assert_eq!(
            pointers(try_one(schema)),
            ["/priority", "/prio", "/task_type"]
        );
        let rules = r#"{"task_type": "demo", "deadline": "1970-01-01T00:00:01Z", "dependencies": ["a", "a"]}"#;
        assert_eq!(pointers(try_one(rules)), ["/deadline", "/dependencies/1"]);
        assert_eq!(try_one("{").unwrap_err().code(), Code::MalformedJson);
    }

    #[test]
    fn stages_must_make_a_graph() {
        let circle = r#"[{"stage": 1, "name": "a", "task_type": "a", "dependencies": [2]},
            {"stage": 2, "name": "b", "task_type": "b", "dependencies": [1]}]"#;
        let template = format!(r#"{{"template_id": "t", "stages": {circle}}}"#);
        assert!(pointers(new_template(template.as_bytes()))[0].starts_with("/stages"));
        let pipeline = format!(r#"{{"name": "p", "stages": {circle}}}"#);
        assert!(pointers(new_pipeline(pipeline.as_bytes()))[0].starts_with("/stages"));
        assert_eq!(pointers(new_pipeline(br#"{"name": "p"}"#)), ["/template"]);
        assert!(new_pipeline(br#"{"name": "p", "template": "techdeck"}"#).is_ok());
    }
}
