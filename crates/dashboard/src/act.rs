//! Actions on one document: its id from the path, one call of the business layer, and the answer. A form without scripts is
//! led back to its page with a sentence there; a script gets the document's row as it is now, and the sentence beside it. Who may
//! change a document and not read it gets the sentence alone.

use std::{fmt, future::Future};

use axum::{
    extract::{FromRequestParts, Path},
    http::{HeaderName, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mcpanel_guard::Permission;

use crate::{
    Dashboard,
    error::{Failure, Result},
    form::{Form, outcome, sentence_of},
    session::Viewer,
};

/// The header that carries the sentence to a script, written as the cookie of a sentence is.
const SAID: HeaderName = HeaderName::from_static("mcpanel-said");

/// A kind of document that lists show in rows, and that actions change.
pub trait Document: Send + Sync + 'static {
    /// What its ids are.
    type Id: fmt::Display + Send + Sync;

    /// Where its list is: its own page is below it.
    const PATH: &'static str;

    /// What one must be allowed to see its row: to change something is not to read it.
    const READ: Permission;

    /// Reads an id; what cannot be one is not found.
    fn id(text: &str) -> Result<Self::Id>;

    /// Its row in the list, as it is now.
    fn row(
        dashboard: &Dashboard,
        viewer: &Viewer,
        id: &Self::Id,
    ) -> impl Future<Output = Result<Markup>> + Send;
}

/// The document that an action is about, and who acts.
pub struct On<D: Document> {
    /// The dashboard.
    pub dashboard: Dashboard,
    /// Who acts.
    pub viewer: Viewer,
    /// What they act on.
    pub id: D::Id,
    /// What of the path follows the id.
    pub rest: Vec<String>,
}

impl<D: Document> On<D> {
    /// The document's own page.
    pub fn page(&self) -> String {
        format!("{}/{}", D::PATH, self.id)
    }

    /// The answer to what was done or refused. A failure of ours stays one.
    pub async fn answer<T, E: Into<Failure>>(
        &self,
        form: &Form,
        changed: std::result::Result<T, E>,
        done: impl FnOnce(&T) -> String,
    ) -> Result<Response> {
        if !self.viewer.partial {
            return outcome(form.back(&self.page()), changed, done);
        }
        let said = [(SAID, sentence_of(changed, done)?.written())];
        if !self.viewer.may(D::READ) {
            return Ok((StatusCode::NO_CONTENT, said).into_response());
        }
        let row = match D::row(&self.dashboard, &self.viewer, &self.id).await {
            Ok(row) => row,
            // It went away meanwhile: so does its row.
            Err(failure) if failure.status == StatusCode::NOT_FOUND => html! {},
            Err(failure) => return Err(failure),
        };
        Ok((said, row).into_response())
    }
}

impl<D: Document> FromRequestParts<Dashboard> for On<D> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self> {
        let viewer = Viewer::from_request_parts(parts, dashboard).await?;
        let named: Path<Vec<(String, String)>> = Path::from_request_parts(parts, dashboard)
            .await
            .map_err(Failure::internal)?;
        let mut values = named.0.into_iter().map(|(_, value)| value);
        let id = D::id(&values.next().unwrap_or_default())?;
        Ok(Self {
            dashboard: dashboard.clone(),
            viewer,
            id,
            rest: values.collect(),
        })
    }
}
