//! How deeply a JSON text is nested, found in one pass before any parser sees it.

use crate::{
    error::{ApiError, Code},
    limits::JSON_DEPTH_MAX,
};

/// Refuses a text that is nested deeper than [`JSON_DEPTH_MAX`].
pub(super) fn check(text: &str) -> Result<(), ApiError> {
    let mut depth = 0_usize;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                if depth > JSON_DEPTH_MAX {
                    return Err(ApiError::new(
                        Code::JsonTooDeep,
                        format!("at byte {at} the JSON is more than {JSON_DEPTH_MAX} levels deep"),
                    ));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Goes on to the quote that ends a string; brackets inside it do not nest.
fn skip_string(bytes: &mut impl Iterator<Item = (usize, u8)>) {
    while let Some((_, byte)) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}
