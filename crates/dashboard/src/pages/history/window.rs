//! From when to when a chart looks: an hour, a day, a week, or two moments that somebody marked. The address says it, so that
//! a stretch can be kept, sent and gone back to.

use maud::{Markup, html};
use mcpanel_domain::{Timestamp, limits::SAMPLES_KEPT_MS};

use crate::ui::{
    list::{Query, moment},
    text,
};

/// A minute, in milliseconds: how often there is a sample.
pub const MINUTE_MS: u64 = 60_000;

/// An hour, in milliseconds.
pub const HOUR_MS: u64 = 60 * MINUTE_MS;

const DAY_MS: u64 = 24 * HOUR_MS;

/// Steps that a chart shows at most: as many as can be told apart on a third of a page.
const STEPS_MAX: u64 = 100;

/// Shortest stretch that is shown, in milliseconds: ten samples.
const SHORTEST_MS: u64 = 10 * MINUTE_MS;

/// How long a step can be, in milliseconds: parts of an hour and of a day that people reckon in.
const STEPS_MS: [u64; 9] = [
    MINUTE_MS,
    2 * MINUTE_MS,
    5 * MINUTE_MS,
    10 * MINUTE_MS,
    15 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    4 * HOUR_MS,
];

/// The stretches up to now that are offered: word and length.
const RANGES: [(&str, u64); 3] = [("1h", HOUR_MS), ("24h", DAY_MS), ("7d", 7 * DAY_MS)];

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub from: Timestamp,
    /// The moment after the last.
    pub to: Timestamp,
    /// How long a step is, in milliseconds: whole minutes.
    pub step_ms: u64,
    /// The word of a stretch that ends now; none for one that somebody marked, which stands still.
    range: Option<&'static str>,
}

impl Window {
    /// What a query asks for, within what the store remembers.
    pub fn of(query: &Query, now: Timestamp) -> Self {
        let asked = |name| query.text(name).and_then(moment);
        if let (Some(from), Some(to)) = (asked("from"), asked("to")) {
            return Self::between(from, to, now);
        }
        let asked = query.text("range");
        let (word, ms) = RANGES
            .into_iter()
            .find(|(word, _)| asked == Some(*word))
            .unwrap_or(RANGES[0]);
        let step_ms = step_of(ms);
        let end = floor(now, step_ms).plus_ms(step_ms);
        Self {
            from: end.minus_ms(ms),
            to: end,
            step_ms,
            range: Some(word),
        }
    }

    fn between(from: Timestamp, to: Timestamp, now: Timestamp) -> Self {
        let to = to.min(now);
        let from = from.max(now.minus_ms(SAMPLES_KEPT_MS));
        // Whole steps that hold what was marked, however short that is.
        let length = to.ms_since(from).max(SHORTEST_MS);
        let step_ms = step_of(length);
        let begin = floor(from.min(to.minus_ms(length)), step_ms);
        let steps = to.ms_since(begin).div_ceil(step_ms);
        Self {
            from: begin,
            to: begin.plus_ms(steps * step_ms),
            step_ms,
            range: None,
        }
    }

    /// Whether it ends now, and so goes on.
    pub fn goes_on(&self) -> bool {
        self.range.is_some()
    }

    /// How long it is, in milliseconds.
    pub fn length_ms(&self) -> u64 {
        self.to.ms_since(self.from)
    }

    /// The beginnings of its steps.
    pub fn steps(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (from, step_ms) = (self.from, self.step_ms);
        (0..self.length_ms() / step_ms).map(move |step| from.plus_ms(step * step_ms))
    }

    /// A path that asks for it.
    pub fn on(&self, path: &str) -> String {
        match self.range {
            Some(word) if word == RANGES[0].0 => path.to_owned(),
            Some(word) => Query::default().with("range", word).on(path),
            None => marked(path, self.from, self.to),
        }
    }

    /// The beginning of a step, as short as the length of the whole allows, in UTC.
    pub fn label(&self, at: Timestamp) -> String {
        let iso = at.to_string();
        let part = if self.length_ms() <= DAY_MS {
            iso.get(11..16)
        } else {
            iso.get(5..16)
        };
        part.unwrap_or(&iso).replace('T', " ")
    }

    /// How long a step is, in words.
    pub fn step_words(&self) -> String {
        match self.step_ms {
            MINUTE_MS => "each minute".to_owned(),
            HOUR_MS => "each hour".to_owned(),
            step => format!("every {}", text::duration(step)),
        }
    }

