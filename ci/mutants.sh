#!/usr/bin/env bash
# Shows that the models can fail: breaks one key step after another, in a copy, and runs a model that must notice.
# Each line of the table: file | exact text, which occurs once | replacement | model. Arguments: only lines that match;
# --stale: breaks nothing, only looks whether every line still fits the code and the models.
set -euo pipefail
cd "$(dirname "$0")/.."

table() {
    cat <<'TABLE'
src/sync/event_count.rs|fence::heavy(); // W2b||event_count_loses_no_wake_up
src/sync/event_count.rs|fence(Ordering::SeqCst); // N1a||event_count_relies_on_notifiers_that_have_heard
src/sync/event_count.rs|fence(Ordering::SeqCst); // W2a||event_count_relies_on_notifiers_that_have_heard
src/sync/event_count.rs|let exchanged = self.word.compare_exchange(ticket, heard, Ordering::SeqCst, Ordering::Relaxed); // W2c|let exchanged = Ok::<u32, u32>(self.word.fetch_or(HEARD, Ordering::SeqCst)); // W2c|event_count_forgets_a_request
src/sync/event_count.rs|fence::light(); // N1||event_count_loses_no_wake_up
src/sync/event_count.rs|return Some(result); // W3|let _ = result; // W3|event_count_loses_no_wake_up
src/sync/parker.rs|self.token.swap(TOKEN, Ordering::Release);\n        self.token.wake_one();|self.token.swap(TOKEN, Ordering::Release);|parker_hands_tokens_over
src/sync/parker.rs|return Some(Roused::ByNudge);|return Some(Roused::ByToken);|parker_tells_a_nudge_from_a_token
src/sync/parker.rs|self.token.fetch_or(NUDGE, Ordering::Release);|self.token.swap(NUDGE, Ordering::Release);|parker_tells_a_nudge_from_a_token
src/sync/raw_lock.rs|light(); // R2|let _ = light; // R2|lock_loses_no_waiter
src/sync/raw_lock.rs|self.let_go(fence::light_as_known); // R0|self.let_go(\x7c\x7c ()); // R0|lock_loses_no_waiter
src/sync/raw_lock.rs|self.let_go(fence::light_unprepared);\n    }\n\n    /// R3|self.let_go(\x7c\x7c ());\n    }\n\n    /// R3|lock_becomes_light_and_loses_no_waiter
src/sync/raw_lock.rs|let nap = self.order_releases(); // L2|let nap = None; // L2|lock_loses_no_waiter
src/sync/raw_lock.rs|self.line.fetch_or(WAITING, Ordering::Relaxed); // L5|// L5|lock_wakes_one_waiter_after_another
src/sync/raw_lock.rs|self.held.store(FREE, Ordering::Release); // R1|self.held.store(FREE, Ordering::Relaxed); // R1|lock_loses_no_waiter
src/sync/raw_lock.rs|let nap = self.order_releases(); // H1|let nap = None; // H1|lock_is_handed_to_a_starving_waiter
src/sync/raw_lock.rs|while seen & PROMISED == 0 {|while seen != !0 {|lock_is_promised_to_a_waiter_that_gives_up
src/sync/raw_semaphore.rs|self.word.wake(1); // A6|// A6|semaphore_wakes_as_many_as_it_has_permits_for
src/sync/raw_semaphore.rs|(next.waiting(), Some(Ok(()))), // A1|(next.0, Some(Ok(()))), // A1|semaphore_wakes_as_many_as_it_has_permits_for
src/sync/raw_semaphore.rs|self.serve(&mut line); // Q3|// Q3|semaphore_loses_no_wake_up
src/sync/raw_semaphore.rs|self.serve(&mut line); // Those behind|// Those behind|semaphore_lets_the_next_in_line_move_up
src/sync/raw_semaphore.rs|self.word.wake(u32::MAX); // C1|// C1|semaphore_closes_under_its_waiters
src/sync/wait_group.rs|fetch_sub(ONE, Ordering::Release) == ONE|fetch_sub(ONE, Ordering::Relaxed) == ONE|a_scope_sees_what_its_jobs_did
src/sync/wait_group.rs|let marked = seen \x7c WAITED_FOR;|let marked = seen;|a_scope_sees_what_its_jobs_did
src/pool/scope.rs|scope.has_cancelled.store(true, Ordering::Relaxed);||a_scope_runs_what_was_cancelled
src/sync/event.rs|if self.word.swap(SET, Ordering::Release) == WAITED_FOR {|if self.word.swap(SET, Ordering::Release) == CLEAR {|event_reaches_every_waiter
src/queue/cell.rs|announce(); // K1|let _ = announce;|owner_or_revoker_gets_the_item
src/queue/cell.rs|fence::light(); // K2||owner_or_revoker_gets_the_item
src/sync/bell.rs|fence(Ordering::SeqCst); // A3||bell_rings_for_what_happened_while_it_was_armed
src/sync/bell.rs|fence(Ordering::SeqCst); // R1||bell_rings_for_what_happened_while_it_was_armed
src/queue/quota.rs|self.taken.fetch_sub(places as u64, Ordering::Relaxed);\n        self.changed.notify();|self.taken.fetch_sub(places as u64, Ordering::Relaxed);|a_writer_without_room_is_woken
src/queue/segment.rs|fence::heavy(); // X2||owner_or_revoker_gets_the_item
src/queue/segment.rs|if place.started().load(Ordering::Relaxed) {|if false {|owner_or_revoker_gets_the_item
src/queue/batch.rs|fence::light(); // B2||owner_and_thief_share_the_slots
src/queue/batch.rs|range.len() == 1|range.len() <= 2|a_thief_comes_between_two_ranges
src/queue/batch.rs|fence::heavy(); // T2||owner_and_thief_share_the_slots
src/queue/batch.rs|let middle = wanted.max(next).min(end);|let middle = wanted.max(next.min(0));|owner_and_thief_share_the_slots
src/queue/segment.rs|const HOLDS: usize = SLOTS + 1;|const HOLDS: usize = SLOTS;|lane_
src/queue/segment.rs|fetch_add(count, Ordering::AcqRel)|fetch_add(count, Ordering::Relaxed)|lane_
src/queue/consumers.rs|(head..head + visible as u64)|(0..head + visible as u64)|lane_gives_an_item_to_a_consumer_or_out
src/queue/consumers.rs|let front = self.front.lock();\n        let (head, visible) = self.visible(tail);\n        (head|let front = ();\n        let (head, visible) = self.visible(tail);\n        (head|lane_gives_an_item_to_a_consumer_or_out
src/queue/consumers.rs|!Place { segment, slot }.is_queued()|segment.block() > 0 \x7c\x7c slot > 0|lane_passes_what_was_taken_out
src/queue/consumers.rs|store.give_back(segment, holes);||lane_passes_what_was_taken_out
src/queue/consumers.rs|filter(\x7c&left\x7c left != segment)|filter(\x7c_\x7c false)|lane_passes_what_was_taken_out
src/queue/places.rs|let waits = place.is_queued();|let waits = false;|a_two_lock_queue_forgets_revoked_items
src/queue/lane.rs|self.producer.owner.store(NOBODY, Ordering::Release);|self.producer.owner.store(NOBODY, Ordering::Relaxed);|lane_changes_its_producer
src/queue/store.rs|self.registry.remove(segment.block());||a_stale_id_finds_nothing
src/queue/slot.rs|compare_exchange(0, DONE, Ordering::AcqRel|compare_exchange(0, DONE, Ordering::Relaxed|a_slots_reader_is_woken
src/queue/slot.rs|sleepers.wake_all(); // The reader may|// The reader may|a_slots_reader_is_woken
src/queue/slot.rs|sleepers.wake_all(); // Beside watchers.||a_slots_sleeping_reader_is_woken
src/queue/slot.rs|sleepers.wake_all(); // Beside watchers.||a_slots_reader_is_not_left_waiting
src/queue/slot/watching.rs|fetch_or(WATCHED, Ordering::AcqRel) & DONE != 0|fetch_or(WATCHED, Ordering::AcqRel) & DONE != DONE|a_slots_watchers_are_told_once
src/queue/slot_block.rs|left.fetch_sub(places, Ordering::AcqRel)|left.fetch_sub(places, Ordering::Relaxed)|a_slot_block_
src/queue/slot_block.rs|Shape::of_size::<S>(size), PLACES - self.taken)|Shape::of_size::<S>(size), 0)|a_slot_block_that_was_not_used_up
src/queue/slot_block.rs|open.taken += 1;|open.taken = PLACES;|a_slot_block_goes_with_the_last
src/queue/slot.rs|if before.is_empty() {|{|a_slots_watchers_are_told_once
src/queue/outcomes.rs|count(&outbox.ended);\n        self.announce();|count(&outbox.ended);|queue::models::readers
src/queue/two_lock_queue.rs|self.front.announce(front);\n            self.back.announce(&back);|self.back.announce(&back);\n            self.front.announce(front);|two_lock_queue_never_looks_empty
src/queue/two_lock_queue.rs|self.back.len.load(Ordering::Acquire) == 0 && self.front.len.load(Ordering::Acquire) == 0|self.front.len.load(Ordering::Acquire) == 0 && self.back.len.load(Ordering::Acquire) == 0|two_lock_queue_never_looks_empty
src/queue/two_lock_queue.rs|self.len.store(row.places.len(), Ordering::Release);|self.len.store(row.places.len(), Ordering::Relaxed);|two_lock_queue_never_looks_empty
src/queue/stream.rs|self.tail.store(tail + 1, Ordering::Release);|self.tail.store(tail + 1, Ordering::Relaxed);|chunks_go_round
src/queue/stream.rs|(self.tail.load(Ordering::Acquire) - position.head)|(self.tail.load(Ordering::Relaxed) - position.head)|runs_are_taken_while_their_writer_goes_on
src/queue/stream.rs|self.spare.swap(left.as_ptr(), Ordering::AcqRel)|self.spare.swap(left.as_ptr(), Ordering::Acquire)|chunks_go_round
src/pool/offered.rs|target.wake(target.word.fetch_and(!ASLEEP, Ordering::AcqRel)); // M2||a_posted_piece_wakes
src/pool/offered.rs|if let Some(event) = self.poll() {\n                self.word|if let Some(event) = None {\n                self.word|a_posted_piece_wakes
src/pool/offered.rs|self.word.fetch_or(BEGUN, Ordering::Relaxed);|self.word.store(BEGUN, Ordering::Relaxed);|a_posted_piece_
src/pool/offered.rs|self.wake(self.word.swap(end, Ordering::AcqRel)); // M3|self.wake(self.word.swap(end, Ordering::Acquire)); // M3|a_posted_piece_is_run_once
src/pool/offered.rs|compare_exchange(empty, posted, Ordering::Release,|compare_exchange(empty, posted, Ordering::Relaxed,|a_posted_piece_
src/pool/offered.rs|mailbox.compare_exchange(own, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed).is_ok(); // M4|mailbox.load(Ordering::Relaxed) == own; // M4|a_posted_piece_is_run_once
src/pool/submit.rs|fence::light(); // S1||a_worker_does_not_sleep_while_a_job_is_queued
src/pool/crew.rs|fence(Ordering::SeqCst); // S3||a_job_that_relies_on_a_woken_worker_is_done
src/pool/crew.rs|self.asking.fence_after_search(&self.census, before.is_woken_or_heard(), request); // F2|let _ = (before, request); // F2|a_job_that_relies_on_a_woken_worker_is_done
src/pool/crew.rs|self.asking.fence_after_search(&self.census, before.is_woken_or_heard(), request); // F2|self.asking.fence_after_search(&self.census, true, request); // F2|a_search_does_not_rely_on_a_wake_up
src/pool/asking.rs|fence::heavy(); // H2b||a_worker_does_not_sleep_while_a_job_is_queued
src/pool/asking.rs|fence::heavy(); // H2b|fence(Ordering::SeqCst); // H2b|a_worker_relies_on_those_only_who_have_heard
src/pool/asking.rs|fence::heavy(); // H2b|fence(Ordering::SeqCst); // H2b|a_search_relies_on_those_only_who_have_heard
src/pool/asking.rs|fence(Ordering::SeqCst); // H2a||a_worker_that_has_been_heard
src/pool/asking.rs|fence(Ordering::SeqCst); // H2a||a_search_that_has_been_heard
src/pool/asking.rs|if *turn == asked {|if true {|a_search_does_not_rely_on_a_request
src/pool/census.rs|self.0 & (WOKEN \x7c ASKED) != 0|self.0 & WOKEN != 0|a_worker_that_has_been_heard
src/pool/crew.rs|visible() // F3|{ let _ = visible; false }|a_search_that_has_been_heard
src/pool/crew.rs|drop(self.state.lock());||two_submitters_start_one_worker
src/pool/worker.rs|self.hook_state.get() != HookState::Stopped && !self.reaping.get()|self.hook_state.get() != HookState::Stopped|a_drop_does_not_wait
src/pool/closing.rs|fence::heavy(); // C2||what_is_accepted_while_the_pool_closes_is_run
src/pool/closing.rs|self.crew.census.close_cancelling()|self.crew.census.close()|a_child_of_a_job_is_not_left
src/pool/closing.rs|self.lanes.wait_for_visits(); // C3||what_is_accepted_while_the_pool_closes_is_run
src/pool/closing.rs|let transition = self.close_state.transition.lock(); // L1|let transition = ();|closing_and_opening_do_not_mix
src/pool/closing.rs|_ if self.close_state.life.load(Ordering::Acquire) != life => Some(Ok(())), // L4||a_pool_that_is_opened_again_keeps_nobody_waiting_for_its_end
src/pool/resting.rs|self.core.notify_quiet();\n        if self.core.crew.has_surplus() {|if self.core.crew.has_surplus() {|the_last_of_two_workers_wakes_the_waiter
src/pool/resting.rs|self.core.notify_quiet();\n        self.core.crew.wake_all();|self.core.crew.wake_all();|a_worker_that_leaves_wakes_those_who_wait_for_quiet
src/pool/resting.rs|self.core.crew.wake_all();||every_worker_leaves
src/pool/bound.rs|self.room.notify(); // E1, E2||a_submitter_that_waits_for_room_is_woken
src/pool/bound.rs|compare_exchange_weak(taken,|compare_exchange_weak(self.places.taken.load(Ordering::Relaxed),|a_place_is_taken_once
src/pool/closing.rs|self.wake_submitters();||a_submitter_that_waits_for_room_sees_the_pool_close
src/pool/water_marks.rs|fence::heavy(); // R2||pool::models::bounds
src/pool/water_marks.rs|full_fence(Ordering::SeqCst); // M2||low_water_is_told_by_the_later
src/pool/water_marks.rs|counter.allowed.fetch_add(allowance, Ordering::Relaxed); // R5|counter.allowed.fetch_add(allowance + 1, Ordering::Relaxed); // R5|low_water_is_told
src/pool/grouped.rs|bound.notify(); // E1||a_hand_off_ends_when_the_job_is_taken
src/pool/core.rs|self.groups.are_ready()|false|a_worker_does_not_sleep_beside_a_group_with_a_job
src/pool/groups.rs|self.list(group, &mut board)\n        };|false\n        };|a_token_given_back_is_used
src/queue/store.rs|left = group.map(leave);|left = group.filter(\x7c_\x7c false).map(leave);|a_group_rests_when_a_cancelled_job_has_ended
src/queue/store.rs|let before = group.map(&leave);|let before = ();|a_group_rests_when_a_cancelled_job_has_ended
src/pool/groups.rs|count.remove();\n            }\n        }\n        self.groups.quiet.notify();|count.remove();\n            }\n        }|a_group_rests_when_a_cancelled_job_has_ended
src/pool/blocking.rs|self.core.has_visible_work() && self.core.recruit().is_err() {|false {|a_job_that_blocks_does_not_hold_the_next_one_up
src/pool/crew.rs|self.wake_sleepers(state); // U5|drop(state); // U5|a_worker_that_is_called_comes
src/pool/crew.rs|let leaves = !self.station(worker).is_called();|let leaves = true;|a_worker_that_leaves_is_called_or_replaced
src/pool/timers/fire.rs|state.next_due() };\n            state.set_sleeper_until(until);|state.next_due() };|the_sleeper_does_not_sleep_through
src/pool/timers/lookout.rs|WakeTarget::Sleeper => self.alarm.unpark(),|WakeTarget::Sleeper => {}|the_sleeper_does_not_sleep_through
src/pool/timers/lookout.rs|station.parker.nudge(),|{}|the_lookout_does_not_sleep_through
src/pool/timers/lookout.rs|self.asleep_until[ClockKind::Monotonic as usize] = next; // L0||the_lookout_does_not_sleep_through
src/pool/timers/lookout.rs|wake // L4|false // L4|a_lookout_that_leaves_wakes
src/pool/timers/storm.rs|core.storms.begun.fetch_add(1, Ordering::Release);||what_a_storm_brings_is_waited_for
src/pool/timers/entry.rs|return core.take_out(state.slab.due(node)).map(\x7chint\x7c Removed::Queued(hint.item));|let hint = state.slab.due(node);\n            drop(state);\n            return core.take_out(hint).map(\x7chint\x7c Removed::Queued(hint.item));|a_timer_that_is_set_anew_is_cancelled
src/pool/timers/entry.rs|self.finish_storm();\n        let Closed|let Closed|what_is_due_when_a_pool_closes_is_run
src/pool/closing.rs|self.close_timers(cancelled);\n        life|life|a_timer_that_comes_while_the_pool_closes
src/pool/departing.rs|self.core.crew.wake_all(); // The others|// The others|worn_out_workers_wake_a_sleeper_at_the_end
src/pool/orphans.rs|fence::heavy(); // O2||what_nobody_reads_is_dropped_after_the_last_delivery
src/pool/orphans.rs|let settled = orphan.is_settled(); // O3|let settled = false; // O3|what_nobody_reads_is_dropped_after_the_last_delivery
src/pool/timers/deadlines.rs|if was_last && self.is_closed() {|if false {|the_sleeper_leaves_a_closed_pool_with_the_last_deadline
src/pool/timers/expiring.rs|worker.retire_timer(self.entry);||a_job_with_a_deadline_has_one_end
src/pool/timers/expiring.rs|core.forget_deadline(self.entry);||a_job_with_a_deadline_has_one_end
TABLE
}

# The file that a line of the table makes of another one, if its text occurs once.
mutant() {
    local text rest
    text=$(cat "$1") && rest=${text/"$2"/}
    if [ "$rest" = "$text" ] || [ "${rest/"$2"/}" != "$rest" ]; then
        echo "stale: '$2' does not occur once in $1" >&2
        return 1
    fi
    printf '%s\n' "${text/"$2"/"$3"}"
}

if [ "${1-}" = --stale ]; then
    while IFS='|' read -r file from to model; do
        mutant "$file" "$(printf '%b' "$from")" "$to" > /dev/null
        grep -qE "^ *(fn|mod) [a-z_]*${model##*::}" src/*/models.rs src/*/models/*.rs ||
            { echo "stale: no model is called $model" >&2; exit 1; }
    done < <(table)
    exit
fi

work=target/mutants
mkdir -p "$work"
cp Cargo.toml Cargo.lock build.rs README.md "$work/"

export RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=build
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
# Seconds of processor time, so that a busy machine kills no mutant; then what to test. The model checker fails a loop without
# an end; what takes too long says nothing.
try() { (cd "$work" && ulimit -t "$1" && cargo test --quiet --release --lib "$2") > "$work/log" 2>&1; }

survivors=0 killed=0 undecided=0
while IFS='|' read -r file from to model; do
    [ $# -eq 0 ] || [[ "$file|$from|$model" == *"$1"* ]] || continue
    from=$(printf '%b' "$from") to=$(printf '%b' "$to")
    rm -rf "$work/src"
    cp -r src "$work/src"
    mutant "$file" "$from" "$to" > "$work/$file"
    status=0
    try unlimited --no-run || { cat "$work/log" >&2; echo "does not compile: $file: $from" >&2; exit 1; }
    try "${SECONDS_EACH:-120}" "$model" || status=$?
    name="$file: $(head -n 1 <<< "$from")"
    if [ "$status" -eq 0 ]; then
        echo "SURVIVED $name ($model)"
        survivors=$((survivors + 1))
    elif grep -q 'SIGXCPU\|SIGKILL' "$work/log"; then
        echo "UNDECIDED $name ($model takes too long)"
        undecided=$((undecided + 1))
    else
        echo "killed: $name → $model fails"
        killed=$((killed + 1))
    fi
done < <(table)
echo "$killed killed, $survivors survived, $undecided undecided"
[ $((survivors + undecided)) -eq 0 ] && [ "$killed" -gt 0 ]
