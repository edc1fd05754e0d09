//! Stage 3, `bias_detection`: who is spoken of, and whether they are answered alike.
//!
//! For every record an [`Analyzer`] notes which demographic groups the question mentions, how positive the
//! answer is, and which kinds of advice it gives. The built-in one works with word lists
//! ([`lexicon`], [`sentiment`]); it sees mentions, not persons, and is a screening aid, no verdict. Counts
//! are kept as integers ([`partial`]), so that the parts of any number of chunks add up exactly; the
//! confidence intervals are computed once, over everything ([`measures`]).

pub mod advice;
pub mod lexicon;
pub mod measures;
pub mod partial;
pub mod phrases;
pub mod sentiment;
pub mod stats;

use self::partial::BiasPartial;
use crate::{
    io::chunks::{beside, map_chunks},
    job::{Job, Level},
    metrics::StageMetrics,
    parameters::Parameters,
    record::{BiasNotes, CleanRecord},
    stage::{Stage, StageError, Summary},
    stages::BIAS_DETECTION,
};

/// Looks at one record. An external service is another implementation of this.
pub trait Analyzer: Send + Sync {
    /// A short name for the report.
    fn name(&self) -> &str;
    /// Notes about a record.
    fn analyze(&self, record: &CleanRecord) -> Result<BiasNotes, StageError>;
}

/// Word lists, no network.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuiltIn;

impl Analyzer for BuiltIn {
    fn name(&self) -> &str {
        "built-in word lists"
    }

    fn analyze(&self, record: &CleanRecord) -> Result<BiasNotes, StageError> {
        let question = format!("{}\n{}", record.title, record.question);
        Ok(BiasNotes {
            groups: lexicon::groups_in(&question),
            sentiment_milli: sentiment::score_milli(&record.answer),
            advice: advice::kinds_in(&record.answer),
        })
    }
}

/// The stage.
pub struct BiasDetection {
    analyzer: Box<dyn Analyzer>,
}

impl BiasDetection {
    /// The stage with another analyzer.
    pub fn with(analyzer: Box<dyn Analyzer>) -> Self {
        Self { analyzer }
    }
}

impl Default for BiasDetection {
    fn default() -> Self {
        Self::with(Box::new(BuiltIn))
    }
}

impl Stage for BiasDetection {
    fn task_type(&self) -> &'static str {
        BIAS_DETECTION
    }

    fn run(&self, job: &dyn Job) -> Result<Summary, StageError> {
        if let Some(url) = Parameters(job.parameters()).text("flask_api_url")? {
            let message = format!(
                "`{url}` is not called: this agent measures with {}",
                self.analyzer.name()
            );
            job.log(Level::Warn, &message);
        }
        let mut metrics = StageMetrics::new(BIAS_DETECTION);
        let mut partial = BiasPartial::default();
        let chunks = map_chunks(job, "looking for bias", |mut record: CleanRecord| {
            metrics.records_in += 1;
            let notes = self.analyzer.analyze(&record)?;
            partial.add(&notes);
            for group in &notes.groups {
                metrics.count("groups", group, 1);
            }
            for kind in &notes.advice {
                metrics.count("advice", kind, 1);
            }
            record.bias = Some(notes);
            metrics.records_out += 1;
            Ok(Some(record))
        })?;
        metrics.bias = Some(partial);
        metrics
            .facts
            .insert("analyzer".into(), self.analyzer.name().into());
        metrics.publish(job, &beside("metrics", &chunks, "json"))
    }
}

#[cfg(test)]
mod tests;
