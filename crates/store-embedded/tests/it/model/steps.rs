//! What may be done to the stores, at random.

use proptest::prelude::*;

/// One step. Small figures choose among what there is.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// New tasks in one commit; each may wait for a task of a lower number.
    Create(Vec<New>),
    /// Brings a task into a state.
    Move(usize, Target),
    /// A commit that is one revision off.
    Stale(usize),
    /// Takes tasks, assigns some of them, gives the others back.
    Claim {
        agent: usize,
        max: u32,
        kept: usize,
    },
    Pipeline(usize, usize, bool),
    Artifact(usize, bool),
    Lines(usize, u8),
    Idempotency(usize),
    Advance(u16),
    Restart {
        closed: bool,
    },
}

#[derive(Debug, Clone)]
pub(super) struct New {
    pub(super) namespace: usize,
    pub(super) pipeline: Option<usize>,
    pub(super) priority: i32,
    pub(super) waits_for: Option<usize>,
    pub(super) delay: Option<u16>,
    pub(super) deadline: Option<u16>,
    pub(super) other_type: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Pending,
    Held(usize),
    Retry(u16),
    Completed,
    Failed,
    Cancelled,
    Progress(u8),
}

fn new() -> impl Strategy<Value = New> {
    (
        prop_oneof![4 => Just(0_usize), 1 => Just(1)],
        proptest::option::of(0..2_usize),
        -1..2_i32,
        proptest::option::of(0..40_usize),
        proptest::option::weighted(0.2, 0..2_000_u16),
        proptest::option::weighted(0.2, 0..4_000_u16),
        any::<bool>(),
    )
        .prop_map(
            |(namespace, pipeline, priority, waits_for, delay, deadline, other_type)| New {
                namespace,
                pipeline,
                priority,
                waits_for,
                delay,
                deadline,
                other_type,
            },
        )
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::Pending),
        (0..2_usize).prop_map(Target::Held),
        (0..2_000_u16).prop_map(Target::Retry),
        Just(Target::Completed),
        Just(Target::Completed),
        Just(Target::Failed),
        Just(Target::Cancelled),
        (0..101_u8).prop_map(Target::Progress),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => proptest::collection::vec(new(), 1..4).prop_map(Step::Create),
        10 => (0..40_usize, target()).prop_map(|(at, target)| Step::Move(at, target)),
        1 => (0..40_usize).prop_map(Step::Stale),
        3 => (0..2_usize, 1..5_u32, 0..5_usize)
            .prop_map(|(agent, max, kept)| Step::Claim { agent, max, kept }),
        2 => (0..2_usize, 0..5_usize, any::<bool>())
            .prop_map(|(at, status, output)| Step::Pipeline(at, status, output)),
        1 => (0..4_usize, any::<bool>()).prop_map(|(at, gone)| Step::Artifact(at, gone)),
        1 => (0..40_usize, 1..5_u8).prop_map(|(at, count)| Step::Lines(at, count)),
        1 => (0..3_usize).prop_map(Step::Idempotency),
        2 => (1..1_500_u16).prop_map(Step::Advance),
        1 => any::<bool>().prop_map(|closed| Step::Restart { closed }),
    ]
}
