use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use mcpanel_domain::{ArtifactId, Namespace};
use sha2::{Digest, Sha256};

use super::*;

fn files() -> (tempfile::TempDir, ArtifactFiles) {
    let folder = tempfile::tempdir().unwrap();
    let files = ArtifactFiles::new(folder.path().join("artifacts"));
    (folder, files)
}

fn namespace() -> Namespace {
    Namespace::default_namespace()
}

fn id(text: &str) -> ArtifactId {
    ArtifactId::parse(text).unwrap()
}

fn pieces(pieces: &[&'static str]) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
    let pieces: Vec<_> = pieces
        .iter()
        .map(|piece| Ok(Bytes::from_static(piece.as_bytes())))
        .collect();
    stream::iter(pieces)
}

async fn store(files: &ArtifactFiles, id: &ArtifactId, text: &'static str) {
    let draft = files.receive(pieces(&[text])).await.unwrap();
    draft.keep(&namespace(), id).await.unwrap();
}

async fn read(files: &ArtifactFiles, id: &ArtifactId, start: u64, length: u64) -> Vec<u8> {
    let reader = files.open(&namespace(), id).await.unwrap();
    let pieces: Vec<Bytes> = reader.stream(start, length).try_collect().await.unwrap();
    pieces.concat()
}

/// Every file below a folder.
fn all_files(path: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(path) else {
        return Vec::new();
    };
    listing
        .flat_map(|entry| {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                all_files(&entry.path())
            } else {
                vec![entry.path()]
            }
        })
        .collect()
}

#[tokio::test]
async fn bytes_come_back_as_they_were_in_whole_and_in_part() {
    let (_folder, files) = files();
    let draft = files
        .receive(pieces(&["hello ", "", "world"]))
        .await
        .unwrap();
    assert_eq!(draft.size_bytes(), 11);
    assert_eq!(draft.sha256()[..], Sha256::digest("hello world")[..]);
    draft.keep(&namespace(), &id("art_1")).await.unwrap();
    assert_eq!(read(&files, &id("art_1"), 0, 11).await, b"hello world");
    assert_eq!(read(&files, &id("art_1"), 6, 3).await, b"wor");
    assert_eq!(read(&files, &id("art_1"), 6, 0).await, b"");
    assert_eq!(all_files(files.root()).len(), 1);
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let (_folder, files) = files();
    store(&files, &id("art_1"), "").await;
    let reader = files.open(&namespace(), &id("art_1")).await.unwrap();
    assert_eq!(reader.size_bytes(), 0);
}

