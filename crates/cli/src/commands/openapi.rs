//! `mcpanel openapi`: the API's description, for `openapi/openapi.json` and for generators.

use std::io::Write;

use crate::exit::Code;

/// Prints the document.
pub fn run() -> anyhow::Result<Code> {
    writeln!(
        std::io::stdout().lock(),
        "{}",
        serde_json::to_string_pretty(&mcpanel_server::openapi())?
    )?;
    Ok(Code::Ok)
}
