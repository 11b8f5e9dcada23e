/* fastthreadpool: a thread pool for jobs so small that the pool's own overhead matters.
 *
 *     #include <fastthreadpool.h>
 *     #include <stdio.h>
 *
 *     static void *greet(void *name) { return (void *)(size_t)printf("hello, %s\n", (char *)name); }
 *
 *     int main(void) {
 *         ftpool *pool;
 *         if (ftpool_new(NULL, &pool) != FTPOOL_OK) return 1;
 *         ftpool_status status = ftpool_submit(pool, greet, "world", NULL);
 *         ftpool_free(pool);
 *         return status != FTPOOL_OK;
 *     }
 *
 *     cc hello.c $(pkg-config --cflags --libs fastthreadpool)
 *
 * Conventions, obeyed by every call
 *
 * Status    Calls return an ftpool_status: 0 done, above 0 nothing is wrong and nothing was done, below 0 an error.
 * NULL      An object that is NULL is FTPOOL_E_INVALID; every _free accepts NULL; getters answer 0 or NULL.
 * Outputs   come last (out_...), are written on success only, and output pointers are NULL after a failure.
 * Time      is in nanoseconds: FTPOOL_NOW looks once, FTPOOL_FOREVER waits, other negative values are
 *           FTPOOL_E_INVALID. Huge values mean forever; nothing overflows.
 * Structs   begin with their size. Initialise them with their _INIT macro; a field that is 0 means its default.
 * Ownership A submit that does not return FTPOOL_OK took nothing.
 * Threads   Jobs run on worker threads, which asynchronous signals are never delivered to.
 * Exit      A pool keeps no process alive. Once exit() has begun no further job begins, submits and waits return
 *           FTPOOL_E_SHUTDOWN, and ftpool_free() waits for nobody. Functions that were registered with atexit() after
 *           the first pool was made, and destructors of static objects made after it, still find pools as ever.
 * Fork      In the child, calls on the parent's pools return FTPOOL_E_FORKED and wait for nobody; make new pools there.
 * Unwinding No panic leaves this library. A C++ exception or pthread_exit() that leaves a job aborts the process.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 * Generated from src/ffi/ by cbindgen: change it there, then run `make header`.
 */


#ifndef FASTTHREADPOOL_H
#define FASTTHREADPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FTPOOL_VERSION_MAJOR 0
#define FTPOOL_VERSION_MINOR 1
#define FTPOOL_VERSION_PATCH 0
#define FTPOOL_VERSION_NUMBER (FTPOOL_VERSION_MAJOR * 1000000 + FTPOOL_VERSION_MINOR * 1000 + FTPOOL_VERSION_PATCH)

/* Initialisers of structs. */
#define FTPOOL_CONFIG_INIT {sizeof(ftpool_config), 0, 0, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0, 0, 0, NULL}
#define FTPOOL_RESULT_INIT {sizeof(ftpool_result), 0, NULL, NULL, 0, 0, 0, 0, NULL, 0, 0}
#define FTPOOL_RESULTS_OPTIONS_INIT {sizeof(ftpool_results_options), 0, NULL, NULL, NULL}
#define FTPOOL_SEMAPHORE_INIT(value) {{(value) & UINT64_C(0x7fffffff), 0, 0, 0}}
#define FTPOOL_SEMAPHORE_INIT_FAIR(value) {{((value) & UINT64_C(0x7fffffff)) | UINT64_C(1) << 62, 0, 0, 0}}
#define FTPOOL_LOCK_INIT {{0, 0}}
#define FTPOOL_EVENT_INIT {0}
#define FTPOOL_WAIT_GROUP_INIT {0}
#define FTPOOL_SUBMIT_OPTIONS_INIT {sizeof(ftpool_submit_options), NULL, NULL, NULL, NULL, 0, NULL, 0, 0, NULL, 0, NULL}
#define FTPOOL_TIMER_OPTIONS_INIT {sizeof(ftpool_timer_options), NULL, NULL, 0, 0, 0, 0, 0, FTPOOL_MISSED_SKIP, 0}

/* Before every function; define it to nothing to compile against the static library on a platform that minds. */
#ifndef FTPOOL_API
#define FTPOOL_API
#endif


/**
 * A timeout: look once, do not wait.
 */
#define FTPOOL_NOW 0

/**
 * A timeout: wait as long as it takes.
 */
#define FTPOOL_FOREVER (-1)

/**
 * A level of ftpool_log_hook: a job or a hook has failed.
 */
#define FTPOOL_LOG_ERROR 1

/**
 * A shutdown mode: what is queued runs, and so do jobs that it submits.
 */
#define FTPOOL_SHUTDOWN_DRAIN 0

/**
 * A shutdown mode: what is queued is cancelled, what is running ends.
 */
#define FTPOOL_SHUTDOWN_CANCEL 1

/**
 * A policy for a full queue: a submit waits until there is room.
 */
#define FTPOOL_POLICY_BLOCK 0

/**
 * A policy for a full queue: a submit waits for policy_timeout_ns and then returns FTPOOL_FULL.
 */
#define FTPOOL_POLICY_TIMED 1

/**
 * A policy for a full queue: a submit returns FTPOOL_FULL at once.
 */
#define FTPOOL_POLICY_REJECT 2

/**
 * A policy for a full queue: the submitting thread runs the job itself, in the call.
 */
#define FTPOOL_POLICY_CALLER_RUNS 3

/**
 * A policy for a full queue: the oldest queued job is cancelled to make room.
 */
#define FTPOOL_POLICY_DISCARD_OLDEST 4

/**
 * A policy without a queue: every submit waits until a worker begins its job; max_queued does not matter.
 */
#define FTPOOL_POLICY_HAND_OFF 5

/**
 * A water mark: the queue has fallen to low_water jobs.
 */
#define FTPOOL_WATER_LOW 0

/**
 * A water mark: the queue has risen to high_water jobs.
 */
#define FTPOOL_WATER_HIGH 1

/**
 * An outcome: the job returned a value.
 */
#define FTPOOL_OUTCOME_DONE 0

/**
 * An outcome: the job declared a failure, or panicked.
 */
#define FTPOOL_OUTCOME_FAILED 1

/**
 * An outcome: the job was cancelled before it began.
 */
#define FTPOOL_OUTCOME_CANCELLED 2

/**
 * An outcome: the job was not begun in time.
 */
#define FTPOOL_OUTCOME_EXPIRED 3

/**
 * A submit flag: before every job of the pool that is queued.
 */
#define FTPOOL_SUBMIT_FIRST 1

/**
 * A submit flag: the job sends its values out with ftpool_emit(); what it returns is ignored.
 */
#define FTPOOL_SUBMIT_EMITS 2

/**
 * A submit flag: the outcome carries the job's argument. Not with FTPOOL_SUBMIT_EMITS: such a job may end without one.
 */
#define FTPOOL_SUBMIT_RETURN_ARG 4

/**
 * A priority: the group's jobs come among those that are in no group.
 */
#define FTPOOL_PRIORITY_NORMAL 0

/**
 * A priority: they come before those that are in no group.
 */
#define FTPOOL_PRIORITY_HIGH 1

/**
 * A priority: they come when no other job is queued.
 */
#define FTPOOL_PRIORITY_LOW 2

/**
 * Ticks that come while the job of an earlier one is queued or running are left out.
 */
#define FTPOOL_MISSED_SKIP 0

/**
 * They make one run together, as soon as the earlier job has ended.
 */
#define FTPOOL_MISSED_COALESCE 1

/**
 * Each of them queues a job. Several may run at the same time, and may pile up.
 */
#define FTPOOL_MISSED_QUEUE 2

/**
 * A timer flag: once due, the job goes behind the jobs that are queued, not before them.
 */
#define FTPOOL_TIMER_BACK 1

/**
 * A timer flag: the interval counts from the end of each run, so that no tick is ever missed.
 */
#define FTPOOL_TIMER_FIXED_DELAY 2

/**
 * A timer flag: the schedule ends after a run that fails.
 */
#define FTPOOL_TIMER_STOP_ON_ERROR 4

/**
 * A timer flag: a moment that has passed means now, and is no error.
 */
#define FTPOOL_TIMER_OR_NOW 8

/**
 * A timer flag: the first tick of a schedule comes now, not after `delay_ns`.
 */
#define FTPOOL_TIMER_AT_ONCE 16

/**
 * A job's state: no worker has begun it.
 */
#define FTPOOL_JOB_QUEUED 0

/**
 * A job's state: a worker runs it.
 */
#define FTPOOL_JOB_RUNNING 1

/**
 * A job's state: it has returned a value.
 */
#define FTPOOL_JOB_DONE 2

/**
 * A job's state: it has failed.
 */
#define FTPOOL_JOB_FAILED 3

/**
 * A job's state: it was cancelled before it began.
 */
#define FTPOOL_JOB_CANCELLED 4

/**
 * A job's state: it was not begun in time.
 */
#define FTPOOL_JOB_EXPIRED 5

/**
 * ftpool_wait_jobs() waits until every job has ended.
 */
#define FTPOOL_UNTIL_ALL 0

/**
 * ftpool_wait_jobs() waits until one job has ended.
 */
#define FTPOOL_UNTIL_FIRST 1

/**
 * ftpool_wait_jobs() waits until one job has ended without a value, or all have ended.
 */
#define FTPOOL_UNTIL_FIRST_FAILED 2

/**
 * What ftpool_cancel_all() cancels: jobs that are queued.
 */
#define FTPOOL_CANCEL_QUEUED 1

/**
 * What ftpool_cancel_all() cancels: delayed jobs that are not due yet, and schedules.
 */
#define FTPOOL_CANCEL_TIMERS 2

/**
 * The most permits a semaphore can have.
 */
#define FTPOOL_SEMAPHORE_MAX 2147483647

/**
 * What a call returns. 0: done. Above 0: nothing is wrong, and nothing was done. Below 0: an error, and nothing was
 * done. Numbers are never reused; future versions may return more of them.
 */
