//! Bytes that come and go: bounds, digests, and the headers that files travel under.

mod digest;
mod disposition;
mod download;
mod pace;
mod upload;

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use digest::hex;
pub use download::download;
pub use upload::{Upload, failed, receive};

use crate::{
    error::{ApiError, ApiResult, Code},
    limits::{DOWNLOADS_MAX, TRANSFER_WAIT_MS_MAX, UPLOADS_MAX},
};

/// When to try again after a refused transfer, in seconds.
const RETRY_AFTER_S: u32 = 2;

/// The uploads and downloads under way, counted: each holds buffers.
#[derive(Clone)]
pub struct Transfers {
    uploads: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            uploads: Arc::new(Semaphore::new(UPLOADS_MAX)),
            downloads: Arc::new(Semaphore::new(DOWNLOADS_MAX)),
        }
    }
}

impl Transfers {
    /// Takes a place among the uploads; waits for one for a while.
    pub async fn upload(&self) -> ApiResult<OwnedSemaphorePermit> {
        place(&self.uploads, "uploads", UPLOADS_MAX).await
    }

    /// Takes a place among the downloads; waits for one for a while.
    pub async fn download(&self) -> ApiResult<OwnedSemaphorePermit> {
        place(&self.downloads, "downloads", DOWNLOADS_MAX).await
    }
}

async fn place(places: &Arc<Semaphore>, what: &str, max: usize) -> ApiResult<OwnedSemaphorePermit> {
    let wait = Duration::from_millis(TRANSFER_WAIT_MS_MAX);
    match tokio::time::timeout(wait, places.clone().acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        // The semaphore is never closed, so this is the wait that ran out.
        Ok(Err(_)) | Err(_) => {
            let detail = format!("{max} {what} are under way already");
            Err(ApiError::new(Code::Overloaded, detail).retry_after_s(RETRY_AFTER_S))
        }
    }
}
