//! The frame of every page: navigation, the live switch, the sentence that the page before left, and the help.

use axum::http::StatusCode;
use maud::{DOCTYPE, Markup, html};
use mcpanel_guard::Permission;

use super::icon::Icon;
use crate::{
    assets,
    environment::Environment,
    error::Failure,
    form::CSRF,
    session::{Theme, Viewer},
};

/// Longest name of whoever looks, in characters; who it is exactly stands behind it.
const NAME_CHARS_MAX: usize = 40;

/// A place in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Overview,
    Agents,
    Tasks,
    Pipelines,
    Events,
    Operations,
    Settings,
}

impl Section {
    /// Where a path belongs: the overview when it belongs nowhere.
    fn of_path(path: &str) -> Self {
        let first = path.split(['/', '?']).nth(1).unwrap_or_default();
        PLACES
            .iter()
            .find(|place| place.path.strip_prefix('/') == Some(first))
            .map_or(Self::Overview, |place| place.section)
    }
}

/// A line of the navigation.
struct Place {
    section: Section,
    word: &'static str,
    path: &'static str,
    icon: Icon,
    /// The key after `g`.
    key: char,
    /// What one must be allowed to see there.
    needs: Option<Permission>,
}

impl Place {
    /// Whether there is anything for this person.
    fn is_for(&self, viewer: &Viewer) -> bool {
        match self.section {
            // The keys, or the templates.
            Section::Settings => {
                viewer.may(Permission::KeyManage) || viewer.may(Permission::PipelineRead)
            }
            _ => self.needs.is_none_or(|permission| viewer.may(permission)),
        }
    }
}

const fn place(
    section: Section,
    word: &'static str,
    path: &'static str,
    icon: Icon,
    key: char,
    needs: Option<Permission>,
) -> Place {
    Place {
        section,
        word,
        path,
        icon,
        key,
        needs,
    }
}

/// The places, in their order.
#[rustfmt::skip]
const PLACES: [Place; 7] = [
    place(Section::Overview, "Overview", "/", Icon::Overview, 'o', None),
    place(Section::Agents, "Agents", "/agents", Icon::Agents, 'a', Some(Permission::AgentRead)),
    place(Section::Tasks, "Tasks", "/tasks", Icon::Tasks, 't', Some(Permission::TaskRead)),
    place(Section::Pipelines, "Pipelines", "/pipelines", Icon::Pipelines, 'p', Some(Permission::PipelineRead)),
    place(Section::Events, "Events", "/events", Icon::Events, 'e', Some(Permission::EventRead)),
    place(Section::Operations, "Operations", "/operations", Icon::Operations, 'b', Some(Permission::TaskRead)),
    place(Section::Settings, "Settings", "/settings", Icon::Settings, 's', None),
];

/// What the keys do, for the help.
const KEYS: [(&str, &str); 12] = [
    ("?", "this help"),
    ("/", "search tasks, or the filter of this page"),
    (
        "g then o a t p e b s",
        "go to overview, agents, tasks, pipelines, events, operations, settings",
    ),
    ("r", "live on or off"),
    ("t", "colours: automatic, light, dark"),
    ("z", "times in UTC or in your zone"),
    ("j k", "next and previous row"),
    ("Enter", "open the row"),
    ("R C", "retry or cancel the row; start a pipeline"),
    ("D X", "drain or resume the agent of the row, disable it"),
    ("w", "wrap the long lines of a log, or not"),
    (
        "← →",
        "go through a chart; with Shift mark a stretch, Enter shows it closer",
    ),
];

/// A page.
pub struct Page<'a> {
    /// Its title, without the product's name.
    pub title: &'a str,
    /// Where it is.
    pub section: Section,
    /// What it follows: the query of its stream, such as `topic=tasks`; nothing for a page that stands still.
    pub follows: Option<String>,
    /// What is on it.
    pub body: Markup,
}

/// The whole page, or only what a script asked for.
pub fn page(viewer: &Viewer, page: &Page<'_>) -> Markup {
    if viewer.partial {
        return html! { (title(page.title, viewer.environment.as_deref())) (page.body) };
    }
    frame(
        page.title,
        viewer.theme,
        viewer.environment.as_deref(),
        &html! {
            a.skip href="#main" { "Skip to the content" }
            div.shell {
                header.side {
                    div.top {
                        a.brand href="/" { span.mark aria-hidden="true" {} "mcpanel" }
                        @if let Some(environment) = viewer.environment.as_deref() { (badge(environment)) }
                    }
                    nav aria-label="Main" { ul {
                        @for place in &PLACES {
                            @if place.is_for(viewer) {
                                li {
                                    a href=(place.path) aria-current=[(place.section == page.section).then_some("page")]
                                        data-go=(place.key) title={ (place.word) " (g " (place.key) ")" } {
                                        (place.icon.draw()) span { (place.word) }
                                    }
                                }
                            }
                        }
                    } }
                    (tools(viewer, page.follows.is_some()))
                }
                main #main tabindex="-1" data-now=(viewer.now.as_ms()) data-after=(viewer.newest) data-follows=[page.follows.as_deref()] {
                    (flash(viewer))
                    (page.body)
                }
            }
            (help())
            (ask())
            div #said.said role="status" aria-live="polite" {}
        },
    )
}