enum ftpool_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Done.
     */
    FTPOOL_OK = 0,
    /**
     * The time ran out first; what was waited for goes on.
     */
    FTPOOL_TIMEOUT = 1,
    /**
     * There is nothing, and nothing more will come.
     */
    FTPOOL_EMPTY = 2,
    /**
     * It was cancelled.
     */
    FTPOOL_CANCELLED = 3,
    /**
     * There is no room.
     */
    FTPOOL_FULL = 4,
    /**
     * An argument is not valid, or the call is not valid on this thread.
     */
    FTPOOL_E_INVALID = -1,
    /**
     * The system has no memory; errno tells more.
     */
    FTPOOL_E_NOMEM = -2,
    /**
     * The pool was shut down.
     */
    FTPOOL_E_SHUTDOWN = -3,
    /**
     * The call would wait for its own end.
     */
    FTPOOL_E_DEADLOCK = -4,
    /**
     * The pool has no thread and the system refused to start one; errno tells more.
     */
    FTPOOL_E_THREAD = -5,
    /**
     * A struct is larger than this version of the library knows, and the part it does not know is not zero.
     */
    FTPOOL_E_VERSION = -6,
    /**
     * A job or callback panicked.
     */
    FTPOOL_E_PANIC = -7,
    /**
     * A job failed.
     */
    FTPOOL_E_JOB = -8,
    /**
     * The process was forked, and the pool's threads exist in the parent only.
     */
    FTPOOL_E_FORKED = -9,
    /**
     * The pool is broken: a hook failed.
     */
    FTPOOL_E_BROKEN = -10,
    /**
     * This build or platform cannot do it.
     */
    FTPOOL_E_UNSUPPORTED = -11,
    /**
     * A count would overflow.
     */
    FTPOOL_E_OVERFLOW = -12,
    /**
     * A callback is in use.
     */
    FTPOOL_E_BUSY = -13,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ftpool_status ftpool_status;
#else
typedef int32_t ftpool_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A thread pool.
 */
typedef struct ftpool ftpool;

/**
 * A clock that stands still until it is told to go on: for tests of programs that use delayed and scheduled jobs. Put
 * it into ftpool_config; several pools may go by it.
 */
typedef struct ftpool_clock ftpool_clock;

/**
 * Handles that are given back as their jobs end, those first that have ended already. Each takes the same short time,
 * however many there are; for a few see ftpool_wait_jobs().
 */
typedef struct ftpool_completed ftpool_completed;

/**
 * Jobs that run a limited number at a time and are cancelled and waited for as one. They wait in a queue of their own:
 * a group at its limit holds no worker up.
 */
typedef struct ftpool_group ftpool_group;

/**
 * A handle to one job: to wait for it, to read what it came to, to cancel it.
 */
typedef struct ftpool_job ftpool_job;

/**
 * A done queue and a failed queue with their counting semaphores. Every job submitted through this object ends as
 * exactly one outcome: a value in the done queue, everything else in the failed queue.
 */
typedef struct ftpool_results ftpool_results;

/**
 * Called in a worker thread, with the context of the config and the worker's index.
 */
typedef void (*ftpool_worker_hook)(void *context, uint32_t worker);

/**
 * The name of an accepted job, never used twice in the life of a process. 0 names none.
 */
typedef uint64_t ftpool_job_id;

/**
 * Called in a worker thread for a job that has failed, with the context of the config, the code and message that a
 * failed outcome would have. The message is the library's, and valid during the call.
 */
typedef void (*ftpool_failed_hook)(void *context, ftpool_job_id id, int32_t code, const char *message);

/**
 * Called with the context of the config, FTPOOL_LOG_ERROR and a line of text, which is the library's and valid during
 * the call. Later versions may have more levels.
 */
typedef void (*ftpool_log_hook)(void *context, uint32_t level, const char *line);

/**
 * Told that the number of queued jobs has passed a mark, FTPOOL_WATER_HIGH or FTPOOL_WATER_LOW, in turns, never two
 * calls at a time; on the thread that submits, or that cancels, or on a worker between two jobs. Must return, as a job
 * must, and should be short.
 */
typedef void (*ftpool_water_fn)(void *context, uint32_t mark, size_t queued);

/**
 * Called with the context of the config for a job that runs longer than it should: its id, its name, and for how many
 * nanoseconds it has run. If it returns other than 0 the job is asked to come to an end (ftpool_self_cancelled()). The
 * name is the library's, and valid during the call.
 */
typedef int32_t (*ftpool_overrun_hook)(void *context, ftpool_job_id id, const char *name, uint64_t ran_ns);

/**
 * How a pool shall be. Begin with FTPOOL_CONFIG_INIT, which means all defaults, and set what shall differ: a field
 * that is 0 means its default.
 */
typedef struct ftpool_config {
    /**
     * sizeof(ftpool_config), set by FTPOOL_CONFIG_INIT: tells the library which header the program was compiled with.
     */
    size_t size;
    /**
     * At most how many workers, up to 32 768. Above 0: that many. 0, or −9999 and below: one for each usable
     * processor, counted by affinity and cgroup quota. −1 to −9998: the usable processors plus this number.
     */
    int32_t workers;
    /**
     * 1: jobs begin in the order of submission across all threads. 0: only the jobs of one thread are in order.
     */
    uint32_t ordered;
    /**
     * Worker n is called `<name>-<n>`; NULL means "ThreadPool". Copied.
     */
    const char *name;
    /**
     * Bytes of each worker's stack; 0 means 2 MiB.
     */
    size_t stack_size;
    /**
     * 1: outcomes say how long jobs were queued and ran. 0: nothing is measured.
     */
    uint32_t timing;
    /**
     * Called in each worker before its first job; may be NULL. If it calls ftpool_fail(), the pool is broken: what is
     * queued is cancelled, and every submit from then on returns FTPOOL_E_BROKEN; ftpool_check() tells why.
     */
    ftpool_worker_hook start;
    /**
     * Called in each worker whose start hook has succeeded, after its last job; may be NULL. What it submits to its
     * own pool is refused. If it calls ftpool_fail(), the pool is broken; the worker's end and a shutdown complete
     * all the same.
     */
    ftpool_worker_hook stop;
    /**
     * Called for every job that fails, once, in the worker, before the outcome is made known, whether or not it goes
     * anywhere; possibly on several threads at once. May be NULL.
     */
    ftpool_failed_hook failed;
    /**
     * Called with a line of text for every job that fails, once, and when a hook breaks the pool; possibly on several
     * threads at once. May be NULL.
     */
    ftpool_log_hook log;
    /**
     * Given to the four functions above, and to overrun.
     */
    void *context;
    /**
     * What a submit does when max_queued jobs are queued: FTPOOL_POLICY_BLOCK, _TIMED, _REJECT, _CALLER_RUNS,
     * _DISCARD_OLDEST or _HAND_OFF. Jobs of the pool always submit at once, above the limit if need be, and
     * delayed jobs that are due are queued so.
     */
    uint32_t policy;
    /**
     * At most how many jobs are queued (accepted and not begun); 0 means no limit.
     */
    size_t max_queued;
    /**
     * How long a submit waits with FTPOOL_POLICY_TIMED.
     */
    int64_t policy_timeout_ns;
    /**
     * The lower mark of water_callback.
     */
    size_t low_water;
    /**
     * The upper mark of water_callback, above the lower one.
     */
    size_t high_water;
    /**
     * Told when the number of queued jobs has risen to high_water, and when it has fallen to low_water since. May be
     * NULL.
     */
    ftpool_water_fn water_callback;
    /**
     * Handed to water_callback.
     */
    void *water_context;
    /**
     * What delayed and scheduled jobs go by instead of the machine's clocks, for tests; NULL for those.
     */
    ftpool_clock *clock;
    /**
     * How long a worker sleeps before it leaves: a pool that has nothing to do shrinks, to no thread at all, and
     * grows again when there are jobs. 0 and FTPOOL_FOREVER: workers stay.
     */
    int64_t idle_timeout_ns;
    /**
     * How many jobs a worker runs before another thread takes its place; for jobs that leave something behind in
     * their thread. 0: no limit. Costs speed, because workers take jobs one by one.
     */
    uint64_t jobs_per_worker;
    /**
     * At most how many workers more there may be while as many jobs are in ftpool_blocking(); they count in
     * ftpool_worker_limit(). 0: none.
     */
    uint32_t extra_workers;
    /**
     * Called, with `context`, for every job that runs longer than its run_limit_ns (ftpool_submit_options), once,
     * when that time is over, on a thread that timers wait for: it should be short. May be NULL; then nothing is
     * watched.
     */
    ftpool_overrun_hook overrun;
} ftpool_config;

/**
 * A job: pthread's own shape. What it returns is its value, which fire-and-forget jobs have no use for. It must
 * return: a C++ exception, pthread_exit() or another unwind out of it aborts the process.
 */
typedef void *(*ftpool_fn)(void *arg);

/**
 * Frees an argument or a value. Must return, as a job must.
 */
typedef void (*ftpool_free_fn)(void *pointer);

/**
 * What a job came to. Begin with FTPOOL_RESULT_INIT.
 */
typedef struct ftpool_result {
    /**
     * sizeof(ftpool_result), set by FTPOOL_RESULT_INIT; never changed by the library.
     */
    size_t size;
    /**
     * The id that submitting the job gave.
     */
    ftpool_job_id id;
    /**
     * What the job returned if the outcome is FTPOOL_OUTCOME_DONE, else NULL.
     */
    void *value;
    /**
     * What went wrong if the outcome is not FTPOOL_OUTCOME_DONE, else NULL. The library's, and valid until the
     * calling thread reads the next outcome from any results object: print or copy it before.
     */
    const char *error_message;
    /**
     * Nanoseconds that the job was queued; 0 unless the pool measures (ftpool_config.timing).
     */
    uint64_t queued_ns;
    /**
     * Nanoseconds that the job ran; 0 unless the pool measures.
     */
    uint64_t run_ns;
    /**
     * FTPOOL_OUTCOME_DONE, _FAILED, _CANCELLED or _EXPIRED.
     */
    uint32_t outcome;
    /**
     * The code given to ftpool_fail() or returned by a callback; FTPOOL_E_PANIC for a panic, FTPOOL_CANCELLED for a
     * cancelled job, FTPOOL_TIMEOUT for one that was not begun in time, else 0.
     */
    int32_t error_code;
    /**
     * The job's argument if it was submitted with FTPOOL_SUBMIT_RETURN_ARG, else NULL.
     */
    void *arg;
    /**
     * Which tick of a schedule this was, as ftpool_self_tick() counts; 1 for a delayed job, 0 for all others, and for
     * one that did not begin.
     */
    uint64_t tick;
    /**
     * How many nanoseconds later than it was due the job of that tick began.
     */
    int64_t late_by_ns;
} ftpool_result;

/**
 * Shown an outcome, which stays the library's and is valid during the call. Must return, as a job must.
 */
typedef int32_t (*ftpool_callback)(void *context, const ftpool_result *result);

/**
 * How a results object shall be. Begin with FTPOOL_RESULTS_OPTIONS_INIT, which means all defaults.
 */
typedef struct ftpool_results_options {
    /**
     * sizeof(ftpool_results_options), set by FTPOOL_RESULTS_OPTIONS_INIT.
     */
    size_t size;
    /**
     * Room for so many unread outcomes; 0 means any number. A worker with an outcome that there is no room for waits
     * until one is read, the object is freed, or the pool is shut down.
     */
    size_t done_max;
    /**
     * Called with every value that nobody has read when the object goes, on whatever thread lets go of it. May be
     * NULL.
     */
    ftpool_free_fn value_free;
    /**
     * Takes every outcome, on a thread of its own, one at a time; reading is FTPOOL_E_BUSY then. Values are the
     * callback's. If it returns other than 0, that is kept: see ftpool_results_next_callback_failure(). May be
     * NULL.
     */
    ftpool_callback callback;
    /**
     * Handed to the callback. It must stay valid until ftpool_results_free() has returned.
     */
    void *callback_context;
} ftpool_results_options;

