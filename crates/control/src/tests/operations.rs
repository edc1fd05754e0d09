//! Operations on many tasks: what they change, what they leave, and what a crash or a rival does to them.

use std::sync::Arc;

use mcpanel_domain::{
    OperationId,
    event::Kind as EventKind,
    operation::{Kind, Operation, Status as OperationStatus},
    pipeline::Mode,
    retry::ErrorType,
    task::{Filter, Search, Status},
};
use mcpanel_store::{
    Store,
    query::{EventFilter, OperationFilter, Page},
};

use super::{fault, faults, id, name, refused, world::stage};
use crate::{Idempotency, OperationRequest, tests::world::World};

fn of(kind: Kind, filter: Filter) -> OperationRequest {
    OperationRequest {
        kind,
        search: filter.into(),
        all: false,
        reason: Some("a mistake".to_owned()),
    }
}

fn of_type(text: &str) -> Filter {
    Filter {
        task_type: Some(name(text)),
        ..Filter::default()
    }
}

impl World {
    async fn begin(&self, request: OperationRequest) -> Arc<Operation> {
        let begun = self.control.operations.create(&self.scope, request, None);
        begun.await.unwrap().value
    }

    async fn operation(&self, id: &OperationId) -> Arc<Operation> {
        self.control.operations.get(&self.scope, id).await.unwrap()
    }

    /// Lets an operation go on until it has ended.
    async fn finish(&self, id: &OperationId) -> Arc<Operation> {
        for _ in 0..50 {
            self.pass(0).await;
            let operation = self.operation(id).await;
            if operation.status.is_terminal() {
                return operation;
            }
        }
        panic!("the operation goes on for ever");
    }

    async fn fail_for_good(&self, task: &str) {
        let proof = self.hold("ada", task).await;
        self.fail(task, proof, ErrorType::Validation).await;
    }
}

fn counts(operation: &Operation) -> (u64, u64, u64) {
    (operation.done, operation.skipped, operation.failed)
}

#[tokio::test]
async fn retries_all_that_failed_and_nothing_else() {
    let world = World::new();
    world.agent("ada", &["read"], 10).await;
    for task in ["a", "b", "c"] {
        world.task(task, "read").await;
        world.fail_for_good(task).await;
    }
    world.task("fine", "read").await;
    let operation = world.begin(of(Kind::Retry, of_type("read"))).await;
    assert_eq!(operation.matched.tasks, 3);
    let operation = world.finish(&operation.id).await;
    assert_eq!(operation.status, OperationStatus::Completed);
    assert_eq!(counts(&operation), (3, 0, 0));
    for task in ["a", "b", "c", "fine"] {
        assert_eq!(world.status(task).await, Status::Pending);
    }
    assert!(world.told_of("a").await.contains(&EventKind::TaskReplayed));
    assert!(
        !world
            .told_of("fine")
            .await
            .contains(&EventKind::TaskReplayed)
    );
}

#[tokio::test]
async fn cancels_thousands_in_steps_and_tells_how_far_it_is() {
    let world = World::new();
    for n in 0..450 {
        world.task(&format!("t{n:03}"), "read").await;
    }
    world.task("other", "write").await;
    let operation = world.begin(of(Kind::Cancel, of_type("read"))).await;
    world.pass(0).await;
    let half = world.operation(&operation.id).await;
    assert_eq!((half.status, half.done), (OperationStatus::Running, 200));
    assert!((40.0..50.0).contains(&half.progress()));
    let done = world.finish(&operation.id).await;
    assert_eq!(counts(&done), (450, 0, 0));
    assert_eq!(world.status("other").await, Status::Pending);
    let cancelled = world.get("t007").await;
    assert_eq!(
        cancelled.error.as_ref().unwrap().message,
        "cancelled by `tests`: a mistake"
    );
    let filter = EventFilter {
        kinds: vec![
            EventKind::OperationCreated,
            EventKind::OperationProgressed,
            EventKind::OperationCompleted,
        ],
        ..EventFilter::default()
    };
    let told = world
        .control
        .events
        .list(&world.scope, &filter, 0, 10_000)
        .await
        .unwrap();
    let kinds: Vec<EventKind> = told.events.iter().map(|each| each.event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::OperationCreated,
            EventKind::OperationProgressed,
            EventKind::OperationProgressed,
            EventKind::OperationCompleted
        ]
    );
    let subject = told.events[0].event.subject.as_deref();
    assert_eq!(subject, Some(operation.id.as_str()));
}

