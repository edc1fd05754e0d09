//! Changes of what a pipeline is called and described as.

use crate::{
    Fault, Payload,
    pipeline::{
        Pipeline,
        template::{check_payload, check_tags, check_text, check_title},
    },
};

/// Changes to a pipeline; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// What people call it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Free-form.
    pub metadata: Option<Payload>,
    /// Words to find it by.
    pub tags: Option<Vec<String>>,
}

impl Changes {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(name) = &self.name {
            check_title(name, &mut faults);
        }
        if let Some(description) = &self.description {
            check_text("/description", description, &mut faults);
        }
        if let Some(tags) = &self.tags {
            check_tags(tags, &mut faults);
        }
        if let Some(metadata) = &self.metadata {
            check_payload("/metadata", metadata, &mut faults);
        }
        faults
    }

    pub(super) fn apply(self, pipeline: &mut Pipeline) {
        if let Some(name) = self.name {
            pipeline.name = name;
        }
        if let Some(description) = self.description {
            pipeline.description = description;
        }
        if let Some(metadata) = self.metadata {
            pipeline.metadata = metadata;
        }
        if let Some(tags) = self.tags {
            pipeline.tags = tags;
        }
    }
}
