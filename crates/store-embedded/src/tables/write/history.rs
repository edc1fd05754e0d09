//! What happened: samples, minutes, log lines, counts and events.

use mcpanel_domain::{PipelineId, log::Line, pipeline::StageCounts};
use mcpanel_store::{ACTIVITY_MINUTES_KEPT, Key};
use rusqlite::params;

use super::{
    super::read::{ACTIVITY, EVENTS, LOG, SAMPLE},
    MILLI, Settling, seal,
};
use crate::{
    codec::{self, Place},
    limits::BLOCK_EVENTS_MIN,
    recent::Recent,
};

impl Settling<'_> {
    pub(super) fn samples(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (key, sample) in &recent.samples {
            let namespace = self.namespace(&key.0)?;
            let minute = key.1.as_ms();
            seal(SAMPLE, &minute.to_string(), &**sample, &mut self.row);
            self.transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO sample (namespace, minute, body) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![namespace, minute, self.row])?;
        }
        Ok(())
    }

    /// Writes what happened in the newest minutes, and forgets the minutes before them.
    pub(super) fn activities(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (key, activity) in &recent.activities {
            let namespace = self.namespace(&key.0)?;
            let minute = key.1.as_ms();
            seal(ACTIVITY, &minute.to_string(), activity, &mut self.row);
            self.transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO activity (namespace, minute, body) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![namespace, minute, self.row])?;
            self.transaction
                .prepare_cached(
                    "DELETE FROM activity WHERE namespace = ?1 AND minute <
                     (SELECT minute FROM activity WHERE namespace = ?1
                      ORDER BY minute DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute(params![namespace, ACTIVITY_MINUTES_KEPT - 1])?;
        }
        Ok(())
    }

    pub(super) fn logs(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        let kept = mcpanel_domain::limits::LOG_LINES_KEPT;
        for (key, lines) in &recent.logs {
            let Some(last) = lines.last().map(|line: &Line| line.seq) else {
                continue;
            };
            let namespace = self.namespace(&key.0)?;
            let id = key.1.as_str();
            seal(LOG, id, lines, &mut self.row);
            self.transaction
                .prepare_cached(
                    "INSERT INTO log_block (namespace, task, last, body) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![namespace, id, last, self.row])?;
            if last > kept {
                self.transaction
                    .prepare_cached(
                        "DELETE FROM log_block WHERE namespace = ?1 AND task = ?2 AND last <= ?3",
                    )?
                    .execute(params![namespace, id, last - kept])?;
            }
        }
        Ok(())
    }

    pub(super) fn counts(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        for (namespace, totals) in &recent.totals {
            let namespace = self.namespace(namespace)?;
            let mut statement = self
                .transaction
                .prepare_cached("INSERT OR REPLACE INTO total VALUES (?1, ?2, ?3)")?;
            for (status, tasks) in totals.iter().enumerate() {
                statement.execute(params![namespace, status, tasks])?;
            }
        }
        for (key, stages) in &recent.stage_counts {
            self.stage_counts(key, stages)?;
        }
        Ok(())
    }

    fn stage_counts(
        &mut self,
        key: &Key<PipelineId>,
        stages: &[StageCounts],
    ) -> rusqlite::Result<()> {
        let namespace = self.namespace(&key.0)?;
        let mut statement = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO stage_count
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        for each in stages {
            let [
                pending,
                assigned,
                running,
                completed,
                failed,
                retry,
                cancelled,
            ] = each.by_status;
            let milli = (each.percent_sum * MILLI).round() as i64;
            statement.execute(params![
                namespace,
                key.1.as_str(),
                each.stage,
                each.run,
                pending,
                assigned,
                running,
                completed,
                failed,
                retry,
                cancelled,
                milli
            ])?;
        }
        Ok(())
    }

    /// Stores the events of several flushes together, so that lone commits do not make a row each.
    pub(super) fn events(&mut self, recent: &Recent) -> rusqlite::Result<()> {
        let mut blocks = recent.blocks.iter().peekable();
        while let Some(block) = blocks.next() {
            let mut last = block.last();
            codec::open_seal(&mut self.row);
            self.row.extend_from_slice(&block.bytes);
            while last - block.first < u64::from(BLOCK_EVENTS_MIN)
                && let Some(next) = blocks.next_if(|next| next.first == last + 1)
            {
                self.row.extend_from_slice(&next.bytes);
                last = next.last();
            }
            let place = block.first.to_string();
            codec::close_seal(
                &mut self.row,
                &Place {
                    table: EVENTS,
                    id: &place,
                },
            );
            self.transaction
                .prepare_cached("INSERT INTO event_block (first, last, body) VALUES (?1, ?2, ?3)")?
                .execute(params![block.first, last, self.row])?;
        }
        Ok(())
    }

    /// Removes blocks that lie wholly before those to be kept. They follow each other without a gap, so their first
    /// numbers tell; to ask for the last ones would read the whole table each time.
    pub(super) fn trim_events(&mut self, last_seq: u64, kept: u64) -> rusqlite::Result<u64> {
        self.transaction
            .prepare_cached(
                "DELETE FROM event_block WHERE first <
                 (SELECT max(first) FROM event_block WHERE first <= ?1)",
            )?
            .execute([last_seq.saturating_sub(kept) + 1])?;
        self.transaction
            .prepare_cached("SELECT coalesce(min(first), ?1 + 1) FROM event_block")?
            .query_row([last_seq], |row| row.get(0))
    }
}