#[tokio::test]
async fn a_crash_between_steps_loses_and_repeats_nothing() {
    let mut world = World::new();
    for n in 0..450 {
        world.task(&format!("t{n:03}"), "read").await;
    }
    let operation = world.begin(of(Kind::Cancel, of_type("read"))).await;
    for _ in 0..3 {
        world.pass(0).await;
        world = world.restarted();
    }
    let done = world.finish(&operation.id).await;
    assert_eq!(counts(&done), (450, 0, 0));
    for n in 0..450 {
        let told = world.told_of(&format!("t{n:03}")).await;
        let cancelled = told
            .iter()
            .filter(|kind| **kind == EventKind::TaskCancelled);
        assert_eq!(cancelled.count(), 1);
    }
}

#[tokio::test]
async fn what_is_created_later_is_left_alone() {
    let world = World::new();
    world.task("before", "read").await;
    let operation = world.begin(of(Kind::Cancel, of_type("read"))).await;
    world.skip(5);
    world.task("after", "read").await;
    world.finish(&operation.id).await;
    assert_eq!(world.status("before").await, Status::Cancelled);
    assert_eq!(world.status("after").await, Status::Pending);
}

#[tokio::test]
async fn an_abort_keeps_what_was_done() {
    let world = World::new();
    for n in 0..300 {
        world.task(&format!("t{n:03}"), "read").await;
    }
    let operation = world.begin(of(Kind::Cancel, of_type("read"))).await;
    world.pass(0).await;
    let operations = &world.control.operations;
    let aborted = operations.abort(&world.scope, &operation.id).await.unwrap();
    assert_eq!(aborted.status, OperationStatus::Aborted);
    assert_eq!(aborted.error.as_deref(), Some("aborted by `tests`"));
    world.pass(0).await;
    let totals = world.control.tasks.totals(&world.scope).await.unwrap();
    assert_eq!(totals.of(&[Status::Cancelled]), 200);
    let again = operations.abort(&world.scope, &operation.id).await.unwrap();
    assert_eq!(again.revision, aborted.revision);
}

#[tokio::test]
async fn running_tasks_are_asked_to_stop_and_others_stop_at_once() {
    let world = World::new();
    world.agent("ada", &["read"], 1).await;
    world.task("held", "read").await;
    world.task("waits", "read").await;
    let proof = world.hold("ada", "held").await;
    world.start("held", proof).await;
    let operation = world.begin(of(Kind::Cancel, of_type("read"))).await;
    let done = world.finish(&operation.id).await;
    assert_eq!(counts(&done), (2, 0, 0));
    assert!(world.get("held").await.cancel_requested.is_some());
    assert_eq!(world.status("waits").await, Status::Cancelled);
}

#[tokio::test]
async fn dependents_of_what_is_cancelled_follow() {
    let world = World::new();
    world.task("first", "write").await;
    world.waiting_for("second", &["first"]).await;
    let operation = world.begin(of(Kind::Cancel, of_type("write"))).await;
    world.finish(&operation.id).await;
    assert_eq!(world.status("second").await, Status::Cancelled);
}

#[tokio::test]
async fn tasks_of_a_pipeline_that_has_ended_come_back_with_it_only() {
    let world = World::new();
    world.agent("ada", &["read"], 10).await;
    let stages = vec![stage(1, Mode::Single, "read", &[])];
    world.execute("pipe_1", stages).await;
    world.fail_for_good("pipe_1.s1.000000").await;
    let operation = world.begin(of(Kind::Retry, of_type("read"))).await;
    let done = world.finish(&operation.id).await;
    assert_eq!(counts(&done), (0, 1, 0));
    assert_eq!(world.status("pipe_1.s1.000000").await, Status::Failed);
}

#[tokio::test]
async fn a_text_chooses_too() {
    let world = World::new();
    for task in ["alpha", "beta"] {
        world.task(task, "read").await;
    }
    let mut request = of(Kind::Cancel, Filter::default());
    request.search.text = Some("ALPH".to_owned());
    let operation = world.begin(request).await;
    assert_eq!(operation.matched.tasks, 1);
    world.finish(&operation.id).await;
    assert_eq!(world.status("alpha").await, Status::Cancelled);
    assert_eq!(world.status("beta").await, Status::Pending);
}

#[tokio::test]
async fn nobody_means_everything_by_accident() {
    let world = World::new();
    world.task("a", "read").await;
    let operations = &world.control.operations;
    let request = of(Kind::Cancel, Filter::default());
    let outcome = operations.create(&world.scope, request.clone(), None).await;
    assert_eq!(faults(outcome), [fault("/filter", "empty_filter")]);
    let outcome = operations.preview(&world.scope, request.clone()).await;
    assert_eq!(faults(outcome), [fault("/filter", "empty_filter")]);
    let request = OperationRequest {
        all: true,
        ..request
    };
    let preview = operations.preview(&world.scope, request.clone()).await;
    assert_eq!(preview.unwrap().tasks, 1);
    assert_eq!(world.status("a").await, Status::Pending);
    let operation = world.begin(request).await;
    world.finish(&operation.id).await;
    assert_eq!(world.status("a").await, Status::Cancelled);
}