/**
 * Shown an outcome, which stays the library's and is valid during the call, and decides what the job comes to: returns
 * 0, and the job is done with the value in `*value`, or the code that it fails with. On entry `*value` is what the job
 * returned, or NULL; a failure whose own code is returned stays as it was, so `return result->error_code` changes
 * nothing. A value that it replaces or refuses is its own to free. Must return, as a job must.
 */
typedef int32_t (*ftpool_settle_fn)(void *context, const ftpool_result *result, void **value);

/**
 * What a job shall have beyond its function and argument. Begin with FTPOOL_SUBMIT_OPTIONS_INIT, which means nothing.
 */
typedef struct ftpool_submit_options {
    /**
     * sizeof(ftpool_submit_options), set by FTPOOL_SUBMIT_OPTIONS_INIT.
     */
    size_t size;
    /**
     * Where the outcome goes, an object of the same pool; NULL: nowhere.
     */
    ftpool_results *results;
    /**
     * Called with the outcome on the worker, before anybody else sees it; with FTPOOL_SUBMIT_EMITS with every value,
     * and with the failure if there is one. For a job that is cancelled or expires, on the thread that ends it. If it
     * returns other than 0 the job has failed with that code, and the value goes to value_free. May be NULL.
     */
    ftpool_callback callback;
    /**
     * Handed to the callback, or to `settle`.
     */
    void *callback_context;
    /**
     * Called with the argument exactly once when the accepted job has ended in whatever way: ran, failed, cancelled,
     * expired. May be NULL, and must be with FTPOOL_SUBMIT_RETURN_ARG.
     */
    ftpool_free_fn arg_free;
    /**
     * FTPOOL_SUBMIT_FIRST, _EMITS, _RETURN_ARG, or'ed together; 0 for none.
     */
    uint32_t flags;
    /**
     * A group of the same pool that the job joins; FTPOOL_SUBMIT_FIRST then means before all that are queued in the
     * group. NULL: none.
     */
    ftpool_group *group;
    /**
     * If it is not 0: a job that no worker has begun within this time from now ends FTPOOL_OUTCOME_EXPIRED, at once,
     * and not when a worker would have come to it; its callback and arg_free are called on a thread that watches
     * the time. A submit that waits for room waits no longer than that either.
     */
    int64_t start_within_ns;
    /**
     * If it is not 0: a job that runs longer is told of, once, to ftpool_config.overrun.
     */
    int64_t run_limit_ns;
    /**
     * The name by which it is told of. Copied; NULL means "".
     */
    const char *name;
    /**
     * If it is not 0: due this long from now, as with ftpool_submit_later(); not with `group` or `start_within_ns`. A
     * job of the pool may wait for it with a time limit only.
     */
    int64_t delay_ns;
    /**
     * Called where `callback` would be, which is NULL then, and decides what the job comes to. May be NULL.
     */
    ftpool_settle_fn settle;
} ftpool_submit_options;

/**
 * When a job is due, and what else it shall have. Begin with FTPOOL_TIMER_OPTIONS_INIT, which means now and once.
 */
typedef struct ftpool_timer_options {
    /**
     * sizeof(ftpool_timer_options), set by FTPOOL_TIMER_OPTIONS_INIT.
     */
    size_t size;
    /**
     * Where outcomes go, an object of the same pool; NULL: nowhere. Every run of a schedule leaves an outcome under
     * its id, and a schedule that is cancelled leaves FTPOOL_OUTCOME_CANCELLED besides; while it goes on more is to
     * come.
     */
    ftpool_results *results;
    /**
     * Called with the argument exactly once when the accepted job has ended in whatever way; for a schedule after its
     * last run. May be NULL.
     */
    ftpool_free_fn arg_free;
    /**
     * Due this long from now. For a schedule, 0 means one interval.
     */
    int64_t delay_ns;
    /**
     * If it is not 0: due when the wall clock shows this, in nanoseconds since 1970, and `delay_ns` is 0. All ticks
     * of a schedule go by the wall clock then.
     */
    int64_t wall_ns;
    /**
     * The time from tick to tick; 0 for a job that runs once.
     */
    int64_t interval_ns;
    /**
     * The job may be this much later (the whole schedule, if there is one), so that the machine wakes up less often.
     */
    int64_t leeway_ns;
    /**
     * A schedule ends after this many runs; 0 for any number.
     */
    uint64_t most_runs;
    /**
     * FTPOOL_MISSED_SKIP, _COALESCE or _QUEUE.
     */
    uint32_t missed;
    /**
     * FTPOOL_TIMER_BACK, _FIXED_DELAY, _STOP_ON_ERROR, _OR_NOW, _AT_ONCE, or'ed together; 0 for none.
     */
    uint32_t flags;
} ftpool_timer_options;

/**
 * The body of ftpool_for(): runs item `i`. It must return, as a job must.
 */
typedef void (*ftpool_for_body)(void *context, size_t i);

/**
 * The body of ftpool_for_range(): runs the items from `begin` to before `end`. It must return, as a job must.
 */
typedef void (*ftpool_range_body)(void *context, size_t begin, size_t end);

/**
 * The body of ftpool_reduce(): adds the items from `begin` to before `end` to `value`. It must return, as a job must.
 */
typedef void (*ftpool_reduce_body)(void *context, size_t begin, size_t end, void *value);

/**
 * Adds what `from` holds to `into`, which belongs to smaller items. It must return, as a job must.
 */
typedef void (*ftpool_combine)(void *context, void *into, const void *from);

/**
 * What every worker does once: it is told its number, as ftpool_worker_index(). It must return, as a job must.
 */
typedef void *(*ftpool_worker_fn)(void *context, size_t worker);

/**
 * Told of one job, by its id.
 */
typedef void (*ftpool_id_fn)(void *context, ftpool_job_id id);

/**
 * A number of permits that threads take and give back; it needs no pool. It lives in memory of the program, allocates
 * nothing and needs no end: `static ftpool_semaphore s = FTPOOL_SEMAPHORE_INIT(8);`. Zeroed memory is a semaphore
 * without permits. It must not be copied or moved while it is used.
 *
 * One made by FTPOOL_SEMAPHORE_INIT() is quick: a thread that comes by may take a permit before one that has been
 * waiting. One made by FTPOOL_SEMAPHORE_INIT_FAIR() gives permits in the order of asking.
 *
 * What a thread did before it gave a permit back is visible to the thread that takes it. On Linux, a release of a
 * quick semaphore from which everybody takes one permit at a time touches no memory after it has added the permits:
 * who gets the last one may free it.
 */
typedef struct ftpool_semaphore {
    /**
     * The library's.
     */
    uint64_t opaque[4];
} ftpool_semaphore;

/**
 * A lock for short critical sections; it needs no pool. It lives in memory of the program, allocates nothing and needs
 * no end: `static ftpool_lock lock = FTPOOL_LOCK_INIT;`. Zeroed memory is a free lock. It must not be copied or moved
 * while it is used. It is not recursive. Any thread may release it, not only the one that has acquired it.
 *
 * A release touches the lock after the next thread may have acquired it. Free the memory only when every call of
 * ftpool_lock_release() has returned, for example when the threads that used it were joined.
 *
 * What needs no waiting is inlined in programs that are compiled with optimisation, see the end of the header. In C++
 * it is a *Lockable*: `std::lock_guard<ftpool_lock> guard(lock);`.
 */
typedef struct ftpool_lock {
    /**
     * The library's.
     */
    uint32_t opaque[2];
#ifdef __cplusplus
    void lock();
    bool try_lock();
    void unlock();
#endif  // __cplusplus
} ftpool_lock;

/**
 * Something that happens once, and that any number of threads wait for: a gate that opens and stays open. It lives in
 * memory of the program, allocates nothing and needs no end: `static ftpool_event ready = FTPOOL_EVENT_INIT;`. Zeroed
 * memory is an event that has not happened. What a thread did before ftpool_event_set() is visible to those who saw
 * it.
 */
typedef struct ftpool_event {
    /**
     * The library's.
     */
    uint32_t opaque;
} ftpool_event;

/**
 * A number of things that are under way, and that any number of threads wait for to be done. It lives in memory of the
 * program, allocates nothing and needs no end: `ftpool_wait_group group = FTPOOL_WAIT_GROUP_INIT;`. Zeroed memory is a
 * group of nothing, which is done. What a thread did before ftpool_wait_group_done() is visible to those who waited.
 */
