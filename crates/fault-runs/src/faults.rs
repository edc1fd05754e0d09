//! What goes wrong, and the course of a run.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{
    audit::{self, Audited},
    balance::Balanced,
    book::{Book, Recovery},
    load::Load,
    site::{INSTANCES, Plan, Site, faketime},
};

/// How long all is well before the fault.
const BEFORE: Duration = Duration::from_secs(5);
/// How long the load goes on after it.
const AFTER: Duration = Duration::from_secs(15);
/// How long a part that was killed stays away.
const AWAY: Duration = Duration::from_secs(10);
/// How long MongoDB's primary stands still.
const PAUSE: Duration = Duration::from_secs(20);
/// How long Redis is away.
const NO_REDIS: Duration = Duration::from_secs(30);
/// How long an instance stands still: longer than leases last (30 s).
const FREEZE: Duration = Duration::from_secs(45);
/// How long a set may take to elect a primary.
const ELECTION_MAX: Duration = Duration::from_secs(60);

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    KillInstance,
    KillPrimary,
    PausePrimary,
    FlushRedis,
    RestartRedis,
    StopRedis,
    KillMaster,
    FreezeInstance,
    SkewClock,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::KillInstance,
        Self::KillPrimary,
        Self::PausePrimary,
        Self::FlushRedis,
        Self::RestartRedis,
        Self::StopRedis,
        Self::KillMaster,
        Self::FreezeInstance,
        Self::SkewClock,
    ];
    /// Those that CI runs.
    pub const SHORT: [Self; 3] = [Self::KillInstance, Self::FlushRedis, Self::KillPrimary];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::KillInstance => "kill-instance",
            Self::KillPrimary => "kill-primary",
            Self::PausePrimary => "pause-primary",
            Self::FlushRedis => "flush-redis",
            Self::RestartRedis => "restart-redis",
            Self::StopRedis => "stop-redis",
            Self::KillMaster => "kill-redis-master",
            Self::FreezeInstance => "freeze-instance",
            Self::SkewClock => "skew-clock",
        }
    }

    /// What happens.
    pub fn story(self) -> &'static str {
        match self {
            Self::KillInstance => "SIGKILL to one of three instances, started again after 10 s",
            Self::KillPrimary => {
                "SIGKILL to the primary of a three-node replica set, started again after 10 s"
            }
            Self::PausePrimary => "SIGSTOP to the primary of a three-node replica set for 20 s",
            Self::FlushRedis => "FLUSHALL in Redis",
            Self::RestartRedis => "SIGKILL to Redis, started empty at once",
            Self::StopRedis => "no Redis for 30 s, then an empty one",
            Self::KillMaster => {
                "SIGKILL to one master of a Redis Cluster of three, started empty after 30 s"
            }
            Self::FreezeInstance => {
                "SIGSTOP to one of three instances for 45 s, longer than leases last"
            }
            Self::SkewClock => "the clock of one of three instances is a minute ahead",
        }
    }

    fn plan(self, cluster: bool) -> Plan {
        Plan {
            cluster: cluster || self == Self::KillMaster,
            mongo_nodes: match self {
                Self::KillPrimary | Self::PausePrimary => 3,
                _ => 1,
            },
            skewed: self == Self::SkewClock,
        }
    }
}

/// What came of a run.
pub enum Told {
    /// It ran, and everything holds.
    Ran(Report),
    /// It could not run here.
    Skipped(String),
}

/// What a run that held tells.
pub struct Report {
    audited: Audited,
    recovery: Recovery,
    book: Book,
}

