//! What all pages share.

use std::{ops::Deref, sync::Arc};

use mcpanel_control::Control;
use tokio::sync::Semaphore;

use crate::{
    environment::Environment,
    host::Host,
    limits::{EXPORTS_MAX, LIVE_STREAMS_MAX},
};

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
    /// Places for files that are written while they are sent.
    pub exports: Arc<Semaphore>,
    /// Where this server stands; told on every page.
    pub environment: Option<Arc<Environment>>,
}

impl Dashboard {
    /// A dashboard over the business layer, of a server that stands in `environment`.
    pub fn new(control: Control, host: Arc<dyn Host>, environment: Option<Environment>) -> Self {
        Self(Arc::new(Inner {
            control,
            host,
            streams: Arc::new(Semaphore::new(LIVE_STREAMS_MAX)),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            environment: environment.map(Arc::new),
        }))
    }
}

impl Deref for Dashboard {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
