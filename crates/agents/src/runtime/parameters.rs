//! What a stage is told: the parameters of its template, and over them those of the run.
//!
//! The task of a stage carries (see the pipeline rules of the server):
//!
//! | field | |
//! | --- | --- |
//! | `pipeline_id`, `stage`, `run`, `index`, `mode` | its place |
//! | `input_artifact_id` | the one chunk of a `map` task |
//! | `parameters` | those of the template's stage |
//! | `input_data` | that of the run, unless it is large: then it is read from the pipeline |
//!
//! The built-in stages understand in `input_data`: `artifact_id` (or `artifact_ids`), the files to work on, and
//! `parameters`, an object that each stage takes what it knows from, such as `seed` or `mapping`.

use mcpanel_api::{ArtifactId, PipelineId};
use mcpanel_client::worker::{Assignment, Failure};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::job::unavailable;

/// The task of a stage.
#[derive(Debug, Deserialize)]
pub struct StageTask {
    /// The run.
    pub pipeline_id: PipelineId,
    /// The number of the stage.
    pub stage: u16,
    /// `single`, `map` or `reduce`.
    pub mode: String,
    /// The chunk of a `map` task.
    #[serde(default)]
    pub input_artifact_id: Option<ArtifactId>,
    /// The parameters of the template's stage.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// What the run works on.
    #[serde(default)]
    pub input_data: Option<RunInput>,
}

/// What the run works on. Fields of others' making are left alone.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RunInput {
    /// The file.
    #[serde(default)]
    pub artifact_id: Option<ArtifactId>,
    /// The files, where there are several.
    #[serde(default)]
    pub artifact_ids: Vec<ArtifactId>,
    /// Parameters of the run, for all stages.
    #[serde(default)]
    pub parameters: Map<String, Value>,
}

impl RunInput {
    /// All files named.
    pub fn artifacts(&self) -> impl Iterator<Item = &ArtifactId> {
        self.artifact_id.iter().chain(&self.artifact_ids)
    }
}

impl StageTask {
    /// Reads the task in hand; asks the server for what did not fit into it.
    pub async fn read(assignment: &Assignment) -> Result<(Self, RunInput), Failure> {
        let mut task: Self = assignment
            .task()
            .parameters
            .read()
            .map_err(|error| wrong(&format!("are not those of a pipeline's stage: {error}")))?;
        if let Some(input) = task.input_data.take() {
            return Ok((task, input));
        }
        let pipeline = assignment
            .client()
            .get_pipeline(&task.pipeline_id)
            .await
            .map_err(|error| unavailable("the pipeline", &error))?;
        let input = pipeline
            .input_data
            .read()
            .map_err(|error| wrong(&format!("lead to an `input_data` of another form: {error}")))?;
        Ok((task, input))
    }

    /// The parameters for the stage: the run's win over the template's.
    pub fn merged(self, input: RunInput) -> Value {
        let mut merged = self.parameters;
        merged.extend(input.parameters);
        Value::Object(merged)
    }
}

fn wrong(what: &str) -> Failure {
    Failure::new(
        mcpanel_api::ErrorType::Validation,
        format!("the task's parameters {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_run_win_over_those_of_the_template() {
        let task: StageTask = serde_json::from_value(serde_json::json!({
            "pipeline_id": "pipe_1", "stage": 6, "stage_name": "output_generation", "run": 1, "index": 0, "total": 1,
            "mode": "reduce", "parameters": {"seed": 1, "test_share": 0.2},
            "input_data": {"artifact_id": "art_1", "parameters": {"seed": 7}, "note": "of the caller's own"}
        }))
        .unwrap();
        let input = task.input_data.clone().unwrap();
        let files: Vec<&str> = input.artifacts().map(ArtifactId::as_str).collect();
        assert_eq!(files, ["art_1"]);
        assert_eq!(
            task.merged(input),
            serde_json::json!({"seed": 7, "test_share": 0.2})
        );
    }
}
