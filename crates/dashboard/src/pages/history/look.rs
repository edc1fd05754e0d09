//! What the store remembers.

use mcpanel_control::{Point, Reason};
use mcpanel_domain::{Timestamp, sample::Activity};
use mcpanel_guard::Permission;
use mcpanel_store::query::{Queue, Totals};

use super::window::{HOUR_MS, MINUTE_MS, Window};
use crate::{Dashboard, error::Result, session::Viewer};

/// What the store tells.
pub struct Past {
    /// Every step of the window, with what was sampled in it.
    pub points: Vec<(Timestamp, Option<Point>)>,
    /// What happened within the last hour.
    pub hour: Activity,
    /// What waits, by type; what has waited longest first.
    pub queues: Vec<Queue>,
    /// Why tasks failed within the last hour.
    pub reasons: Vec<Reason>,
}

/// Looks back; nothing for who may not see how the server does.
pub async fn look(dashboard: &Dashboard, viewer: &Viewer, window: &Window) -> Result<Option<Past>> {
    if !viewer.may(Permission::SystemHealth) || !viewer.may(Permission::TaskRead) {
        return Ok(None);
    }
    let (history, scope) = (&dashboard.control.history, &viewer.scope);
    let mut found = history
        .between(scope, window.from, window.to, window.step_ms)
        .await?;
    let present = history.present(scope).await?;
    let mut hour = present.clone();
    for point in &history.points(scope, HOUR_MS, MINUTE_MS).await? {
        hour.absorb(&point.activity);
    }
    if window.goes_on() {
        let totals = dashboard.control.tasks.totals(scope).await?;
        add_present(&mut found, present, &totals, viewer.now, window.step_ms);
    }
    let mut queues = history.queues(scope).await?;
    // What has waited longest is what somebody should look at.
    queues.sort_by_key(|queue| (queue.oldest.is_none(), queue.oldest));
    Ok(Some(Past {
        points: steps(found, window),
        hour,
        queues,
        reasons: history.errors(scope, HOUR_MS).await?,
    }))
}

/// Puts what happens this minute at the end, so that nobody waits for a sample to see it.
fn add_present(
    found: &mut Vec<Point>,
    present: Activity,
    totals: &Totals,
    now: Timestamp,
    step: u64,
) {
    let ms = u64::try_from(now.as_ms()).unwrap_or(0);
    let at = Timestamp::from_ms(i64::try_from(ms - ms % step).unwrap_or(0));
    match found.last_mut() {
        Some(last) if last.at == at => {
            last.tasks = totals.tasks;
            last.activity.absorb(&present);
        }
        _ => found.push(Point {
            at,
            minutes: 1,
            tasks: totals.tasks,
            ready: totals.ready,
            agents: [0; 5],
            oldest_waiting_ms: None,
            activity: present,
        }),
    }
}

/// Every step of the window, those without a sample too, so that a gap is seen as one.
fn steps(found: Vec<Point>, window: &Window) -> Vec<(Timestamp, Option<Point>)> {
    let mut found = found.into_iter().peekable();
    window
        .steps()
        .map(|at| {
            while found.next_if(|point| point.at < at).is_some() {}
            (at, found.next_if(|point| point.at == at))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::list::Query;

    fn point(at: i64) -> Point {
        Point {
            at: Timestamp::from_ms(at),
            minutes: 1,
            tasks: [0; 7],
            ready: 0,
            agents: [0; 5],
            oldest_waiting_ms: None,
            activity: Activity::default(),
        }
    }

    #[test]
    fn minutes_without_a_sample_are_gaps_and_not_left_out() {
        let query = Query::read(Some(
            "from=1970-01-01T00:06&to=1970-01-01T00:16&range=ignored",
        ));
        let window = Window::of(&query, Timestamp::from_ms(20 * 60_000));
        let steps = steps(vec![point(7 * 60_000), point(9 * 60_000)], &window);
        let there: Vec<(i64, bool)> = steps
            .iter()
            .map(|(at, point)| (at.as_ms() / 60_000, point.is_some()))
            .collect();
        assert_eq!(
            there[..4],
            [(6, false), (7, true), (8, false), (9, true)],
            "{there:?}"
        );
        assert_eq!(there.len(), 10);
    }
}
