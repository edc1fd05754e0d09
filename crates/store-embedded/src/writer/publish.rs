//! Taking what is durable into memory, and answering those who brought it.

use mcpanel_store::Receipt;

use super::{Writer, answers::Answers, batch::Batch};

impl Writer {
    /// Takes the accepted commits of a batch, which are this frame of the log, into memory and answers everybody.
    pub(super) fn publish(&mut self, batch: Batch, frame: u64) {
        let now = self.shared.now();
        let mut answers = Answers::with_capacity(batch.outcomes.len());
        let accepted = batch.accepted;
        let mut events = Vec::with_capacity(batch.event_bytes());
        let last_seq = {
            let mut state = self.shared.state.lock();
            let mut seq = state.last_seq;
            for outcome in batch.outcomes {
                let (mut job, verdict) = outcome.split();
                let answer = verdict.map(|()| {
                    seq += u64::from(job.event_count);
                    events.extend_from_slice(&job.bytes[job.events_at..]);
                    let writes = std::mem::take(&mut job.writes);
                    state.apply(writes, now, &batch.beyond, &batch.fates);
                    Receipt { last_seq: seq }
                });
                answers.push(job, answer);
            }
            if accepted > 0 {
                state.active.last_frame = frame;
                state.apply_events(batch.event_count, events);
            }
            state.retire(|pipeline| {
                let ahead = self.ahead.as_ref();
                self.forming.pipelines.contains(pipeline)
                    || ahead.is_some_and(|ahead| ahead.pipelines.contains(pipeline))
            });
            state.last_seq
        };
        if accepted > 0 {
            self.shared.count(accepted);
            self.shared.last_seq.send_if_modified(|last| {
                let newer = last_seq > *last;
                *last = last_seq;
                newer
            });
        }
        answers.give(&self.shared);
    }
}
