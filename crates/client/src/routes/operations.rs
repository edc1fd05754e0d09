//! Operations: one wish about many tasks, carried out in the background.

use mcpanel_api::{
    OperationId,
    operation::{NewOperation, Operation, OperationPage, OperationPreview, OperationQuery},
};
use reqwest::Method;

use crate::{Client, Created, IdempotencyKey, Result};

impl Client {
    /// Counts the tasks that an operation would go through, and begins nothing.
    pub async fn preview_operation(&self, new: &NewOperation) -> Result<OperationPreview> {
        let new = NewOperation {
            dry_run: true,
            ..new.clone()
        };
        self.post("/api/v1/operations", &new)
            .repeatable()
            .answer()
            .await
    }

    /// Begins an operation, whatever `dry_run` says; it goes on by itself.
    pub async fn create_operation(
        &self,
        new: &NewOperation,
        key: &IdempotencyKey,
    ) -> Result<Created<Operation>> {
        let new = NewOperation {
            dry_run: false,
            ..new.clone()
        };
        self.post("/api/v1/operations", &new)
            .keyed(key)
            .created()
            .await
    }

    /// A page of operations.
    pub async fn list_operations(&self, query: &OperationQuery) -> Result<OperationPage> {
        self.read("/api/v1/operations").query(query).answer().await
    }

    /// An operation.
    pub async fn get_operation(&self, id: &OperationId) -> Result<Operation> {
        self.read(&operation(id)).answer().await
    }

    /// Stops an operation; what it has done stays done.
    pub async fn abort_operation(&self, id: &OperationId) -> Result<Operation> {
        self.change(Method::POST, &format!("{}/abort", operation(id)))
            .repeatable()
            .answer()
            .await
    }
}

fn operation(id: &OperationId) -> String {
    format!("/api/v1/operations/{id}")
}
