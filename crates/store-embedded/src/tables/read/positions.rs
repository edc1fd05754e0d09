//! Which documents are on a page of a list, and where.

use mcpanel_domain::{Namespace, Timestamp};
use mcpanel_store::{Result, query::Position};
use rusqlite::{OptionalExtension, params};

use super::{
    super::lists::{List, Plan, STATUS_MASK},
    Read,
};
use crate::error::read_failed;

/// Which part of a list.
pub struct Range<'a> {
    /// Only what comes after it.
    pub after: Option<&'a Position>,
    /// Created at this moment or later.
    pub from: Option<Timestamp>,
    /// Created before this moment.
    pub before: Option<Timestamp>,
    /// At most so many.
    pub limit: usize,
}

impl Read<'_> {
    /// Places in the lists of a plan, newest first.
    pub fn positions(
        &self,
        namespace: &Namespace,
        plan: &Plan,
        range: &Range<'_>,
    ) -> Result<Vec<Position>> {
        let Some(n) = self.namespaces.number(namespace) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for list in &plan.lists {
            self.list_positions(n, list, plan, range, &mut found)
                .map_err(|error| read_failed(&error))?;
        }
        if plan.lists.len() > 1 {
            found.sort_by(|a, b| b.cmp(a));
            found.truncate(range.limit);
        }
        Ok(found)
    }

    fn list_positions(
        &self,
        namespace: i64,
        list: &List,
        plan: &Plan,
        range: &Range<'_>,
        into: &mut Vec<Position>,
    ) -> rusqlite::Result<()> {
        let number: Option<i64> = self
            .connection
            .prepare_cached("SELECT n FROM list WHERE namespace = ?1 AND name = ?2")?
            .query_row(params![namespace, list.name()], |row| row.get(0))
            .optional()?;
        let Some(number) = number else {
            return Ok(());
        };
        // Everything created before a moment comes after the place (that moment, no id).
        let before = range.before.map(|before| (before.as_ms(), ""));
        let after = range
            .after
            .map(|after| (after.created_at.as_ms(), after.id.as_str()));
        let (created_at, id) = [before, after]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or((i64::MAX, ""));
        let statuses = plan
            .statuses
            .iter()
            .fold(0_i64, |bits, status| bits | 1 << status);
        let statuses = if statuses == 0 { i64::MAX } else { statuses };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT created_at, id FROM listing
             WHERE list = ?1 AND (created_at, id) < (?2, ?3) AND created_at >= ?4
               AND (facets & ?5) = ?6 AND ((1 << (facets & {STATUS_MASK})) & ?7) <> 0
             ORDER BY created_at DESC, id DESC LIMIT ?8"
        ))?;
        let from = range.from.map_or(i64::MIN, Timestamp::as_ms);
        let limit = i64::try_from(range.limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(
            params![
                number, created_at, id, from, plan.mask, plan.want, statuses, limit
            ],
            |row| {
                Ok(Position {
                    created_at: Timestamp::from_ms(row.get(0)?),
                    id: row.get(1)?,
                })
            },
        )?;
        for row in rows {
            into.push(row?);
        }
        Ok(())
    }
}
