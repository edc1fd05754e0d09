//! Stage 3, `bias_detection`: who is spoken of, and whether they are answered alike.
//!
//! For every record an [`Analyzer`] notes which demographic groups the question mentions, how positive the
//! answer is, and which kinds of advice it gives. The built-in one works with word lists
//! ([`lexicon`], [`sentiment`]); it sees mentions, not persons, and is a screening aid, no verdict. A [`service`]
//! over HTTP can take its place. Counts are kept as integers ([`partial`]), so that the parts of any number of
//! chunks add up exactly; the confidence intervals are computed once, over everything ([`measures`]).
//!
//! Which analyzer looked at how many records is counted with the results: two analyzers measure differently, so
//! whoever reads a report must see which it was.

pub mod advice;
pub mod lexicon;
pub mod measures;
pub mod partial;
pub mod phrases;
pub mod sentiment;
pub mod service;
pub mod settings;
pub mod stats;

use self::{
    partial::BiasPartial,
    service::{Service, ServiceUrl},
    settings::{Fallback, Settings},
};
use crate::{
    io::chunks::{Batch, beside, map_batches},
    job::{Job, Level},
    metrics::StageMetrics,
    record::{BiasNotes, CleanRecord},
    stage::{Stage, StageError, Summary},
    stages::BIAS_DETECTION,
};

/// The counter that tells how many records each analyzer looked at.
pub const ANALYZERS: &str = "analyzers";

/// Records handed to an analyzer at once: enough to make a round trip cheap, few enough for a service to answer in
/// a second, and for a cancelled task to stop soon.
const BATCH: Batch = Batch {
    records: 64,
    bytes: 1024 * 1024,
};

/// Looks at records. Made for one task.
pub trait Analyzer {
    /// A short name for the report. A service tells its own with its first answer.
    fn name(&self) -> String;
    /// Notes about the records, one for each, in their order.
    fn analyze(
        &mut self,
        job: &dyn Job,
        records: &[CleanRecord],
    ) -> Result<Vec<BiasNotes>, StageError>;
}

/// Word lists, no network.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuiltIn;

impl BuiltIn {
    fn notes(record: &CleanRecord) -> BiasNotes {
        let question = format!("{}\n{}", record.title, record.question);
        BiasNotes {
            groups: lexicon::groups_in(&question),
            sentiment_milli: sentiment::score_milli(&record.answer),
            advice: advice::kinds_in(&record.answer),
        }
    }
}

impl Analyzer for BuiltIn {
    fn name(&self) -> String {
        "built-in word lists".to_owned()
    }

    fn analyze(
        &mut self,
        _job: &dyn Job,
        records: &[CleanRecord],
    ) -> Result<Vec<BiasNotes>, StageError> {
        Ok(records.iter().map(Self::notes).collect())
    }
}

/// The stage.
#[derive(Debug, Clone, Default)]
pub struct BiasDetection {
    service: Option<ServiceUrl>,
}

impl BiasDetection {
    /// The stage with the service that is to measure; with the built-in measures when `None`.
    pub fn new(service: Option<ServiceUrl>) -> Self {
        Self { service }
    }
}

impl Stage for BiasDetection {
    fn task_type(&self) -> &'static str {
        BIAS_DETECTION
    }

    fn run(&self, job: &dyn Job) -> Result<Summary, StageError> {
        let settings = Settings::read(job.parameters(), self.service.as_ref())?;
        let mut analysis = Analysis::begin(&settings)?;
        let mut metrics = StageMetrics::new(BIAS_DETECTION);
        let mut partial = BiasPartial::default();
        let weigh = |record: &CleanRecord| record.question.len() + record.answer.len();
        let chunks = map_batches(
            job,
            "looking for bias",
            BATCH,
            weigh,
            |mut records: Vec<CleanRecord>| {
                let (notes, analyzer) = analysis.analyze(job, &records)?;
                metrics.count(ANALYZERS, &analyzer, records.len() as u64);
                for (record, notes) in records.iter_mut().zip(notes) {
                    metrics.records_in += 1;
                    partial.add(&notes);
                    for group in &notes.groups {
                        metrics.count("groups", group, 1);
                    }
                    for kind in &notes.advice {
                        metrics.count("advice", kind, 1);
                    }
                    record.bias = Some(notes);
                    metrics.records_out += 1;
                }
                Ok(records)
            },
        )?;
        metrics.bias = Some(partial);
        metrics
            .facts
            .insert("analyzer".into(), analysis.current.name().into());
        metrics.publish(job, &beside("metrics", &chunks, "json"))
    }
}

/// The analyzer of one task, and what becomes of the task when it fails.
struct Analysis {
    current: Box<dyn Analyzer>,
    fallback: Fallback,
}

impl Analysis {
    fn begin(settings: &Settings) -> Result<Self, StageError> {
        let current: Box<dyn Analyzer> = match &settings.service {
            Some(service) => Box::new(Service::connect(service, settings.timeout)?),
            None => Box::new(BuiltIn),
        };
        Ok(Self {
            current,
            fallback: settings.fallback,
        })
    }

    /// The notes, and whose they are. When the service failed and the task allows it, the built-in measures take
    /// over for the rest of the task, and say so.
    fn analyze(
        &mut self,
        job: &dyn Job,
        records: &[CleanRecord],
    ) -> Result<(Vec<BiasNotes>, String), StageError> {
        let notes = match (self.current.analyze(job, records), self.fallback) {
            (Err(error @ StageError::Service { .. }), Fallback::BuiltIn) => {
                self.current = Box::new(BuiltIn);
                let message = format!(
                    "{}; the rest of this task is measured with {}",
                    error.chain(),
                    self.current.name()
                );
                job.log(Level::Warn, &message);
                self.current.analyze(job, records)?
            }
            (answer, _) => answer?,
        };
        Ok((notes, self.current.name()))
    }
}

#[cfg(test)]
mod tests;
