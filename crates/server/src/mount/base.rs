//! The path below which a server is found.

use std::{fmt, str::FromStr, sync::Arc};

use axum::http::Uri;

/// Longest base path, in bytes: it stands in every link.
const BYTES_MAX: usize = 128;

/// A path such as `/panel` or `/teams/a`: it begins with a slash and ends without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasePath(Arc<str>);

/// What is no base path, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBasePath {
    /// Not below the root.
    #[error("a base path begins with a slash and names something, such as `/panel`")]
    Beginning,
    /// Longer than it may be.
    #[error("a base path has {BYTES_MAX} characters at most")]
    Long,
    /// A part with other signs, or none at all.
    #[error(
        "the part `{0}` of a base path is none: it has letters, digits, `-`, `_`, `.` and `~`, and is not only dots"
    )]
    Part(String),
}

impl FromStr for BasePath {
    type Err = NoBasePath;

    /// Reads a setting; a slash at its end does not count.
    fn from_str(text: &str) -> Result<Self, NoBasePath> {
        let text = text.trim();
        let path = text.strip_suffix('/').unwrap_or(text);
        let parts = path.strip_prefix('/').ok_or(NoBasePath::Beginning)?;
        if path.len() > BYTES_MAX {
            return Err(NoBasePath::Long);
        }
        for part in parts.split('/') {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            // Dots alone mean another folder to browsers.
            if part.bytes().all(|byte| byte == b'.') || !part.bytes().all(is_plain) {
                return Err(NoBasePath::Part(part.to_owned()));
            }
        }
        Ok(Self(path.into()))
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BasePath {
    /// What is asked for below it; nothing when that is elsewhere.
    pub fn without(&self, uri: &Uri) -> Option<Uri> {
        let asked = uri.path_and_query()?.as_str();
        let rest = asked.strip_prefix(&*self.0)?;
        let inner = match rest.chars().next() {
            None | Some('?') => format!("/{rest}"),
            Some('/') => rest.to_owned(),
            Some(_) => return None,
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(inner.parse().ok()?);
        Uri::from_parts(parts).ok()
    }

    /// A place on this server with the base before it; nothing when it is elsewhere.
    pub fn before(&self, place: &str) -> Option<String> {
        let is_here = place.starts_with('/') && !place.starts_with("//");
        is_here.then(|| format!("{}{place}", self.0))
    }
}
