//! Agents: who is there, how loaded, what each runs now. Silent ones stay listed with when they were last heard.

mod actions;
mod detail;
pub mod filter;
mod list;
mod load;

use maud::{Markup, html};
use mcpanel_control::AgentView;
use mcpanel_domain::AgentId;

pub use actions::{admit, forget};
pub use detail::show;
pub use list::list;

use crate::{
    error::{Failure, Result},
    ui::{parts, text},
};

/// How many slots are in use.
pub fn slots(view: &AgentView) -> Markup {
    let (used, all) = (view.leases.len() as u64, u64::from(view.agent.concurrency));
    html! {
        span.slots {
            (parts::bar(text::percent(used, all), &format!("{used} of {all} slots in use"), "t-running"))
            span.number { (used) "/" (all) }
        }
    }
}

/// The id in a path.
fn parse(id: &str) -> Result<AgentId> {
    AgentId::parse(id).map_err(|_| Failure::not_found("agent", id))
}

fn capabilities(view: &AgentView) -> Markup {
    /// Capabilities that are named; the rest are counted.
    const NAMED: usize = 8;
    let all = &view.agent.capabilities;
    html! { span.chips { @for name in all.iter().take(NAMED) { span.chip { (name) } }
    @if all.len() > NAMED { span.muted { "+" (all.len() - NAMED) } } } }
}