#[tokio::test]
async fn a_file_larger_than_all_buffers_comes_back_whole() {
    let (_folder, files) = files();
    let chunk = |n: u32| Bytes::from(n.to_be_bytes().repeat(25_000));
    let source = stream::iter(0..50).map(move |n| Ok::<_, Infallible>(chunk(n)));
    let draft = files.receive(source).await.unwrap();
    assert_eq!(draft.size_bytes(), 5_000_000);
    draft.keep(&namespace(), &id("art_1")).await.unwrap();
    let expected: Vec<u8> = (0..50).flat_map(|n| chunk(n).to_vec()).collect();
    assert_eq!(read(&files, &id("art_1"), 0, 5_000_000).await, expected);
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_leaves_nothing() {
    let (_folder, files) = files();
    let files = files.with_bytes_max(10);
    assert!(files.receive(pieces(&["0123456789"])).await.is_ok());
    let error = files.receive(pieces(&["0123456789", "a"])).await;
    assert!(matches!(error, Err(Error::TooLarge { max: 10 })));
    assert_eq!(all_files(files.root()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn bytes_that_break_off_leave_nothing() {
    let (_folder, files) = files();
    let source = stream::iter([Ok(Bytes::from_static(b"half")), Err("gone")]);
    let error = files.receive(source).await.unwrap_err();
    assert!(
        matches!(error, Error::BrokenOff { after: 4, .. }),
        "{error}"
    );
    assert_eq!(all_files(files.root()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_sender_that_is_given_up_leaves_nothing() {
    let (_folder, files) = files();
    let megabytes = stream::iter(0..3)
        .map(|_| Ok::<_, Infallible>(Bytes::from(vec![0; 1024 * 1024])))
        .chain(stream::pending());
    let waiting = tokio::time::timeout(Duration::from_millis(300), files.receive(megabytes));
    assert!(waiting.await.is_err());
    assert_eq!(all_files(files.root()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_draft_that_is_not_kept_leaves_nothing() {
    let (_folder, files) = files();
    let draft = files.receive(pieces(&["secret"])).await.unwrap();
    assert_eq!(all_files(files.root()).len(), 1);
    drop(draft);
    assert_eq!(all_files(files.root()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn every_id_stays_below_its_own_folder() {
    let (_folder, files) = files();
    for text in ["a", "-", "_..", ":..:", "x..", "A.B-c:d_e"] {
        let place = files.place(&namespace(), &id(text));
        let below = place.file.strip_prefix(files.root()).unwrap();
        let names: Vec<_> = below.components().collect();
        assert_eq!(names.len(), 4, "{text}");
        assert!(
            names
                .iter()
                .all(|name| matches!(name, std::path::Component::Normal(_))),
            "{text}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, files) = files();
    store(&files, &id("art_1"), "secret").await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = all_files(files.root()).pop().unwrap();
    assert_eq!(mode(&file), 0o600);
    for folder in file.ancestors().skip(1).take(4) {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    assert_eq!(mode(&files.incoming()), 0o700);
}

#[tokio::test]
async fn a_removed_file_is_gone_and_removing_it_again_is_no_fault() {
    let (_folder, files) = files();
    store(&files, &id("art_1"), "text").await;
    assert!(files.remove(&namespace(), &id("art_1")).await.unwrap());
    assert!(!files.remove(&namespace(), &id("art_1")).await.unwrap());
    let error = files.open(&namespace(), &id("art_1")).await.unwrap_err();
    assert!(matches!(error, Error::Missing));
}

#[tokio::test]
async fn the_same_id_in_two_namespaces_is_two_files() {
    let (_folder, files) = files();
    let clinic = Namespace::parse("clinic").unwrap();
    store(&files, &id("art_1"), "ours").await;
    let draft = files.receive(pieces(&["theirs"])).await.unwrap();
    draft.keep(&clinic, &id("art_1")).await.unwrap();
    assert_eq!(read(&files, &id("art_1"), 0, 4).await, b"ours");
}

#[tokio::test]
async fn a_file_that_became_shorter_is_an_error_where_it_ends() {
    let (_folder, files) = files();
    store(&files, &id("art_1"), "0123456789").await;
    let file = all_files(files.root()).pop().unwrap();
    fs::write(&file, "0123").unwrap();
    let reader = files.open(&namespace(), &id("art_1")).await.unwrap();
    assert_eq!(reader.size_bytes(), 4);
    let outcome: Result<Vec<Bytes>, Error> = reader.stream(0, 10).try_collect().await;
    assert!(matches!(outcome, Err(Error::Io { .. })));
}

#[tokio::test]
async fn a_sweep_removes_old_files_that_nobody_knows_and_nothing_else() {
    let (_folder, files) = files();
    for name in ["art_known", "art_orphan"] {
        store(&files, &id(name), "text").await;
    }
    let unfinished = files.receive(pieces(&["half"])).await.unwrap();
    let known = async |_: Namespace, id: ArtifactId| id.as_str() == "art_known";

    let young = files.sweep(SystemTime::now(), known).await.unwrap();
    assert_eq!(young, Swept::default());

    let later = SystemTime::now() + ORPHAN_AGE + Duration::from_secs(1);
    let old = files.sweep(later, known).await.unwrap();
    assert_eq!((old.looked_at, old.removed), (3, 2));
    let left = all_files(files.root());
    assert_eq!(left.len(), 1);
    assert!(left[0].ends_with("art_known"));
    drop(unfinished);
}

#[tokio::test]
async fn a_sweep_of_a_store_without_artifacts_finds_nothing() {
    let (_folder, files) = files();
    let swept = files
        .sweep(SystemTime::now(), async |_: Namespace, _: ArtifactId| true)
        .await
        .unwrap();
    assert_eq!(swept, Swept::default());
}

#[test]
fn a_full_disk_and_a_full_quota_are_told_from_other_failures() {
    let of = |kind: std::io::ErrorKind| Error::io("write incoming bytes", kind.into());
    assert!(matches!(
        of(std::io::ErrorKind::StorageFull),
        Error::NoSpace(_)
    ));
    assert!(matches!(
        of(std::io::ErrorKind::QuotaExceeded),
        Error::NoSpace(_)
    ));
    assert!(matches!(
        of(std::io::ErrorKind::PermissionDenied),
        Error::Io { .. }
    ));
}
