//! Two times: the true one, by which actors sleep, and the server's, which runs along but may be
//! set forwards and backwards.

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
    /// The furthest that the server's clock ever stood.
    latest: Timestamp,
}

impl Clock {
    /// A clock at the start of a run.
    pub fn new(seed: u64) -> Self {
        Self {
            times: Mutex::new(Times {
                elapsed_ms: 0,
                skew_ms: 0,
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
        let behind = times.latest.ms_since(times.time());
        times.skew_ms += i64::try_from(behind).unwrap_or(0);
    }
}

impl Times {
    fn time(&self) -> Timestamp {
        let elapsed = i64::try_from(self.elapsed_ms).unwrap_or(i64::MAX);
        Timestamp::from_ms(START_MS + elapsed + self.skew_ms)
    }

    fn note(&mut self) {
        self.latest = self.latest.max(self.time());
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
