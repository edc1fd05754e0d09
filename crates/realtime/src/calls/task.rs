//! What agents say about tasks they hold.

use std::sync::Arc;

use mcpanel_api::socket::TaskAnswer;
use mcpanel_guard::Permission;

use super::{agent::needs, desk, ended_by};
use crate::{
    connection::Connection,
    ports::{Answer, Hold},
    server::Inner,
};

pub(super) async fn hold(
    server: &Arc<Inner>,
    connection: &Arc<Connection>,
    hold: Hold,
    body: &str,
) -> Answer<TaskAnswer> {
    let desk = desk(server)?;
    let caller = connection.acting();
    needs(&caller, Permission::TaskExecute)?;
    let answer = desk.hold(&caller, hold, body).await;
    answer.inspect_err(|problem| ended_by(connection, &caller, problem))
}