fn tools(viewer: &Viewer, follows: bool) -> Markup {
    html! {
        div.tools {
            @if follows {
                button #live.tool type="button" aria-pressed="true" data-state="lost" title="Live updates (r)" hidden {
                    span.pulse aria-hidden="true" {} span.live-word { "Connecting" }
                }
            }
            button #theme.tool.script type="button" title="Colours (t)" hidden { (Icon::Theme.draw()) span.tool-word { "Colours" } }
            button #zone.tool.script type="button" title="Time zone (z)" hidden { (Icon::Clock.draw()) span.tool-word #zone-word { "UTC" } }
            button #keys.tool.script type="button" title="Keys (?)" hidden { (Icon::Keyboard.draw()) span.tool-word { "Keys" } }
            div.who {
                span.who-name title=(viewer.scope.actor) { (super::text::short(viewer.known_as(), NAME_CHARS_MAX)) }
                span.who-role { (viewer.role().as_str()) " · " (viewer.principal.namespace) }
            }
            form method="post" action="/sign-out" {
                input type="hidden" name=(CSRF) value=(viewer.csrf);
                button.tool type="submit" title="Sign out" { (Icon::Out.draw()) span.tool-word { "Sign out" } }
            }
        }
    }
}

fn flash(viewer: &Viewer) -> Markup {
    html! {
        @if let Some(flash) = &viewer.flash {
            div class={ "flash " (if flash.good { "t-good" } else { "t-bad" }) } role="status" {
                (if flash.good { Icon::Completed } else { Icon::Failed }.draw())
                span { (flash.text) }
            }
        }
    }
}

fn help() -> Markup {
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keys" }
            dl.keys {
                @for (key, what) in KEYS { div { dt { kbd { (key) } } dd { (what) } } }
            }
            p.muted { "Keys rest while you type. Live updates rest while a field has the focus, the pointer is on a list, or the tab is hidden." }
            form method="dialog" { button.button type="submit" { "Close" } }
        }
    }
}

fn ask() -> Markup {
    html! {
        dialog #ask aria-labelledby="ask-text" {
            p #ask-text {}
            form.row method="dialog" {
                button.button type="submit" value="no" { "Keep as it is" }
                button.button.danger type="submit" value="yes" { "Yes, do it" }
            }
        }
    }
}

/// Where this server stands, so that nobody takes the one for the other.
pub fn badge(environment: &Environment) -> Markup {
    html! { span class={ "environment " (environment.tone()) } title="This server's environment" { (environment.name()) } }
}

fn title(name: &str, environment: Option<&Environment>) -> Markup {
    html! { title { (name) " · mcpanel" @if let Some(environment) = environment { " " (environment.name()) } } }
}

/// What every page has around it, signed in or not.
pub fn frame(name: &str, theme: Theme, environment: Option<&Environment>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-theme=(theme.as_str()) data-base="/" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=r#"{"includeIndicatorCSS":false,"history":false,"noSwap":[204,304,"4xx","5xx"]}"#;
                (title(name, environment))
                link rel="icon" href=(assets::url("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::url("app.css"));
                link rel="stylesheet" href=(assets::url("parts.css"));
                script src=(assets::url("htmx.js")) defer {}
                script src=(assets::url("page.js")) defer {}
                script src=(assets::url("live.js")) defer {}
                script src=(assets::url("rows.js")) defer {}
                script src=(assets::url("chart.js")) defer {}
                script src=(assets::url("keys.js")) defer {}
            }
            body { (body) }
        }
    }
}

/// A page that says why there is no other. `request` is the id under which the log tells more.
pub fn failure(
    failure: &Failure,
    viewer: Option<&Viewer>,
    theme: Theme,
    environment: Option<&Environment>,
    request: Option<&str>,
) -> Markup {
    let is_ours = failure.status.is_server_error();
    let words = html! {
        div.failure {
            p.failure-code aria-hidden="true" { (failure.status.as_u16()) }
            h1 { (failure.title()) }
            p { (super::text::sentence(&failure.detail)) }
            @if let (StatusCode::FORBIDDEN, Some(viewer)) = (failure.status, viewer) {
                p.muted { "You are signed in as " b { (super::text::short(viewer.known_as(), NAME_CHARS_MAX)) } " (" (viewer.role().as_str()) "). Whoever made your key can make one that may do this." }
            }
            @if let (true, Some(request)) = (is_ours, request) {
                p.muted { "If you report it, mention this request:" }
                p { (super::parts::id(request)) }
            }
            div.actions {
                @if is_ours && viewer.is_some_and(|viewer| viewer.reads) { a.button.primary href=[viewer.map(|viewer| &viewer.here)] { "Try again" } }
                @match viewer {
                    Some(viewer) => {
                        a.button href="/" { "Overview" }
                        @if viewer.may(Permission::TaskRead) { a.button href="/tasks" { "Search tasks" } }
                    },
                    None => { a.button href="/" { "Sign in" } },
                }
            }
        }
    };
    match viewer {
        Some(viewer) => page(
            viewer,
            &Page {
                title: failure.title(),
                section: Section::of_path(&viewer.here),
                follows: None,
                body: words,
            },
        ),
        None => frame(
            failure.title(),
            theme,
            environment,
            &html! { main #main.alone { (words) } },
        ),
    }
}