    /// The ways to look at another stretch: links, and a form for two moments.
    pub fn picker(&self, path: &str, now: Timestamp) -> Markup {
        let half = self.length_ms() / 2;
        let wider = Self::between(self.from.minus_ms(half), self.to.plus_ms(half), now);
        let value = |at: Timestamp| at.to_string().get(..16).unwrap_or_default().to_owned();
        html! {
            div.window {
                span.ranges role="group" aria-label="How far back" {
                    @for (word, _) in RANGES {
                        a.button.small href=(Query::default().with("range", word).on(path)) aria-current=[(self.range == Some(word)).then_some("true")] { (word) }
                    }
                    @if !self.goes_on() {
                        a.button.small href=(marked(path, self.from.minus_ms(half), self.to.minus_ms(half))) { "Earlier" }
                        @if self.to < now { a.button.small href=(marked(path, self.from.plus_ms(half), self.to.plus_ms(half))) { "Later" } }
                        a.button.small href=(wider.on(path)) { "Zoom out" }
                    }
                }
                details.between { summary { "From … to" }
                    form.filter method="get" action=(path) {
                        label.field { span { "From (UTC)" } input type="datetime-local" name="from" value=(value(self.from)) required; }
                        label.field { span { "To (UTC)" } input type="datetime-local" name="to" value=(value(self.to)) required; }
                        button.button type="submit" { "Show" }
                    }
                }
            }
        }
    }
}

/// A path that asks for what lies between two moments.
fn marked(path: &str, from: Timestamp, to: Timestamp) -> String {
    Query::default()
        .with("from", &from.to_string())
        .with("to", &to.to_string())
        .on(path)
}

/// The shortest step of which a chart can show all.
fn step_of(length_ms: u64) -> u64 {
    STEPS_MS
        .into_iter()
        .find(|step| length_ms.div_ceil(*step) <= STEPS_MAX)
        .unwrap_or(STEPS_MS[STEPS_MS.len() - 1])
}

fn floor(at: Timestamp, step_ms: u64) -> Timestamp {
    let step = i64::try_from(step_ms).unwrap_or(i64::MAX);
    Timestamp::from_ms(at.as_ms() - at.as_ms().rem_euclid(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(query: &str) -> Window {
        let now = Timestamp::parse("2026-01-08T12:00:30Z").unwrap();
        Window::of(&Query::read(Some(query)), now)
    }

    #[test]
    fn a_range_is_read_and_written_and_has_as_many_steps_as_a_chart_shows() {
        for (word, ms) in RANGES {
            let asked = window(&format!("range={word}"));
            let path = asked.on("/");
            let again = window(path.split_once('?').map_or("", |(_, query)| query));
            assert_eq!(again, asked);
            assert_eq!(asked.length_ms(), ms);
            assert!((60..=STEPS_MAX).contains(&(ms / asked.step_ms)));
            assert!(asked.goes_on());
        }
        assert_eq!(window("range=nonsense"), window(""));
    }

    #[test]
    fn what_was_marked_is_shown_whole_in_finer_steps() {
        let asked = window("from=2026-01-08T03:02&to=2026-01-08T04:17");
        assert_eq!(asked.step_ms, MINUTE_MS);
        assert_eq!(asked.from.to_string(), "2026-01-08T03:02:00.000Z");
        assert_eq!(asked.to.to_string(), "2026-01-08T04:17:00.000Z");
        assert_eq!(asked.steps().count(), 75);
        let path = asked.on("/");
        assert_eq!(window(path.split_once('?').unwrap().1), asked);
    }

    #[test]
    fn a_stretch_stays_within_what_is_remembered_whatever_the_address_says() {
        for query in [
            "from=1999-01-01&to=2099-01-01",
            "from=2026-01-08T12:00&to=2026-01-08T12:00",
            "from=2026-01-08T12:00&to=2026-01-01T12:00",
            "from=2099-01-01&to=2098-01-01",
        ] {
            let asked = window(query);
            let steps = asked.length_ms() / asked.step_ms;
            assert!((1..=STEPS_MAX + 1).contains(&steps), "{query}: {asked:?}");
            assert!(asked.length_ms() >= SHORTEST_MS, "{query}: {asked:?}");
        }
    }
}
