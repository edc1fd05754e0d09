//! Random commits, claims and restarts, on this store and on the in-memory one: every answer must be the same, whether
//! commits come one by one or many at once.

mod both;
mod compare;
mod documents;
mod steps;

use proptest::prelude::*;

use both::Both;
use steps::{Step, step};

const NAMESPACES: [&str; 2] = ["default", "other"];
const AGENTS: [&str; 2] = ["ada", "bob"];
const PIPELINES: [&str; 2] = ["pipe_1", "pipe_2"];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    })]

    /// The in-memory store is the model.
    #[test]
    fn answers_as_the_model_does(
        bursts_of in prop_oneof![Just(1_usize), 2..20_usize],
        steps in proptest::collection::vec(step(), 1..70),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut both = Both::new(bursts_of);
            for (at, step) in steps.into_iter().enumerate() {
                let restarted = matches!(step, Step::Restart { .. });
                both.apply(step).await;
                if restarted || at % 8 == 7 {
                    both.compare().await;
                }
            }
            both.compare().await;
        });
    }
}
