//! The dashboard: pages rendered on the server, over the business layer.
//!
//! It is a view beside the REST routes and no second implementation: a page asks the same managers of
//! `mcpanel_control` for the same documents, an action calls the same method that a route calls. What only the server can do
//! (check a credential, take and hand out files) it does through [`Host`].
//!
//! - [`app`], [`host`]: what pages share, and what they need of the server
//! - [`session`], [`guard`], [`form`]: who looks, what they may, and forms that nobody else can send in their name
//! - `act`: what all actions on one document have in common
//! - [`routes`]: every page and action, each with the permission it needs
//! - `pages`: a file for each page; reading first, then its actions
//! - [`environment`]: where this server stands
//! - `ui`: the parts that pages are made of, charts among them
//! - `views`: filters that somebody named
//! - `live`: the one stream of each tab that says what changed
//! - [`assets`]: style sheet and scripts, in the binary
//!
//! Everything reads without JavaScript. Scripts make it live, keep rows from moving under the pointer, and know the keys.

mod act;
pub mod app;
pub mod assets;
pub mod environment;
pub mod error;
pub mod form;
pub mod guard;
pub mod host;
pub mod limits;
mod live;
mod pages;
pub mod routes;
pub mod session;
mod ui;
mod views;

#[cfg(test)]
mod tests;

pub use app::Dashboard;
pub use environment::Environment;
pub use guard::{Page, dress};
pub use host::{About, Host, PartHealth, Person, Refusal, Upload};
pub use routes::router;
