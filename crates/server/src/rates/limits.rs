//! The limits, their names, and how they are written: `reads=200:1000,work=off`.

use std::{fmt, str::FromStr};

use mcpanel_store_mongo::rates::Limit;

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Calls that read.
    Reads,
    /// Calls that change something.
    Writes,
    /// What agents say about their work: claims, heartbeats, reports.
    Work,
    /// All calls of a namespace that read or change something.
    Namespace,
}

/// The limits of a server; a kind without one is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits([Option<Limit>; 4]);

/// Calls that one caller may read with, each second and at once: a page that many look at through one key asks a few times
/// a second, an export of a million tasks two thousand times.
const READS: Limit = limit(200, 2_000);

/// Calls that one caller may change something with: a program that creates tasks singly and does not wait. Batches hold
/// up to a thousand tasks each.
const WRITES: Limit = limit(200, 2_000);

/// Calls of one agent about its work: one that is busy with tasks of five milliseconds, each with its own claim and report.
const WORK: Limit = limit(400, 4_000);

/// Calls of one namespace: what one instance answers on two processors, so that one tenant cannot have it all of several.
const NAMESPACE: Limit = limit(4_000, 20_000);

/// Most calls a second, or at once, that a limit can allow: more than any instance answers.
const CALLS_MAX: u32 = 1_000_000;

/// The word that takes limits away.
const OFF: &str = "off";

const fn limit(per_second: u32, burst: u32) -> Limit {
    Limit { burst, per_second }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Reads, Self::Writes, Self::Work, Self::Namespace];

    /// Its name in settings and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Work => "work",
            Self::Namespace => "namespace",
        }
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Limits {
    /// None at all.
    pub const OFF: Self = Self([None; 4]);

    /// The limit of this kind, if there is one.
    pub fn of(&self, kind: Kind) -> Option<Limit> {
        self.0[kind.place()]
    }

    /// Whether nothing is limited.
    pub fn are_off(&self) -> bool {
        *self == Self::OFF
    }
}

impl Default for Limits {
    /// Generous ones: they stop a caller that runs wild, and nobody else.
    fn default() -> Self {
        Self([READS, WRITES, WORK, NAMESPACE].map(Some))
    }
}

/// Why limits cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimits {
    /// A part is not of the form.
    #[error(
        "`{part}` is not of the form `NAME=RATE:BURST` or `NAME=off`, such as `reads=200:2000`"
    )]
    Form {
        /// The part.
        part: String,
    },
    /// No such limit.
    #[error("there is no limit `{name}`; there are `reads`, `writes`, `work` and `namespace`")]
    Name {
        /// The name.
        name: String,
    },
    /// A number is too small or too large.
    #[error(
        "`{part}` must have whole numbers from 1 to {CALLS_MAX}, and a burst no smaller than the rate"
    )]
    Number {
        /// The part.
        part: String,
    },
}

impl FromStr for Limits {
    type Err = InvalidLimits;

    /// `off`; or the usual limits but for those named.
    fn from_str(text: &str) -> Result<Self, InvalidLimits> {
        let text = text.trim();
        if text == OFF {
            return Ok(Self::OFF);
        }
        let mut limits = Self::default();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let form = || InvalidLimits::Form {
                part: part.to_owned(),
            };
            let (name, value) = part.split_once('=').ok_or_else(form)?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
            let kind = kind.ok_or_else(|| InvalidLimits::Name {
                name: name.to_owned(),
            })?;
            limits.0[kind.place()] = match value {
                OFF => None,
                value => {
                    let (rate, burst) = value.split_once(':').ok_or_else(form)?;
                    let wrong = || InvalidLimits::Number {
                        part: part.to_owned(),
                    };
                    let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
                    let limit = limit(number(rate)?, number(burst)?);
                    let fits = 1 <= limit.per_second
                        && limit.per_second <= limit.burst
                        && limit.burst <= CALLS_MAX;
                    Some(fits.then_some(limit).ok_or_else(wrong)?)
                }
            };
        }
        Ok(limits)
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match self.of(kind) {
                Some(Limit { burst, per_second }) => {
                    write!(f, "{comma}{}={per_second}:{burst}", kind.name())?;
                }
                None => write!(f, "{comma}{}={OFF}", kind.name())?,
            }
        }
        Ok(())
    }
}
