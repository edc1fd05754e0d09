//! Why a transaction did not come about, and what callers hear of it.

use mcpanel_store::Error;
use mongodb::error::{
    Error as DriverError, ErrorKind, RETRYABLE_WRITE_ERROR, TRANSIENT_TRANSACTION_ERROR,
};

use crate::error::{self, unavailable};

/// Why a transaction did not come about.
#[derive(Debug)]
pub enum Failed {
    /// A document was not as the commit expected, or somebody else was writing it: look, and try again.
    Raced(&'static str),
    /// The driver's failure, worth another try.
    Transient(DriverError),
    /// The driver's failure, which another try will meet again.
    Hard(DriverError),
    /// The server refused a document.
    Refused(String),
    /// It was sent, and nobody says whether it holds.
    Unknown(DriverError),
}

impl From<DriverError> for Failed {
    fn from(error: DriverError) -> Self {
        match error::code(&error) {
            Some(error::code::WRITE_CONFLICT) => Self::Raced("another transaction wrote it"),
            Some(error::code::DUPLICATE_KEY) => Self::Raced("it is there already"),
            // Another instance took this one for dead: what it wrote is undone.
            Some(error::code::INTERRUPTED) => Self::Raced("another instance ended the transaction"),
            _ if error.contains_label(TRANSIENT_TRANSACTION_ERROR) => Self::Transient(error),
            _ => Self::Hard(error),
        }
    }
}

/// Whether another try may meet a healthy server.
pub(super) fn is_passing(error: &DriverError) -> bool {
    matches!(unavailable(error), Error::Unavailable { .. })
        && !matches!(
            error.kind.as_ref(),
            ErrorKind::InvalidArgument { .. } | ErrorKind::Authentication { .. }
        )
        && !is_refusal(error)
}

/// Whether the server said no to what was asked, rather than being away.
fn is_refusal(error: &DriverError) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(_))
        && !error.contains_label(TRANSIENT_TRANSACTION_ERROR)
        && !error.contains_label(RETRYABLE_WRITE_ERROR)
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Raced(why) => Self::Overloaded {
                what: format!("too many writers want the same document: {why}"),
            },
            Failed::Transient(error) | Failed::Hard(error) => unavailable(&error),
            Failed::Refused(what) => Self::Overloaded { what },
            Failed::Unknown(error) => Self::Unknown {
                reason: format!(
                    "MongoDB went away in the middle; reading it again tells ({})",
                    error.kind
                ),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_outcome_that_nobody_knows_is_told_as_one() {
        let lost = || DriverError::custom("the connection broke");
        let unknown = Error::from(Failed::Unknown(lost()));
        assert!(matches!(unknown, Error::Unknown { .. }), "{unknown:?}");
        for failed in [Failed::Transient(lost()), Failed::Hard(lost())] {
            let away = Error::from(failed);
            assert!(matches!(away, Error::Unavailable { .. }), "{away:?}");
        }
    }
}
