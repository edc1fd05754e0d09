//! Small parts: times, ids, bars, actions, empty places.

use maud::{Markup, html};
use mcpanel_domain::Timestamp;

use super::{icon::Icon, text};
use crate::{form::CSRF, session::Viewer};

/// A moment: UTC as it is read without scripts, the reader's own zone with them.
pub fn time(at: Timestamp) -> Markup {
    let iso = at.to_string();
    let plain = iso
        .get(..19)
        .map_or_else(|| iso.clone(), |text| text.replace('T', " "));
    html! { time datetime=(iso) data-time title=(iso) { (plain) " UTC" } }
}

/// The same with its milliseconds, where what is near it in time matters.
pub fn exact_time(at: Timestamp) -> Markup {
    let iso = at.to_string();
    let plain = iso.trim_end_matches('Z').replace('T', " ");
    html! { time datetime=(iso) data-time="exact" title=(iso) { (plain) " UTC" } }
}

/// How long ago; it goes on ticking.
pub fn age(at: Timestamp, now: Timestamp) -> Markup {
    let iso = at.to_string();
    let words = text::ago(now.ms_since(at));
    html! { time datetime=(iso) data-age title=(iso) { (words) } }
}

/// How long something has lasted; it goes on ticking.
pub fn since(at: Timestamp, now: Timestamp) -> Markup {
    let iso = at.to_string();
    html! { time datetime=(iso) data-since title={ "since " (iso) } { (text::duration(now.ms_since(at))) } }
}

/// A dash where there is nothing, which is read as what is missing.
pub fn none(what: &str) -> Markup {
    html! { span.none aria-label=(what) title=(what) { "–" } }
}

/// An id with a button that copies it.
pub fn id(id: &str) -> Markup {
    html! {
        span.id {
            code title=(id) { (id) }
            button.copy type="button" data-copy=(id) aria-label={ "Copy " (id) } title="Copy" { (Icon::Copy.draw()) }
        }
    }
}

/// A link to a document by its id, shortened in the middle.
pub fn link(path: &str, id: &str) -> Markup {
    html! { a.ref href={ (path) "/" (id) } title=(id) { (text::middle(id)) } }
}

/// A bar of one value, 0 to 100, with its meaning for who listens.
pub fn bar(percent: f64, label: &str, tone: &str) -> Markup {
    let percent = percent.clamp(0.0, 100.0);
    html! {
        svg class={ "bar " (tone) } viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label=(label) {
            rect.rail width="100" height="4" {}
            rect.fill width=(format!("{percent:.2}")) height="4" {}
        }
    }
}

/// A part of a stacked bar.
pub struct Part<'a> {
    /// How much.
    pub value: u64,
    /// The class that gives the colour.
    pub tone: &'a str,
}

/// A bar of several values.
pub fn stacked(parts: &[Part<'_>], whole: u64, label: &str) -> Markup {
    let mut at = 0.0;
    let drawn: Vec<(f64, f64, &str)> = parts
        .iter()
        .map(|part| {
            let width = text::percent(part.value, whole.max(1));
            let from = at;
            at += width;
            (from, width, part.tone)
        })
        .collect();
    html! {
        svg.bar viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label=(label) {
            rect.rail width="100" height="4" {}
            @for (from, width, tone) in drawn {
                @if width > 0.0 {
                    rect class={ "fill " (tone) } x=(format!("{from:.2}")) width=(format!("{width:.2}")) height="4" {}
                }
            }
        }
    }
}

/// A place where there is nothing yet, and what to do about it.
pub fn empty(title: &str, hint: Markup) -> Markup {
    html! { div.empty { p.empty-title { (title) } p { (hint) } } }
}

/// The hidden fields of every form: the session's token, and where to come back to.
pub fn hidden(viewer: &Viewer) -> Markup {
    html! {
        input type="hidden" name=(CSRF) value=(viewer.csrf);
        input type="hidden" name="back" value=(viewer.here);
    }
}

/// An action that a button takes.
pub struct Action<'a> {
    /// Where it is sent.
    pub path: String,
    /// What the button says.
    pub word: &'a str,
    /// The class of the button: `primary`, `danger`, or nothing.
    pub class: &'a str,
    /// What is asked before, where it cannot be undone.
    pub ask: Option<String>,
    /// More fields: name and value.
    pub fields: &'a [(&'a str, &'a str)],
}

impl Action<'_> {
    /// The button, in a form of its own.
    pub fn draw(&self, viewer: &Viewer) -> Markup {
        html! {
            form.action method="post" action=(self.path) data-ask=[self.ask.as_deref()] {
                (hidden(viewer))
                @for (name, value) in self.fields { input type="hidden" name=(name) value=(value); }
                button class={ "button " (self.class) } type="submit" { (self.word) }
            }
        }
    }
}

/// An action on the row of a list. Its button stands in the form around the list and names its own target, so that it works
/// without scripts; with them, the row alone is renewed.
pub struct RowAction<'a> {
    /// Where it is sent.
    pub path: String,
    /// What the button says.
    pub word: &'a str,
    /// What it acts on, for who hears the buttons one by one.
    pub of: &'a str,
    /// The key that takes it for the row one is at.
    pub key: char,
    /// What is asked before, where it cannot be undone.
    pub ask: Option<&'a str>,
    /// One more field: name and value.
    pub field: Option<(&'a str, &'a str)>,
}

impl RowAction<'_> {
    /// The button.
    pub fn draw(&self) -> Markup {
        let class = if self.ask.is_some() { "danger" } else { "" };
        html! {
            button class={ "button small " (class) } type="submit" formaction=(self.path) data-row-action data-key=(self.key)
                data-ask-click=[self.ask] name=[self.field.map(|(name, _)| name)] value=[self.field.map(|(_, value)| value)]
                title={ (self.word) " (" (self.key) ")" } { (self.word) span.visually-hidden { " " (self.of) } }
        }
    }
}

/// The form around a list whose rows have buttons, for who may press them; the list alone for others.
pub fn rows(viewer: &Viewer, may: bool, list: &Markup) -> Markup {
    html! {
        @if may { form method="post" { (hidden(viewer)) (list) } }
        @else { (list) }
    }
}

/// A tile of the overview: a figure, its word, and where its list is.
pub fn tile(word: &str, figure: Markup, note: Markup, href: &str, tone: &str) -> Markup {
    html! {
        a class={ "tile " (tone) } href=(href) {
            span.tile-word { (word) }
            span.tile-figure { (figure) }
            span.tile-note { (note) }
        }
    }
}

/// A heading with what belongs beside it.
pub fn section(id: &str, title: &str, beside: Markup) -> Markup {
    html! { div.section-head { h2 id=(id) { (title) } div.beside { (beside) } } }
}

/// A line of a list of properties.
pub fn property(name: &str, value: Markup) -> Markup {
    html! { div.property { dt { (name) } dd { (value) } } }
}

/// The same elsewhere: the command and the call that show a document of a kind, such as `tasks`.
pub fn elsewhere(kind: &str, id: &str) -> Markup {
    let command = format!("mcpanel {kind} get {id}");
    let call =
        format!("curl -H \"X-API-Key: $MCPANEL_API_KEY\" \"$MCPANEL_URL/api/v1/{kind}/{id}\"");
    html! {
        section.card aria-labelledby="elsewhere" {
            h2 #elsewhere { "The same elsewhere" }
            dl.properties.wide {
                (property("Command line", self::id(&command)))
                (property("API", self::id(&call)))
            }
        }
    }
}
