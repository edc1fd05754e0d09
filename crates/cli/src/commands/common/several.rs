//! One deed on several things: each is tried, and what failed is told.

use std::fmt::Display;

use crate::{
    Result,
    exit::Exit,
    output::{
        form::Form,
        listing::{self, Listing, Row},
    },
};

/// Does `act` to each, and writes what came of them: one alone as a document, several as a list. The first failure
/// decides the exit code; a server that is away ends it.
pub async fn each<I, T, F>(form: Form<'_>, ids: &[I], mut act: F) -> Result
where
    I: Display,
    T: Row,
    F: AsyncFnMut(&I) -> Result<Option<T>>,
{
    if let [id] = ids {
        if let Some(document) = act(id).await? {
            listing::one(form, &document)?;
        }
        return Ok(Exit::Ok);
    }
    let mut listing = Listing::new(form)?;
    let mut exit = Exit::Ok;
    for id in ids {
        match act(id).await {
            Ok(Some(document)) => listing.add(&[document])?,
            Ok(None) => {}
            Err(failure) => {
                if exit == Exit::Ok {
                    exit = failure.exit;
                }
                let is_hopeless = matches!(failure.exit, Exit::Unreachable | Exit::Denied);
                failure.about(&format!("`{id}`")).show();
                if is_hopeless {
                    break;
                }
            }
        }
    }
    listing.finish()?;
    Ok(exit)
}
