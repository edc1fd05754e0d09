//! Random graphs and random fates of their tasks against what must always hold.

use proptest::prelude::*;

use super::{model::World, *};

#[derive(Debug, Clone)]
enum Step {
    Execute,
    ExecuteStage(u16),
    Cancel,
    Replay(Option<u16>),
    Advance,
    /// The task at this place of those that have not ended begins, goes on, or ends.
    Begin(usize),
    Report(usize, u8),
    Complete(usize),
    Fail(usize),
    ConfirmCancel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0_usize..50;
    prop_oneof![
        1 => Just(Step::Execute),
        1 => (1_u16..6).prop_map(Step::ExecuteStage),
        1 => Just(Step::Cancel),
        1 => proptest::option::of(1_u16..6).prop_map(Step::Replay),
        5 => Just(Step::Advance),
        4 => place.clone().prop_map(Step::Begin),
        3 => (place.clone(), 0_u8..=100).prop_map(|(at, percent)| Step::Report(at, percent)),
        5 => place.clone().prop_map(Step::Complete),
        1 => place.clone().prop_map(Step::Fail),
        1 => place.prop_map(Step::ConfirmCancel),
    ]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Single), Just(Mode::Map), Just(Mode::Reduce)]
}

/// Up to five stages; each may wait for any before it.
fn stages() -> impl Strategy<Value = Vec<StageDefinition>> {
    proptest::collection::vec((mode(), any::<u8>()), 1..=5).prop_map(|drawn| {
        (1_u16..)
            .zip(drawn)
            .map(|(number, (mode, bits))| {
                let before: Vec<u16> = (1..number).filter(|each| bits >> each & 1 == 1).collect();
                stage(number, mode, &before)
            })
            .collect()
    })
}

fn take(world: &mut World, step: &Step) {
    let command = match step {
        Step::Execute => Command::Execute,
        Step::ExecuteStage(stage) => Command::ExecuteStage { stage: *stage },
        Step::Cancel => cancel(),
        Step::Replay(from) => Command::Replay {
            from: *from,
            percent: world.pipeline.progress(&world.facts()),
        },
        Step::Advance => {
            world.advance();
            return;
        }
        Step::Begin(at)
        | Step::Report(at, _)
        | Step::Complete(at)
        | Step::Fail(at)
        | Step::ConfirmCancel(at) => {
            let mut live: Vec<_> = world
                .tasks
                .values_mut()
                .filter(|task| !task.status.is_terminal())
                .collect();
            let count = live.len();
            if count == 0 {
                return;
            }
            let task = &mut live[at % count];
            match step {
                Step::Report(_, percent) => task.percent = task.percent.max(f64::from(*percent)),
                Step::Complete(_) => {
                    task.status = TaskStatus::Completed;
                    task.percent = 100.0;
                }
                Step::Fail(_) => task.status = TaskStatus::Failed,
                Step::ConfirmCancel(_) if task.stopping => task.status = TaskStatus::Cancelled,
                _ => task.status = TaskStatus::Running,
            }
            return;
        }
    };
    if let Ok(Decision {
        pipeline: Some(next),
        ..
    }) = decide(&world.pipeline, command, at(10))
    {
        world.pipeline = next;
    }
}

fn check(before: &Pipeline, shown: f64, world: &World) -> Result<(), TestCaseError> {
    let now = &world.pipeline;
    let facts = world.facts();
    prop_assert!(now.revision >= before.revision);
    prop_assert!(
        now.progress(&facts) >= shown - 1e-9,
        "progress fell below {shown}"
    );
    prop_assert_eq!(now.completed_at.is_some(), now.status.is_terminal());
    for stage in &now.stages {
        let number = stage.definition.number;
        prop_assert!((0.0..=100.0).contains(&stage.progress(&facts)));
        let counts = facts.of(number, stage.run);
        prop_assert!(
            counts.total() <= stage.total,
            "stage {number} has more tasks than it should"
        );
        if matches!(stage.status, StageStatus::Running | StageStatus::Completed) {
            let ready =
                stage.definition.dependencies.iter().all(|dependency| {
                    now.stage(*dependency).unwrap().status == StageStatus::Completed
                });
            prop_assert!(ready, "stage {number} goes before what it waits for");
        }
        if stage.status == StageStatus::Completed {
            let completed = counts.count(TaskStatus::Completed);
            prop_assert_eq!(completed, stage.total, "stage {} is not complete", number);
        }
    }
    if now.status == Status::Completed {
        let done = |stage: &crate::pipeline::Stage| stage.status == StageStatus::Completed;
        prop_assert!(now.stages.iter().all(done));
    }
    Ok(())
}

/// More looks than any of these runs needs.
const LOOKS_MAX: usize = 500;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_fate_of_its_tasks_breaks_a_rule_and_honest_work_completes_it(
        stages in stages(),
        chunks in 0_u32..3,
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(stages, chunks);
        let mut shown: f64 = 0.0;
        for step in &steps {
            let before = world.pipeline.clone();
            take(&mut world, step);
            check(&before, shown, &world)?;
            shown = shown.max(world.pipeline.progress(&world.facts()));
        }

        take(&mut world, &Step::Execute);
        take(&mut world, &Step::Replay(None));
        for _ in 0..LOOKS_MAX {
            let idle = !world.advance();
            take(&mut world, &Step::Complete(0));
            if idle && world.pipeline.status.is_terminal() {
                break;
            }
            if world.pipeline.status == Status::Failed {
                take(&mut world, &Step::Replay(None));
            }
        }
        prop_assert_eq!(world.pipeline.status, Status::Completed);
        prop_assert!(world.pipeline.output_data.is_some());
        let live = world.tasks.values().filter(|task| !task.status.is_terminal());
        prop_assert_eq!(live.count(), 0, "tasks of an earlier run are still alive");
    }
}
