//! Looking again until something is so, the time is up, or somebody presses Ctrl-C.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use clap::Args;
use tokio::{sync::Notify, time::sleep};

use crate::{Failure, Result, commands::interrupted, exit::Exit, output, output::durations};

/// The first pause between two looks: what is over at once is seen at once.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause: nobody notices, and the server hardly does either.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a server may be away in the middle of waiting: a restart with recovery takes seconds.
const AWAY_MAX: Duration = Duration::from_secs(60);

/// How long to wait.
#[derive(Debug, Clone, Copy, Args)]
pub struct Limit {
    /// How long to wait at most, such as `30s` or `10m`; for ever when left out.
    #[arg(long, value_name = "DURATION", value_parser = durations::parse)]
    pub timeout: Option<Duration>,
}

/// How waiting ended.
pub enum End<T> {
    /// What was waited for came.
    Reached(T),
    /// The time was up.
    TimeUp,
    /// Ctrl-C.
    Interrupted,
}

impl Limit {
    /// Looks again until `look` breaks. Once it has worked, a server that is away for a moment is waited for. The first
    /// look is always finished, so no time at all is one look; a later one may be cut off at any point.
    pub async fn until<T, F>(self, look: F) -> Result<End<T>>
    where
        F: AsyncFnMut() -> Result<ControlFlow<T>>,
    {
        self.looking(FIRST_PAUSE, LONGEST_PAUSE, look).await
    }

    /// The same, with this pause between two looks.
    pub async fn every<T, F>(self, pause: Duration, look: F) -> Result<End<T>>
    where
        F: AsyncFnMut() -> Result<ControlFlow<T>>,
    {
        self.looking(pause, pause, look).await
    }

    /// Reads what these ids name until all of it is as it is wanted. Answers it as it was when it was last read whole.
    pub async fn until_all<I, T>(
        self,
        ids: &[I],
        read: impl AsyncFn(&I) -> Result<T>,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Result<(Vec<T>, End<()>)> {
        let mut last = Vec::new();
        let end = self
            .until(async || {
                // Not into `last`: the time may be up between two of them.
                let mut found = Vec::with_capacity(ids.len());
                for id in ids {
                    found.push(read(id).await?);
                }
                let is_reached = found.iter().all(&is_wanted);
                last = found;
                Ok(match is_reached {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                })
            })
            .await?;
        Ok((last, end))
    }

    async fn looking<T, F>(self, first: Duration, longest: Duration, mut look: F) -> Result<End<T>>
    where
        F: AsyncFnMut() -> Result<ControlFlow<T>>,
    {
        let has_looked = Notify::new();
        let up = async {
            match self.timeout.map(sleep) {
                Some(timer) => {
                    has_looked.notified().await;
                    timer.await;
                }
                None => std::future::pending().await,
            }
        };
        let look = async || {
            let seen = look().await;
            has_looked.notify_one();
            seen
        };
        tokio::select! {
            biased;
            reached = again(first, longest, look) => reached.map(End::Reached),
            () = up => Ok(End::TimeUp),
            () = interrupted() => Ok(End::Interrupted),
        }
    }
}

async fn again<T>(
    first: Duration,
    longest: Duration,
    mut look: impl AsyncFnMut() -> Result<ControlFlow<T>>,
) -> Result<T> {
    let mut pause = first;
    // When the server was last heard; never yet at the beginning.
    let mut heard: Option<Instant> = None;
    let mut is_told = false;
    loop {
        match look().await {
            Ok(ControlFlow::Break(reached)) => return Ok(reached),
            Ok(ControlFlow::Continue(())) => {
                heard = Some(Instant::now());
                is_told = false;
            }
            Err(failure) => {
                let is_passing = failure.exit == Exit::Unreachable
                    && heard.is_some_and(|heard| heard.elapsed() < AWAY_MAX);
                if !is_passing {
                    return Err(failure);
                }
                if !is_told {
                    output::say(format_args!(
                        "{}; waiting for it to come back",
                        failure.what
                    ));
                    is_told = true;
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// What is said when the time was up.
pub fn time_is_up(what: &str, timeout: Option<Duration>) -> Failure {
    let waited = timeout.map_or_else(String::new, |timeout| {
        format!(" after {}", durations::show(timeout))
    });
    Failure::new(format!("{what}{waited}")).exit(Exit::StillRunning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> Failure {
        Failure::new("the server is away").exit(Exit::Unreachable)
    }

    #[tokio::test]
    async fn a_server_that_goes_away_in_the_middle_is_waited_for() {
        let mut looks = 0;
        let reached = again(FIRST_PAUSE, LONGEST_PAUSE, async || {
            looks += 1;
            match looks {
                1 => Ok(ControlFlow::Continue(())),
                2 | 3 => Err(away()),
                _ => Ok(ControlFlow::Break("done")),
            }
        });
        assert_eq!(reached.await.unwrap(), "done");
    }

    #[tokio::test]
    async fn a_server_that_was_never_there_is_not() {
        let failure = again::<()>(FIRST_PAUSE, LONGEST_PAUSE, async || Err(away()))
            .await
            .unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
    }

    #[tokio::test]
    async fn time_runs_out() {
        let limit = Limit {
            timeout: Some(Duration::from_millis(10)),
        };
        let end = limit
            .until::<(), _>(async || Ok(ControlFlow::Continue(())))
            .await;
        assert!(matches!(end, Ok(End::TimeUp)));
    }

    #[tokio::test]
    async fn what_was_read_whole_is_told_although_the_time_was_up_in_the_middle() {
        for timeout in [0, 150] {
            let limit = Limit {
                timeout: Some(Duration::from_millis(timeout)),
            };
            let reads = std::cell::Cell::new(0);
            let read = async |id: &u32| {
                reads.set(reads.get() + 1);
                match (timeout, reads.get()) {
                    // A first look that takes longer than there is time.
                    (0, _) => sleep(Duration::from_millis(20)).await,
                    // A later one that never comes to its end.
                    (_, 4..) => std::future::pending().await,
                    _ => {}
                }
                Ok(*id)
            };
            let (found, end) = limit.until_all(&[1, 2], read, |_| false).await.unwrap();
            assert!(matches!(end, End::TimeUp));
            assert_eq!(found, [1, 2], "with {timeout} ms");
        }
    }
}
