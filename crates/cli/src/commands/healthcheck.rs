//! `mcpanel healthcheck`: for images without a shell or curl.

use crate::{connect::Connection, exit::Code, output};

/// Asks whether the server is ready.
pub async fn run(connection: Connection) -> anyhow::Result<Code> {
    let probe = connection.client()?.health_ready().await?;
    output::note(format!("{}", serde_json::to_string(&probe)?));
    Ok(Code::Ok)
}
