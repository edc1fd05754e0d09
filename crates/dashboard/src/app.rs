//! What all pages share.

use std::{ops::Deref, sync::Arc};

use mcpanel_control::Control;
use tokio::sync::Semaphore;

use crate::{host::Host, limits::LIVE_STREAMS_MAX};

/// The state of the dashboard's router; cheap to clone.
#[derive(Clone)]
pub struct Dashboard(Arc<Inner>);

/// What [`Dashboard`] shares.
pub struct Inner {
    /// The business layer.
    pub control: Control,
    /// The server around it.
    pub host: Arc<dyn Host>,
    /// Places for streams.
    pub streams: Arc<Semaphore>,
}

impl Dashboard {
    /// A dashboard over the business layer.
    pub fn new(control: Control, host: Arc<dyn Host>) -> Self {
        Self(Arc::new(Inner {
            control,
            host,
            streams: Arc::new(Semaphore::new(LIVE_STREAMS_MAX)),
        }))
    }
}

impl Deref for Dashboard {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
