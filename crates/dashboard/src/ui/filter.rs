//! Filters of lists: read from the address, and the bar that writes them there.

use maud::{Markup, html};

use super::{list::Query, text};

/// Names by which a list remembers where one is in it.
const PAGING: &[&str] = &["after", "from_row", "limit"];

/// Reads a filter out of a query, and notes what could not be understood.
pub struct Reading<'q> {
    query: &'q Query,
    faults: Vec<String>,
}

impl<'q> Reading<'q> {
    /// Begins with nothing noted.
    pub fn of(query: &'q Query) -> Self {
        Self {
            query,
            faults: Vec::new(),
        }
    }

    /// The value of a name; `what` and the text make the sentence about one that `read` does not understand.
    pub fn value<T>(
        &mut self,
        name: &str,
        what: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.query.text(name)?;
        let value = read(text);
        if value.is_none() {
            self.faults.push(format!("{what} “{text}”"));
        }
        value
    }

    /// All words of `status` that there are.
    pub fn statuses<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        self.all("status", "there is no status", read)
    }

    /// All values of a name; `what` and the text make the sentence about each that `read` does not understand.
    pub fn all<T>(&mut self, name: &str, what: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let mut found = Vec::new();
        for text in self.query.all(name) {
            match read(text) {
                Some(value) => found.push(value),
                None => self.faults.push(format!("{what} “{text}”")),
            }
        }
        found
    }

    /// Sentences about what was ignored.
    pub fn faults(self) -> Vec<String> {
        self.faults
    }
}

/// Whether a query has none of these names.
pub fn is_empty(query: &Query, names: &[&str]) -> bool {
    names.iter().all(|name| query.text(name).is_none())
}

/// A field for a text: its name in the query, its label, and what one may write there.
pub type Field = (&'static str, &'static str, &'static str);

/// The bar above a list: one search, and more on demand.
pub struct Bar<'a> {
    /// Where the list is.
    pub path: &'static str,
    /// What it lists, in words.
    pub of: &'static str,
    /// What the search looks in.
    pub search: &'static str,
    /// The names of the query that make the filter.
    pub names: &'static [&'static str],
    /// Words of status, each as it is drawn.
    pub statuses: Vec<(&'static str, Markup)>,
    /// The other conditions.
    pub fields: &'a [Field],
}

impl Bar<'_> {
    /// The bar as a query fills it.
    pub fn draw(&self, query: &Query) -> Markup {
        let chosen: Vec<&str> = query.all("status").collect();
        let detailed = self
            .fields
            .iter()
            .any(|(name, ..)| query.text(name).is_some());
        html! {
            form.filter method="get" action=(self.path) role="search" aria-label={ "Filter " (self.of) } {
                label.grow { span.visually-hidden { (self.search) }
                    input data-search type="search" name="q" placeholder=(self.search) value=[query.text("q")]; }
                button.button.primary type="submit" { "Filter" }
                @if !is_empty(query, self.names) { a.button.plain href=(self.path) { "Clear" } }
                details.more open[detailed || chosen.len() > 1] {
                    summary { "More filters" }
                    fieldset.statuses { legend { "Status" }
                        @for (word, drawn) in &self.statuses {
                            label.check { input type="checkbox" name="status" value=(word) checked[chosen.contains(word)]; (drawn) }
                        }
                    }
                    @if !self.fields.is_empty() {
                        div.fields { @for (name, label, hint) in self.fields {
                            label.field { span { (label) }
                                input type="text" name=(name) value=[query.text(name)] placeholder=(hint) autocomplete="off" spellcheck="false"; }
                        } }
                    }
                }
            }
        }
    }
}

/// Sentences about the names of a query that are no conditions of a list, so that nobody takes everything for what they
/// asked for.
pub fn unknown(query: &Query, known: &[&str]) -> Vec<String> {
    let mut faults: Vec<String> = Vec::new();
    for (name, _) in query.without(PAGING).pairs() {
        let fault = format!("there is no condition “{}”", text::short(name, 40));
        if !known.contains(&name.as_str()) && !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}

/// What a list says of conditions that it did not understand.
pub fn ignored(faults: &[String]) -> Markup {
    html! { @for fault in faults { p.flash.t-bad role="alert" { "Ignored: " (fault) "." } } }
}
