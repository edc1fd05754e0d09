//! Every request type: its schema can be checked, and its example is one that the server takes.

use mcpanel_api::{
    agent::*, artifact::*, auth::*, event::*, key::*, page::*, pipeline::*, task::*, template::*,
};
use serde::de::DeserializeOwned;
use utoipa::{PartialSchema, ToSchema};

use crate::body;

fn check<T: ToSchema + DeserializeOwned + 'static>() {
    let name = T::name();
    body::Shape::of::<T>().unwrap_or_else(|error| panic!("{name}: {error}"));
    let schema = serde_json::to_value(<T as PartialSchema>::schema()).unwrap();
    assert_eq!(
        schema["additionalProperties"], false,
        "{name} refuses unknown fields"
    );
    if let Some(example) = schema.get("example") {
        let read = body::read::<T>(example.to_string().as_bytes());
        assert!(
            read.is_ok(),
            "{name}: {:?}",
            read.err().map(|error| error.problem())
        );
    }
}

#[test]
fn every_request_can_be_checked_and_every_example_is_taken() {
    check::<AgentQuery>();
    check::<AppendLogs>();
    check::<ArtifactQuery>();
    check::<ArtifactUpload>();
    check::<Cancel>();
    check::<CancelPipeline>();
    check::<Claim>();
    check::<Complete>();
    check::<CompleteBatch>();
    check::<Completion>();
    check::<Delegate>();
    check::<EventQuery>();
    check::<Fail>();
    check::<Heartbeat>();
    check::<NewApiKey>();
    check::<NewLogLine>();
    check::<NewPipeline>();
    check::<NewTask>();
    check::<NewTasks>();
    check::<NewTaskError>();
    check::<NewTemplate>();
    check::<PageQuery>();
    check::<PipelineQuery>();
    check::<RegisterAgent>();
    check::<Release>();
    check::<ReportProgress>();
    check::<RetryPipeline>();
    check::<StageDefinition>();
    check::<Start>();
    check::<TaskQuery>();
    check::<TemplateVersionQuery>();
    check::<TokenRequest>();
    check::<UpdateAgent>();
    check::<UpdatePipeline>();
    check::<UpdateTask>();
    check::<mcpanel_api::RetryConfig>();
}

#[test]
fn defaults_of_requests_are_empty_objects() {
    assert_eq!(serde_json::to_string(&Heartbeat::default()).unwrap(), "{}");
    assert_eq!(serde_json::to_string(&UpdateTask::default()).unwrap(), "{}");
    assert_eq!(body::read::<Claim>(b"{}").unwrap(), Claim::default());
}
