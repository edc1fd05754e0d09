//! The six stages, in the order of the `techdeck` pipeline.

use crate::{
    bias::{BiasDetection, service::ServiceUrl},
    ingest::DataIngestion,
    output::OutputGeneration,
    preprocess::Preprocessing,
    stage::Stage,
    standardize::Standardization,
    validate::Validation,
};

/// Task type of stage 1.
pub const DATA_INGESTION: &str = "data_ingestion";
/// Task type of stage 2.
pub const PREPROCESSING: &str = "preprocessing";
/// Task type of stage 3.
pub const BIAS_DETECTION: &str = "bias_detection";
/// Task type of stage 4.
pub const STANDARDIZATION: &str = "standardization";
/// Task type of stage 5.
pub const VALIDATION: &str = "validation";
/// Task type of stage 6.
pub const OUTPUT_GENERATION: &str = "output_generation";

/// The task types in the order of the pipeline.
pub const TASK_TYPES: [&str; 6] = [
    DATA_INGESTION,
    PREPROCESSING,
    BIAS_DETECTION,
    STANDARDIZATION,
    VALIDATION,
    OUTPUT_GENERATION,
];

/// How a stage divides its work into tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One task.
    Single,
    /// One task per chunk.
    Map,
    /// One task that gets all artifacts.
    Reduce,
}

/// The mode in which the `techdeck` pipeline runs the stage of this task type.
pub fn mode(task_type: &str) -> Option<Mode> {
    match task_type {
        DATA_INGESTION => Some(Mode::Single),
        PREPROCESSING | OUTPUT_GENERATION => Some(Mode::Reduce),
        BIAS_DETECTION | STANDARDIZATION | VALIDATION => Some(Mode::Map),
        _ => None,
    }
}

/// The six stages with their built-in parts, in order.
pub fn all() -> Vec<Box<dyn Stage>> {
    all_with(None)
}

/// The six stages, in order; a service that measures bias takes the place of the built-in measures.
pub fn all_with(bias_service: Option<ServiceUrl>) -> Vec<Box<dyn Stage>> {
    vec![
        Box::new(DataIngestion),
        Box::new(Preprocessing),
        Box::new(BiasDetection::new(bias_service)),
        Box::new(Standardization),
        Box::new(Validation),
        Box::new(OutputGeneration),
    ]
}
