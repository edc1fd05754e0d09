//! Work of a server, while it runs.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::World;
use crate::shared::Operation;

/// Longest that a server's work stands still, in true milliseconds: twice a lease.
const STALL_MS_MAX: u64 = 60_000;

/// Work of a server, with its name on it while it runs.
pub(super) struct Labelled {
    pub(super) world: World,
    /// It stands still, as in a process that is starved or a machine that is frozen.
    pub(super) stalled: Option<Pin<Box<dyn Future<Output = ()>>>>,
    pub(super) operation: Arc<Operation>,
    /// How often it may go on before its caller hangs up.
    pub(super) patience: Option<u64>,
    pub(super) work: Pin<Box<dyn Future<Output = ()>>>,
}

impl Future for Labelled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(left) = &mut self.patience {
            if *left == 0 {
                return Poll::Ready(());
            }
            *left -= 1;
        }
        if let Some(stalled) = &mut self.stalled {
            std::task::ready!(stalled.as_mut().poll(context));
            self.stalled = None;
        }
        let shared = self.world.shared().clone();
        let now = shared.clock.earliest();
        {
            let mut earliest = self.operation.earliest.lock();
            *earliest = now.min(*earliest);
            let held = shared.observer.lock().held_by(&self.operation.by);
            let mut least = self.operation.least_held.lock();
            *least = held.min(*least);
        }
        *shared.current.lock() = Some(self.operation.clone());
        let outcome = self.work.as_mut().poll(context);
        *shared.current.lock() = None;
        if outcome.is_pending()
            && let Some(ms) = self.world.stall()
        {
            let world = self.world.clone();
            let mut stalled: Pin<Box<dyn Future<Output = ()>>> =
                Box::pin(async move { world.sleep(ms).await });
            // What wakes the work wakes it here, too; it goes on when both are done.
            if stalled.as_mut().poll(context).is_pending() {
                self.stalled = Some(stalled);
            }
        }
        outcome
    }
}

impl World {
    /// How long a server's work stands still here, if it does.
    fn stall(&self) -> Option<u64> {
        let of_ten_thousand = self.inner.shared.faults.lock().stall;
        if of_ten_thousand == 0 {
            return None;
        }
        self.draw(|random| {
            (random.within(0..=9_999) < of_ten_thousand).then(|| random.within(1..=STALL_MS_MAX))
        })
    }
}
