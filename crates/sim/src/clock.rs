//! Two times: the true one, by which actors sleep, and the servers', which runs along but may be
//! set forwards and backwards. Where there are several servers, each goes wrong by a while of its own.

use mcpanel_control::Env;
use mcpanel_domain::Timestamp;
use parking_lot::Mutex;

use crate::random::Random;

/// Where the server's clock stands when a run begins: 2023-11-14T22:13:20Z.
const START_MS: i64 = 1_700_000_000_000;

/// The world outside the control layer.
pub struct Clock {
    times: Mutex<Times>,
    random: Mutex<Random>,
}

struct Times {
    elapsed_ms: u64,
    skew_ms: i64,
    /// By how much each of several servers is ahead of that.
    apart_ms: Vec<i64>,
    /// The furthest that a server's clock ever stood.
    latest: Timestamp,
}

/// The clock of one server.
pub struct ServerClock {
    pub clock: std::sync::Arc<Clock>,
    pub number: usize,
}

impl Clock {
    /// A clock at the start of a run.
    pub fn new(seed: u64) -> Self {
        Self {
            times: Mutex::new(Times {
                elapsed_ms: 0,
                skew_ms: 0,
                apart_ms: Vec::new(),
                latest: Timestamp::from_ms(START_MS),
            }),
            random: Mutex::new(Random::new(seed)),
        }
    }

    /// True milliseconds since the run began.
    pub fn elapsed_ms(&self) -> u64 {
        self.times.lock().elapsed_ms
    }

    /// The server's time.
    pub fn time(&self) -> Timestamp {
        self.times.lock().time()
    }

    /// The time of one server.
    pub fn time_of(&self, number: usize) -> Timestamp {
        self.times.lock().time_of(number)
    }

    /// The time of the server whose clock is furthest behind.
    pub fn earliest(&self) -> Timestamp {
        let times = self.times.lock();
        let behind = times.apart_ms.iter().copied().min().unwrap_or(0);
        times.moved(behind.min(0))
    }

    /// Sets servers' clocks apart from the common time by so much each.
    pub fn set_apart(&self, apart_ms: Vec<i64>) {
        let mut times = self.times.lock();
        times.apart_ms = apart_ms;
        times.note();
    }

    /// The furthest that the server's time ever was.
    pub fn latest(&self) -> Timestamp {
        self.times.lock().latest
    }

    /// Lets true time pass.
    pub fn advance(&self, ms: u64) {
        let mut times = self.times.lock();
        times.elapsed_ms += ms;
        times.note();
    }

    /// Sets the server's clock forwards or backwards, as an operator or a time daemon would.
    pub fn jump(&self, ms: i64) {
        let mut times = self.times.lock();
        times.skew_ms += ms;
        times.note();
    }

    /// Sets the server's clock so that it is nowhere behind what it has shown before.
    pub fn heal(&self) {
        let mut times = self.times.lock();
        times.apart_ms.clear();
        let behind = times.latest.ms_since(times.time());
        times.skew_ms += i64::try_from(behind).unwrap_or(0);
    }
}

impl Times {
    fn time(&self) -> Timestamp {
        self.moved(0)
    }

    fn time_of(&self, number: usize) -> Timestamp {
        self.moved(self.apart_ms.get(number).copied().unwrap_or(0))
    }

    fn moved(&self, by_ms: i64) -> Timestamp {
        let elapsed = i64::try_from(self.elapsed_ms).unwrap_or(i64::MAX);
        Timestamp::from_ms(START_MS + elapsed + self.skew_ms + by_ms)
    }

    fn note(&mut self) {
        let ahead = self.apart_ms.iter().copied().max().unwrap_or(0);
        self.latest = self.latest.max(self.moved(ahead.max(0)));
    }
}

impl Env for ServerClock {
    fn now(&self) -> Timestamp {
        self.clock.time_of(self.number)
    }

    fn random(&self) -> u128 {
        self.clock.random()
    }
}

impl Env for Clock {
    fn now(&self) -> Timestamp {
        self.time()
    }

    fn random(&self) -> u128 {
        self.random.lock().wide_bits()
    }
}
