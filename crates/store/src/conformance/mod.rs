//! The conformance suite: what every store must do, a file per area.
//!
//! A back end implements [`Backend`] and calls [`conformance!`](crate::conformance!) once in its tests; each case becomes a
//! test of its own. A bug found in one back end becomes a case here, for all of them.
#![expect(
    clippy::unwrap_used,
    reason = "the suite is test code, built for tests only"
)]

pub mod agents;
pub mod commits;
pub mod counts;
pub mod dependents;
pub mod documents;
pub mod events;
pub mod history;
pub mod lists;
pub mod logs;
pub mod operations;
mod pages;
pub mod pipelines;
pub mod ready;
pub mod restart;
pub mod tasks;
pub mod timers;
mod world;

pub use world::{Backend, TestClock, World, step};

/// Makes a test of each case for a [`Backend`](crate::conformance::Backend) type.
#[macro_export]
macro_rules! conformance {
    ($backend:ident) => {
        $crate::conformance_cases! { $backend;
            commits: writes_all_or_nothing, refuses_a_wrong_revision, refuses_a_document_named_twice,
                an_empty_commit_changes_nothing, deletes_only_what_is_there,
                a_chain_of_revisions_may_be_committed_at_once, one_of_many_rivals_wins;
            tasks: keeps_documents_and_payloads, a_result_joins_its_parameters, asks_in_the_order_given,
                namespaces_are_apart, a_large_payload_survives, an_ended_task_can_change_and_come_back;
            lists: newest_first_with_ids_for_equal_times, pages_neither_lose_nor_repeat,
                filters_all_hold_together, statuses_live_and_ended_mix, created_bounds_cut,
                a_task_that_moves_on_stays_on_its_page, artifacts_by_what_made_them, a_strange_cursor_is_only_a_place;
            pipelines: listed_by_status_and_tag, listed_by_template_and_time;
            ready: priority_then_deadline_then_age, pipelines_take_turns, needs_every_capability,
                a_target_alone_gets_it, slots_are_counted_from_leases, reservations_come_back,
                a_stale_return_leaves_a_newer_claim_alone, waits_for_its_time, ahead_counts_those_before,
                waiters_are_woken, a_waiter_without_room_does_not_swallow_the_call;
            timers: leases_and_deadlines_fall_due, rearming_moves_a_timer,
                rearming_does_not_put_off_a_newer_timer, agents_fall_due,
                ended_tasks_have_no_timers, limits_are_kept;
            agents: keeps_agents, leases_follow_tasks, orphans_are_found;
            dependents: waits_until_all_are_completed, a_dead_dependency_dooms, a_replayed_dependency_saves,
                order_within_a_commit_does_not_matter, a_missing_dependency_dooms,
                a_dependency_that_comes_late_is_waited_for;
            counts: totals_follow_tasks, stage_counts_follow_tasks, unsettled_pipelines_are_found,
                an_ended_pipeline_with_a_revived_task_is_unsettled;
            documents: keeps_pipelines, templates_have_versions, artifacts_come_and_go, keys_are_found_by_hash,
                idempotency_records_run_out;
            operations: keeps_operations, a_step_is_one_commit, lists_newest_first, running_ones_are_found,
                ended_ones_are_forgotten;
            history: queues_follow_tasks, namespaces_are_known, counts_agree_with_lists,
                filters_look_at_changes, activity_follows_commits, minutes_are_apart, samples_are_taken_once,
                samples_come_and_go;
            logs: lines_are_numbered_and_paged, only_the_newest_are_kept, a_log_needs_its_task;
            events: numbers_have_no_gaps, filters_and_namespaces_hold, times_are_told_and_filtered_by, pages_tell_where_to_go_on,
                watchers_hear_of_new_ones, any_number_may_be_asked_for;
            restart: everything_is_still_there, the_queue_is_rebuilt, reservations_are_forgotten,
                numbers_go_on, counts_are_the_same, twice_in_a_row;
        }
    };
}

/// The inner half of [`conformance!`](crate::conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($backend:ident; $($area:ident: $($case:ident),+;)+) => {$(
        mod $area {
            $(
                #[tokio::test]
                async fn $case() {
                    $crate::conformance::$area::$case::<super::$backend>().await;
                }
            )+
        }
    )+};
}