typedef struct ftpool_wait_group {
    /**
     * The library's.
     */
    uint32_t opaque;
} ftpool_wait_group;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a pool. Its threads are started when there are jobs for them. `config` may be NULL for all defaults.
 *
 * **Ownership:** the caller owns the pool and ends it with ftpool_free(). The config and its name are copied.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_pool` is NULL or a field of the
 * config is not valid; FTPOOL_E_VERSION if the config comes from a newer header and uses what this library does not
 * know. `*out_pool` is NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_new(const ftpool_config *config, ftpool **out_pool);

/**
 * Ends a pool: waits until everything accepted has run, ends the threads, frees the pool. In a job of the pool itself
 * it does not wait: the pool ends by itself after its last job. NULL is accepted and ignored.
 *
 * **Ownership:** the pool is gone. Results objects made from it stay readable. **Thread safety:** calls that
 * other threads have already begun are waited for; a call that begins later is an error of the program. To
 * close a pool under the eyes of other threads use ftpool_shutdown() first.
 */
FTPOOL_API void ftpool_free(ftpool *pool);

/**
 * Closes a pool and waits for its end: from now on jobs from outside are refused; what was accepted runs
 * (FTPOOL_SHUTDOWN_DRAIN) or is cancelled (FTPOOL_SHUTDOWN_CANCEL); then the threads end. May be called again, from
 * any thread, to wait for the same end. The pool must still be freed; ftpool_reopen() opens it again.
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK: all has ended; FTPOOL_TIMEOUT: the
 * shutdown goes on, call again to wait longer; FTPOOL_E_DEADLOCK: in a job of this pool, nothing was done;
 * FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits, and nobody is waited for; FTPOOL_E_INVALID: `pool` is NULL or
 * ftpool_default(), or the mode or the timeout is none.
 */
FTPOOL_API ftpool_status ftpool_shutdown(ftpool *pool, uint32_t mode, int64_t timeout_ns);

/**
 * Waits until no job is queued or running, at one moment at least. The pool stays usable.
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a
 * job of this pool; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `pool` is NULL or the
 * timeout is none.
 */
FTPOOL_API ftpool_status ftpool_wait_idle(ftpool *pool, int64_t timeout_ns);

/**
 * How many worker threads there are.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_alive(const ftpool *pool);

/**
 * How many workers are running a job.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_busy(const ftpool *pool);

/**
 * How many jobs are queued or running.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_pending(const ftpool *pool);

/**
 * How many jobs have failed since the pool was made or cleared.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API uint64_t ftpool_failed(const ftpool *pool);

/**
 * How many jobs were not begun in time (ftpool_submit_options.start_within_ns) since the pool was made or cleared.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API uint64_t ftpool_expired(const ftpool *pool);

/**
 * The most worker threads there can be, extra ones included: one more than the largest ftpool_worker_index().
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_worker_limit(const ftpool *pool);

/**
 * Runs `function(arg)` on a worker, some time. A failure is counted (ftpool_failed()), otherwise nothing is kept.
 * `out_id` may be NULL.
 *
 * **Ownership:** `arg` is the job's from now on. After a failure nothing was taken. **Thread safety:** any thread,
 * jobs of the pool included, even while it shuts down. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or
 * `function` is NULL; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN: a hook has failed; FTPOOL_FULL: there is no room, and the
 * config's policy does not wait for any, or not for so long; FTPOOL_E_NOMEM; FTPOOL_E_THREAD: there is no worker, and
 * the system refuses to start one; FTPOOL_E_FORKED.
 */
FTPOOL_API ftpool_status ftpool_submit(ftpool *pool, ftpool_fn function, void *arg, ftpool_job_id *out_id);

/**
 * As ftpool_submit(), but before every job that is queued. Of several such jobs the one submitted last runs first.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
 */
FTPOOL_API ftpool_status ftpool_submit_first(ftpool *pool, ftpool_fn function, void *arg, ftpool_job_id *out_id);

/**
 * Runs `function(args[i])` for each i below `count`, which costs less than submitting one by one. All are accepted or
 * none. `out_ids` may be NULL, or has room for `count` ids.
 *
 * **Ownership**, **Thread safety:** as ftpool_submit(); the array itself is only read. **Returns:** as
 * ftpool_submit(); FTPOOL_E_INVALID also if `args` is NULL and `count` is not 0.
 */
FTPOOL_API
ftpool_status ftpool_submit_batch(ftpool *pool,
                                  ftpool_fn function,
                                  void *const *args,
                                  size_t count,
                                  ftpool_job_id *out_ids);

/**
 * Cancels a queued job: it will never run. Takes the same short time however many jobs are queued. A job that was to
 * leave an outcome in a results object leaves FTPOOL_OUTCOME_CANCELLED there.
 *
 * **Ownership:** the job's `arg` is the caller's again, unless it had an arg_free, which has been called then.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK: it will never run; FTPOOL_EMPTY: too late (running, done,
 * cancelled before), or no job of this pool has this id; FTPOOL_E_INVALID if `pool` is NULL.
 */
FTPOOL_API ftpool_status ftpool_cancel(ftpool *pool, ftpool_job_id id);

/**
 * As ftpool_submit(), but whatever the policy for a full queue is, it waits for room until the timeout and no longer.
 * FTPOOL_NOW only tries.
 *
 * **Ownership**, **Thread safety:** as ftpool_submit(). **Returns:** as ftpool_submit(); FTPOOL_FULL if there was no
 * room in time, and `arg` stays the caller's; FTPOOL_E_INVALID also if the timeout is none.
 */
FTPOOL_API
ftpool_status ftpool_try_submit(ftpool *pool,
                                ftpool_fn function,
                                void *arg,
                                int64_t timeout_ns,
                                ftpool_job_id *out_id);

/**
 * Runs `function(arg)` on a worker `delay_ns` from now, before the jobs that are queued by then; jobs that are due
 * earlier come first. Never early. The delay goes by a clock that nobody sets, and that does not count the time for
 * which the machine is suspended. A million delayed jobs need one thread more than none. `out_id` may be NULL.
 *
 * ftpool_cancel() takes the id at any time until the job begins. When the pool is shut down, what is not due yet is
 * cancelled.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit(); FTPOOL_E_INVALID also if the delay is negative.
 */
FTPOOL_API
ftpool_status ftpool_submit_later(ftpool *pool,
                                  int64_t delay_ns,
                                  ftpool_fn function,
                                  void *arg,
                                  ftpool_job_id *out_id);

/**
 * Runs `function(arg)` on a worker when the wall clock shows `ns_since_1970`, whatever happens to that clock until
 * then. `out_id` may be NULL. For a time that repeats, or that may have passed, see ftpool_submit_timed().
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit(); FTPOOL_E_INVALID also if the moment has passed.
 */
FTPOOL_API
ftpool_status ftpool_submit_at(ftpool *pool,
                               int64_t ns_since_1970,
                               ftpool_fn function,
                               void *arg,
                               ftpool_job_id *out_id);

/**
 * Runs `function(arg)` on a worker every `interval_ns`, for the first time one interval from now, without drift. A
 * tick that comes while the job of an earlier one is queued or running is left out; for other ways see
 * ftpool_submit_timed(). A run that fails is counted, and the schedule goes on. The id stands for all runs:
 * ftpool_cancel() ends the schedule and takes a tick that is queued out of the queue. `out_id` may be NULL.
 *
 * **Ownership:** `arg` is the job's until the schedule has been cancelled or the pool has ended, and no run is under
 * way. **Thread safety:** as ftpool_submit(). **Returns:** as ftpool_submit(); FTPOOL_E_INVALID also if the interval
 * is not above 0.
 */
FTPOOL_API
ftpool_status ftpool_schedule(ftpool *pool,
                              int64_t interval_ns,
                              ftpool_fn function,
                              void *arg,
                              ftpool_job_id *out_id);

/**
 * Sets a timer anew: a delayed job that has not begun, or the next tick of a schedule, is due `delay_ns` from now. As
 * quick as cancelling, whatever else waits.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_EMPTY: too late, or no timer of this pool has this id,
 * or its next tick is not known yet (a run is under way, and a fixed delay follows); FTPOOL_E_INVALID if `pool` is
 * NULL or the delay is negative.
 */
FTPOOL_API ftpool_status ftpool_reschedule(ftpool *pool, ftpool_job_id id, int64_t delay_ns);

/**
 * In how many nanoseconds a timer is due next.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_EMPTY: no timer of this pool has this id, or its next
 * tick is not known (its job is queued, or is running and a fixed delay follows); FTPOOL_E_INVALID if `pool` or
 * `out_due_in_ns` is NULL.
 */
FTPOOL_API ftpool_status ftpool_timer_next_due(ftpool *pool, ftpool_job_id id, int64_t *out_due_in_ns);

/**
 * How many delayed jobs are not due yet.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_delayed_count(const ftpool *pool);

/**
 * How many schedules go on.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_scheduled_count(const ftpool *pool);

/**
 * The ids of delayed jobs that are not due yet, in no order. Writes at most `capacity` of them to `out_ids`;
 * `*out_count` is how many there are, which may be more.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or `out_count` is NULL, or
 * `out_ids` is and `capacity` is not 0.
 */
FTPOOL_API ftpool_status ftpool_delayed_ids(ftpool *pool, size_t capacity, ftpool_job_id *out_ids, size_t *out_count);

/**
 * The ids of schedules that go on, in no order: as ftpool_delayed_ids().
 *
 * **Thread safety**, **Returns:** as ftpool_delayed_ids().
 */
FTPOOL_API ftpool_status ftpool_scheduled_ids(ftpool *pool, size_t capacity, ftpool_job_id *out_ids, size_t *out_count);

/**
 * The tick that the running job was submitted for: its number (from 1, ticks that were left out included; 1 for a
 * delayed job), and how much later than it was due the job began. Both pointers may be NULL.
 *
 * **Thread safety:** in a job, on the thread that runs it. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID outside a job, and
 * in one that was not delayed.
 */
FTPOOL_API ftpool_status ftpool_self_tick(uint64_t *out_number, int64_t *out_late_by_ns);

/**
 * Makes a results object. A pool can have any number of them.
 *
 * **Ownership:** the caller owns the object and ends it with ftpool_results_free(), before or after the pool.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if an argument is NULL. `*out_results` is
 * NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_results_new(ftpool *pool, ftpool_results **out_results);

/**
 * Makes a results object that differs from the default. `options` may be NULL, which means all defaults.
 *
 * **Ownership**, **Thread safety:** as ftpool_results_new(); the options are copied. **Returns:** FTPOOL_OK;
 * FTPOOL_E_INVALID if `pool` or `out_results` is NULL or the options' size is not valid; FTPOOL_E_VERSION if they have
 * fields that this library does not know; FTPOOL_E_THREAD if the system refused a thread for the callback.
 * `*out_results` is NULL on failure.
 */
FTPOOL_API
ftpool_status ftpool_results_new_with(ftpool *pool,
                                      const ftpool_results_options *options,
                                      ftpool_results **out_results);

/**
 * Ends a results object. Outcomes that were not read are dropped, and so are those of jobs that have not ended yet. If
 * the object has a callback, it is called for what has arrived before, and not after this has returned. NULL is
 * accepted and ignored.
 *
 * **Ownership:** the object is gone; values nobody has read are passed to its value_free, or else what they point to
 * stays. **Thread safety:** no other call on the object may be under way or follow.
 */
FTPOOL_API void ftpool_results_free(ftpool_results *results);

/**
 * Runs `function(arg)` on a worker, some time; what it returns becomes an outcome here. `out_id` may be NULL.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
 */
FTPOOL_API
ftpool_status ftpool_results_submit(ftpool_results *results,
                                    ftpool_fn function,
                                    void *arg,
                                    ftpool_job_id *out_id);

/**
 * As ftpool_results_submit(), but before every job of the pool that is queued.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
 */
FTPOOL_API
ftpool_status ftpool_results_submit_first(ftpool_results *results,
                                          ftpool_fn function,
                                          void *arg,
                                          ftpool_job_id *out_id);

/**
 * Runs `function(args[i])` for each i below `count`; what they return becomes outcomes here. All are accepted or none.
 * `out_ids` may be NULL, or has room for `count` ids.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_batch().
 */
FTPOOL_API
ftpool_status ftpool_results_submit_batch(ftpool_results *results,
                                          ftpool_fn function,
                                          void *const *args,
                                          size_t count,
                                          ftpool_job_id *out_ids);

/**
 * Reads the next outcome, done or failed, as they come. When this says FTPOOL_EMPTY, everything was read, and no job
 * submitted through this object, before or meanwhile, is queued or running.
 *
 * **Ownership:** the value is the caller's; for the message see ftpool_result. **Thread safety:** any thread; each
 * outcome goes to exactly one. **Returns:** FTPOOL_OK: `*out_result` is filled; FTPOOL_EMPTY: nothing more will come;
 * FTPOOL_TIMEOUT; FTPOOL_E_BUSY if a callback takes the outcomes; FTPOOL_E_DEADLOCK, waiting for ever in a job of a
 * pool that has room for no other worker; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if
 * an argument is NULL, the result's size is not valid, or the timeout is none.
 */
FTPOOL_API ftpool_status ftpool_results_next(ftpool_results *results, int64_t timeout_ns, ftpool_result *out_result);

/**
 * Reads the next value: acquires the done queue's semaphore.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_results_next().
 */
FTPOOL_API
ftpool_status ftpool_results_next_done(ftpool_results *results,
                                       int64_t timeout_ns,
                                       ftpool_result *out_result);

/**
 * Reads the next outcome without a value: acquires the failed queue's semaphore.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_results_next().
 */
FTPOOL_API
ftpool_status ftpool_results_next_failed(ftpool_results *results,
                                         int64_t timeout_ns,
                                         ftpool_result *out_result);

/**
 * Reads at most `capacity` outcomes that are there, failed ones first, without waiting. The entries of `out_results`
 * lie `out_results[0].size` bytes apart; only the first one's size field need be set.
 *
 * **Ownership**, **Thread safety:** as ftpool_results_next(). **Returns:** FTPOOL_OK: `*out_count` were read, maybe 0;
 * FTPOOL_E_BUSY if a callback takes the outcomes; FTPOOL_E_INVALID if `results` or `out_count` is NULL, or
 * `out_results` is while `capacity` is not 0, or the size is not valid.
 */
FTPOOL_API
ftpool_status ftpool_results_take(ftpool_results *results,
                                  size_t capacity,
                                  ftpool_result *out_results,
                                  size_t *out_count);

/**
 * Takes the first failure of the object's callback that nobody has taken: the id of the job whose outcome it was
 * called with, FTPOOL_OUTCOME_FAILED and the code that it returned.
 *
 * **Ownership:** for the message see ftpool_result. **Thread safety:** any thread; each failure goes to exactly one.
 * **Returns:** FTPOOL_OK: `*out_result` is filled; FTPOOL_EMPTY: there is none; FTPOOL_E_INVALID if an argument is
 * NULL or the result's size is not valid.
 */
FTPOOL_API ftpool_status ftpool_results_next_callback_failure(ftpool_results *results, ftpool_result *out_result);

/**
 * How many values wait to be read: the value of the done queue's semaphore.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `results` is NULL.
 */
FTPOOL_API size_t ftpool_results_done_count(const ftpool_results *results);

/**
 * How many outcomes without a value wait to be read: the value of the failed queue's semaphore.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `results` is NULL.
 */
FTPOOL_API size_t ftpool_results_failed_count(const ftpool_results *results);

/**
 * A file descriptor that poll(), epoll and the like report as readable when there is something to read. It is reported
 * once, and again after a read has found nothing more: read until FTPOOL_TIMEOUT or FTPOOL_EMPTY (with FTPOOL_NOW), or
 * until ftpool_results_take() gives less than it could, before waiting. Costs a system call when somebody waits for
 * it, and none otherwise.
 *
 * **Ownership:** the object's; do not read from it or close it. **Thread safety:** any thread. **Returns:** FTPOOL_OK;
 * FTPOOL_E_INVALID if an argument is NULL; FTPOOL_E_BUSY if a callback takes the outcomes; FTPOOL_E_UNSUPPORTED where
 * there is no eventfd, or the system refused one (see errno).
 */
FTPOOL_API ftpool_status ftpool_results_fd(ftpool_results *results, int32_t *out_fd);

/**
 * Runs `function(arg)` on a worker, some time, with `options`, which may be NULL. `out_id` may be NULL.
 *
 * **Ownership:** `arg` is the job's from now on; see arg_free. After a failure nothing was taken and nothing is
 * called. The options are copied. **Thread safety:** any thread, jobs of the pool included. **Returns:** as
 * ftpool_submit(); FTPOOL_E_INVALID also if the options' size, flags, times, callbacks or results object are not
 * valid; FTPOOL_E_VERSION if they have fields that this library does not know.
 */
FTPOOL_API
ftpool_status ftpool_submit_with(ftpool *pool,
                                 ftpool_fn function,
                                 void *arg,
                                 const ftpool_submit_options *options,
                                 ftpool_job_id *out_id);

/**
 * As ftpool_submit_with(), and gives a handle to the job, which its outcome goes to: `options` name no results object,
 * and neither FTPOOL_SUBMIT_EMITS nor _RETURN_ARG.
 *
 * **Ownership:** as ftpool_submit_with(); the handle as ftpool_submit_job(). **Thread safety:** as
 * ftpool_submit_with(). **Returns:** as ftpool_submit_with(); FTPOOL_E_INVALID also if `out_job` is NULL. `*out_job`
 * is NULL on failure.
 */
FTPOOL_API
ftpool_status ftpool_submit_job_with(ftpool *pool,
                                     ftpool_fn function,
                                     void *arg,
                                     const ftpool_submit_options *options,
                                     ftpool_job **out_job);

/**
 * Makes a group: at most `limit` of its jobs run at a time; 0 means as many as there are workers. `priority` is
 * FTPOOL_PRIORITY_NORMAL, _HIGH or _LOW; none starves another: after sixteen jobs of a higher one a lower one has a
 * turn.
 *
 * **Ownership:** the caller owns the group and ends it with ftpool_group_free(), before or after the pool.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if a pointer is NULL or the priority is
 * none. `*out_group` is NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_group_new(ftpool *pool, size_t limit, uint32_t priority, ftpool_group **out_group);

/**
 * Ends the handle of a group; its jobs that are queued still run. NULL is accepted and ignored.
 *
 * **Ownership:** the handle is gone. **Thread safety:** no other call on the group may be under way or follow.
 */
FTPOOL_API void ftpool_group_free(ftpool_group *group);

/**
 * Runs `function(arg)` on a worker, behind all that are queued in the group. For a results object, a callback and more
 * see ftpool_submit_with() and the options' field `group`. `out_id` may be NULL.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit(). Where the pool's policy is
 * FTPOOL_POLICY_CALLER_RUNS, this waits for room instead.
 */
FTPOOL_API ftpool_status ftpool_group_submit(ftpool_group *group, ftpool_fn function, void *arg, ftpool_job_id *out_id);

/**
 * As ftpool_group_submit(), but before all that are queued in the group.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_group_submit().
 */
FTPOOL_API
ftpool_status ftpool_group_submit_first(ftpool_group *group,
                                        ftpool_fn function,
                                        void *arg,
                                        ftpool_job_id *out_id);

/**
 * Cancels every job of the group that is queued; those that run end as they like. `out_count` may be NULL.
 *
 * **Ownership:** as ftpool_cancel(), for each. **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID
 * if `group` is NULL.
 */
FTPOOL_API ftpool_status ftpool_group_cancel_all(ftpool_group *group, size_t *out_count);

/**
 * Waits until no job of the group is queued or running, at one moment at least.
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job
 * of the pool; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `group` is NULL or the
 * timeout is none.
 */
FTPOOL_API ftpool_status ftpool_group_wait_idle(ftpool_group *group, int64_t timeout_ns);

/**
 * How many jobs of the group are running.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `group` is NULL.
 */
FTPOOL_API size_t ftpool_group_busy(const ftpool_group *group);

/**
 * How many jobs of the group are queued or running.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `group` is NULL.
 */
FTPOOL_API size_t ftpool_group_pending(const ftpool_group *group);

/**
 * The running job sends out a value: it becomes an outcome of its results object under the job's id. For jobs
 * submitted with FTPOOL_SUBMIT_EMITS, any number of times. In a results object with a bound this waits for room.
 *
 * **Ownership:** the value is the reader's. **Thread safety:** in a job, on the thread that runs it. **Returns:**
 * FTPOOL_OK; FTPOOL_E_INVALID outside of such a job.
 */
FTPOOL_API ftpool_status ftpool_emit(void *value);

/**
 * Runs `function(arg)` on a worker when it is due, once or again and again, as `options` say. `options` may be NULL,
 * which means now and once. `out_id` may be NULL.
 *
 * **Ownership:** `arg` is the job's from now on; see arg_free. After a failure nothing was taken and nothing is
 * called. The options are copied. **Thread safety:** any thread, jobs of the pool included. **Returns:** as
 * ftpool_submit(); FTPOOL_E_INVALID also if a time is negative or, without FTPOOL_TIMER_OR_NOW, has passed, or another
 * field is not valid; FTPOOL_E_VERSION if the options have fields that this library does not know.
 */
FTPOOL_API
ftpool_status ftpool_submit_timed(ftpool *pool,
                                  ftpool_fn function,
                                  void *arg,
                                  const ftpool_timer_options *options,
                                  ftpool_job_id *out_id);

/**
 * Runs `function(arg)` on a worker, some time, and gives a handle to the job.
 *
 * **Ownership:** `arg` is the job's from now on; after a failure nothing was taken. The handle is the caller's, who
 * ends it with ftpool_job_release(), before or after the job's end and the pool's. **Thread safety**, **Returns:** as
 * ftpool_submit(); FTPOOL_E_INVALID also if `out_job` is NULL. `*out_job` is NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_submit_job(ftpool *pool, ftpool_fn function, void *arg, ftpool_job **out_job);

/**
 * As ftpool_submit_job(), but before every job that is queued.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_job().
 */
FTPOOL_API ftpool_status ftpool_submit_job_first(ftpool *pool, ftpool_fn function, void *arg, ftpool_job **out_job);

/**
 * Runs `function(arg)` on a worker, waits for its end and tells what it came to. `out_result` may be NULL. In a job of
 * the same pool it waits as ftpool_job_wait() does.
 *
 * **Ownership:** `arg` is the job's; for the result see ftpool_job_wait(). **Thread safety:** any thread. **Returns:**
 * FTPOOL_OK: the job has ended, in whatever way; else as ftpool_submit(); FTPOOL_E_INVALID also if the result's size
 * is not valid.
 */
FTPOOL_API ftpool_status ftpool_run(ftpool *pool, ftpool_fn function, void *arg, ftpool_result *out_result);

/**
 * Waits until the job has ended, and tells what it came to, as often as asked. `out_result` may be NULL.
 *
 * In a job of the same pool, waiting for ever: if nobody has begun the awaited job, it runs here and now (and no other
 * job does), so a pool of one worker is enough; otherwise, and with a time limit, the worker sleeps.
 *
 * **Ownership:** the value is whoever's the program says, the library does not touch it; for the message see
 * ftpool_result. **Thread safety:** any thread, several at a time. **Returns:** FTPOOL_OK: the job has ended, in
 * whatever way; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job that this one waits for, or for ever for a delayed job of
 * the same pool; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `job` is NULL, the
 * result's size is not valid, or the timeout is none.
 */
FTPOOL_API ftpool_status ftpool_job_wait(ftpool_job *job, int64_t timeout_ns, ftpool_result *out_result);

/**
 * As ftpool_job_wait(), and ends the handle if the job has ended.
 *
 * **Ownership:** after FTPOOL_OK the handle is gone, as after ftpool_job_release(); otherwise it is still the
 * caller's. **Thread safety:** no other call on the handle may be under way or follow. **Returns:** as
 * ftpool_job_wait().
 */
FTPOOL_API ftpool_status ftpool_job_join(ftpool_job *job, int64_t timeout_ns, ftpool_result *out_result);

/**
 * Cancels the job if nobody has begun it: it will never run, and whoever waits for it is woken. A job that runs is
 * asked to come to an end: ftpool_self_cancelled().
 *
 * **Ownership:** the argument of a job that is cancelled is the caller's again. **Thread safety:** any thread.
 * **Returns:** FTPOOL_OK: it will never run (also if it was cancelled before); FTPOOL_EMPTY: it is too late;
 * FTPOOL_E_INVALID if `job` is NULL.
 */
FTPOOL_API ftpool_status ftpool_job_cancel(ftpool_job *job);

/**
 * How far the job has come.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_JOB_QUEUED, _RUNNING, _DONE, _FAILED, _CANCELLED or _EXPIRED;
 * FTPOOL_JOB_CANCELLED if `job` is NULL.
 */
FTPOOL_API uint32_t ftpool_job_state(const ftpool_job *job);

/**
 * The job's id.
 *
 * **Thread safety:** any thread. **Returns:** the id; 0 if `job` is NULL.
 */
FTPOOL_API ftpool_job_id ftpool_job_get_id(const ftpool_job *job);

/**
 * Has `callback(context, result)` called with what the job comes to (what it returns is ignored): on the worker that
 * ran it (on the thread that ended it if it was cancelled or has expired), just before waiters see it; or here and now
 * if the job has ended. `out_key`, to remove it, may be NULL.
 *
 * **Ownership:** `context` stays the caller's, until the callback was called or removed. Callbacks are called even
 * after ftpool_job_release(). **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `job` or
 * `callback` is NULL.
 */
FTPOOL_API
ftpool_status ftpool_job_on_done(ftpool_job *job,
                                 ftpool_callback callback,
                                 void *context,
                                 uint64_t *out_key);

/**
 * Takes a callback back.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK: it will not be called; FTPOOL_EMPTY: it was called, or is
 * being called, or `key` names none; FTPOOL_E_INVALID if `job` is NULL.
 */
FTPOOL_API ftpool_status ftpool_job_remove_callback(ftpool_job *job, uint64_t key);

/**
 * Ends a handle. A job that has not ended runs on its own. NULL is accepted and ignored.
 *
 * **Ownership:** the handle is gone; a value that nobody has read is lost, whatever it points to stays.
 * **Thread safety:** no other call on the handle may be under way or follow.
 */
FTPOOL_API void ftpool_job_release(ftpool_job *job);

/**
 * Waits until jobs have ended, as `until` says: FTPOOL_UNTIL_ALL, _FIRST or _FIRST_FAILED. No jobs have all ended.
 * Jobs may be of several pools, and occur twice. `out_done` may be NULL; it is the number of jobs that have ended,
 * also after FTPOOL_TIMEOUT. ftpool_job_state() tells which.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job that all of the
 * rest wait for; FTPOOL_E_FORKED and FTPOOL_E_SHUTDOWN as ftpool_job_wait(); FTPOOL_E_INVALID if `jobs` is NULL and
 * `count` is not 0, a job is NULL, or `until` or the timeout is none.
 */
FTPOOL_API
ftpool_status ftpool_wait_jobs(ftpool_job *const *jobs,
                               size_t count,
                               uint32_t until,
                               int64_t timeout_ns,
                               size_t *out_done);

/**
 * Makes an object without handles.
 *
 * **Ownership:** the caller owns the object and ends it with ftpool_completed_free(). **Thread safety:** any thread.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_completed` is NULL.
 */
