//! Large values, kept beside their documents before those are written.

use mongodb::bson::{Binary, rawdoc, spec::BinarySubtype};

use super::Failed;
use crate::{
    documents::{Large, payload::CHUNK_BYTES},
    mongo::Mongo,
    schema,
};

/// Large values are found by what they hold: storing one that is there already changes nothing, and one
/// whose transaction does not come about harms nobody.
pub async fn store(mongo: &Mongo, large: Vec<Large>) -> Result<(), Failed> {
    for value in large {
        for (chunk, bytes) in value
            .payload
            .as_str()
            .as_bytes()
            .chunks(CHUNK_BYTES)
            .enumerate()
        {
            let data = Binary {
                subtype: BinarySubtype::Generic,
                bytes: bytes.to_vec(),
            };
            let chunk = i64::try_from(chunk).unwrap_or(i64::MAX);
            let document =
                rawdoc! { "sha256": value.sha256.as_str(), "chunk": chunk, "data": data };
            let stored = mongo.raw(schema::PAYLOADS).insert_one(document).await;
            match stored.map_err(Failed::from) {
                Ok(_) | Err(Failed::Raced(_)) => {}
                Err(failed) => return Err(failed),
            }
        }
    }
    Ok(())
}
