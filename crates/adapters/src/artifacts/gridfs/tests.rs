//! Over a real MongoDB, each test in a database of its own.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use mcpanel_test_servers::{MONGODB_URI, given};
use sha2::{Digest, Sha256};

use super::*;

/// A bucket in a database of its own, which goes with this.
struct Place {
    bucket: GridFs,
}

impl Place {
    async fn new() -> Option<Self> {
        let uri = given(MONGODB_URI)?;
        let (address, options) = uri.split_once("/?").unwrap_or((&uri, ""));
        let name = format!("artifacts-{}", ObjectId::new());
        let uri = format!("{}/{name}?{options}", address.trim_end_matches('/'));
        Some(Self {
            bucket: GridFs::connect(&uri).await.unwrap(),
        })
    }

    async fn gone(self) {
        let database = self
            .bucket
            .files
            .client()
            .database(&self.bucket.files.namespace().db);
        database.drop().await.unwrap();
    }

    /// How many documents there are: files, chunks, drafts.
    async fn counts(&self) -> [u64; 3] {
        let mut counts = [0; 3];
        let parts = [&self.bucket.files, &self.bucket.chunks, &self.bucket.drafts];
        for (count, part) in counts.iter_mut().zip(parts) {
            *count = part.count_documents(doc! {}).await.unwrap();
        }
        counts
    }

    /// Waits until what was dropped is removed.
    async fn counts_become(&self, wanted: [u64; 3]) {
        for _ in 0..200 {
            if self.counts().await == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(self.counts().await, wanted);
    }

    async fn store(&self, name: &str, bytes: Vec<u8>) {
        let draft = self.bucket.receive(pieces(bytes)).await.unwrap();
        draft.keep(&namespace(), &id(name)).await.unwrap();
    }

    async fn read(&self, name: &str, start: u64, length: u64) -> Result<Vec<u8>, Error> {
        let reader = self.bucket.open(&namespace(), &id(name)).await?;
        let pieces: Vec<Bytes> = reader.stream(start, length).try_collect().await?;
        Ok(pieces.concat())
    }

    async fn sweep_in(&self, later: Duration, known: &[&str]) -> Swept {
        let known = |_, id: ArtifactId| {
            let found = known.contains(&id.as_str());
            async move { found }
        };
        let now = SystemTime::now() + later;
        self.bucket.sweep(now, known).await.unwrap()
    }
}

fn namespace() -> Namespace {
    Namespace::default_namespace()
}

fn id(text: &str) -> ArtifactId {
    ArtifactId::parse(text).unwrap()
}

/// Pieces of a size that meets no boundary of chunks.
fn pieces(bytes: Vec<u8>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let pieces: Vec<_> = bytes.chunks(77_777).map(Bytes::copy_from_slice).collect();
    stream::iter(pieces.into_iter().map(Ok))
}

fn sample(length: usize) -> Vec<u8> {
    (0..length)
        .map(|n| u8::try_from(n * 31 % 251).unwrap())
        .collect()
}

#[tokio::test]
async fn bytes_come_back_as_they_were_in_whole_and_in_part() {
    let Some(place) = Place::new().await else {
        return;
    };
    let chunk = CHUNK_BYTES as u64;
    for (name, length) in [
        ("none", 0),
        ("few", 10),
        ("exact", CHUNK_BYTES),
        ("many", 3_000_001),
    ] {
        let bytes = sample(length);
        place.store(name, bytes.clone()).await;
        let length = length as u64;
        assert!(
            place.read(name, 0, length).await.unwrap() == bytes,
            "{name}"
        );
        let reader = place.bucket.open(&namespace(), &id(name)).await.unwrap();
        assert_eq!(reader.size_bytes(), length, "{name}");
    }
    let bytes = sample(3_000_001);
    for (start, length) in [
        (0, 1),
        (chunk - 1, 2),
        (chunk, chunk),
        (2_999_999, 2),
        (5, 2_000_000),
    ] {
        let wanted = &bytes[start as usize..(start + length) as usize];
        assert!(
            place.read("many", start, length).await.unwrap() == wanted,
            "{start} {length}"
        );
    }
    assert_eq!(place.counts().await, [4, 1 + 1 + 12, 0]);
    place.gone().await;
}

#[tokio::test]
async fn a_draft_knows_length_and_digest_and_leaves_nothing_when_it_is_not_kept() {
    let Some(place) = Place::new().await else {
        return;
    };
    let bytes = sample(1_000_000);
    let draft = place.bucket.receive(pieces(bytes.clone())).await.unwrap();
    assert_eq!(draft.size_bytes(), 1_000_000);
    assert_eq!(draft.sha256(), <[u8; 32]>::from(Sha256::digest(&bytes)));
    assert_eq!(place.counts().await, [0, 3, 1]);
    drop(draft);
    place.counts_become([0, 0, 0]).await;
    place.gone().await;
}

#[tokio::test]
async fn what_is_too_large_or_breaks_off_leaves_nothing() {
    let Some(place) = Place::new().await else {
        return;
    };
    let small = place.bucket.clone().with_bytes_max(2_000_000);
    let error = small.receive(pieces(sample(2_000_001))).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { max: 2_000_000 }),
        "{error}"
    );

    let broken = pieces(sample(2_000_000))
        .map_err(|never| match never {})
        .chain(stream::iter([Err("the line broke")]));
    let error = place.bucket.receive(broken).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::BrokenOff {
                after: 2_000_000,
                ..
            }
        ),
        "{error}"
    );
    place.counts_become([0, 0, 0]).await;
    place.gone().await;
}

