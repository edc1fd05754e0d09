//! The encoding of a text, and the errors of a file that is in another one.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::Options;
use crate::stage::StageError;

/// The encoding and the length of its byte order mark.
pub(super) fn encoding_of(
    head: &[u8],
    whole: bool,
    name: &str,
    options: &Options,
) -> Result<(&'static Encoding, usize), StageError> {
    if let Some((encoding, bom)) = Encoding::for_bom(head) {
        return Ok((encoding, bom));
    }
    if let Some(encoding) = options.encoding {
        return Ok((encoding, 0));
    }
    if head.contains(&0) {
        return Err(nul_error(head, name));
    }
    let (mut valid, mut invalid, mut first) = (0u64, 0u64, None);
    let mut offset = 0;
    for chunk in head.utf8_chunks() {
        valid += chunk
            .valid()
            .chars()
            .filter(|letter| !letter.is_ascii())
            .count() as u64;
        offset += chunk.valid().len();
        // The window may end inside a character.
        let cut_off = !whole && offset + chunk.invalid().len() == head.len();
        if !chunk.invalid().is_empty() && !cut_off {
            invalid += 1;
            first.get_or_insert(offset);
        }
        offset += chunk.invalid().len();
    }
    match first {
        Some(offset) if invalid > valid => {
            let around = &head[offset.saturating_sub(12)..head.len().min(offset + 12)];
            let (shown, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(around);
            let shown: String = shown
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect();
            Err(wrong_encoding(
                name,
                &format!(
                    "byte {offset} (0x{:02x}) is not UTF-8; as windows-1252 it would read `…{shown}…`",
                    head[offset]
                ),
            ))
        }
        _ => Ok((UTF_8, 0)),
    }
}

fn nul_error(head: &[u8], name: &str) -> StageError {
    let pairs = (head.len() / 2).max(1);
    let zeros = |start: usize| {
        head.iter()
            .skip(start)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let label = match (zeros(0) * 2 > pairs, zeros(1) * 2 > pairs) {
        (false, true) => UTF_16LE.name(),
        (true, false) => UTF_16BE.name(),
        _ => {
            let offset = head.iter().position(|byte| *byte == 0).unwrap_or_default();
            return StageError::bad_input(
                "unsupported_format",
                format!(
                    "`{name}` is no text: byte {offset} is zero; expected CSV, JSON or JSONL, plain or gzip"
                ),
            );
        }
    };
    StageError::bad_input(
        "wrong_encoding",
        format!(
            "`{name}` looks like {label} without a byte order mark; save it as UTF-8 or pass the parameter \
             `{{\"encoding\": \"{}\"}}`",
            label.to_lowercase()
        ),
    )
}

/// The error of a file that is not UTF-8 although nobody said so.
pub fn wrong_encoding(name: &str, found: &str) -> StageError {
    StageError::bad_input(
        "wrong_encoding",
        format!(
            "`{name}` is not UTF-8: {found}; save it as UTF-8 or pass the parameter \
             `{{\"encoding\": \"windows-1252\"}}`"
        ),
    )
}
