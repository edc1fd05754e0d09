//! Near duplicates: MinHash signatures and locality-sensitive bands.
//!
//! A text is the set of its runs of [`SHINGLE_WORDS`] words. The share of equal positions in two MinHash
//! signatures estimates the Jaccard similarity of the sets (A. Broder, *On the resemblance and containment of
//! documents*, 1997); with 128 positions the standard error is at most √(0.25/128) = 0.044. Signatures are cut
//! into bands, and texts that share a band are compared (J. Leskovec, A. Rajaraman, J. Ullman, *Mining of
//! Massive Datasets*, section 3.4): with b = 16 bands of r = 8 rows a pair of similarity s is compared with
//! probability 1 − (1 − s⁸)¹⁶, which is 0.99 at 0.85, 0.61 at 0.70 and 0.06 at 0.50.

use crate::text::words;

/// Words in a shingle: three keep paraphrases apart and survive single changed words in short answers.
pub const SHINGLE_WORDS: usize = 3;
/// Positions of a signature.
pub const SIGNATURE_LENGTH: usize = 128;
/// Bands of a signature.
pub const BANDS: usize = 16;
/// Rows of a band.
pub const ROWS: usize = SIGNATURE_LENGTH / BANDS;

/// The MinHash signature of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature([u32; SIGNATURE_LENGTH]);

impl Signature {
    /// The signature of a text, or nothing when it has fewer than `words_min` words.
    pub fn of(text: &str, words_min: usize) -> Option<Self> {
        let hashes: Vec<u64> = words(text).map(|word| word_hash(word.text)).collect();
        if hashes.len() < words_min.max(SHINGLE_WORDS) {
            return None;
        }
        let mut minima = [u32::MAX; SIGNATURE_LENGTH];
        for shingle in hashes.windows(SHINGLE_WORDS) {
            let hash = shingle.iter().fold(SEED, |hash, word| mix(hash ^ word));
            for (position, minimum) in minima.iter_mut().enumerate() {
                let permuted =
                    (mix(hash.wrapping_add(STEP.wrapping_mul(position as u64 + 1))) >> 32) as u32;
                *minimum = (*minimum).min(permuted);
            }
        }
        Some(Self(minima))
    }

    /// Estimated Jaccard similarity, 0 to 1.
    pub fn similarity(&self, other: &Self) -> f64 {
        let equal = self.0.iter().zip(&other.0).filter(|(a, b)| a == b).count();
        equal as f64 / SIGNATURE_LENGTH as f64
    }

    /// One hash per band.
    pub fn bands(&self) -> [i64; BANDS] {
        let mut bands = [0; BANDS];
        for (band, rows) in bands.iter_mut().zip(self.0.chunks_exact(ROWS)) {
            let hash = rows
                .iter()
                .fold(SEED, |hash, row| mix(hash ^ u64::from(*row)));
            *band = hash.cast_signed();
        }
        bands
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect()
    }

    /// A signature from stored bytes; nothing when the length is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (values, rest) = bytes.as_chunks::<4>();
        let values: Vec<u32> = values
            .iter()
            .map(|value| u32::from_le_bytes(*value))
            .collect();
        rest.is_empty()
            .then(|| values.try_into().ok().map(Self))
            .flatten()
    }
}

/// Fixed, so that a run can be repeated; the golden ratio and an arbitrary odd number.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const SEED: u64 = 0x243f_6a88_85a3_08d3;

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit changes every output bit.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Case and punctuation do not make a different word.
fn word_hash(word: &str) -> u64 {
    word.chars()
        .flat_map(char::to_lowercase)
        .filter(|letter| letter.is_alphanumeric())
        .fold(SEED, |hash, letter| mix(hash ^ u64::from(letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(changed: usize) -> String {
        (0..100)
            .map(|number| {
                if number < changed {
                    format!("other{number} ")
                } else {
                    format!("word{number} ")
                }
            })
            .collect()
    }

    fn signature(text: &str) -> Signature {
        Signature::of(text, 5).unwrap()
    }

    #[test]
    fn equal_texts_are_equal_whatever_case_and_punctuation() {
        let one = signature("Take a breath, and count to ten.");
        let two = signature("take a BREATH and count -- to ten");
        assert_eq!(one.similarity(&two), 1.0);
        assert_eq!(one.bands(), two.bands());
    }

    #[test]
    fn the_estimate_is_near_the_true_similarity() {
        // The first `n` of 100 words differ: 98 shingles each, of which 98 - n are shared.
        for changed in [2, 10, 30, 60] {
            let shared = 98.0 - changed as f64;
            let truth = shared / (2.0 * 98.0 - shared);
            let estimate = signature(&text(0)).similarity(&signature(&text(changed)));
            assert!(
                (estimate - truth).abs() < 3.0 * 0.044,
                "changed {changed}: {estimate} for {truth}"
            );
        }
    }

    #[test]
    fn short_texts_have_no_signature_and_bytes_come_back() {
        assert_eq!(Signature::of("too short", 5), None);
        let one = signature(&text(0));
        assert_eq!(Signature::from_bytes(&one.to_bytes()), Some(one));
        assert_eq!(Signature::from_bytes(&[1, 2, 3]), None);
    }
}
