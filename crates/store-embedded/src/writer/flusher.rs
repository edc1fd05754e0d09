//! The thread that waits for the disk, so that the writer can check the next commits meanwhile.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use crate::{
    log::{AppendError, Frame, Log},
    shared::Shared,
};

/// A finished frame and the log that it goes into: whoever has the log is the only one who writes it.
pub struct Work {
    pub log: Log,
    pub frame: Frame,
}

/// What came of it.
pub struct Flushed {
    pub work: Work,
    pub outcome: Result<(), AppendError>,
}

/// The way to the thread, which ends when this is dropped.
pub struct Flusher {
    work: Option<SyncSender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Starts the thread. It answers into the writer's queue.
    pub fn start(shared: Arc<Shared>) -> io::Result<Self> {
        let (work, arriving) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("store-flusher".to_owned())
            .spawn(move || run(&arriving, &shared))?;
        Ok(Self {
            work: Some(work),
            thread: Some(thread),
        })
    }

    /// Hands a frame over; gives it back when the thread is gone.
    pub fn flush(&self, work: Work) -> Result<(), Work> {
        match &self.work {
            Some(sender) => sender.send(work).map_err(|error| error.0),
            None => Err(work),
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that flushes the commit log ended badly");
        }
    }
}

/// Lets the writer not wait for a flush that nobody does, however this ended.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.queue.nothing_is_flushed();
    }
}

fn run(arriving: &Receiver<Work>, shared: &Shared) {
    let _gone = Gone(shared);
    while let Ok(mut work) = arriving.recv() {
        let outcome = work.log.append(work.frame.bytes());
        shared.queue.flushed(Flushed { work, outcome });
    }
}
