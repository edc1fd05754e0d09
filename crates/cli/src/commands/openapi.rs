//! `mcpanel openapi`: the description of the API, as this version of the server gives it.

use crate::{Result, exit::Exit, output};

/// Prints the document.
pub fn execute() -> Result {
    output::json(&mcpanel_server::openapi())?;
    Ok(Exit::Ok)
}