FTPOOL_API ftpool_status ftpool_completed_new(ftpool_completed **out_completed);

/**
 * Ends an object, and the handles that it has: their jobs run on their own. NULL is accepted and ignored.
 *
 * **Ownership:** the object is gone. **Thread safety:** no other call on the object may be under way or follow.
 */
FTPOOL_API void ftpool_completed_free(ftpool_completed *completed);

/**
 * Adds a handle, at any time, also between two calls of ftpool_completed_next().
 *
 * **Ownership:** the handle is the object's until it is given back; calls on it are allowed meanwhile, but for
 * ftpool_job_release(), and it must not be added twice. **Thread safety:** one thread at a time uses the object.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if an argument is NULL: nothing was taken.
 */
FTPOOL_API ftpool_status ftpool_completed_add(ftpool_completed *completed, ftpool_job *job);

/**
 * Gives the next handle back whose job has ended. In a job of the same pool it waits as ftpool_job_wait() does.
 *
 * **Ownership:** the handle is the caller's again. **Thread safety:** one thread at a time uses the object.
 * **Returns:** FTPOOL_OK; FTPOOL_EMPTY: all were given back; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job that all of
 * the rest wait for; FTPOOL_E_FORKED and FTPOOL_E_SHUTDOWN as ftpool_job_wait(); FTPOOL_E_INVALID if an argument is
 * NULL or the timeout is none. `*out_job` is NULL unless FTPOOL_OK.
 */
