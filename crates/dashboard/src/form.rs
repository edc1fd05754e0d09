//! Forms: bounded, and taken only with the token of the session that they were shown in.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    error::Failure,
    limits::FORM_BYTES_MAX,
    session::{Flash, Viewer, same},
    ui::list::Query,
};

/// The field that carries the token.
pub const CSRF: &str = "csrf";

/// The fields of a form whose token was right.
#[derive(Debug, Clone)]
pub struct Form(Query);

impl Form {
    /// The first value of a field, without the blanks around it; nothing when it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.text(name)
    }

    /// All values of a field that are not empty.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.all(name)
    }

    /// Where to go afterwards: a path of ours that the form names, or `otherwise`.
    pub fn back<'f>(&'f self, otherwise: &'f str) -> &'f str {
        self.text("back")
            .filter(|path| is_ours(path))
            .unwrap_or(otherwise)
    }
}

/// Whether a text is a path on this server, and not an address elsewhere in disguise.
pub fn is_ours(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

/// The fields of a form, unchecked: for the sign-in, which has no session yet.
pub async fn fields(body: Body) -> Result<Query, Failure> {
    let bytes = to_bytes(body, FORM_BYTES_MAX).await.map_err(|_| {
        Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a form has at most {FORM_BYTES_MAX} bytes; nothing was changed"),
        )
    })?;
    Ok(Query::parse(&bytes))
}

/// Checks the token of a form.
pub fn check_token(viewer: &Viewer, token: Option<&str>) -> Result<(), Failure> {
    match token {
        Some(token) if same(token, &viewer.csrf) => Ok(()),
        _ => Err(Failure::new(
            StatusCode::FORBIDDEN,
            "this form belongs to another session; nothing was changed. Open the page again and repeat",
        )),
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let viewer = request.extensions().get::<Viewer>().cloned();
        let viewer = viewer.ok_or_else(|| Failure::internal("a public page takes a form"))?;
        let form = Self(fields(request.into_body()).await?);
        check_token(&viewer, form.text(CSRF))?;
        Ok(form)
    }
}

/// The answer to an action: back to a page, with a sentence on it.
pub fn back_with(path: &str, flash: &Flash) -> Response {
    let mut response = Redirect::to(path).into_response();
    response
        .headers_mut()
        .append(header::SET_COOKIE, flash.cookie());
    response
}

/// What to say of an action that was done or refused. What is no refusal (a store that is away) stays a failure.
pub fn sentence_of<T, E: Into<Failure>>(
    outcome: Result<T, E>,
    done: impl FnOnce(&T) -> String,
) -> Result<Flash, Failure> {
    match outcome {
        Ok(value) => Ok(Flash::done(done(&value))),
        Err(error) => {
            let failure: Failure = error.into();
            if failure.status.is_server_error() {
                return Err(failure);
            }
            Ok(Flash::refused(failure.detail))
        }
    }
}

/// The answer to an action: back to a page, with [`sentence_of`] what became of it.
pub fn outcome<T, E: Into<Failure>>(
    path: &str,
    outcome: Result<T, E>,
    done: impl FnOnce(&T) -> String,
) -> Result<Response, Failure> {
    Ok(back_with(path, &sentence_of(outcome, done)?))
}
