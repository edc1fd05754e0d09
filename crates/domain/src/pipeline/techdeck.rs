//! The built-in template: the six stages of the TechDeck pipeline.

use super::{Mode, StageDefinition, Template};
use crate::{Name, Namespace, Payload, TemplateId, Timestamp, retry::RetryConfig};

/// The id of the template.
pub const ID: &str = "techdeck";

/// The stages: number, name and task type, mode.
///
/// Preprocessing is a `reduce` because duplicates can only be found by one who sees all records;
/// the stages after it look at each record alone and so run on many chunks at once.
pub const STAGES: [(u16, &str, Mode); 6] = [
    (1, "data_ingestion", Mode::Single),
    (2, "preprocessing", Mode::Reduce),
    (3, "bias_detection", Mode::Map),
    (4, "standardization", Mode::Map),
    (5, "validation", Mode::Map),
    (6, "output_generation", Mode::Reduce),
];

/// Longest time one attempt at a stage task may take, in milliseconds: an hour, far beyond what
/// a chunk takes and enough for a whole large file.
const TIMEOUT_MS: u64 = 3_600_000;

/// The template, as every namespace has it from the start.
pub fn template(namespace: &Namespace) -> Template {
    let stages = STAGES
        .iter()
        .map(|(number, name, mode)| StageDefinition {
            number: *number,
            name: (*name).to_owned(),
            task_type: Name::parse(name).expect("the names above are names"),
            capabilities: Vec::new(),
            dependencies: (*number > 1).then(|| number - 1).into_iter().collect(),
            mode: *mode,
            timeout_ms: Some(TIMEOUT_MS),
            retry: RetryConfig::default(),
            parameters: Payload::empty(),
        })
        .collect();
    Template {
        id: TemplateId::parse(ID).expect("the id above is an id"),
        namespace: namespace.clone(),
        version: 1,
        description:
            "Six stages from a raw counselling dataset to a checked, de-identified training set"
                .to_owned(),
        stages,
        created_at: Timestamp::ZERO,
        created_by: "mcpanel".to_owned(),
    }
}
