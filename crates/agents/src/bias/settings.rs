//! What a task may say about how bias is measured.
//!
//! | parameter | |
//! | --- | --- |
//! | `flask_api_url` | the service that must measure; only the one that the agent was started with |
//! | `flask_fallback` | `fail` (the default) or `built_in`: what happens when the service fails |
//! | `flask_timeout_ms` | how long one request to the service may take |

use std::time::Duration;

use serde_json::Value;

use super::service::ServiceUrl;
use crate::{
    parameters::{Parameters, bad},
    stage::StageError,
};

/// Milliseconds for one request unless `flask_timeout_ms` says otherwise: a model on a processor needs seconds for a
/// batch, and a service that needs longer is more likely stuck than slow.
pub const TIMEOUT_MS: u64 = 30_000;
/// The longest that can be asked for: an attempt should not hang on one request.
pub const TIMEOUT_MS_MAX: u64 = 300_000;

/// What becomes of a task whose service fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// It fails with an error that may be retried: never other results than were asked for.
    Fail,
    /// The built-in measures take over, with a warning in the log and the numbers of records in the report.
    BuiltIn,
}

/// How one task measures.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The service; the built-in measures when `None`.
    pub service: Option<ServiceUrl>,
    /// What becomes of the task when the service fails.
    pub fallback: Fallback,
    /// How long one request may take.
    pub timeout: Duration,
}

impl Settings {
    /// Reads the parameters of a task of an agent that was started with `service`.
    pub fn read(parameters: &Value, service: Option<&ServiceUrl>) -> Result<Self, StageError> {
        let parameters = Parameters(parameters);
        if let Some(asked) = parameters.text("flask_api_url")? {
            let asked = ServiceUrl::parse(asked)
                .map_err(|error| bad("flask_api_url", error.to_string()))?;
            check_allowed(&asked, service)?;
        }
        let fallback = match parameters.text("flask_fallback")? {
            None | Some("fail") => Fallback::Fail,
            Some("built_in") => Fallback::BuiltIn,
            Some(other) => {
                let message = format!("expected `fail` or `built_in`, found `{other}`");
                return Err(bad("flask_fallback", message));
            }
        };
        let timeout_ms = parameters.count("flask_timeout_ms", TIMEOUT_MS, 1, TIMEOUT_MS_MAX)?;
        Ok(Self {
            service: service.cloned(),
            fallback,
            timeout: Duration::from_millis(timeout_ms),
        })
    }
}

/// Whoever may create a task could otherwise make the agent send records, or just requests, to any address that it
/// can reach.
fn check_allowed(asked: &ServiceUrl, service: Option<&ServiceUrl>) -> Result<(), StageError> {
    match service {
        Some(service) if service == asked => Ok(()),
        Some(_) => Err(bad(
            "flask_api_url",
            format!(
                "this agent was started with another `FLASK_API_URL` and does not call `{asked}`"
            ),
        )),
        None => Err(bad(
            "flask_api_url",
            format!("this agent was started without `FLASK_API_URL` and does not call `{asked}`"),
        )),
    }
}
