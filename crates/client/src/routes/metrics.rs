//! How things stand and stood: queues, history, errors.

use mcpanel_api::history::{
    History, HistoryQuery, HistoryRange, Queues, TaskErrors, TaskErrorsQuery,
};

use crate::{Client, Result};

impl Client {
    /// The figures that machines watch, in the text form of Prometheus.
    pub async fn metrics(&self) -> Result<String> {
        let bytes = self.read("/metrics").bytes().await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The tasks that have not ended, by type.
    pub async fn list_queues(&self) -> Result<Queues> {
        self.read("/api/v1/queues").answer().await
    }

    /// What happened, step by step.
    pub async fn get_history(&self, range: HistoryRange) -> Result<History> {
        let query = HistoryQuery { range: Some(range) };
        self.read("/api/v1/metrics/history")
            .query(&query)
            .answer()
            .await
    }

    /// Why tasks failed for good, the most frequent reason first.
    pub async fn list_task_errors(&self, range: HistoryRange) -> Result<TaskErrors> {
        let query = TaskErrorsQuery { range: Some(range) };
        self.read("/api/v1/tasks/errors")
            .query(&query)
            .answer()
            .await
    }
}
