//! Who serves from a database, as others see it: a copy, which wants it alone.

use mcpanel_store_mongo::{MongoStore, OpenError, Purpose, Settings};

use crate::servers::Database;

async fn copy(settings: &Settings) -> Result<std::sync::Arc<MongoStore>, OpenError> {
    let settings = Settings {
        purpose: Purpose::Copy,
        ..settings.clone()
    };
    MongoStore::open(settings, None).await
}

#[tokio::test]
async fn a_database_is_had_alone_by_a_copy_only_while_nobody_serves() {
    let Some(database) = Database::new() else {
        return;
    };
    let settings = database.settings();
    let serving = MongoStore::open(settings.clone(), None).await.unwrap();
    let Err(OpenError::InUse { serving: found, .. }) = copy(&settings).await else {
        panic!("it is in use from the start, without a transaction");
    };
    let processes: Vec<u32> = found.iter().map(|each| each.process).collect();
    assert_eq!(processes, [std::process::id()]);
    let migrating = Settings {
        purpose: Purpose::Migrate,
        ..settings.clone()
    };
    let migrating = MongoStore::open(migrating, None).await.unwrap();
    assert_eq!(migrating.serving().await.unwrap().len(), 1);
    serving.close().await;

    let copying = copy(&settings).await.unwrap();
    assert_eq!(copying.serving().await.unwrap(), []);
    let late = MongoStore::open(settings.clone(), None).await.unwrap();
    assert_eq!(copying.serving().await.unwrap().len(), 1, "it is seen");
    late.close().await;
    // As after a copy that was killed.
    copying.kill();
    let again = copy(&settings).await.unwrap();
    again.close().await;
    migrating.close().await;
}

#[tokio::test]
async fn an_instance_that_was_silent_for_long_is_taken_for_dead() {
    let Some(database) = Database::new() else {
        return;
    };
    let settings = database.settings();
    let dead = MongoStore::open(settings.clone(), None).await.unwrap();
    dead.kill();
    assert!(copy(&settings).await.is_err());
    let meta = crate::servers::newest_here().await.unwrap();
    let meta = meta.collection::<mongodb::bson::Document>("meta");
    let earlier = mongodb::bson::DateTime::from_millis(
        mongodb::bson::DateTime::now().timestamp_millis() - 31_000,
    );
    let change = mongodb::bson::doc! { "$set": { "at": earlier } };
    let all = mongodb::bson::doc! { "purpose": "serve" };
    meta.update_many(all, change).await.unwrap();
    copy(&settings).await.unwrap().close().await;
}
