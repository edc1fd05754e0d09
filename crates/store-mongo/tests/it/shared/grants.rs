//! Assignments that their documents do not say yet, between two instances and a Redis that forgets.

use mcpanel_store::{Error, Grant};

use super::*;

/// Notes the assignment of tasks that were taken; answers with the grants.
async fn give(store: &MongoStore, agent: &str, tasks: &[Arc<Task>]) -> Vec<Grant> {
    let grants: Vec<Grant> = tasks
        .iter()
        .map(|task| {
            let given = assigned(task, agent);
            Grant::of(task.id.clone(), task.revision, given.lease().unwrap())
        })
        .collect();
    let noted = store.grants().unwrap().note(&ns(), &grants).await.unwrap();
    assert!(noted.iter().all(|noted| *noted));
    grants
}

/// Makes tasks and gives them to ada; answers with them as they were taken, and with the grants.
async fn give_new<const N: usize>(
    store: &MongoStore,
    names: [&str; N],
) -> (Vec<Arc<Task>>, Vec<Grant>) {
    create(store, names.map(str::to_owned)).await;
    let taken = take(store, "ada", u32::try_from(N).unwrap()).await;
    let grants = give(store, "ada", &taken).await;
    (taken, grants)
}

async fn known(store: &MongoStore, id: &TaskId) -> Option<Grant> {
    let found = store.tasks(&ns(), std::slice::from_ref(id)).await.unwrap();
    let at = [(id.clone(), found[0].as_ref().unwrap().revision)];
    let mut known = store.grants().unwrap().of_tasks(&ns(), &at).await;
    known.pop().flatten()
}

