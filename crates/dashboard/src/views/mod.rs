//! Saved views: filters that somebody named, as tabs above a list.
//!
//! They are kept in a cookie of the browser, one for each person and list: so they work without scripts, need no place in the
//! store, and nobody else sees what somebody searched for. A view is a link too, and can be sent as one.

mod actions;
#[cfg(test)]
mod tests;

use axum::http::HeaderMap;
use maud::{Markup, html};
use sha2::{Digest, Sha256};

pub use actions::{remove, save};

use crate::{
    error::{Failure, Result},
    limits::{VIEW_NAME_CHARS_MAX, VIEWS_BYTES_MAX, VIEWS_MAX, VIEWS_TOGETHER_BYTES_MAX},
    pages::{agents, events, pipelines, tasks},
    session::{Viewer, cookie, cookies, hex},
    ui::{list::Query, parts::hidden},
};

/// A list whose filters can be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Agents,
    Tasks,
    Pipelines,
    Events,
}

/// Words that are in a list's query, or views of it.
type Names = &'static [&'static str];
type Given = &'static [(&'static str, &'static str)];

impl List {
    const ALL: [Self; 4] = [Self::Agents, Self::Tasks, Self::Pipelines, Self::Events];

    fn parse(word: &str) -> Result<Self> {
        let mut lists = Self::ALL.into_iter();
        lists
            .find(|list| list.word() == word)
            .ok_or_else(|| Failure::not_found("list", word))
    }

    /// Where the list is, what of the query makes its filter, and the views that everybody has.
    fn about(self) -> (&'static str, Names, Given) {
        match self {
            Self::Agents => ("/agents", &agents::filter::NAMES, &agents::filter::VIEWS),
            Self::Tasks => ("/tasks", &tasks::filter::NAMES, &tasks::filter::VIEWS),
            Self::Pipelines => (
                "/pipelines",
                &pipelines::filter::NAMES,
                &pipelines::filter::VIEWS,
            ),
            Self::Events => ("/events", &events::NAMES, &events::VIEWS),
        }
    }

    fn path(self) -> &'static str {
        self.about().0
    }

    fn word(self) -> &'static str {
        self.path().trim_start_matches('/')
    }

    fn names(self) -> Names {
        self.about().1
    }

    fn given(self) -> Given {
        self.about().2
    }

    /// The filter of a query, and nothing else of it.
    fn filter(self, query: &Query) -> Query {
        let mut filter = Query::default();
        for name in self.names() {
            for value in query.all(name) {
                filter = filter.with(name, value);
            }
        }
        filter
    }
}

/// The views that somebody saved.
#[derive(Debug, Clone)]
pub struct Views {
    list: List,
    kept: Vec<(String, Query)>,
}

impl Views {
    /// What the browser sent. Whatever it is, only filters of the list come out of it.
    pub fn of(list: List, viewer: &Viewer, headers: &HeaderMap) -> Self {
        let text = cookie(headers, &cookie_name(list, viewer)).unwrap_or_default();
        Self::read(list, &text)
    }

    fn read(list: List, text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        let kept = pairs
            .filter(|(name, _)| is_name(name))
            .map(|(name, query)| (name.into_owned(), list.filter(&Query::read(Some(&query)))))
            .filter(|(_, query)| !query.is_empty())
            .take(VIEWS_MAX)
            .collect();
        Self { list, kept }
    }

