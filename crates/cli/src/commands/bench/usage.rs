//! What processes of this machine use, as Linux tells it.

use std::str::FromStr;

/// What Linux reports processor time in, on every architecture in use.
const TICKS_PER_SECOND: f64 = 100.0;

/// The usual size of a page; where it is another, memory is off by that factor and its trend still right.
const PAGE_BYTES: u64 = 4_096;

/// A process to look at, with a name to tell it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    pub name: String,
    /// As `/proc` calls it: a number, or `self`.
    id: String,
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub cpu_s: f64,
    pub resident_bytes: u64,
}

impl Watched {
    /// This process.
    pub fn own(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: "self".to_owned(),
        }
    }

    /// What it has used, where the system tells.
    pub fn usage(&self) -> Option<Usage> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id)).ok()?;
        Usage::read(&stat)
    }
}

impl FromStr for Watched {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not of the form `NAME=PID`, such as `mongod=1234`");
        let (name, id) = text.split_once('=').ok_or_else(wrong)?;
        let _: u32 = id.parse().map_err(|_| wrong())?;
        match name.is_empty() {
            true => Err(wrong()),
            false => Ok(Self {
                name: name.to_owned(),
                id: id.to_owned(),
            }),
        }
    }
}

impl Usage {
    fn read(stat: &str) -> Option<Self> {
        // Fields are counted behind the name, which may hold spaces.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number)?.parse::<u64>().ok();
        Some(Self {
            cpu_s: (field(11)? + field(12)?) as f64 / TICKS_PER_SECOND,
            resident_bytes: field(21)? * PAGE_BYTES,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_a_name_and_a_number() {
        let watched: Watched = "mongod=17".parse().unwrap();
        assert_eq!(
            (watched.name.as_str(), watched.id.as_str()),
            ("mongod", "17")
        );
        for wrong in ["mongod", "=17", "mongod=self", "mongod=../1"] {
            assert!(wrong.parse::<Watched>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_and_memory_are_read_behind_a_name_with_spaces() {
        let stat = "7 (a (b) c) S 1 1 1 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 5 0 99 1000 3 18446744073709551615";
        let usage = Usage::read(stat).unwrap();
        assert_eq!((usage.cpu_s, usage.resident_bytes), (3.0, 3 * PAGE_BYTES));
    }
}