impl Report {
    /// How long it took, in one line.
    pub fn recovery(&self) -> String {
        let Recovery {
            creating,
            completing,
            calls_failed_for,
        } = self.recovery;
        format!(
            "longest pause: creating {:.1} s, completing {:.1} s; calls failed until {:.1} s after",
            creating.as_secs_f64(),
            completing.as_secs_f64(),
            calls_failed_for.as_secs_f64()
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Audited {
            tasks,
            pipelines,
            events,
        } = self.audited;
        writeln!(
            f,
            "  holds: {tasks} tasks, {pipelines} pipelines, {events} events"
        )?;
        writeln!(f, "  {}", self.recovery())?;
        self.book.read(|book| {
            for (words, times) in &book.failures {
                writeln!(f, "  called again: {times} times after `{words}`")?;
            }
            write!(
                f,
                "  too late with a lease: {}; signed on again: {}",
                book.late, book.lost_sessions
            )
        })
    }
}

/// Runs one, from the start of its servers to the audit.
pub async fn run(fault: Fault, cluster: bool, binary: &Path) -> Result<Told> {
    if fault == Fault::SkewClock && faketime().is_none() {
        let why = "there is no libfaketime; `apt-get install faketime` brings it";
        return Ok(Told::Skipped(why.to_owned()));
    }
    let mut site = tokio::task::block_in_place(|| Site::start(binary, fault.plan(cluster)))?;
    let book = Book::default();
    let clients = site.clients()?;
    let balanced = |first| Balanced::new(clients.clone(), first, book.clone());
    let mut load = Load::begin(balanced, &book);
    let outcome = course(fault, &mut site, &mut load, &balanced(0), &book).await;
    let (audited, recovery) = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            let logs: Vec<String> = site
                .instances
                .iter()
                .map(|each| format!("{}:\n{}", each.process.name(), each.process.log_end()))
                .collect();
            return Err(error.context(format!("the ends of the logs:\n{}\n", logs.join("\n"))));
        }
    };
    Ok(Told::Ran(Report {
        audited,
        recovery,
        book,
    }))
}

async fn course(
    fault: Fault,
    site: &mut Site,
    load: &mut Load,
    at: &Balanced,
    book: &Book,
) -> Result<(Audited, Recovery)> {
    tokio::time::sleep(BEFORE).await;
    let begun = Instant::now();
    inflict(fault, site)
        .await
        .context("the fault could not be inflicted")?;
    tokio::time::sleep(AFTER).await;
    let recovery = book.recovery(begun, Instant::now());
    load.stop_creating().await.context("a creator gave up")?;
    audit::drained(at).await?;
    load.stop_working().await.context("an agent gave up")?;
    let audited = audit::audit(site, at, book).await?;
    Ok((audited, recovery))
}

/// Lets it happen, and puts everything in order again.
async fn inflict(fault: Fault, site: &mut Site) -> Result<()> {
    match fault {
        Fault::KillInstance => {
            site.instances[0].process.kill()?;
            tokio::time::sleep(AWAY).await;
            site.instances[0].process.start_again()?;
            tokio::task::block_in_place(|| site.instances[0].ready())?;
        }
        Fault::KillPrimary => {
            let primary = tokio::task::block_in_place(|| site.mongo.primary(ELECTION_MAX))?;
            site.mongo.node(primary).kill()?;
            tokio::time::sleep(AWAY).await;
            site.mongo.node(primary).start_again()?;
            tokio::task::block_in_place(|| site.mongo.rejoined(primary))?;
        }
        Fault::PausePrimary => {
            let primary = tokio::task::block_in_place(|| site.mongo.primary(ELECTION_MAX))?;
            site.mongo.node(primary).pause()?;
            tokio::time::sleep(PAUSE).await;
            site.mongo.node(primary).resume()?;
        }
        Fault::FlushRedis => site.redis.flush()?,
        Fault::RestartRedis => {
            site.redis.kill()?;
            tokio::task::block_in_place(|| site.redis.start_again())?;
        }
        Fault::StopRedis => {
            site.redis.kill()?;
            tokio::time::sleep(NO_REDIS).await;
            tokio::task::block_in_place(|| site.redis.start_again())?;
        }
        Fault::KillMaster => {
            site.redis.process(0).kill()?;
            tokio::time::sleep(NO_REDIS).await;
            site.redis.process(0).start_again()?;
            tokio::task::block_in_place(|| site.redis.answers())?;
        }
        Fault::FreezeInstance => {
            site.instances[INSTANCES - 1].process.pause()?;
            tokio::time::sleep(FREEZE).await;
            site.instances[INSTANCES - 1].process.resume()?;
        }
        // It was so from the start.
        Fault::SkewClock => tokio::time::sleep(FREEZE).await,
    }
    Ok(())
}
