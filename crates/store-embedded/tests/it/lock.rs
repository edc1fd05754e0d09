//! One process at a time.

use mcpanel_store_embedded::{EmbeddedStore, OpenError};

use crate::support::{open, options};

#[tokio::test]
async fn a_folder_is_opened_once_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let Err(error) = EmbeddedStore::open(dir.path(), options()) else {
        panic!("opened twice");
    };
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"));
    first.close().await;
    drop(first);
    open(dir.path());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let Err(error) = EmbeddedStore::open(file.join("data"), options()) else {
        panic!("opened below a file");
    };
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");
}
