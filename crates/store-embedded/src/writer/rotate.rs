//! Going on in the other segment of the log: the settler writes what the full one holds into the tables.

use std::time::{Duration, Instant};

use mcpanel_store::{Error, Result};
use parking_lot::MutexGuard;

use super::Writer;
use crate::{limits::SETTLE_WAIT_MS, log::Log, state::State};

impl Writer {
    /// Hands the full segment to the settler and goes on in the other one. All that was flushed is in memory.
    pub(super) fn rotate(&self, log: &mut Log) -> Result<()> {
        let state = self.wait_for_settler()?;
        drop(state);
        log.switch().map_err(|error| {
            self.shared.close_for_writes(&format!(
                "the next segment of the commit log cannot be made: {error}; each further write tries again"
            ))
        })?;
        let mut state = self.shared.state.lock();
        if !state.active.is_empty() {
            let (recent, last_seq) = (state.freeze(), state.last_seq);
            drop(state);
            self.settler.settle(recent, last_seq);
        }
        Ok(())
    }

    /// Waits until the tables have everything of the segment before.
    fn wait_for_settler(&self) -> Result<MutexGuard<'_, State>> {
        let deadline = Instant::now() + Duration::from_millis(SETTLE_WAIT_MS);
        let mut state = self.shared.state.lock();
        while state.frozen.is_some() {
            if let Some(reason) = self.shared.settle_failure.lock().as_ref() {
                return Err(self.shared.close_for_writes(reason));
            }
            if self
                .shared
                .settle_changed
                .wait_until(&mut state, deadline)
                .timed_out()
            {
                return Err(Error::Overloaded {
                    what: "the disk is too slow for what is written".to_owned(),
                });
            }
        }
        Ok(state)
    }

    /// Brings the tables up to date when nothing else is to be done.
    pub(super) fn settle_when_idle(&mut self) {
        let idle = {
            let state = self.shared.state.lock();
            state.frozen.is_none() && !state.active.is_empty()
        };
        if idle && let Err(error) = self.rotate_idle() {
            tracing::warn!(%error, "the tables are behind the commit log");
        }
    }

    pub(super) fn settle_everything(&mut self) -> Result<()> {
        drop(self.wait_for_settler()?);
        if !self.shared.state.lock().active.is_empty() {
            self.rotate_idle()?;
            drop(self.wait_for_settler()?);
        }
        Ok(())
    }

    fn rotate_idle(&mut self) -> Result<()> {
        match self.log.take() {
            Some(mut log) => {
                let rotated = self.rotate(&mut log);
                self.log = Some(log);
                rotated
            }
            // A flush is under way, so there will be another occasion.
            None => Ok(()),
        }
    }
}
