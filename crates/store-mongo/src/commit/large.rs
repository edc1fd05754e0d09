//! Large values, kept beside their documents before those are written.

use mongodb::bson::{Binary, doc, rawdoc, spec::BinarySubtype};

use super::{Failed, unused::USED_AT};
use crate::{
    documents::{Large, fields::date, payload::CHUNK_BYTES},
    mongo::Mongo,
    schema,
};

/// Stores values. They are found by what they hold: one that is there already is only said to be of use, and one whose
/// transaction does not come about harms nobody.
pub async fn store(mongo: &Mongo, large: Vec<Large>) -> Result<(), Failed> {
    for value in large {
        let chunks = value.payload.as_str().as_bytes().chunks(CHUNK_BYTES);
        for (chunk, bytes) in (0_i64..).zip(chunks) {
            store_chunk(mongo, &value.sha256, chunk, bytes).await?;
        }
    }
    Ok(())
}

async fn store_chunk(mongo: &Mongo, sha256: &str, chunk: i64, bytes: &[u8]) -> Result<(), Failed> {
    let payloads = mongo.raw(schema::PAYLOADS);
    let own = doc! { "sha256": sha256, "chunk": chunk };
    let used = doc! { "$currentDate": { USED_AT: true } };
    if payloads.update_one(own, used).await?.matched_count > 0 {
        return Ok(());
    }
    let data = Binary {
        subtype: BinarySubtype::Generic,
        bytes: bytes.to_vec(),
    };
    let document = rawdoc! {
        "sha256": sha256, "chunk": chunk, "data": data, "used_at": date(mongo.now()),
    };
    match payloads.insert_one(document).await.map_err(Failed::from) {
        // Another commit stored it in this moment.
        Ok(_) | Err(Failed::Raced(_)) => Ok(()),
        Err(failed) => Err(failed),
    }
}