FTPOOL_API ftpool_status ftpool_completed_next(ftpool_completed *completed, int64_t timeout_ns, ftpool_job **out_job);

/**
 * The parallel version of `for (size_t i = begin; i < end; i++) body(context, i);`, in no particular order. The caller
 * takes part, and so does every worker that is free, if that pays: the first items of a long loop show how long they
 * take, and a loop of a few microseconds stays with the caller. So items must not wait for each other. `grain` is how
 * many items are taken at a time; 0 lets the loop find out. ftpool_fail() in the body stops the loop after the items
 * that are running.
 *
 * **Ownership:** `context` stays the caller's. **Thread safety:** any thread, in jobs too, nested to any depth; the
 * body runs on several threads at a time. **Returns:** FTPOOL_OK: every item was run; FTPOOL_E_JOB: the body has
 * failed; FTPOOL_E_INVALID if `pool` or `body` is NULL or `begin` is after `end`. A pool that was shut down is no
 * error: the caller runs all.
 */
FTPOOL_API
ftpool_status ftpool_for(ftpool *pool,
                         size_t begin,
                         size_t end,
                         size_t grain,
                         ftpool_for_body body,
                         void *context);

/**
 * As ftpool_for(), but the body is called with a few items at a time, from `begin` to before `end`: `grain`, or fewer
 * where the range ends.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_for().
 */
FTPOOL_API
ftpool_status ftpool_for_range(ftpool *pool,
                               size_t begin,
                               size_t end,
                               size_t grain,
                               ftpool_range_body body,
                               void *context);

/**
 * Stores `function(args[i])` in `out_values[i]` for each i below `count`. The caller takes part, as in ftpool_for().
 * ftpool_fail() in the function stops it, and what was not reached is NULL.
 *
 * **Ownership:** arguments and values are the program's. **Thread safety:** as ftpool_for(). **Returns:** FTPOOL_OK;
 * FTPOOL_E_JOB: the function has failed; FTPOOL_E_INVALID if `pool` or `function` is NULL, or an array is NULL and
 * `count` is not 0.
 */
FTPOOL_API
ftpool_status ftpool_map(ftpool *pool,
                         ftpool_fn function,
                         void *const *args,
                         size_t count,
                         void **out_values);

/**
 * Adds the items of a range to a value of `size` bytes: `body` adds some of them to a value of its own that begins as
 * a copy of `value`, and `combine` brings these values together, from left to right. `value` must be neutral: 0 for a
 * sum. The caller takes part, as in ftpool_for().
 *
 * **Ownership:** `value` is the caller's, and holds the result after FTPOOL_OK. Copies are made byte by byte, aligned
 * as malloc() does, and forgotten. **Thread safety:** as ftpool_for(). **Returns:** as ftpool_for(); FTPOOL_E_INVALID
 * also if `combine` or `value` is NULL.
 */
FTPOOL_API
ftpool_status ftpool_reduce(ftpool *pool,
                            size_t begin,
                            size_t end,
                            size_t grain,
                            ftpool_reduce_body body,
                            ftpool_combine combine,
                            void *context,
                            size_t size,
                            void *value);

/**
 * Calls `first(first_arg)` and `second(second_arg)`, if it pays at the same time, and returns when both have returned.
 * Made for recursion: a call costs about as much as a function call as long as no worker takes the second. Where the
 * values go may be NULL.
 *
 * **Ownership:** arguments and values are the program's. **Thread safety:** as ftpool_for(). **Returns:** FTPOOL_OK;
 * FTPOOL_E_INVALID if `pool` or a function is NULL. ftpool_fail() in either is the surrounding job's.
 */
FTPOOL_API
ftpool_status ftpool_join(ftpool *pool,
                          ftpool_fn first,
                          void *first_arg,
                          ftpool_fn second,
                          void *second_arg,
                          void **out_first,
                          void **out_second);

/**
 * Starts `count` workers, or as many as there may still be, before there are jobs for them. `*out_started` is how
 * many; it may be NULL.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_THREAD: the system refuses a thread, earlier ones
 * stay; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN; FTPOOL_E_FORKED; FTPOOL_E_INVALID if `pool` is NULL.
 */
FTPOOL_API ftpool_status ftpool_spawn_workers(ftpool *pool, size_t count, size_t *out_started);

/**
 * Calls `function(context, index)` once on every worker, and returns when all calls have. *Every worker* means each
 * thread that the pool has at one moment of the call, after those that are missing up to the limit were started: as
 * many as the limit says, fewer if the system refuses a thread, more while extra workers live. A worker that sleeps is
 * woken, one that runs a job does this after it and before the next. Nobody cancels it. At most `capacity` values are
 * written to `out_values`, in the order of the indices; `*out_count` is how many there are. Both may be NULL.
 *
 * **Ownership:** `context` and the values are the program's. **Thread safety:** any thread but the pool's own; the
 * function runs on several threads at a time. **Returns:** FTPOOL_OK; FTPOOL_E_DEADLOCK in a job of this pool;
 * FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN: also if a start hook fails, and the function may have run on others then;
 * FTPOOL_E_THREAD: there is no worker, and the system refuses to start one; FTPOOL_E_FORKED; FTPOOL_E_INVALID if
 * `pool` or `function` is NULL, or `out_values` is and `capacity` is not 0. ftpool_fail() in the function is the
 * surrounding job's.
 */
FTPOOL_API
ftpool_status ftpool_broadcast(ftpool *pool,
                               ftpool_worker_fn function,
                               void *context,
                               void **out_values,
                               size_t capacity,
                               size_t *out_count);