#[tokio::test]
async fn storing_again_under_the_same_id_replaces_what_an_earlier_attempt_left() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.store("same", sample(600_000)).await;
    place.store("same", b"new".to_vec()).await;
    assert_eq!(place.read("same", 0, 3).await.unwrap(), b"new");
    assert_eq!(place.counts().await, [1, 1, 0]);
    place.gone().await;
}

#[tokio::test]
async fn removed_bytes_are_missing_and_removing_them_again_is_no_fault() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.store("a", sample(600_000)).await;
    assert!(place.bucket.remove(&namespace(), &id("a")).await.unwrap());
    assert!(!place.bucket.remove(&namespace(), &id("a")).await.unwrap());
    assert!(matches!(place.read("a", 0, 1).await, Err(Error::Missing)));
    assert_eq!(place.counts().await, [0, 0, 0]);
    place.gone().await;
}

#[tokio::test]
async fn the_same_id_in_two_namespaces_is_two_files() {
    let Some(place) = Place::new().await else {
        return;
    };
    let other = Namespace::parse("other").unwrap();
    place.store("a", b"ours".to_vec()).await;
    let theirs = place
        .bucket
        .receive(pieces(b"theirs".to_vec()))
        .await
        .unwrap();
    theirs.keep(&other, &id("a")).await.unwrap();
    assert_eq!(place.read("a", 0, 4).await.unwrap(), b"ours");
    assert!(place.bucket.remove(&other, &id("a")).await.unwrap());
    assert_eq!(place.read("a", 0, 4).await.unwrap(), b"ours");
    place.gone().await;
}

#[tokio::test]
async fn a_missing_chunk_is_an_error_where_it_is() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.store("a", sample(1_000_000)).await;
    place
        .bucket
        .chunks
        .delete_one(doc! { "n": 2 })
        .await
        .unwrap();
    let whole = 2 * CHUNK_BYTES as u64;
    assert_eq!(place.read("a", 0, whole).await.unwrap().len() as u64, whole);
    assert!(matches!(
        place.read("a", 0, whole + 1).await,
        Err(Error::Missing)
    ));
    place.gone().await;
}

#[tokio::test]
async fn a_sweep_removes_what_nobody_knows_after_an_hour_and_nothing_else() {
    let Some(place) = Place::new().await else {
        return;
    };
    place.store("known", sample(300_000)).await;
    place.store("orphan", sample(300_000)).await;
    // As a crash leaves them: an upload, and one that was kept whose note stayed.
    let mut draft = place.bucket.receive(pieces(sample(600_000))).await.unwrap();
    draft.forget_to_remove();
    drop(draft);
    let known = place.bucket.open(&namespace(), &id("known")).await.unwrap();
    place.bucket.touch(known.file()).await.unwrap();
    assert_eq!(place.counts().await, [2, 6, 2]);

    let swept = place.sweep_in(Duration::ZERO, &["known"]).await;
    assert_eq!(swept, Swept::default());
    let swept = place
        .sweep_in(ORPHAN_AGE + Duration::from_secs(1), &["known"])
        .await;
    assert_eq!(
        swept,
        Swept {
            looked_at: 4,
            removed: 2
        }
    );
    assert_eq!(place.counts().await, [1, 2, 0]);
    assert!(place.read("known", 0, 300_000).await.unwrap() == sample(300_000));
    place.gone().await;
}

#[tokio::test]
async fn an_upload_that_a_sweep_took_for_lost_is_not_kept() {
    let Some(place) = Place::new().await else {
        return;
    };
    let draft = place.bucket.receive(pieces(sample(600_000))).await.unwrap();
    place
        .sweep_in(ORPHAN_AGE + Duration::from_secs(1), &[])
        .await;
    let error = draft.keep(&namespace(), &id("late")).await.unwrap_err();
    assert!(matches!(error, Error::Abandoned), "{error}");
    place.counts_become([0, 0, 0]).await;
    place.gone().await;
}
