//! A service over HTTP that looks at records in place of the word lists: the specification's Flask service.
//!
//! `POST {url}/analyze` with a batch of records, answered with notes about each; `docs/bias-service.md` has the
//! shapes. An answer is believed only after [`wire`] has checked all of it: a note for every record, groups and kinds
//! of advice that are words, scores in range, few enough different ones to report. What may pass by itself (the
//! service restarts, is overloaded, answers late) is asked again a few times; after that the task fails with
//! `external_service`, which the task's own retries take up.

mod call;
mod url;
pub mod wire;

use std::{collections::BTreeSet, time::Duration};

use tokio::runtime::{Builder, Runtime};

use self::call::Failed;
pub use self::url::{BadUrl, ServiceUrl};
use super::Analyzer;
use crate::{
    job::Job,
    record::{BiasNotes, CleanRecord},
    stage::StageError,
};

/// Pauses before asking again, in milliseconds; one more request than pauses. Together little more than a second,
/// the time of a restart behind a load balancer: longer outages are for the retries of the task.
const PAUSES_MS: [u64; 2] = [250, 1_000];

/// Different groups, and kinds of advice, that one task may note. The report has a row for each group and a cell for
/// each pair; the built-in lists know a tenth of this.
pub const WORDS_MAX: usize = 300;

/// The service, for one task.
pub struct Service {
    url: ServiceUrl,
    http: reqwest::Client,
    // A stage is synchronous, and runs where there may be no runtime.
    runtime: Runtime,
    told_name: Option<String>,
    groups: BTreeSet<String>,
    advice: BTreeSet<String>,
}

impl Service {
    /// Gets ready to ask; sends nothing yet. One request may take as long as `timeout`.
    pub fn connect(url: &ServiceUrl, timeout: Duration) -> Result<Self, StageError> {
        let http = call::client(url, timeout)
            .map_err(|error| failed(format!("cannot set up connections: {error}")))?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StageError::io("starting to call the bias service"))?;
        Ok(Self {
            url: url.clone(),
            http,
            runtime,
            told_name: None,
            groups: BTreeSet::new(),
            advice: BTreeSet::new(),
        })
    }

    /// Asks until there is an answer, a refusal, or nothing left to try.
    fn ask(&self, job: &dyn Job, body: &[u8]) -> Result<Vec<u8>, StageError> {
        let mut pauses = PAUSES_MS.iter();
        loop {
            let call = call::analyze(&self.http, &self.url, body);
            let error = match self.block_on(job, call)? {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match (error, pauses.next()) {
                (Failed::ForNow(_), Some(pause_ms)) => {
                    let pause = Duration::from_millis(*pause_ms);
                    self.block_on(job, async { tokio::time::sleep(pause).await })?;
                }
                (Failed::ForNow(why), None) => {
                    let times = PAUSES_MS.len() + 1;
                    return Err(failed(format!("asked {times} times; {why}")));
                }
                (Failed::ForGood(why), _) => return Err(failed(why)),
            }
        }
    }

    /// Waits for `work`, but not longer than the task stands.
    fn block_on<T>(&self, job: &dyn Job, work: impl Future<Output = T>) -> Result<T, StageError> {
        self.runtime.block_on(async {
            tokio::select! {
                done = work => Ok(done),
                () = cancelled(job) => Err(StageError::Cancelled),
            }
        })
    }

    fn learn(&mut self, notes: &[BiasNotes]) -> Result<(), StageError> {
        for note in notes {
            self.groups.extend(note.groups.iter().cloned());
            self.advice.extend(note.advice.iter().cloned());
        }
        for (what, words) in [("groups", &self.groups), ("kinds of advice", &self.advice)] {
            if words.len() > WORDS_MAX {
                return Err(failed(format!(
                    "it noted more than {WORDS_MAX} different {what}"
                )));
            }
        }
        Ok(())
    }
}

impl Analyzer for Service {
    fn name(&self) -> String {
        match &self.told_name {
            Some(name) => format!("bias service `{name}`"),
            None => "bias service".to_owned(),
        }
    }

    fn analyze(
        &mut self,
        job: &dyn Job,
        records: &[CleanRecord],
    ) -> Result<Vec<BiasNotes>, StageError> {
        let body = wire::request(records)
            .map_err(|error| failed(format!("cannot write the request: {error}")))?;
        let answer = self.ask(job, &body)?;
        let answer = wire::read(&answer, records)
            .map_err(|error| failed(format!("its answer is not as agreed: {error}")))?;
        self.learn(&answer.notes)?;
        if answer.analyzer.is_some() {
            self.told_name = answer.analyzer;
        }
        Ok(answer.notes)
    }
}

fn failed(message: String) -> StageError {
    StageError::Service {
        service: "the bias service".to_owned(),
        message,
    }
}

/// Returns when the task should stop.
async fn cancelled(job: &dyn Job) {
    // A fifth of a second is soon enough for a person who cancels, and costs nothing.
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tick.tick().await;
        if job.is_cancelled() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