/**
 * Calls `function(arg)`, which waits for something that is not computed here: a file, a lock, a child process, another
 * job. Meanwhile the worker does not count against the limit of its pool, so another one may start and run what is
 * queued: as many at a time as the config's `extra_workers` says, which is none by default. When the function has
 * returned, the job goes on at once; a worker too many takes no further jobs than those it has, and sleeps until it is
 * needed again. Nested calls count once. Outside a job, and when no more may come, this only calls the function.
 * `out_value` may be NULL.
 *
 * **Ownership:** `arg` and the value are the program's. **Thread safety:** any thread. **Returns:** FTPOOL_OK;
 * FTPOOL_E_INVALID if `function` is NULL.
 */
FTPOOL_API ftpool_status ftpool_blocking(ftpool_fn function, void *arg, void **out_value);

/**
 * The pool of the process, with the defaults of a config of NULL. It is made when it is first asked for, shared by
 * everybody, and keeps no process alive. ftpool_shutdown() refuses to end it; ftpool_shutdown_all() does not.
 *
 * **Ownership:** the library's: ftpool_free() and ftpool_abandon() ignore it. **Thread safety:** any thread.
 * **Returns:** the pool, always the same, never NULL.
 */
FTPOOL_API ftpool *ftpool_default(void);

/**
 * Cancels everything of the kinds in `what`: FTPOOL_CANCEL_QUEUED, FTPOOL_CANCEL_TIMERS, or'ed together; 0 for
 * nothing. Running jobs go on. Each job that was to leave an outcome in a results object leaves
 * FTPOOL_OUTCOME_CANCELLED there. `*out_count` is how many jobs and timers were cancelled; `out_count` may be NULL.
 *
 * **Ownership:** as ftpool_cancel(). **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool`
 * is NULL or `what` contains an unknown bit.
 */
FTPOOL_API ftpool_status ftpool_cancel_all(ftpool *pool, uint32_t what, size_t *out_count);

/**
 * As ftpool_shutdown() with FTPOOL_SHUTDOWN_CANCEL, and calls `each(context, id)` for everything that will never run
 * because of this call: jobs that were queued, and timers that were not over, in the order of their ids. It is called
 * before this waits for the end, so also when that does not come in time. `each` may be NULL.
 *
 * **Ownership:** `context` stays the caller's. `each` is called on the calling thread, with no lock held, and may use
 * the pool. **Thread safety**, **Returns:** as ftpool_shutdown().
 */
FTPOOL_API ftpool_status ftpool_shutdown_now(ftpool *pool, ftpool_id_fn each, void *context, int64_t timeout_ns);

/**
 * The ids of the jobs that are queued, ascending, which is the order of submission for the jobs of one thread that
 * were all submitted the same way. Writes at most `capacity` of them to `out_ids`; `*out_count` is how many there are,
 * which may be more. Others may have changed by the time it returns.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or `out_count` is NULL, or
 * `out_ids` is and `capacity` is not 0.
 */
FTPOOL_API ftpool_status ftpool_queued_ids(ftpool *pool, size_t capacity, ftpool_job_id *out_ids, size_t *out_count);

/**
 * Opens a pool that was shut down: it accepts jobs again. While the shutdown is still going on, waits for its end
 * first. A pool that is open stays as it is.
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT: the shutdown has not ended
 * yet; FTPOOL_E_BROKEN: a hook has failed; FTPOOL_E_DEADLOCK in a job of this pool; FTPOOL_E_FORKED;
 * FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `pool` is NULL or the timeout is none. The pool stays
 * closed then.
 */
FTPOOL_API ftpool_status ftpool_reopen(ftpool *pool, int64_t timeout_ns);

/**
 * As good as new: cancels what is queued, counts failures (ftpool_failed()) from 0 again, and opens the pool if it was
 * shut down. Jobs that are running go on, and leave their outcomes. Waits only for a shutdown that is going on.
 *
 * **Ownership:** as ftpool_cancel(). **Thread safety:** any thread. **Returns:** FTPOOL_OK, always for an open pool;
 * else as ftpool_reopen().
 */
FTPOOL_API ftpool_status ftpool_clear(ftpool *pool, int64_t timeout_ns, size_t *out_count);

/**
 * Shuts down every pool that the process has, ftpool_default() included: closes them all, then waits for the end of
 * all. Pools that are made later, and abandoned ones, are left alone. May be called again. The pools must still be
 * freed.
 *
 * **Thread safety:** any thread but a pool's. **Returns:** as ftpool_shutdown(); FTPOOL_E_DEADLOCK in a job of any of
 * the pools: nothing was done.
 */
FTPOOL_API ftpool_status ftpool_shutdown_all(uint32_t mode, int64_t timeout_ns);

/**
 * Gives a pool up that has a job which never ends: closes it, and does not wait. What was accepted still runs. The
 * threads and the memory go when the last job has ended, if it ever does. To keep queued jobs from running, call
 * ftpool_shutdown() with FTPOOL_SHUTDOWN_CANCEL and FTPOOL_NOW first. NULL is accepted and ignored.
 *
 * **Ownership:** the pool is gone, as after ftpool_free(). **Thread safety:** as ftpool_free(), but jobs of the pool
 * may call it as well.
 */
FTPOOL_API void ftpool_abandon(ftpool *pool);

/**
 * Whether the pool would accept a job from the calling thread. If a hook has failed, `*out_cause` says which and why,
 * else it is NULL; `out_cause` may be NULL.
 *
 * **Ownership:** the text is the library's, and valid until the calling thread reads the next outcome or calls this
 * again. **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN; FTPOOL_E_FORKED;
 * FTPOOL_E_INVALID if `pool` is NULL.
 */
FTPOOL_API ftpool_status ftpool_check(ftpool *pool, const char **out_cause);

/**
 * The running job declares that it has failed: when it returns, its value is ignored and it ends
 * FTPOOL_OUTCOME_FAILED with this code and message. Of several calls the last one counts. `message` may be NULL. A
 * callback returns a code instead.
 *
 * **Ownership:** the message is copied; bytes that are not UTF-8 become U+FFFD. **Thread safety:** in a job, on the
 * thread that runs it. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID outside a job.
 */
FTPOOL_API ftpool_status ftpool_fail(int32_t code, const char *message);

/**
 * The id of the job that the calling thread is running.
 *
 * **Thread safety:** any thread. **Returns:** the id; 0 outside a job.
 */
FTPOOL_API ftpool_job_id ftpool_self_id(void);

/**
 * Whether somebody has asked the running job to come to an end, by ftpool_job_cancel(). A long job looks from time to
 * time, and returns early.
 *
 * **Thread safety:** in a job, on the thread that runs it. **Returns:** 1 if so; 0 if not, and outside a job.
 */
FTPOOL_API int32_t ftpool_self_cancelled(void);

/**
 * The pool whose job the calling thread is running.
 *
 * **Ownership:** not to be freed twice: the pool stays its owner's. **Thread safety:** any thread. **Returns:** the
 * pool; NULL outside a job.
 */
FTPOOL_API ftpool *ftpool_current(void);

/**
 * Which worker of its pool the calling thread is: a key to memory of its own.
 *
 * **Thread safety:** any thread. **Returns:** 0 to ftpool_worker_limit() − 1; −1 (FTPOOL_E_INVALID) outside a job.
 */
FTPOOL_API int32_t ftpool_worker_index(void);

/**
 * Makes a clock. It begins at zero; its wall clock begins with what the machine's shows.
 *
 * **Ownership:** the caller owns the clock and ends it with ftpool_clock_free(), before or after its pools.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_clock` is NULL.
 */
FTPOOL_API ftpool_status ftpool_clock_new(ftpool_clock **out_clock);

/**
 * Ends a clock. Pools that go by it live on; time stands still for them. NULL is accepted and ignored.
 *
 * **Ownership:** the clock is gone. **Thread safety:** no other call on the clock may be under way or follow.
 */
FTPOOL_API void ftpool_clock_free(ftpool_clock *clock);

/**
 * Lets time pass. When this returns, the jobs that have come to be due are queued, in the order of due times; they may
 * have begun, or even ended. Of more than 64 the others follow as workers come to them; ftpool_wait_idle waits for
 * them.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `clock` is NULL or the time is negative.
 */
FTPOOL_API ftpool_status ftpool_clock_advance(ftpool_clock *clock, int64_t time_ns);

/**
 * Sets the clock's wall clock, forward or back.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `clock` is NULL or the time is negative.
 */
FTPOOL_API ftpool_status ftpool_clock_set_wall(ftpool_clock *clock, int64_t ns_since_1970);

/**
 * How many nanoseconds the clock has gone since it was made.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `clock` is NULL.
 */
FTPOOL_API int64_t ftpool_clock_elapsed(const ftpool_clock *clock);

/**
 * Makes a quick semaphore with `value` permits, as FTPOOL_SEMAPHORE_INIT(value) does.
 *
 * **Ownership:** the memory stays the caller's. **Thread safety:** before other threads know the semaphore.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL or `value` is above FTPOOL_SEMAPHORE_MAX.
 */
FTPOOL_API ftpool_status ftpool_semaphore_init(ftpool_semaphore *semaphore, uint32_t value);

/**
 * Makes a fair semaphore with `value` permits, as FTPOOL_SEMAPHORE_INIT_FAIR(value) does.
 *
 * **Ownership:** the memory stays the caller's. **Thread safety:** before other threads know the semaphore.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL or `value` is above FTPOOL_SEMAPHORE_MAX.
 */
FTPOOL_API ftpool_status ftpool_semaphore_init_fair(ftpool_semaphore *semaphore, uint32_t value);

/**
 * Takes a permit, waiting for it as long as it takes.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_SHUTDOWN if the semaphore is or gets closed;
 * FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_acquire(ftpool_semaphore *semaphore);

/**
 * Takes a permit if one is there and nobody waits in line for it.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT if there is none, and nothing has changed;
 * FTPOOL_E_SHUTDOWN if the semaphore is closed; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_try_acquire(ftpool_semaphore *semaphore);

/**
 * Takes `permits` permits at once or none at all, waiting for them up to `timeout_ns`. Nobody overtakes a thread that
 * waits for more than one.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT, and nothing has changed; FTPOOL_E_SHUTDOWN if
 * the semaphore is or gets closed; FTPOOL_E_INVALID if `semaphore` is NULL, `timeout_ns` is not valid or `permits` is
 * above FTPOOL_SEMAPHORE_MAX.
 */
FTPOOL_API
ftpool_status ftpool_semaphore_acquire_for(ftpool_semaphore *semaphore,
                                           uint32_t permits,
                                           int64_t timeout_ns);

/**
 * Gives `permits` permits back, or adds new ones, and wakes at most as many waiters. Allowed on a closed semaphore.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_OVERFLOW if there would be more than
 * FTPOOL_SEMAPHORE_MAX, and nothing was added; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_release(ftpool_semaphore *semaphore, uint32_t permits);

/**
 * ftpool_semaphore_release() for the cases that are not inlined; the same in all others.
 *
 * **Thread safety:** any thread. **Returns:** the same.
 */
FTPOOL_API ftpool_status ftpool_semaphore_release_slow(ftpool_semaphore *semaphore, uint32_t permits);