#[tokio::test]
async fn a_repeated_request_begins_one_operation() {
    let world = World::new();
    world.task("a", "read").await;
    let key = Idempotency {
        key: "k".to_owned(),
        fingerprint: [1; 32],
    };
    let operations = &world.control.operations;
    let request = of(Kind::Cancel, of_type("read"));
    let first = operations
        .create(&world.scope, request.clone(), Some(&key))
        .await
        .unwrap();
    let second = operations
        .create(&world.scope, request, Some(&key))
        .await
        .unwrap();
    assert!(second.replayed && !first.replayed);
    assert_eq!(first.value.id, second.value.id);
    let page = Page::first(10);
    let filter = OperationFilter::default();
    let listed = operations.list(&world.scope, &filter, &page).await.unwrap();
    assert_eq!(listed.items.len(), 1);
}

#[tokio::test]
async fn other_namespaces_see_and_touch_nothing() {
    let world = World::new();
    world.task("mine", "read").await;
    let stranger = world.stranger();
    let operations = &world.control.operations;
    let begun = operations
        .create(&stranger, of(Kind::Cancel, of_type("read")), None)
        .await
        .unwrap()
        .value;
    assert_eq!(begun.matched.tasks, 0);
    world.pass(0).await;
    assert_eq!(world.status("mine").await, Status::Pending);
    refused(operations.get(&world.scope, &begun.id).await);
    refused(operations.abort(&world.scope, &begun.id).await);
}

#[tokio::test]
async fn two_instances_take_turns() {
    let world = World::new();
    for n in 0..450 {
        world.task(&format!("t{n:03}"), "read").await;
    }
    let other = crate::Control::new(world.store.clone(), world.env.clone());
    let operation = world.begin(of(Kind::Cancel, of_type("read"))).await;
    for _ in 0..3 {
        let (one, two) = tokio::join!(world.control.tick(), other.tick());
        assert_eq!(one.unwrap().failed + two.unwrap().failed, 0);
    }
    let done = world.finish(&operation.id).await;
    assert_eq!(counts(&done), (450, 0, 0));
    assert!(world.store.running_operations(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn searches_go_on_where_they_stopped() {
    let world = World::new();
    for n in 0..600 {
        let wish = World::wish(&format!("t{n:03}"), if n % 2 == 0 { "even" } else { "odd" });
        world.create(wish).await;
        if n % 7 == 0 {
            world.skip(1);
        }
    }
    let tasks = &world.control.tasks;
    let find = async |text: &str, limit: usize| -> Vec<String> {
        let search = Search {
            filter: of_type("even"),
            text: Some(text.to_owned()),
        };
        let mut seen = Vec::new();
        let mut page = Page { after: None, limit };
        loop {
            let listing = tasks.search(&world.scope, &search, &page).await.unwrap();
            seen.extend(listing.items.iter().map(|view| view.task.id.to_string()));
            match listing.next {
                Some(next) => page.after = Some(next),
                None => return seen,
            }
        }
    };
    // By the id, by a value of the parameters, by neither.
    assert_eq!(find("T1", 7).await.len(), 50);
    assert_eq!(find("Hello", 100).await.len(), 300);
    assert!(find("goodbye", 100).await.is_empty());
    assert_eq!(find("t598", 1).await, [id("t598").to_string()]);
    let search = Search {
        filter: Filter::default(),
        text: Some("hello".to_owned()),
    };
    let counted = tasks.count(&world.scope, &search, 100).await.unwrap();
    assert_eq!((counted.tasks, counted.more), (100, true));
    let search = Search::from(of_type("odd"));
    let counted = tasks.count(&world.scope, &search, 300).await.unwrap();
    assert_eq!((counted.tasks, counted.more), (300, false));
}

#[tokio::test]
async fn who_is_shown_parameters_is_recorded_first() {
    let world = World::new();
    world.task("a", "read").await;
    let view = world.control.tasks.reveal(&world.scope, &id("a")).await;
    assert_eq!(
        view.unwrap().payloads.parameters.as_str(),
        r#"{"text":"hello"}"#
    );
    assert_eq!(
        world.told_of("a").await.last(),
        Some(&EventKind::TaskRevealed)
    );
    let stranger = world.stranger();
    refused(world.control.tasks.reveal(&stranger, &id("a")).await);
}
