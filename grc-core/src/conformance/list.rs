//! The one list of cases: by area (the file that holds them), with the clause that each proves.

#[doc(hidden)]
#[macro_export]
macro_rules! __grc_store_cases {
    ($then:ident $args:tt) => { $crate::$then! { $args
commit {
"C-01" c01_all_steps_are_seen_together "a batch with a step of every kind: every read shows its row";
"C-01" c01_conflict_on_the_first_step_leaves_no_trace "each kind of conflict, on the first of many steps: no row of any kind changes";
"C-01" c01_conflict_on_a_middle_step_leaves_no_trace "each kind of conflict, on a middle step: no row of any kind changes";
"C-01" c01_conflict_on_the_last_step_leaves_no_trace "each kind of conflict, on the last step: no row of any kind changes";
"C-01" c01_refused_batch_leaves_dropped_rows_in_place "what a refused batch would have dropped is still there";
"C-01" c01_refused_batch_can_be_committed_once_nothing_stands_against_it "a refused batch is not remembered as committed";
"C-03" c03_same_batch_again_changes_nothing "the same batch at once again is a replay";
"C-03" c03_same_batch_after_later_ones_changes_nothing "the same batch after many later ones is a replay, and brings nothing old back";
"C-03" c03_same_id_with_other_steps_is_never_applied "other steps under a used id are a replay or a conflict, and are never applied";
"C-04" c04_absent_on_an_existing_stream_conflicts "`Absent` means that there is no row";
"C-04" c04_version_on_a_missing_stream_conflicts "`Version` means that there is a row";
"C-04" c04_wrong_version_conflicts "lower, equal to an earlier one, higher: another version is a conflict";
"C-04" c04_writing_the_same_row_again_succeeds "an expectation that is met is no conflict, even if no byte changes";
"C-04" c04_each_step_sees_the_steps_before_it "steps are applied in order, each on what the ones before it left";
"C-04" c04_two_creations_of_one_stream_in_a_batch_conflict "the second creation in a batch finds the first";
"C-04" c04_of_many_streams_in_a_batch_one_that_is_stale_refuses_all "of fifty streams in a batch one is stale: none is written";
"C-05" c05_unknown_step_is_refused_whole "a step that the store does not know, at any place, refuses the batch";
"C-05" c05_empty_batch_is_refused "a batch without a step is refused";
"C-05" c05_unknown_order_is_refused "an order that the store does not know is refused";
"C-05" c05_relation_in_a_filter_is_refused "a relation anywhere in a condition is refused, never ignored";
"C-05" c05_search_in_text_is_refused "a search in texts is refused";
}
events {
"C-06" c06_sequences_go_from_one_without_gap "sequences, batch ids and heads of several appends";
"C-06" c06_append_after_the_past_conflicts "a taken sequence is a conflict, and the event stays as it is";
"C-06" c06_append_after_the_future_conflicts "an append that would leave a gap is a conflict";
"C-06" c06_an_append_of_nothing_compares_too "the sequence of an append without events is compared";
"C-06" c06_append_with_a_gap_inside_is_refused "events that leave a gap among themselves are refused";
"C-06" c06_bodies_come_back_byte_for_byte "empty, unicode, every byte, 1 MiB";
"C-06" c06_pages_end_where_they_should "pages that end before, at and after the last event";
"C-06" c06_page_sizes_out_of_range_are_refused "pages of 0 and of 1001 events are refused";
"C-06" c06_streams_have_sequences_of_their_own "authority, kind and id make a stream";
"C-06" c06_access_log_is_apart_from_the_history "the access log has its own sequences, no heads, and is no part of the history";
}
access {
"C-16" c16_receipt_conflicts_until_it_expires "a token is taken until the moment of expiry, by the batch's moment";
"C-16" c16_expired_receipt_is_replaced "from the moment of expiry on a token is free";
"C-16" c16_expired_receipt_is_still_read "loading a receipt does not ask whether it has expired";
"C-16" c16_two_receipts_of_one_token_in_a_batch_conflict "the second receipt of a batch finds the first";
"C-16" c16_conflict_refuses_the_whole_command "a receipt that conflicts keeps everything beside it from being written";
"C-07" c07_stream_rows_come_back_as_written "every column, at the ends of its range; nothing of an older row is left";
"C-07" c07_load_answers_in_the_order_asked "one answer for each key asked, absent ones and repeated ones included";
"C-07" c07_vault_parts_come_back_as_asked "all parts, some, none; every byte; written over";
"C-07" c07_many_parts_of_one_batch_are_written_in_order "300 parts and 3 MiB in one batch, of two streams in turn, one part twice";
}
documents {
"C-15" c15_versions_grow_by_one "1, 2, 3, and no other version";
"C-15" c15_put_over_another_version_conflicts "what a document is written over is compared";
"C-15" c15_current_is_compared_with_the_newest "`Current` refuses its whole batch, and writes nothing";
"C-15" c15_raise_never_lowers "raised, never lowered, with no earlier version left";
"C-15" c15_drop_takes_every_version "dropping compares the newest version and takes all";
"C-15" c15_ranges_give_newest_one_and_all "the three ranges, with and without a name";
"C-15" c15_names_are_paged "each name once, in order of bytes, in pages";
"C-15" c15_names_without_the_version_asked_for_take_no_place "a page is never empty while more follows";
"C-07" c07_the_organisation_is_loaded_with_the_streams "a load answers the newest version of the organisation";
}
links {
"C-08" c08_unique_link_leads_to_one_stream "a second stream does not get a unique link";
"C-08" c08_link_that_others_have_cannot_be_made_unique "a link that leads elsewhere does not become unique";
"C-08" c08_other_links_lead_to_any_number "a plain link leads to all its streams";
"C-08" c08_making_a_link_again_changes_nothing "made twice, it is there once and dropped once";
"C-08" c08_same_key_of_another_kind_is_another_link "kinds and bytes of keys are compared exactly";
"C-08" c08_drop_link_takes_one_link "a link is dropped where it leads, and is free again";
"C-08" c08_drop_links_takes_the_kinds_that_begin_so "a prefix is taken literally, and of one stream only";
}
tasks {
"C-09" c09_task_is_seen_after_its_commit_only "the task of a refused batch does not exist";
"C-09" c09_task_comes_back_as_it_was_written "every column of a task, with attempts and lease raised";
"C-09" c09_due_exactly_now_is_due "due at 100 is due at 100 and not at 99";
"C-09" c09_first_of_a_queue_goes_first "by place, then by id, one at a time";
"C-09" c09_first_that_is_not_due_holds_its_queue_only "a task that is not due holds its queue and no other";
"C-09" c09_kinds_are_chosen_among_the_first "a task of the kinds asked does not overtake in its queue";
"C-09" c09_claim_takes_at_most_its_limit "a claim takes at most its limit, each task once";
"C-09" c09_dead_task_steps_aside "a dead task holds nobody and is not claimed";
"C-09" c09_retry_later_holds_its_queue_only "a task put back for later keeps its place in its queue";
"C-09" c09_lease_ends_by_the_callers_clock "free at the moment until which it was held, and not before";
"C-09" c09_scheduling_the_same_id_again_changes_nothing "neither a waiting nor a held task changes";
"C-11" c11_cancel_takes_waiting_tasks "due or not, of these kinds and this stream only";
"C-11" c11_cancel_takes_held_tasks "a held task is gone under its holder's hands";
"C-11" c11_cancel_takes_dead_tasks "a dead task is gone, and its id is free";
"C-11" c11_cancel_without_such_tasks_is_fine "nothing to cancel is no failure";
}
leases {
"C-10" c10_holder_finishes_with_its_commit "a task ends with what it wrote, once";
"C-10" c10_overtaken_holder_writes_nothing "the whole batch of who was overtaken is refused";
"C-10" c10_ended_lease_that_nobody_took_over_still_commits "the number of the lease decides, not a clock";
"C-10" c10_invented_lease_conflicts "another number, or no such task, is a conflict";
"C-10" c10_a_task_that_nobody_holds_has_no_lease "never claimed, or dead: it cannot be finished or put back under any number";
"C-10" c10_release_ends_the_lease "who gave a task back holds it no more";
"C-10" c10_release_sets_the_attempts "a release leaves the attempts or sets them";
"C-10" c10_refused_release_leaves_the_lease "a release in a refused batch did not happen";
}
pages {
"C-12" c12_both_orders_with_ties_by_id "oldest and newest first, ties and absent values, every size of page";
"C-12" c12_rows_that_come_and_go_between_pages_disturb_nothing "what was there throughout is listed once";
"C-12" c12_rows_that_come_and_go_at_the_cursor_disturb_nothing "rows that come with the very key of the cursor, and its row that goes";
"C-12" c12_a_stream_is_listed_where_it_is_now "a stream whose opening or facts change leaves nothing where it was";
"C-12" c12_pages_carry_the_parts_asked_for "rows come with the vault parts asked for";
"C-12" c12_an_empty_list_ends_at_once "no rows, no cursor";
"C-12" c12_page_sizes_out_of_range_are_refused "pages of 0 and of 1001 rows are refused";
"C-13" c13_a_page_looks_at_no_more_than_scan "short pages have cursors and lead through the whole list; a look at none is refused";
"C-14" c14_cursor_of_another_list_is_refused "another order, kind, authority, condition or link is another list";
"C-14" c14_damaged_cursor_is_refused "a changed, longer, shorter or empty cursor is refused; text and back is not damage";
"C-14" c14_foreign_cursors_of_other_readings_are_refused "lists, feed, measures and blobs do not take each other's cursors";
}
filter {
"C-12" c12_every_fact_filters "every fact can be compared, and looked for";
"C-12" c12_words_compare_by_bytes "six comparisons of a word, case and spaces included";
"C-12" c12_integers_compare_as_numbers "six comparisons of a count";
"C-12" c12_moments_compare_as_microseconds "six comparisons of a moment";
"C-12" c12_values_of_another_type_compare_as_false "a word is not a number, and its negation is true";
"C-12" c12_absent_values_compare_as_false "absent compares as false, `!=` included; presence; NOT";
"C-12" c12_one_of_and_contains_on_facts "membership, and a word that contains itself only";
"C-12" c12_conditions_are_joined "all, any, not, constants, empty and nested";
"C-12" c12_index_is_replaced_whatever_was_there "values of before the stream, of the same batch, of an earlier one";
"C-12" c12_index_texts_compare_by_bytes "texts of a field with several values";
"C-12" c12_index_numbers_compare_as_numbers "numbers of a field with several values";
"C-12" c12_index_yes_and_no_are_one_and_zero "yes and no are stored as 1 and 0";
"C-12" c12_index_fields_present_among_and_containing "presence, membership and choices of a field; texts are not searched";
"C-12" c12_an_empty_key_means_any_link_of_the_kind "a link by its kind alone";
"C-12" c12_linked_streams_that_meet_the_condition "a link and a condition together";
}
feed {
"C-17" c17_everything_that_a_batch_writes_is_named "a batch with a step of every kind that puts";
"C-17" c17_everything_that_a_batch_drops_is_named "a batch with a step of every kind that drops; a claim is not named";
"C-17" c17_measure_and_index_rows_are_named_with_their_stream "a measure or index row that is written alone is named with its stream";
"C-17" c17_release_and_raise_are_named "a task put back, a document raised";
"C-17" c17_a_batch_that_changes_nothing_is_there_too "one that only compares, or raises a document to less than it is";
"C-17" c17_each_batch_once_in_order "replays and refused batches are not there, in any size of page";
"C-17" c17_end_of_the_feed_is_a_place_to_go_on "from the end on comes what is new, and nothing again";
"C-17" c17_cursor_of_another_store_is_refused "a cursor of another incarnation, or a damaged one";
"C-17" c17_follower_misses_nothing_while_others_write "several writers and a follower, at the same time";
"C-18" c18_each_measure_once_over_all_pages "every size of page, streams of one id and several kinds";
"C-18" c18_measure_is_written_over "one row a stream, the newest";
"C-18" c18_rows_written_between_pages_hide_no_others "rows that come and change between pages";
}
blobs {
"B-1" b1_put_again_replaces "the same piece again is one piece, with the new bytes";
"B-1" b1_pieces_outlive_the_handles "pieces are there after reopening, dropped ones are not";
"B-2" b2_get_returns_the_piece_as_it_was_put "every byte, empty, 1 MiB, any number of a piece, any order";
"B-2" b2_absent_pieces_are_none "no such piece, blob or authority";
"B-3" b3_drop_takes_all_pieces "all pieces of one blob; an absent one is fine";
"B-4" b4_list_names_each_blob_once "every size of page";
"B-4" b4_list_leaves_out_what_was_begun_at_the_moment "before means before, counted from the first piece";
}
concurrency {
"C-01" c01_reader_never_sees_half_a_batch "row, vault, events, measure, list and organisation agree while a writer runs";
"C-03" c03_one_batch_sent_by_many_is_applied_once "many threads send the same batch";
"C-04" c04_two_writers_on_one_version_one_wins "many threads write one stream over one version";
"C-04" c04_two_creators_of_one_stream_one_wins "many threads make one stream";
"C-04" c04_appends_after_one_sequence_one_wins "many threads append after one event";
"C-04" c04_writers_on_different_streams_all_win "who meets no other is not refused";
"C-08" c08_two_streams_take_one_unique_link_one_wins "many threads make one unique link, from different streams";
"C-09" c09_two_claimers_never_share_a_task "many threads claim until nothing is left";
"C-10" c10_two_holders_of_one_task_one_commits "many threads finish one task";
"C-15" c15_two_publishers_of_one_version_one_wins "many threads write one document";
"C-16" c16_one_command_sent_by_many_is_done_once "many threads carry one token";
}
durability {
"C-02" c02_everything_acknowledged_is_there_after_reopening "rows of every kind, feed, documents, incarnation";
"C-02" c02_nothing_refused_is_there_after_reopening "a refused batch does not come back";
"C-02" c02_leases_are_there_after_reopening "a lease outlives the handle that took it";
"C-03" c03_same_batch_after_reopening_changes_nothing "a batch is remembered across reopening";
"C-17" c17_feed_goes_on_after_reopening "a cursor of the feed outlives the handle that gave it";
}
limits {
"C-19" c19_bodies_at_the_limit_are_stored_whole "4 MiB, in each kind of row";
"C-19" c19_bodies_above_the_limit_are_refused "one byte more, in each kind of row";
"C-19" c19_keys_at_and_above_the_limit "200 bytes and one more, counted in bytes";
"C-19" c19_batches_at_and_above_the_limit "2000 steps and one more";
"C-19" c19_loads_at_and_above_the_limit "1000 streams and one more";
"C-19" c19_blob_pieces_at_and_above_the_limit "4 MiB and one byte more";
"C-19" c19_page_sizes_out_of_range_are_brought_into_it "0 and more than 1000, of tasks, measures, changes, documents and blobs";
"C-19" c19_pages_have_at_most_a_thousand "of 1001 measures, documents and tasks, however many are asked for";
            "C-19" c19_a_batch_that_names_another_authority_is_refused_whole "a step of another authority, at any place, refuses the batch";
}
bounds {
"C-20" c20_only_the_callers_clock_counts "tasks, leases and receipts in 1843, 1970 and 9892";
"C-20" c20_two_stores_given_the_same_batches_hold_the_same "what is stored follows from the batches alone";
"C-21" c21_dropped_rows_cannot_be_read "dropped and overwritten rows, through every call";
"C-21" c21_scrub_leaves_what_lives "scrubbing takes nothing away that lives";
"C-21" c21_dropped_rows_stay_gone_after_reopening "dropped rows do not come back";
"C-21" c21_replaced_index_values_find_nothing "an index value that was replaced finds nothing";
"C-22" c22_same_ids_in_two_authorities_are_apart "the same ids, tokens and names in two authorities";
"C-22" c22_load_stays_within_its_authority "another authority's stream is as if it were not there";
"C-22" c22_third_authority_sees_nothing "an authority whose name begins like another's, or as whose another's begins";
"C-22" c22_batch_writes_one_authority "a batch leaves the rows of another authority alone";
}
    } };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __grc_keyring_cases {
    ($then:ident $args:tt) => {
        $crate::$then! { $args
        keyring {
        "K-1" k1_everything_is_there_after_reopening "whole, kept and destroyed keys, and the epoch";
        "K-1" k1_keys_come_back_as_issued "one key, then two hundred";
        "K-1" k1_answers_come_in_the_order_asked "one answer for each id, unknown and repeated ones included";
        "K-1" k1_a_call_is_all_or_nothing "keys issued together are there together, for a reader beside";
        "K-2" k2_issuing_again_changes_nothing "the same key again, alone and among others; never replaced";
        "K-2" k2_keeping_again_changes_nothing "the same slots, or more, again";
        "K-2" k2_destroying_again_changes_nothing "the same key again, alone and among others";
        "K-3" k3_tombstone_wins_over_issue "a destroyed key is not issued again";
        "K-3" k3_tombstone_wins_over_keep "no slot of a destroyed key is kept";
        "K-3" k3_unknown_key_can_be_destroyed "a tombstone may come before the key";
        "K-3" k3_slots_of_an_unknown_key_are_not_taken "there is nothing to keep of an unknown key";
        "K-4" k4_kept_slots_open_what_they_sealed "exactly the kept slots, with the keys that they had";
        "K-4" k4_whole_key_behind_kept_slots_does_not_come_back "issuing a kept key again changes nothing";
        "K-4" k4_keeping_is_an_intersection "only slots that are in both stay, down to none";
        "K-4" k4_kept_key_can_be_destroyed "nothing is kept of a destroyed key";
        "K-5" k5_epoch_grows_with_each_change "by issuing, keeping and destroying; not by reading";
        "K-5" k5_each_keyring_has_an_id_of_its_own "two keyrings are two";
        "K-6" k6_threads_share_a_handle "two threads change one keyring through one handle";
        "K-6" k6_two_handles_share_a_keyring "two handles of one keyring, as two processes would have";
        }
            }
    };
}
