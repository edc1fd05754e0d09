//! The stored form of documents: a version byte, then postcard.
//!
//! Fields are stored by position, so a document type that gains or loses a field needs a new version
//! here, and the old one stays readable: `tests/it/fixtures` holds every version ever written.
//! Rows of the tables are sealed with a checksum over their place and their bytes, so
//! that damage is noticed, and so is a row that ended up under another key.

use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

/// The version that is written.
pub const VERSION: u8 = 1;

/// Stored bytes that are not a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The checksum does not fit.
    #[error("its checksum does not fit")]
    Checksum,
    /// A version that this program does not know.
    #[error("it has the unknown stored version {0}")]
    Version(u8),
    /// The bytes are no document of this version.
    #[error("its bytes do not decode")]
    Form,
}

/// Appends the stored form.
pub fn append<T: Serialize + ?Sized>(document: &T, into: &mut Vec<u8>) {
    into.push(VERSION);
    append_bare(document, into);
}

/// Appends without the version, for parts of something that has one.
pub fn append_bare<T: Serialize + ?Sized>(document: &T, into: &mut Vec<u8>) {
    postcard::serialize_with_flavor(document, Into(into))
        .expect("plain data of known length always encodes into a growing buffer");
}

/// Reads the stored form, of any version there was.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|_| Unreadable::Form),
        Some((&version, _)) => Err(Unreadable::Version(version)),
        None => Err(Unreadable::Form),
    }
}

/// Bytes of the checksum at the front of a sealed row.
const SEAL: usize = 4;

/// Begins a sealed row: call, append the content, then [`close_seal`].
pub fn open_seal(into: &mut Vec<u8>) {
    into.clear();
    into.extend_from_slice(&[0; SEAL]);
}

/// Writes the checksum over the row's place and content.
pub fn close_seal(row: &mut [u8], place: &Place<'_>) {
    let sum = place.checksum(&row[SEAL..]);
    row[..SEAL].copy_from_slice(&sum.to_le_bytes());
}

/// The content of a sealed row.
pub fn unseal<'a>(row: &'a [u8], place: &Place<'_>) -> Result<&'a [u8], Unreadable> {
    let (sum, content) = row.split_first_chunk::<SEAL>().ok_or(Unreadable::Form)?;
    if u32::from_le_bytes(*sum) == place.checksum(content) {
        Ok(content)
    } else {
        Err(Unreadable::Checksum)
    }
}

/// Where a row belongs: what its checksum binds it to.
pub struct Place<'a> {
    /// The table or column.
    pub table: &'static str,
    /// The id in it.
    pub id: &'a str,
}

impl Place<'_> {
    fn checksum(&self, content: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.table.as_bytes());
        hasher.update(&[0]);
        hasher.update(self.id.as_bytes());
        hasher.update(&[0]);
        hasher.update(content);
        hasher.finalize()
    }
}

/// Postcard's door into a buffer that others wrote into before.
struct Into<'a>(&'a mut Vec<u8>);

impl Flavor for Into<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
