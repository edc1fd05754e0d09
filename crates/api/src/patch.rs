//! Fields of changes where null means "take it away" and absence "leave it".

use serde::{Deserialize, Deserializer};

/// Reads a field that is there, so that null and absence differ.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
