//! A digest of many things that does not depend on their order, so that both ends may be read as suits them.
//!
//! It is the sum of the SHA-256 of each. That finds whatever is missing, doubled or different by accident; it is no
//! defence against somebody who forges a store on purpose, and need not be.

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The sum of the digests of many things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest([u64; 4]);

impl Digest {
    /// Adds a thing, by its parts.
    pub fn add<const N: usize>(&mut self, parts: [&[u8]; N]) {
        let mut hash = Sha256::new();
        for part in parts {
            // With its length, so that bytes cannot move from one part to the next unseen.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let bytes: [u8; 32] = hash.finalize().into();
        for (sum, word) in self.0.iter_mut().zip(bytes.as_chunks().0) {
            *sum = sum.wrapping_add(u64::from_le_bytes(*word));
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

/// A document as bytes: its fields in their fixed order.
pub fn bytes_of<T: Serialize + ?Sized>(document: &T) -> Vec<u8> {
    serde_json::to_vec(document).expect("documents of a store are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(things: &[[&str; 2]]) -> Digest {
        let mut digest = Digest::default();
        for [a, b] in things {
            digest.add([a.as_bytes(), b.as_bytes()]);
        }
        digest
    }

    #[test]
    fn the_order_does_not_matter_and_everything_else_does() {
        let whole = digest(&[["a", "1"], ["b", "2"], ["c", "3"]]);
        assert_eq!(whole, digest(&[["c", "3"], ["a", "1"], ["b", "2"]]));
        assert_ne!(whole, digest(&[["a", "1"], ["b", "2"]]));
        assert_ne!(
            whole,
            digest(&[["a", "1"], ["b", "2"], ["c", "3"], ["c", "3"]])
        );
        assert_ne!(whole, digest(&[["a", "1"], ["b", "2"], ["c", "4"]]));
        assert_ne!(digest(&[["ab", ""]]), digest(&[["a", "b"]]));
    }
}