async fn status(store: &MongoStore, id: &TaskId) -> Status {
    let found = store.tasks(&ns(), std::slice::from_ref(id)).await.unwrap();
    found[0].as_ref().unwrap().status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_instance_grants_the_other_knows_and_does_not_give_out() {
    let Some(two) = Two::open().await else { return };
    let ids = create(&two.one, ["a".to_owned(), "b".to_owned()]).await;
    let taken = take(&two.one, "ada", 1).await;
    let grants = give(&two.one, "ada", &taken).await;
    let granted = &grants[0];
    assert_eq!(
        known(&two.other, &granted.task_id).await.as_ref(),
        Some(granted)
    );
    let ada = AgentId::parse("ada").unwrap();
    let of_ada = two.other.grants().unwrap().of_agent(&ns(), &ada).await;
    assert_eq!(of_ada.0, grants);
    // The document says nothing, and costs nothing.
    assert_eq!(status(&two.other, &granted.task_id).await, Status::Pending);
    let rest = take(&two.other, "bob", 9).await;
    assert_eq!(rest.len(), 1, "the other task alone of {ids:?}");
    assert_ne!(rest[0].id, granted.task_id);
    // It takes a slot, on every instance.
    let one_slot = Offer {
        concurrency: 1,
        ..offer("ada", 9)
    };
    create(&two.other, ["c".to_owned()]).await;
    let more = two.other.take_ready(&one_slot, now()).await.unwrap();
    assert!(more.is_empty(), "ada has one slot and holds a task");
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_granted_task_is_one_write_and_makes_the_grant_void() {
    let Some(two) = Two::open().await else { return };
    let (taken, grants) = give_new(&two.one, ["a"]).await;
    let mut ended = assigned(&taken[0], "ada");
    ended.state = State::Completed;
    two.other.commit(Commit::of(write(&ended))).await.unwrap();
    assert_eq!(status(&two.one, &ended.id).await, Status::Completed);
    assert_eq!(known(&two.other, &ended.id).await, None);
    // The instance that gave it finds out when it is to write it.
    let remembered = two.one.grants().unwrap();
    remembered.drop_void(&ns(), &grants).await;
    assert_eq!(known(&two.one, &ended.id).await, None);
    assert!(take(&two.one, "ada", 9).await.is_empty(), "it is done");
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_instance_leaves_behind_is_told_to_the_others_until_it_is_written() {
    let Some(two) = Two::open().await else { return };
    let (taken, grants) = give_new(&two.one, ["a", "b"]).await;
    let told = async |store: &MongoStore, limit| {
        let mut told = store.grants().unwrap().ripe(limit).await;
        told.sort_by(|(_, a), (_, b)| a.task_id.cmp(&b.task_id));
        told
    };
    let mut all: Vec<(Namespace, Grant)> = grants.iter().map(|each| (ns(), each.clone())).collect();
    all.sort_by(|(_, a), (_, b)| a.task_id.cmp(&b.task_id));
    eventually("its own is ripe", || async {
        told(&two.one, 9).await == all
    })
    .await;
    two.one.kill();
    eventually("what was left is told", || async {
        two.other.due(now(), 9).await.unwrap();
        told(&two.other, 9).await == all
    })
    .await;
    assert_eq!(told(&two.other, 1).await.len(), 1, "no more than asked for");
    assert_eq!(told(&two.other, 9).await, all, "as nothing was written");
    let written = assigned(&taken[0], "ada");
    two.other.commit(Commit::of(write(&written))).await.unwrap();
    assert_eq!(known(&two.other, &written.id).await, None);
    two.other.due(now(), 9).await.unwrap();
    let (_, rest) = all
        .into_iter()
        .partition::<Vec<_>, _>(|(_, each)| each.task_id == written.id);
    assert_eq!(told(&two.other, 9).await, rest);
    let remembered = two.other.grants().unwrap();
    remembered.drop_void(&ns(), &[rest[0].1.clone()]).await;
    two.other.due(now(), 9).await.unwrap();
    assert_eq!(told(&two.other, 9).await, []);
    two.other.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_redis_forgot_nobody_is_sure_what_an_agent_holds() {
    let Some(two) = Two::open().await else { return };
    let (_, grants) = give_new(&two.one, ["a"]).await;
    let ada = AgentId::parse("ada").unwrap();
    let of_ada = async |store: &MongoStore| store.grants().unwrap().of_agent(&ns(), &ada).await;
    eventually("the queue is not new any more", || async {
        of_ada(&two.other).await == (grants.clone(), true)
    })
    .await;
    // A stall makes it seem steady before it was asked: try again.
    loop {
        let began = Instant::now();
        two.redis.command(&["FLUSHALL"]).unwrap();
        let shared = two.other.shared().unwrap();
        eventually("it is whole again", || async {
            shared.queue().look(&ns()).await == Ok(true)
        })
        .await;
        let (known, all) = of_ada(&two.other).await;
        assert_eq!(known, [], "it is in nobody's queue");
        if !all {
            break;
        }
        assert!(began.elapsed() >= Duration::from_secs(9), "ada has a task");
    }
    // Who gave it says so, and is not sure of the rest either.
    assert_eq!(of_ada(&two.one).await.0, grants);
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_of_an_agent_is_told_also_while_redis_is_away() {
    let Some(mut two) = Two::open().await else {
        return;
    };
    let (_, grants) = give_new(&two.one, ["a"]).await;
    two.redis.process().kill().unwrap();
    let ada = AgentId::parse("ada").unwrap();
    let of_ada = two.one.grants().unwrap().of_agent(&ns(), &ada).await;
    assert_eq!(of_ada, (grants, false));
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_without_redis_knows_the_key_and_notes_nothing() {
    let Some(two) = Two::open().await else { return };
    let alone = MongoStore::open(two.database.settings(), None)
        .await
        .unwrap();
    create(&two.one, ["a".to_owned()]).await;
    let remembered = alone.grants().unwrap();
    assert_eq!(remembered.key(), two.one.grants().unwrap().key());
    let taken = take(&alone, "ada", 1).await;
    let given = assigned(&taken[0], "ada");
    let grant = Grant::of(given.id.clone(), taken[0].revision, given.lease().unwrap());
    assert!(remembered.note(&ns(), &[grant]).await.is_err());
    let ada = AgentId::parse("ada").unwrap();
    assert_eq!(remembered.of_agent(&ns(), &ada).await, (Vec::new(), true));
    assert!(remembered.ripe(9).await.is_empty());
    alone.close().await;
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_redis_forgot_is_remembered_by_who_gave_it() {
    let Some(mut two) = Two::open().await else {
        return;
    };
    let (taken, grants) = give_new(&two.one, ["a"]).await;
    two.redis.process().kill().unwrap();
    two.redis.process().start_again().unwrap();
    two.redis.answers().unwrap();
    let again = Mutex::new(Vec::new());
    eventually("it is given out again", || async {
        let taken = take(&two.other, "bob", 1).await;
        again.lock().extend(taken);
        !again.lock().is_empty()
    })
    .await;
    assert_eq!(again.lock()[0].id, taken[0].id);
    assert_eq!(
        known(&two.one, &taken[0].id).await.as_ref(),
        Some(&grants[0])
    );
    // Of two holders the first to write wins, and the other is told.
    let first = assigned(&taken[0], "ada");
    two.one.commit(Commit::of(write(&first))).await.unwrap();
    let second = two
        .other
        .commit(Commit::of(write(&assigned(&taken[0], "bob"))))
        .await;
    assert!(matches!(second, Err(Error::Conflict(_))), "{second:?}");
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gave_a_task_does_not_give_it_again_because_redis_forgot() {
    let Some(mut two) = Two::open().await else {
        return;
    };
    create(&two.one, ["a".to_owned()]).await;
    let given = take(&two.one, "ada", 1).await;
    give(&two.one, "ada", &given).await;
    let next = |name: &'static str| {
        let (one, given) = (&two.one, &given);
        async move {
            let made = create(one, [name.to_owned()]).await;
            let taken = Mutex::new(Vec::new());
            eventually("the next task is given out", || async {
                let some = take(one, "bob", 9).await;
                taken.lock().extend(some);
                taken.lock().iter().any(|task| task.id == made[0])
            })
            .await;
            let again = taken.lock().iter().any(|task| task.id == given[0].id);
            assert!(!again, "ada has it, and this instance knows");
        }
    };
    two.redis.process().kill().unwrap();
    next("without-redis").await;
    two.redis.process().start_again().unwrap();
    two.redis.answers().unwrap();
    next("with-an-empty-redis").await;
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_set_aside_in_redis_cannot_be_granted_there() {
    let Some(two) = Two::open().await else { return };
    let ids = create(&two.one, ["a".to_owned()]).await;
    let found = two.one.tasks(&ns(), &ids).await.unwrap();
    let task = found[0].clone().unwrap();
    let given = assigned(&task, "ada");
    let grant = Grant::of(task.id.clone(), task.revision, given.lease().unwrap());
    let noted = two.one.grants().unwrap().note(&ns(), &[grant]).await;
    assert!(noted.is_err(), "{noted:?}");
    two.close().await;
}
