//! What is not copied, and said.

use futures::stream;
use mcpanel_domain::ArtifactId;

use super::*;

#[tokio::test]
async fn a_target_that_holds_something_else_is_refused() {
    let (from, to) = (memory(), memory());
    let namespace = Namespace::default_namespace();
    let ours = Filler {
        end: &from.end,
        namespace: namespace.clone(),
    };
    let theirs = Filler {
        end: &to.end,
        namespace,
    };
    let task = ours.task("task_a", 0, &[]);
    ours.create(&task, "{}").await;
    ours.complete(&task).await;
    theirs.create(&task, "{}").await;
    let before = census(&from.end).await;
    let error = transfer(&from.end, &to.end, &before, &quiet)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Different {
                kind: Kind::Task,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_source_that_changes_meanwhile_is_noticed() {
    let (from, to) = (memory(), memory());
    let filler = Filler {
        end: &from.end,
        namespace: Namespace::default_namespace(),
    };
    filler.create(&filler.task("task_a", 0, &[]), "{}").await;
    let before = census(&from.end).await;
    filler.create(&filler.task("task_b", 1, &[]), "{}").await;
    let error = transfer(&from.end, &to.end, &before, &quiet)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::SourceChanged | Error::EventsAhead { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn bytes_that_are_not_what_was_recorded_are_not_copied() {
    let (from, to) = (memory(), memory());
    let filler = Filler {
        end: &from.end,
        namespace: Namespace::default_namespace(),
    };
    filler.artifact("art_1", b"good").await;
    let id = ArtifactId::parse("art_1").unwrap();
    let pieces = stream::iter([Ok::<_, std::io::Error>(::bytes::Bytes::from_static(
        b"evil",
    ))]);
    let draft = from.end.files.receive(pieces).await.unwrap();
    draft.keep(&filler.namespace, &id).await.unwrap();
    let before = census(&from.end).await;
    let error = transfer(&from.end, &to.end, &before, &quiet)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::WrongBytes { .. }), "{error}");
}