/**
 * The permits that are free, at the moment of asking.
 *
 * **Thread safety:** any thread. **Returns:** their number; 0 if `semaphore` is NULL.
 */
FTPOOL_API uint32_t ftpool_semaphore_value(const ftpool_semaphore *semaphore);

/**
 * Ends the giving of permits: who waits, and who asks from now on, gets FTPOOL_E_SHUTDOWN. The memory may be reused
 * when they have come back.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_close(ftpool_semaphore *semaphore);

/**
 * Waits for the lock and takes it. The pointer is not checked.
 *
 * **Thread safety:** any thread that does not have the lock.
 */
FTPOOL_API void ftpool_lock_acquire(ftpool_lock *lock);

/**
 * Takes the lock if it is free. The pointer is not checked.
 *
 * **Thread safety:** any thread. **Returns:** whether the caller has the lock now.
 */
FTPOOL_API bool ftpool_lock_try_acquire(ftpool_lock *lock);

/**
 * Waits for the lock up to `timeout_ns` and takes it.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK if the caller has the lock now; FTPOOL_TIMEOUT;
 * FTPOOL_E_INVALID if `lock` is NULL or `timeout_ns` is not valid.
 */
FTPOOL_API ftpool_status ftpool_lock_acquire_for(ftpool_lock *lock, int64_t timeout_ns);

/**
 * Lets the lock go. The pointer is not checked. A lock that is free and that nobody is just acquiring stays free.
 *
 * **Ownership:** see ftpool_lock for when its memory may be freed. **Thread safety:** any thread, on behalf of the one
 * that has the lock.
 */
FTPOOL_API void ftpool_lock_release(ftpool_lock *lock);

/**
 * As ftpool_lock_release(), but tells a mistake.
 *
 * **Thread safety:** any thread, on behalf of the one that has the lock. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if
 * `lock` is NULL or nobody has the lock, and nothing has changed.
 */
FTPOOL_API ftpool_status ftpool_lock_release_checked(ftpool_lock *lock);

/**
 * Wakes who waits for the lock. ftpool_lock_release() does so where it has to; this is for the part of it that is
 * inlined.
 *
 * **Thread safety:** any thread, at any time.
 */
FTPOOL_API void ftpool_lock_wake_next(ftpool_lock *lock);

/**
 * Whether somebody has the lock, at the moment of asking.
 *
 * **Thread safety:** any thread. **Returns:** that; false if `lock` is NULL.
 */
FTPOOL_API bool ftpool_lock_locked(const ftpool_lock *lock);

/**
 * Lets an event happen, and wakes all who wait. A second time does nothing.
 *
 * **Ownership:** on Linux, who sees the event may free it. **Thread safety:** any thread. **Returns:** FTPOOL_OK;
 * FTPOOL_E_INVALID if `event` is NULL.
 */
FTPOOL_API ftpool_status ftpool_event_set(ftpool_event *event);

/**
 * Waits until an event happens, up to `timeout_ns`.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK if it has happened; FTPOOL_TIMEOUT; FTPOOL_E_INVALID if
 * `event` is NULL or `timeout_ns` is not valid.
 */
FTPOOL_API ftpool_status ftpool_event_wait(ftpool_event *event, int64_t timeout_ns);

/**
 * Whether an event has happened.
 *
 * **Thread safety:** any thread. **Returns:** that; false if `event` is NULL.
 */
FTPOOL_API bool ftpool_event_is_set(const ftpool_event *event);

/**
 * Counts `things` more. To be called before they begin, or all may be done too early.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_OVERFLOW if there would be more than 2³¹ − 1;
 * FTPOOL_E_INVALID if `group` is NULL.
 */
FTPOOL_API ftpool_status ftpool_wait_group_add(ftpool_wait_group *group, uint32_t things);

/**
 * One thing is done. The last one wakes all who wait.
 *
 * **Ownership:** on Linux, who sees that all is done may free the group. **Thread safety:** any thread. **Returns:**
 * FTPOOL_OK; FTPOOL_E_INVALID if `group` is NULL or nothing is under way.
 */
FTPOOL_API ftpool_status ftpool_wait_group_done(ftpool_wait_group *group);

/**
 * Waits until all is done, up to `timeout_ns`.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK if all is done; FTPOOL_TIMEOUT; FTPOOL_E_INVALID if `group`
 * is NULL or `timeout_ns` is not valid.
 */
FTPOOL_API ftpool_status ftpool_wait_group_wait(ftpool_wait_group *group, int64_t timeout_ns);

/**
 * The name of a status, such as "FTPOOL_E_INVALID"; "FTPOOL_?" for a number that is none.
 *
 * **Ownership:** static text, not to be freed. **Thread safety:** any thread. **Returns:** never NULL.
 */
FTPOOL_API const char *ftpool_status_name(int32_t status);

/**
 * What a status means and what to do about it, in a sentence.
 *
 * **Ownership:** static text, not to be freed. **Thread safety:** any thread. **Returns:** never NULL.
 */
FTPOOL_API const char *ftpool_status_message(int32_t status);

/**
 * The version of the library that is loaded, to compare with FTPOOL_VERSION_NUMBER of the header compiled against:
 * major × 1 000 000 + minor × 1 000 + patch.
 *
 * **Thread safety:** any thread. **Returns:** the number.
 */
FTPOOL_API uint32_t ftpool_version_number(void);

/**
 * The version of the library that is loaded, such as "0.1.0".
 *
 * **Ownership:** static text, not to be freed. **Thread safety:** any thread. **Returns:** never NULL.
 */
FTPOOL_API const char *ftpool_version_string(void);

#if defined(__GNUC__) && defined(__linux__) && !defined(FTPOOL_NO_INLINE) && !defined(__SANITIZE_THREAD__) && \
    __GCC_ATOMIC_INT_LOCK_FREE == 2 && __GCC_ATOMIC_LLONG_LOCK_FREE == 2
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define FTPOOL_NO_INLINE
#endif
#endif
#ifndef FTPOOL_NO_INLINE
/* What a lock and a semaphore do when nobody has to wait or to be woken, for compilers that optimise: these calls are
 * inlined then, and everything else of them is done by the library. Their addresses are those of the library's functions.
 * -DFTPOOL_NO_INLINE leaves this out, and so does ThreadSanitizer, which shall see the library's side of it, too.
 * How it works is in src/sync/README.md. These words are a part of the ABI. */
#define FTPOOL_INLINE extern inline __attribute__((__gnu_inline__))
#define FTPOOL_LOCK_FREE 0u
#define FTPOOL_LOCK_HELD 1u
#define FTPOOL_LOCK_WAITING 1u
#define FTPOOL_LOCK_STARVING 2u
#define FTPOOL_LOCK_LIGHT 8u
#define FTPOOL_SEMAPHORE_VALUE UINT64_C(0x7fffffff)
#define FTPOOL_SEMAPHORE_WAITING (UINT64_C(1) << 60)
#define FTPOOL_SEMAPHORE_CLOSED (UINT64_C(1) << 61)
#define FTPOOL_SEMAPHORE_QUEUED (UINT64_C(1) << 63)

FTPOOL_INLINE bool ftpool_lock_try_acquire(ftpool_lock *lock) {
    uint32_t seen = FTPOOL_LOCK_FREE;
    return __atomic_compare_exchange_n(&lock->opaque[0], &seen, FTPOOL_LOCK_HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

FTPOOL_INLINE void ftpool_lock_acquire(ftpool_lock *lock) {
    uint32_t seen = FTPOOL_LOCK_FREE;
    if (__builtin_expect(!__atomic_compare_exchange_n(&lock->opaque[0], &seen, FTPOOL_LOCK_HELD, false, __ATOMIC_ACQUIRE,
                                                      __ATOMIC_RELAXED), 0))
        (void)ftpool_lock_acquire_for(lock, FTPOOL_FOREVER);
}

FTPOOL_INLINE void ftpool_lock_release(ftpool_lock *lock) {
    uint32_t line = __atomic_load_n(&lock->opaque[1], __ATOMIC_RELAXED); /* R0 */
    if (__builtin_expect((line & (FTPOOL_LOCK_STARVING | FTPOOL_LOCK_LIGHT)) != FTPOOL_LOCK_LIGHT, 0)) {
        (void)ftpool_lock_release_checked(lock);
        return;
    }
    __atomic_store_n(&lock->opaque[0], FTPOOL_LOCK_FREE, __ATOMIC_RELEASE); /* R1 */
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* R2 */
    line = __atomic_load_n(&lock->opaque[1], __ATOMIC_RELAXED); /* R3 */
    if (__builtin_expect((line & (FTPOOL_LOCK_WAITING | FTPOOL_LOCK_STARVING)) != 0, 0))
        ftpool_lock_wake_next(lock);
}

FTPOOL_INLINE ftpool_status ftpool_semaphore_acquire(ftpool_semaphore *semaphore) {
    if (semaphore != NULL) {
        uint64_t seen = __atomic_load_n(&semaphore->opaque[0], __ATOMIC_RELAXED);
        while (__builtin_expect((seen & (FTPOOL_SEMAPHORE_CLOSED | FTPOOL_SEMAPHORE_QUEUED)) == 0 &&
                                (seen & FTPOOL_SEMAPHORE_VALUE) != 0, 1))
            if (__atomic_compare_exchange_n(&semaphore->opaque[0], &seen, seen - 1, true, __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED))
                return FTPOOL_OK;
    }
    return ftpool_semaphore_acquire_for(semaphore, 1, FTPOOL_FOREVER);
}

FTPOOL_INLINE ftpool_status ftpool_semaphore_release(ftpool_semaphore *semaphore, uint32_t permits) {
    if (semaphore != NULL) {
        uint64_t seen = __atomic_load_n(&semaphore->opaque[0], __ATOMIC_RELAXED);
        while (__builtin_expect((seen & (FTPOOL_SEMAPHORE_WAITING | FTPOOL_SEMAPHORE_QUEUED)) == 0 &&
                                permits <= FTPOOL_SEMAPHORE_VALUE - (seen & FTPOOL_SEMAPHORE_VALUE), 1))
            if (__atomic_compare_exchange_n(&semaphore->opaque[0], &seen, seen + permits, true, __ATOMIC_RELEASE,
                                            __ATOMIC_RELAXED))
                return FTPOOL_OK;
    }
    return ftpool_semaphore_release_slow(semaphore, permits);
}

#undef FTPOOL_INLINE
#endif  // FTPOOL_NO_INLINE
#endif  // __GNUC__

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FASTTHREADPOOL_H */

#if defined(__cplusplus) && !defined(FTPOOL_LOCKABLE)
#define FTPOOL_LOCKABLE
inline void ftpool_lock::lock() { ftpool_lock_acquire(this); }
inline bool ftpool_lock::try_lock() { return ftpool_lock_try_acquire(this); }
inline void ftpool_lock::unlock() { ftpool_lock_release(this); }
#endif  // __cplusplus
