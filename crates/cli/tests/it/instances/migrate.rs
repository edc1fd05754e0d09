//! `mcpanel migrate` over MongoDB, and how its address may be given.

use super::{Shared, admin, create};
use crate::support::{mcpanel, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_brought_up_to_date_by_several_at_once_and_again() {
    let Some(shared) = Shared::find(5) else {
        return;
    };
    let migrate = || {
        let mut command = mcpanel(["migrate"]);
        command.env("MONGODB_URI", &shared.mongodb);
        command.stderr(std::process::Stdio::piped());
        command
    };
    let several: Vec<_> = (0..3).map(|_| migrate().spawn().unwrap()).collect();
    for one in several {
        let done = one.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        assert!(said(&done).contains("the database is up to date"));
    }
    let instance = shared.start("one");
    create(&admin(&instance), "work").await.unwrap();
    // Instances may go on meanwhile.
    let again = migrate().output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    create(&admin(&instance), "work").await.unwrap();
}

#[test]
fn a_file_holds_an_address_that_is_not_to_be_typed() {
    let Some(shared) = Shared::find(5) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mongodb-uri");
    std::fs::write(&file, format!("{}\n", shared.mongodb)).unwrap();
    let mut command = mcpanel(["migrate", "--mongodb-uri"]);
    let done = command
        .arg(format!("@{}", file.display()))
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
}

#[test]
fn an_address_with_a_password_is_refused_where_it_is_typed() {
    let with_password = "mongodb://ada:hidden@127.0.0.1:1/panel";
    let wrong: [&[&str]; 4] = [
        &["migrate", "--mongodb-uri", with_password],
        &[
            "serve",
            "--mongodb-uri",
            with_password,
            "--redis-url",
            "redis://127.0.0.1:1",
        ],
        &["serve", "--redis-url", "redis://:hidden@127.0.0.1:1"],
        &[
            "store",
            "copy",
            "--from",
            "somewhere",
            "--to",
            with_password,
        ],
    ];
    for arguments in wrong {
        let refused = mcpanel(arguments).output().unwrap();
        let told = said(&refused);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(
            told.contains("holds a password") && told.contains("@FILE"),
            "{told}"
        );
        assert!(!told.contains("hidden"), "{told}");
    }
}