    fn write(&self) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, query) in &self.kept {
            text.append_pair(name, query.on("").trim_start_matches('?'));
        }
        text.finish()
    }

    /// These and one more, in the place of one with the same name; or why not.
    fn with(&self, name: &str, query: &Query) -> std::result::Result<Self, String> {
        let query = self.list.filter(query);
        if !is_name(name) {
            return Err(format!(
                "A view has a name of at most {VIEW_NAME_CHARS_MAX} characters."
            ));
        }
        if query.is_empty() {
            return Err("Filter first; then save the filter.".to_owned());
        }
        let mut views = self.without(name);
        views.kept.push((name.to_owned(), query));
        if views.kept.len() > VIEWS_MAX {
            return Err(format!(
                "There are {VIEWS_MAX} views already; remove one first."
            ));
        }
        if views.write().len() > VIEWS_BYTES_MAX {
            return Err("The saved views are too long together; remove one first.".to_owned());
        }
        Ok(views)
    }

    fn without(&self, name: &str) -> Self {
        let kept = self.kept.iter().filter(|(kept, _)| kept != name);
        Self {
            list: self.list,
            kept: kept.cloned().collect(),
        }
    }

    /// The tabs, and what saves or removes the present filter.
    pub fn draw(&self, viewer: &Viewer, query: &Query) -> Markup {
        let (path, names) = (self.list.path(), self.list.names());
        let is_now = |view: &Query| names.iter().all(|name| query.all(name).eq(view.all(name)));
        let now = self.kept.iter().find(|(_, view)| is_now(view));
        let given: Vec<(&str, Query)> = self
            .list
            .given()
            .iter()
            .map(|(word, text)| (*word, Query::read(Some(text))))
            .collect();
        let is_given = given.iter().any(|(_, view)| is_now(view));
        html! {
            div.views {
                nav aria-label="Views" {
                    @for (word, view) in &given { a href=(view.on(path)) aria-current=[is_now(view).then_some("true")] { (word) } }
                    @for (name, view) in &self.kept { a.saved href=(view.on(path)) aria-current=[is_now(view).then_some("true")] { (name) } }
                }
                @if let Some((name, _)) = now {
                    form method="post" action={ "/views/" (self.list.word()) "/remove" } {
                        (hidden(viewer)) input type="hidden" name="name" value=(name);
                        button.button.small.plain type="submit" { "Remove view" span.visually-hidden { " " (name) } }
                    }
                } @else if !is_given {
                    details.save { summary { "Save view" }
                        form.filter method="post" action={ "/views/" (self.list.word()) } {
                            (hidden(viewer)) input type="hidden" name="query" value=(self.list.filter(query).on("").trim_start_matches('?'));
                            label { span.visually-hidden { "Name of the view" } input type="text" name="name" placeholder="Name of the view" maxlength=(VIEW_NAME_CHARS_MAX) required autocomplete="off"; }
                            button.button.primary type="submit" { "Save" }
                        }
                    }
                }
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let length = name.chars().count();
    (1..=VIEW_NAME_CHARS_MAX).contains(&length) && !name.chars().any(char::is_control)
}

/// What the cookies of all views begin with.
const COOKIE: &str = "mcpanel_views_";

/// A cookie for each person, so that who signs in next in the same browser finds their own.
fn cookie_name(list: List, viewer: &Viewer) -> String {
    let digest = Sha256::digest(viewer.scope.actor.as_bytes());
    format!("{COOKIE}{}_{}", list.word(), hex(&digest[..6]))
}

/// How other cookies make room for `text` as the value of `name`.
enum Room {
    /// There is enough when these go: all of other people's views, or none.
    Without(Vec<String>),
    /// One's own views take more than there is.
    None,
}

/// How much room the views in this browser leave.
fn room(viewer: &Viewer, headers: &HeaderMap, name: &str, text: &str) -> Room {
    let mine = List::ALL.map(|list| cookie_name(list, viewer));
    let bytes = |kept: &[(&str, &str)]| -> usize {
        let sizes = kept.iter().map(|(name, text)| name.len() + text.len());
        sizes.sum()
    };
    let kept: Vec<(&str, &str)> = cookies(headers)
        .filter(|(kept, _)| kept.starts_with(COOKIE) && *kept != name)
        .chain([(name, text)])
        .collect();
    if bytes(&kept) <= VIEWS_TOGETHER_BYTES_MAX {
        return Room::Without(Vec::new());
    }
    let (own, others): (Vec<_>, Vec<_>) = kept
        .into_iter()
        .partition(|(name, _)| mine.iter().any(|own| own == name));
    if bytes(&own) > VIEWS_TOGETHER_BYTES_MAX {
        return Room::None;
    }
    Room::Without(others.iter().map(|(name, _)| (*name).to_owned()).collect())
}
