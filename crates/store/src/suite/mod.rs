//! The promises of [`crate::Store`], as cases that every implementation runs.
//!
//! ```ignore
//! jirani_store::conformance!(make);
//! ```
//! makes one test per case; `make` is `async fn() -> impl Place`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "these are tests, compiled for tests only"
)]

pub mod accounts;
pub mod affairs;
pub mod bills;
pub mod commits;
pub mod finding;
pub mod handset;
pub mod index;
pub mod journal;
pub mod lists;
pub mod market;
pub mod meters;
pub mod money;
pub mod readings;
pub mod reconciliation;
pub mod rest;
pub mod samples;
pub mod slots;
pub mod trust;

use crate::{ChainIndex, Change, Committed, Store, StoreError};
use async_trait::async_trait;
use std::sync::Arc;

/// Where one case keeps its data. Opened again, it holds what was kept; whoever
/// opens it again has dropped the store it opened before.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the data.
    async fn open(&self) -> Arc<dyn Store>;
    /// Opens the data for its index of the chain.
    async fn open_index(&self) -> Arc<dyn ChainIndex>;
}

/// Commits what must go well.
pub async fn keep(store: &Arc<dyn Store>, changes: Vec<Change>) -> Committed {
    store.commit(changes).await.unwrap()
}

/// Commits what must meet a conflict.
pub async fn conflict(store: &Arc<dyn Store>, changes: Vec<Change>) {
    match store.commit(changes).await {
        Err(StoreError::Conflict { .. }) => {}
        other => panic!("expected a conflict, got {other:?}"),
    }
}

/// One test per case, each in a place of its own from `$make`.
#[macro_export]
macro_rules! conformance {
    ($make:path) => {
        $crate::conformance! { $make;
            commits: all_changes_or_none;
            commits: a_record_changes_only_from_the_version_read;
            commits: a_record_is_made_once;
            commits: what_must_be_unique_is;
            commits: the_fills_of_an_order_never_change;
            commits: writers_at_once_lose_nothing;
            commits: one_refusal_leaves_its_neighbours_alone;
            commits: numbers_are_handed_out_once;
            index: the_index_comes_back_in_the_order_of_the_chain;
            index: the_index_has_no_hole_and_no_repeat;
            index: an_index_made_anew_is_the_same_byte_for_byte;
            index: a_households_events_come_newest_first;
            journal: a_repeat_changes_nothing;
            journal: a_refusal_names_its_change;
            journal: a_hold_can_end_in_the_commit_that_made_it;
            journal: random_histories_follow_the_model;
            journal: rows_are_read_in_order;
            journal: a_batch_far_beyond_one_statement_is_kept_whole;
            lists: every_record_comes_back_as_it_was_kept;
            lists: offers_are_found;
            lists: orders_are_found;
            lists: money_is_found;
            lists: an_answer_is_bounded;
            market: rules_are_kept_and_set_anew_from_the_version_read;
            market: what_a_call_decided_never_changes_and_how_far_it_is_does;
            market: a_household_can_tell_what_its_rules_have_spent_and_what_it_bought;
            market: an_announced_tariff_is_kept_once_and_for_good;
            trust: a_meter_that_the_site_signs_for_stays_one;
            affairs: a_reversal_is_kept_once_and_waits_until_it_is_booked;
            affairs: a_person_closes_a_review_once;
            affairs: a_notice_is_kept_once_and_the_newest_comes_first;
            affairs: a_relay_has_one_command_that_waits_until_it_is_obeyed;
            affairs: what_was_paid_out_is_counted_from_a_moment_on;
            handset: a_phone_comes_back_as_it_was_kept;
            handset: a_number_leads_to_its_households;
            handset: a_notice_waits_until_its_message_was_handed_over;
            finding: a_finding_comes_back_as_it_was_kept_and_waits;
            finding: what_was_found_is_decided_once_and_may_then_be_mended;
            meters: an_enrolment_goes_on_from_the_version_read;
            meters: one_meter_is_on_its_way_and_one_counts;
            meters: nobody_approves_the_meter_they_claimed;
            meters: nobody_approves_what_they_asked_for_about_a_meter;
            meters: what_happened_comes_newest_first;
            meters: a_span_is_kept_once_and_for_good;
            meters: what_was_made_up_from_the_last_reading_stands_only_while_it_is_the_last;
            meters: quarantine_is_counted_by_meter_and_reason;
            reconciliation: a_proposal_is_decided_once;
            reconciliation: nobody_approves_what_they_proposed;
            reconciliation: one_proposal_per_review_waits;
            reconciliation: a_reconciliation_is_kept_once_and_the_newest_comes_first;
            reconciliation: a_session_knows_its_operator;
            bills: a_slot_is_billed_once_and_comes_back_as_it_was;
            bills: a_day_is_billed_once;
            bills: what_was_attested_and_settled_is_found_for_bills;
            bills: what_was_not_produced_is_kept_for_good;
            bills: a_standing_changes_from_the_version_read_and_its_steps_never;
            money: three_hot_accounts_bear_many_writers;
            money: a_storm_of_repeats_is_applied_once;
            money: groups_stand_or_fall_together_under_load;
            money: a_hold_ends_once_whoever_ends_it;
            money: refusals_come_in_their_order;
            readings: a_reading_counts_once;
            readings: a_repeat_within_a_batch_counts_once;
            readings: other_bytes_under_one_identity_are_evidence;
            readings: the_latest_is_by_epoch_and_number;
            readings: what_was_judged_against_another_reading_is_not_kept;
            readings: what_was_judged_by_an_enrolment_that_has_changed_is_not_kept;
            readings: readings_are_told_in_the_order_in_which_they_were_kept;
            readings: ranges_are_half_open_and_in_order;
            readings: neighbours_in_time_are_of_one_epoch;
            readings: a_meter_that_moved_house_is_two_households;
            readings: quarantine_is_kept_newest_first;
            readings: what_cannot_be_kept_is_refused_whole;
            slots: a_slot_is_rewritten_until_it_has_landed;
            slots: only_landed_rows_are_attested;
            slots: feeders_are_apart;
            slots: the_last_slot_is_found_landed_or_not;
            rest: a_callback_is_kept_raw_and_dealt_with_once;
            rest: a_transaction_has_one_outcome;
            rest: two_pieces_of_work_are_never_one_transaction;
            rest: an_outcome_is_known_at_once_and_kept_with_the_next_write;
            rest: transactions_without_an_outcome_are_found;
            rest: sessions_and_settings_are_kept;
            accounts: a_household_finds_its_sessions_and_no_others;
            accounts: every_role_at_the_desk_is_kept;
            accounts: an_operator_is_invited_signs_in_and_retires_for_good;
            accounts: acts_are_numbered_without_a_gap;
        }
    };
    ($make:path; $($module:ident: $case:ident;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let place = $make().await;
                $crate::suite::$module::$case(&place).await;
            }
        )+
    };
}
