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
 * Conventions that every call follows
 *
 * Status    Calls return an ftpool_status: 0 is success, above 0 is not done but no error, below 0 is an error.
 * NULL      A NULL object gives FTPOOL_E_INVALID; every _free accepts NULL; getters return 0 or NULL.
 * Outputs   come last (out_...) and are written on success only, unless a call says otherwise; pointers to new objects
 *           are NULL after a failure.
 * Time      is in nanoseconds: FTPOOL_NOW does not wait, FTPOOL_FOREVER waits without a limit, other negative values
 *           are FTPOOL_E_INVALID. Huge values mean forever; nothing overflows.
 * Structs   begin with their size. Initialise them with their _INIT macro; 0 in a field means its default.
 * Ownership A submit that does not return FTPOOL_OK took nothing.
 * Threads   Jobs run on worker threads, which block asynchronous signals. Processes that a job starts inherit that:
 *           clear the mask with sigprocmask() before exec, or with posix_spawnattr_setsigmask().
 * Exit      A pool does not keep the process alive. Once exit() has begun, no further job starts, submits and waits
 *           return FTPOOL_E_SHUTDOWN, and ftpool_free() does not wait. Functions registered with atexit() after the
 *           first pool was made, and destructors of static objects constructed after it, run before that.
 * Fork      In the child, calls on the parent's pools return FTPOOL_E_FORKED and never wait; make new pools there.
 * Unwinding No panic leaves this library. A C++ exception or pthread_exit() that leaves a job aborts the process.
 *           Nor may pthread_cancel() meet a thread in a call that makes, ends or reopens a pool or ends a results
 *           object (ftpool_new(), ftpool_shutdown(), ftpool_results_free(), ...), or uses ftpool_results_fd(): disable
 *           it there with pthread_setcancelstate(). Other calls of this library run to their end first.
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

/* What is changed atomically lies at a multiple of its size, also in 32-bit programs. */
#ifndef FTPOOL_ALIGNED
#ifdef __GNUC__
#define FTPOOL_ALIGNED(bytes) __attribute__((__aligned__(bytes)))
#else
#define FTPOOL_ALIGNED(bytes)
#endif
#endif

/* Stands before every function; define it for attributes that your platform needs, such as an import attribute. */
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
 * A shutdown mode: queued jobs run, and so do jobs that they submit.
 */
#define FTPOOL_SHUTDOWN_DRAIN 0

/**
 * A shutdown mode: queued jobs are cancelled, running jobs finish.
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
 * A policy without a limit on queued jobs: every submit waits until a worker starts its job; max_queued is ignored.
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
 * An outcome: the job failed (ftpool_fail()) or panicked.
 */
#define FTPOOL_OUTCOME_FAILED 1

/**
 * An outcome: the job was cancelled before it started.
 */
#define FTPOOL_OUTCOME_CANCELLED 2

/**
 * An outcome: the job was not started in time.
 */
#define FTPOOL_OUTCOME_EXPIRED 3

/**
 * A submit flag: the job goes ahead of every queued job of the pool.
 */
#define FTPOOL_SUBMIT_FIRST 1

/**
 * A submit flag: the job emits its values with ftpool_emit(); what it returns is ignored.
 */
#define FTPOOL_SUBMIT_EMITS 2

/**
 * A submit flag: the outcome carries the job's argument. Not with FTPOOL_SUBMIT_EMITS: such a job may end without one.
 * The argument of an outcome that nobody reads goes to nobody: value_free is for values.
 */
#define FTPOOL_SUBMIT_RETURN_ARG 4

/**
 * A priority: the group's jobs take turns with those outside all groups.
 */
#define FTPOOL_PRIORITY_NORMAL 0

/**
 * A priority: the group's jobs come before those outside all groups.
 */
#define FTPOOL_PRIORITY_HIGH 1

/**
 * A priority: the group's jobs come when no other job is queued.
 */
#define FTPOOL_PRIORITY_LOW 2

/**
 * Ticks that fall due while the job of an earlier one is queued or running are skipped.
 */
#define FTPOOL_MISSED_SKIP 0

/**
 * They are merged into one run, as soon as the earlier job has ended.
 * Here and with FTPOOL_MISSED_SKIP, ticks that come all at once because a clock has jumped make one run.
 */
#define FTPOOL_MISSED_COALESCE 1

/**
 * Each of them queues a job. Jobs may pile up, and several may run at the same time.
 */
#define FTPOOL_MISSED_QUEUE 2

/**
 * A timer flag: once due, the job goes behind the queued jobs, not ahead of them.
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
 * A timer flag: a moment that has passed means now, and is not an error.
 */
#define FTPOOL_TIMER_OR_NOW 8

/**
 * A timer flag: the first tick of a schedule comes now, not after one interval. `delay_ns` and `wall_ns` must be 0.
 */
#define FTPOOL_TIMER_AT_ONCE 16

/**
 * A job's state: it has not started.
 */
#define FTPOOL_JOB_QUEUED 0

/**
 * A job's state: a worker is running it.
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
 * A job's state: it was cancelled before it started.
 */
#define FTPOOL_JOB_CANCELLED 4

/**
 * A job's state: it was not started in time.
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
 * What a call returns. 0: done. Above 0: not done, but not an error. Below 0: an error; unless the call's
 * documentation says otherwise, nothing was done. Numbers are never reused; future versions may add more.
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
     * The timeout came first; what was waited for goes on.
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
     * The pool was shut down, the semaphore was closed, or the process exits.
     */
    FTPOOL_E_SHUTDOWN = -3,
    /**
     * The call would wait for its own end.
     */
    FTPOOL_E_DEADLOCK = -4,
    /**
     * The system refused to start a thread that the call needs; errno tells more.
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
     * A callback receives what the call would have read.
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
 * A clock that advances only when told to, for tests of programs that use delayed and scheduled jobs. Put it into
 * ftpool_config; several pools may use it.
 */
typedef struct ftpool_clock ftpool_clock;

/**
 * A set of handles that gives them back as their jobs end, starting with those that have ended already. The cost of
 * each does not depend on how many there are; for a few jobs, see ftpool_wait_jobs().
 */
typedef struct ftpool_completed ftpool_completed;

/**
 * Jobs that share a limit on how many run at a time, and that are cancelled and waited for together. They wait in a
 * queue of their own, so a group at its limit holds no worker up.
 */
typedef struct ftpool_group ftpool_group;

/**
 * A handle to one job: to wait for it, to read its outcome, to cancel it.
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
 * The id of an accepted job, unique in the process and never reused. 0 is no job's id.
 */
typedef uint64_t ftpool_job_id;

/**
 * Called in a worker thread for a job that has failed, with the context of the config and the code and message that a
 * failed outcome would have. The message belongs to the library, and is valid only during the call.
 */
typedef void (*ftpool_failed_hook)(void *context, ftpool_job_id id, int32_t code, const char *message);

/**
 * Called with the context of the config, FTPOOL_LOG_ERROR and a line of text, which belongs to the library and is
 * valid only during the call. Later versions may have more levels.
 */
typedef void (*ftpool_log_hook)(void *context, uint32_t level, const char *line);

/**
 * Called when the number of queued jobs has reached a mark, FTPOOL_WATER_HIGH or FTPOOL_WATER_LOW, always alternating
 * and never concurrently; on the thread that submits or cancels, or on a worker between two jobs. Must return, as a
 * job must, and should be short.
 */
typedef void (*ftpool_water_fn)(void *context, uint32_t mark, size_t queued);

/**
 * Called with the context of the config for a job that has exceeded its run limit: its id, its name, and for how many
 * nanoseconds it has been running. If it returns anything but 0, the job is asked to stop (ftpool_self_cancelled()).
 * The name belongs to the library, and is valid only during the call.
 */
typedef int32_t (*ftpool_overrun_hook)(void *context, ftpool_job_id id, const char *name, uint64_t ran_ns);

/**
 * How to configure a pool. Initialise it with FTPOOL_CONFIG_INIT, which means all defaults, and set what should
 * differ: 0 in a field means its default.
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
     * Bytes of each worker's stack; 0 means the default for Rust threads: 2 MiB, or what RUST_MIN_STACK says.
     */
    size_t stack_size;
    /**
     * 1: outcomes say how long jobs were queued and ran. 0: nothing is measured.
     */
    uint32_t timing;
    /**
     * Called in each worker before its first job; may be NULL. If it calls ftpool_fail(), the pool is broken: queued
     * jobs are cancelled, and every later submit returns FTPOOL_E_BROKEN; ftpool_check() tells why.
     */
    ftpool_worker_hook start;
    /**
     * Called in each worker whose start hook has succeeded, after its last job; may be NULL. What it submits to its
     * own pool is refused when the pool ends; a worker that leaves an open pool (see idle_timeout_ns, jobs_per_worker
     * and extra_workers) may submit. If it calls ftpool_fail(), the pool is broken; the worker's end and a shutdown
     * complete all the same.
     */
    ftpool_worker_hook stop;
    /**
     * Called once for every job that fails, in the worker, before the outcome can be read, and even if it goes
     * nowhere; possibly on several threads at once. May be NULL.
     */
    ftpool_failed_hook failed;
    /**
     * Called with a line of text once for every job that fails, and when a hook breaks the pool; possibly on several
     * threads at once. May be NULL.
     */
    ftpool_log_hook log;
    /**
     * Passed to the four functions above, and to overrun.
     */
    void *context;
    /**
     * What a submit does when max_queued jobs are queued: FTPOOL_POLICY_BLOCK, _TIMED, _REJECT, _CALLER_RUNS,
     * _DISCARD_OLDEST or _HAND_OFF. The pool's own jobs never wait: they may submit above the limit. So may callbacks
     * of jobs that end without having run, and delayed jobs that are due are queued in the same way.
     */
    uint32_t policy;
    /**
     * The most jobs that may be queued (accepted but not started); 0 means no limit.
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
     * Called when the number of queued jobs has risen to high_water, and when it has then fallen to low_water. May be
     * NULL.
     */
    ftpool_water_fn water_callback;
    /**
     * Passed to water_callback.
     */
    void *water_context;
    /**
     * The clock for delayed and scheduled jobs, for tests; NULL means the system's clocks.
     */
    ftpool_clock *clock;
    /**
     * How long an idle worker sleeps before its thread ends: an idle pool shrinks, down to no threads, and grows again
     * when there are jobs. 0 and FTPOOL_FOREVER: workers stay.
     */
    int64_t idle_timeout_ns;
    /**
     * How many jobs a worker runs before a new thread replaces it, for jobs that leak per-thread state. 0: no limit.
     * This costs throughput, because workers then take jobs one at a time.
     */
    uint64_t jobs_per_worker;
    /**
     * How many workers beyond the limit there may be while that many jobs are in ftpool_blocking();
     * ftpool_worker_limit() includes them. Cut to what is possible with at most 32 768 workers in all. 0: none.
     */
    uint32_t extra_workers;
    /**
     * Called, with `context`, once for every job that exceeds its run_limit_ns (ftpool_submit_options), as soon as it
     * does, usually on the timer thread: it should be short, as it holds up other timers. May be NULL; then run limits
     * have no effect.
     */
    ftpool_overrun_hook overrun;
} ftpool_config;

/**
 * A job's function, with the signature of pthread start routines. What it returns is the job's value, which
 * fire-and-forget jobs drop. It must return: a C++ exception, pthread_exit() or any other unwinding out of it aborts
 * the process.
 */
typedef void *(*ftpool_fn)(void *arg);

/**
 * Frees an argument or a value. Must return, as a job must.
 */
typedef void (*ftpool_free_fn)(void *pointer);

/**
 * The outcome of a job. Initialise it with FTPOOL_RESULT_INIT.
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
     * What went wrong if the outcome is not FTPOOL_OUTCOME_DONE, else NULL. It belongs to the library, and is valid
     * until the calling thread next reads an outcome, from any results object or handle, or calls ftpool_check():
     * print or copy it before that.
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
     * cancelled job, FTPOOL_TIMEOUT for one that was not started in time, else 0.
     */
    int32_t error_code;
    /**
     * The job's argument if it was submitted with FTPOOL_SUBMIT_RETURN_ARG, else NULL.
     */
    void *arg;
    /**
     * Which tick of a schedule this was, as ftpool_self_tick() counts; 1 for a delayed job, 0 for all others, and for
     * one that did not start.
     */
    uint64_t tick;
    /**
     * How many nanoseconds after its due time the job of that tick started.
     */
    int64_t late_by_ns;
} ftpool_result;

/**
 * Called with an outcome, which belongs to the library and is valid only during the call. Must return, as a job must.
 * On a thread that is no worker of the pool, such as one that cancels the job, it must not wait for that job or its
 * outcome, which come after the call: only a timeout ends such a wait. Waits there for the pool's idleness or end
 * return FTPOOL_E_DEADLOCK, as they do in a job.
 */
typedef int32_t (*ftpool_callback)(void *context, const ftpool_result *result);

/**
 * Options of a results object. Initialise it with FTPOOL_RESULTS_OPTIONS_INIT, which means all defaults.
 */
typedef struct ftpool_results_options {
    /**
     * sizeof(ftpool_results_options), set by FTPOOL_RESULTS_OPTIONS_INIT.
     */
    size_t size;
    /**
     * The most unread outcomes it holds; 0 means no bound. A worker whose outcome does not fit waits until one is
     * read, the object is freed, or the pool is shut down.
     */
    size_t done_max;
    /**
     * Called with every value that was not read when the object is freed, on whichever thread frees it last. May be
     * NULL.
     */
    ftpool_free_fn value_free;
    /**
     * Called with every outcome, on a thread of its own, one at a time; reading then returns FTPOOL_E_BUSY. The
     * callback owns the values. A return value other than 0 is kept for ftpool_results_next_callback_failure(). May be
     * NULL.
     */
    ftpool_callback callback;
    /**
     * Passed to the callback. It must stay valid until ftpool_results_free() has returned.
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
 * Options of a job. Initialise it with FTPOOL_SUBMIT_OPTIONS_INIT, which means none.
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
     * Called with the outcome on the worker, before anybody else can read it; with FTPOOL_SUBMIT_EMITS, with every
     * value, and with the failure if there is one. If the job is cancelled or expires, it is called on the thread that
     * cancelled or expired it. If it returns anything but 0, the job fails with that code, and the value goes to
     * value_free. May be NULL.
     */
    ftpool_callback callback;
    /**
     * Passed to the callback, or to `settle`.
     */
    void *callback_context;
    /**
     * Called with the argument exactly once when the accepted job has ended in any way: ran, failed, cancelled,
     * expired. May be NULL, and must be with FTPOOL_SUBMIT_RETURN_ARG.
     */
    ftpool_free_fn arg_free;
    /**
     * FTPOOL_SUBMIT_FIRST, _EMITS, _RETURN_ARG, or'ed together; 0 for none.
     */
    uint32_t flags;
    /**
     * A group of the same pool that the job joins; FTPOOL_SUBMIT_FIRST then means ahead of all jobs queued in the
     * group. NULL: none.
     */
    ftpool_group *group;
    /**
     * If not 0, a deadline for the start of the job, counted from the submit: a job that no worker has started by then
     * ends FTPOOL_OUTCOME_EXPIRED at that moment, not when a worker would have reached it. Its callback and arg_free
     * are called on whichever thread notices, usually the pool's timer thread. A submit that waits for room gives up
     * at the same deadline.
     */
    int64_t start_within_ns;
    /**
     * If not 0, ftpool_config.overrun is called once if the job runs longer than this.
     */
    int64_t run_limit_ns;
    /**
     * The name that overrun is called with. Copied; NULL means "".
     */
    const char *name;
    /**
     * If not 0, the job is due this long after the submit, as with ftpool_submit_later(); not with `group` or
     * `start_within_ns`. A job of the same pool may wait for it only with a time limit.
     */
    int64_t delay_ns;
    /**
     * Called where `callback` would be, which is NULL then, and decides what the job comes to. May be NULL.
     */
    ftpool_settle_fn settle;
} ftpool_submit_options;

/**
 * When a job is due, and its other options. Initialise it with FTPOOL_TIMER_OPTIONS_INIT, which means now and once.
 */
typedef struct ftpool_timer_options {
    /**
     * sizeof(ftpool_timer_options), set by FTPOOL_TIMER_OPTIONS_INIT.
     */
    size_t size;
    /**
     * Where outcomes go, an object of the same pool; NULL: nowhere. Every run of a schedule leaves an outcome under
     * its id, and a cancelled schedule also leaves FTPOOL_OUTCOME_CANCELLED; while the schedule is active, readers
     * wait for more.
     */
    ftpool_results *results;
    /**
     * Called with the argument exactly once when the accepted job has ended in any way; for a schedule, after its last
     * run. May be NULL.
     */
    ftpool_free_fn arg_free;
    /**
     * Due this long after the submit. For a schedule, 0 means one interval.
     */
    int64_t delay_ns;
    /**
     * If not 0, due when the wall clock shows this, in nanoseconds since 1970; `delay_ns` must then be 0. All ticks of
     * a schedule then follow the wall clock.
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
     * A schedule ends after this many runs; 0 for any number. A tick that was cancelled while queued counts as a run.
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
 * The body of ftpool_reduce(): folds the items from `begin` to before `end` into `value`. It must return, as a job
 * must.
 */
typedef void (*ftpool_reduce_body)(void *context, size_t begin, size_t end, void *value);

/**
 * Combines `from` into `into`, the value of lower items. It must return, as a job must.
 */
typedef void (*ftpool_combine)(void *context, void *into, const void *from);

/**
 * What every worker does once; `worker` is its index, as ftpool_worker_index() returns it. It must return, as a job
 * must.
 */
typedef void *(*ftpool_worker_fn)(void *context, size_t worker);

/**
 * Called with the id of one job.
 */
typedef void (*ftpool_id_fn)(void *context, ftpool_job_id id);

/**
 * A counting semaphore: a number of permits that threads acquire and release; it needs no pool. It lives in the
 * program's memory, allocates nothing and needs no clean-up: `static ftpool_semaphore s = FTPOOL_SEMAPHORE_INIT(8);`.
 * Zeroed memory is a semaphore without permits. It must not be copied or moved while it is in use.
 *
 * One made by FTPOOL_SEMAPHORE_INIT() is fast but not fair: a thread that has just come may get a permit ahead of one
 * that has been waiting. One made by FTPOOL_SEMAPHORE_INIT_FAIR() grants permits in the order of the requests.
 *
 * What a thread did before it released a permit is visible to the thread that acquires it. On Linux, if a semaphore is
 * not fair and everybody acquires one permit at a time, a release touches no memory after it has added the permits:
 * whoever acquires the last one may free the semaphore.
 */
typedef struct FTPOOL_ALIGNED(8) ftpool_semaphore {
    /**
     * The library's.
     */
    uint64_t opaque[4];
} ftpool_semaphore;

/**
 * A lock for short critical sections; it needs no pool. It lives in the program's memory, allocates nothing and needs
 * no clean-up: `static ftpool_lock lock = FTPOOL_LOCK_INIT;`. Zeroed memory is a free lock. It must not be copied or
 * moved while it is in use. It is not recursive. Any thread may release it, not only the one that has acquired it.
 *
 * A release touches the lock after the next thread may have acquired it. Free its memory only when every call of
 * ftpool_lock_release() has returned, for example after joining the threads that used it.
 *
 * Calls that need not wait are inlined in optimised programs, see the end of the header. In C++ it is a *Lockable*:
 * `std::lock_guard<ftpool_lock> guard(lock);`.
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
 * the program's memory, allocates nothing and needs no clean-up: `static ftpool_event ready = FTPOOL_EVENT_INIT;`.
 * Zeroed memory is an event that has not happened. What a thread did before ftpool_event_set() is visible to those who
 * saw it.
 */
typedef struct ftpool_event {
    /**
     * The library's.
     */
    uint32_t opaque;
} ftpool_event;

/**
 * Counts things that are in progress; any number of threads can wait until all of them are done. It lives in the
 * program's memory, allocates nothing and needs no clean-up: `ftpool_wait_group group = FTPOOL_WAIT_GROUP_INIT;`.
 * Zeroed memory is a group of nothing, which counts as done. What a thread did before ftpool_wait_group_done() is
 * visible to those who waited.
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
 * Makes a pool. Its threads are started on demand. `config` may be NULL for all defaults.
 *
 * **Ownership:** the caller owns the pool and ends it with ftpool_free(). The config and its name are copied. **Thread
 * safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_pool` is NULL or a field of the config is not
 * valid; FTPOOL_E_VERSION if the config comes from a newer header and uses fields that this library does not know.
 * `*out_pool` is NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_new(const ftpool_config *config, ftpool **out_pool);

/**
 * Frees a pool: waits until every accepted job has run, ends the threads, frees the memory. In a job of the pool
 * itself it does not wait: the pool ends by itself after its last job. NULL is accepted and ignored.
 *
 * **Ownership:** the pool is gone. Results objects made from it stay readable. **Thread safety:** this waits for calls
 * that other threads are in; a call that begins later is a bug in the program. If other threads may still use the
 * pool, call ftpool_shutdown() first.
 */
FTPOOL_API void ftpool_free(ftpool *pool);

/**
 * Closes a pool and waits for its end: jobs from outside are refused from now on; queued jobs run
 * (FTPOOL_SHUTDOWN_DRAIN) or are cancelled (FTPOOL_SHUTDOWN_CANCEL); then the threads end. May be called again, from
 * any thread, to wait for the same end. The pool must still be freed; ftpool_reopen() opens it again.
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK: all has ended; FTPOOL_TIMEOUT: the
 * shutdown goes on, call again to wait longer; FTPOOL_E_DEADLOCK in a job of this pool: nothing was done;
 * FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits, and nobody is waited for; FTPOOL_E_INVALID: `pool` is NULL or
 * ftpool_default(), or the mode or the timeout is not valid.
 */
FTPOOL_API ftpool_status ftpool_shutdown(ftpool *pool, uint32_t mode, int64_t timeout_ns);

/**
 * Waits for a moment at which no job is queued or running. The pool stays usable.
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job
 * of this pool; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `pool` is NULL or the
 * timeout is not valid.
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
 * How many jobs were not started in time (ftpool_submit_options.start_within_ns) since the pool was made or cleared.
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
 * Queues `function(arg)` to run on a worker. Its value is dropped; a failure is counted (ftpool_failed()). `out_id`
 * may be NULL.
 *
 * **Ownership:** `arg` belongs to the job from now on, unless this fails: then nothing was taken. **Thread safety:**
 * any thread, jobs of the pool included, even while it shuts down. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool`
 * or `function` is NULL; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN: a hook has failed; FTPOOL_FULL: the queue is full, and
 * the policy in the config does not wait, or did not wait long enough; FTPOOL_E_NOMEM; FTPOOL_E_THREAD: the pool has
 * no worker but those that block, and the system refused to start one; FTPOOL_E_FORKED.
 */
FTPOOL_API ftpool_status ftpool_submit(ftpool *pool, ftpool_fn function, void *arg, ftpool_job_id *out_id);

/**
 * As ftpool_submit(), but ahead of every queued job. Of several such jobs, the one submitted last starts first.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
 */
FTPOOL_API ftpool_status ftpool_submit_first(ftpool *pool, ftpool_fn function, void *arg, ftpool_job_id *out_id);

/**
 * Queues `function(args[i])` for each i below `count`, which costs less than submitting one by one. Either all are
 * accepted or none is. `out_ids` is NULL or has room for `count` ids.
 *
 * **Ownership**, **Thread safety:** as ftpool_submit(); the array itself is only read. **Returns:** as
 * ftpool_submit(); FTPOOL_FULL, at once, also if there are more than max_queued jobs, unless the policy is
 * FTPOOL_POLICY_CALLER_RUNS or _HAND_OFF, or the caller may submit above the limit (see ftpool_config.policy);
 * FTPOOL_E_INVALID also if `args` is NULL and `count` is not 0.
 */
FTPOOL_API
ftpool_status ftpool_submit_batch(ftpool *pool,
                                  ftpool_fn function,
                                  void *const *args,
                                  size_t count,
                                  ftpool_job_id *out_ids);

/**
 * Cancels a queued job: it will never run. The cost does not depend on how many jobs are queued. If the job's outcome
 * goes to a results object, it is FTPOOL_OUTCOME_CANCELLED.
 *
 * **Ownership:** the job's `arg` belongs to the caller again, unless it had an arg_free, which has been called then.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK: it will never run; FTPOOL_EMPTY: too late (running, done,
 * cancelled before), or no job of this pool has this id; FTPOOL_E_INVALID if `pool` is NULL.
 */
FTPOOL_API ftpool_status ftpool_cancel(ftpool *pool, ftpool_job_id id);

/**
 * As ftpool_submit(), but waits for room until the timeout and no longer, whatever the policy for a full queue is.
 * FTPOOL_NOW only tries.
 *
 * **Ownership**, **Thread safety:** as ftpool_submit(). **Returns:** as ftpool_submit(); FTPOOL_FULL if there was no
 * room in time, and `arg` stays the caller's; FTPOOL_E_INVALID also if the timeout is not valid.
 */
FTPOOL_API
ftpool_status ftpool_try_submit(ftpool *pool,
                                ftpool_fn function,
                                void *arg,
                                int64_t timeout_ns,
                                ftpool_job_id *out_id);

/**
 * Runs `function(arg)` on a worker `delay_ns` from now, ahead of the jobs queued by then; delayed jobs that were due
 * earlier come first. Never early. The delay goes by a clock that nobody sets, and that does not count the time for
 * which the machine is suspended. All delayed jobs share one thread, even a million of them. `out_id` may be NULL.
 *
 * ftpool_cancel() accepts the id until the job starts. A shutdown cancels the delayed jobs that are not yet due.
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
 * tick that falls due while the job of an earlier one is queued or running is skipped; for other behaviour see
 * ftpool_submit_timed(). A run that fails is counted, and the schedule goes on. The id stands for all runs:
 * ftpool_cancel() ends the schedule and takes a tick that is queued out of the queue. `out_id` may be NULL.
 *
 * **Ownership:** `arg` belongs to the job until the schedule has been cancelled or the pool has ended, and no run is
 * in progress. **Thread safety:** as ftpool_submit(). **Returns:** as ftpool_submit(); FTPOOL_E_INVALID also if the
 * interval is not above 0.
 */
FTPOOL_API
ftpool_status ftpool_schedule(ftpool *pool,
                              int64_t interval_ns,
                              ftpool_fn function,
                              void *arg,
                              ftpool_job_id *out_id);

/**
 * Resets a timer: a delayed job that has not started, or the next tick of a schedule, becomes due `delay_ns` from now.
 * As cheap as cancelling, however many timers there are.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_EMPTY: too late, or no timer of this pool has this id,
 * or its next tick is not known yet (it comes when a run has ended: a fixed delay, or coalesced ticks);
 * FTPOOL_E_INVALID if `pool` is NULL or the delay is negative.
 */
FTPOOL_API ftpool_status ftpool_reschedule(ftpool *pool, ftpool_job_id id, int64_t delay_ns);

/**
 * The time until a timer is next due, in nanoseconds.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_EMPTY: no timer of this pool has this id, or that is
 * not known (a delayed job is queued, or the next tick comes when a run has ended: a fixed delay, or coalesced ticks);
 * FTPOOL_E_INVALID if `pool` or `out_due_in_ns` is NULL.
 */
FTPOOL_API ftpool_status ftpool_timer_next_due(ftpool *pool, ftpool_job_id id, int64_t *out_due_in_ns);

/**
 * How many delayed jobs are not due yet.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_delayed_count(const ftpool *pool);

/**
 * How many schedules are active.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_scheduled_count(const ftpool *pool);

/**
 * The ids of delayed jobs that are not due yet, in no particular order. Writes at most `capacity` of them to
 * `out_ids`; `*out_count` is how many there are, which may be more.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or `out_count` is NULL, or
 * `out_ids` is and `capacity` is not 0.
 */
FTPOOL_API ftpool_status ftpool_delayed_ids(ftpool *pool, size_t capacity, ftpool_job_id *out_ids, size_t *out_count);

/**
 * The ids of active schedules, in no particular order; as ftpool_delayed_ids().
 *
 * **Thread safety**, **Returns:** as ftpool_delayed_ids().
 */
FTPOOL_API ftpool_status ftpool_scheduled_ids(ftpool *pool, size_t capacity, ftpool_job_id *out_ids, size_t *out_count);

/**
 * The tick that the running job was submitted for: its number (from 1, skipped ticks included; 1 for a delayed job),
 * and how long after its due time the job started. Both pointers may be NULL.
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
 * Makes a results object with options. `options` may be NULL, which means all defaults.
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
 * Frees a results object. Outcomes that were not read are dropped, and so are those of jobs that have not ended yet.
 * If the object has a callback, it is called for the outcomes that have arrived, and never after this has returned,
 * unless it is the callback itself that calls this. NULL is accepted and ignored.
 *
 * **Ownership:** the object is gone; values that were not read are passed to its value_free, or else what they point
 * to is not freed. **Thread safety:** no other call on the object may be under way or follow.
 */
FTPOOL_API void ftpool_results_free(ftpool_results *results);

/**
 * Queues `function(arg)` to run on a worker; what it returns becomes an outcome here. `out_id` may be NULL.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
 */
FTPOOL_API
ftpool_status ftpool_results_submit(ftpool_results *results,
                                    ftpool_fn function,
                                    void *arg,
                                    ftpool_job_id *out_id);

/**
 * As ftpool_results_submit(), but ahead of every queued job of the pool.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
 */
FTPOOL_API
ftpool_status ftpool_results_submit_first(ftpool_results *results,
                                          ftpool_fn function,
                                          void *arg,
                                          ftpool_job_id *out_id);

/**
 * Queues `function(args[i])` for each i below `count`; what they return becomes outcomes here. Either all are accepted
 * or none is. `out_ids` is NULL or has room for `count` ids.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_batch(), which see for batches that are too
 * large for the queue.
 */
FTPOOL_API
ftpool_status ftpool_results_submit_batch(ftpool_results *results,
                                          ftpool_fn function,
                                          void *const *args,
                                          size_t count,
                                          ftpool_job_id *out_ids);

/**
 * Reads the next outcome, done or failed; if there are both, either may come first. FTPOOL_EMPTY means that everything
 * was read, and that no job submitted through this object, before or meanwhile, is queued or running.
 *
 * **Ownership:** the value belongs to the caller; for the message see ftpool_result. **Thread safety:** any thread;
 * each outcome goes to exactly one. **Returns:** FTPOOL_OK: `*out_result` is filled; FTPOOL_EMPTY: nothing more will
 * come; FTPOOL_TIMEOUT; FTPOOL_E_BUSY if a callback consumes the outcomes; FTPOOL_E_DEADLOCK with FTPOOL_FOREVER in a
 * job of a pool with one worker; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if an
 * argument is NULL, the result's size is not valid, or the timeout is not valid.
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
 * Reads at most `capacity` outcomes without waiting, failed ones first. The entries of `out_results` lie
 * `out_results[0].size` bytes apart; only the first one's size field need be set.
 *
 * **Ownership**, **Thread safety:** as ftpool_results_next(). **Returns:** FTPOOL_OK: `*out_count` were read, maybe 0;
 * FTPOOL_E_BUSY if a callback consumes the outcomes; FTPOOL_E_INVALID if `results` or `out_count` is NULL, or
 * `out_results` is while `capacity` is not 0, or the size is not valid.
 */
FTPOOL_API
ftpool_status ftpool_results_take(ftpool_results *results,
                                  size_t capacity,
                                  ftpool_result *out_results,
                                  size_t *out_count);

/**
 * Takes the oldest failure of the object's callback that was not taken yet: the id of the job whose outcome the
 * callback was called with, FTPOOL_OUTCOME_FAILED, and the code that the callback returned.
 *
 * **Ownership:** for the message see ftpool_result. **Thread safety:** any thread; each failure goes to exactly one.
 * **Returns:** FTPOOL_OK: `*out_result` is filled; FTPOOL_EMPTY: there is none; FTPOOL_E_INVALID if an argument is
 * NULL or the result's size is not valid.
 */
FTPOOL_API ftpool_status ftpool_results_next_callback_failure(ftpool_results *results, ftpool_result *out_result);

/**
 * How many values can be read now: the value of the done queue's semaphore.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `results` is NULL.
 */
FTPOOL_API size_t ftpool_results_done_count(const ftpool_results *results);

/**
 * How many outcomes without a value can be read now: the value of the failed queue's semaphore.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `results` is NULL.
 */
FTPOOL_API size_t ftpool_results_failed_count(const ftpool_results *results);

/**
 * A file descriptor that poll(), epoll and the like report as readable when there is something to read. Like an
 * edge-triggered descriptor, it is reported once, and again only after a read has found nothing more: before you poll,
 * read with FTPOOL_NOW until FTPOOL_TIMEOUT or FTPOOL_EMPTY, or until ftpool_results_take() returns less than
 * `capacity`. It costs a system call only while somebody waits for it.
 *
 * **Ownership:** the descriptor belongs to the object; do not read from it or close it. **Thread safety:** any thread.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if an argument is NULL; FTPOOL_E_BUSY if a callback consumes the outcomes;
 * FTPOOL_E_UNSUPPORTED where there is no eventfd, or the system refused one (see errno).
 */
FTPOOL_API ftpool_status ftpool_results_fd(ftpool_results *results, int32_t *out_fd);

/**
 * Queues `function(arg)` to run on a worker, with `options`, which may be NULL. `out_id` may be NULL.
 *
 * **Ownership:** `arg` belongs to the job from now on; see arg_free. If this fails, nothing was taken and nothing is
 * called. The options are copied. **Thread safety:** any thread, jobs of the pool included. **Returns:** as
 * ftpool_submit(); FTPOOL_E_INVALID also if the options' size, flags, times, callbacks, group or results object are
 * not valid, or exclude one another; FTPOOL_E_VERSION if they have fields that this library does not know.
 */
FTPOOL_API
ftpool_status ftpool_submit_with(ftpool *pool,
                                 ftpool_fn function,
                                 void *arg,
                                 const ftpool_submit_options *options,
                                 ftpool_job_id *out_id);

/**
 * As ftpool_submit_with(), and gives a handle to the job. The outcome goes to the handle, so `options` must not have a
 * results object, FTPOOL_SUBMIT_EMITS or _RETURN_ARG.
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
 * FTPOOL_PRIORITY_NORMAL, _HIGH or _LOW; none starves another: after sixteen jobs of a higher priority, a lower one
 * gets a turn.
 *
 * In one case more jobs than the limit may run. A job of the pool that waits with FTPOOL_FOREVER for one of the group,
 * alone or among several, runs it itself if nobody has begun it: at once, in its own place, and not in one of the
 * group's. For each job that waits so, without being one of the group itself, one more may run. The group does not
 * count what is run that way: ftpool_group_busy(), ftpool_group_pending() and ftpool_group_wait_idle() do not see it;
 * ftpool_pending() and ftpool_wait_idle() do.
 *
 * **Ownership:** the caller owns the group and ends it with ftpool_group_free(), before or after the pool. **Thread
 * safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if a pointer is NULL or the priority is not valid.
 * `*out_group` is NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_group_new(ftpool *pool, size_t limit, uint32_t priority, ftpool_group **out_group);

/**
 * Frees a group's handle; its queued jobs still run. NULL is accepted and ignored.
 *
 * **Ownership:** the handle is gone. **Thread safety:** no other call on the group may be under way or follow.
 */
FTPOOL_API void ftpool_group_free(ftpool_group *group);

/**
 * Queues `function(arg)` behind all jobs that are queued in the group. For a results object, a callback and more see
 * ftpool_submit_with() and the options' field `group`. `out_id` may be NULL.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit(). Where the pool's policy is
 * FTPOOL_POLICY_CALLER_RUNS, this waits for room instead.
 */
FTPOOL_API ftpool_status ftpool_group_submit(ftpool_group *group, ftpool_fn function, void *arg, ftpool_job_id *out_id);

/**
 * As ftpool_group_submit(), but ahead of all jobs that are queued in the group.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_group_submit().
 */
FTPOOL_API
ftpool_status ftpool_group_submit_first(ftpool_group *group,
                                        ftpool_fn function,
                                        void *arg,
                                        ftpool_job_id *out_id);

/**
 * Cancels every queued job of the group; running jobs go on. `*out_count` is how many were cancelled; `out_count` may
 * be NULL.
 *
 * **Ownership:** as ftpool_cancel(), for each. **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID
 * if `group` is NULL.
 */
FTPOOL_API ftpool_status ftpool_group_cancel_all(ftpool_group *group, size_t *out_count);

/**
 * Waits for a moment at which no job of the group is queued or running, or ends cancelled or expired and has callbacks
 * to run. A job that a waiting one runs itself is not waited for, see ftpool_group_new().
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job
 * of the pool, or in a callback of one of the group that has not run; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process
 * exits; FTPOOL_E_INVALID if `group` is NULL or the timeout is not valid.
 */
FTPOOL_API ftpool_status ftpool_group_wait_idle(ftpool_group *group, int64_t timeout_ns);

/**
 * How many jobs of the group are running.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `group` is NULL.
 */
FTPOOL_API size_t ftpool_group_busy(const ftpool_group *group);

/**
 * How many jobs of the group are queued or running, or end cancelled or expired and have callbacks to run.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `group` is NULL.
 */
FTPOOL_API size_t ftpool_group_pending(const ftpool_group *group);

/**
 * Emits a value of the running job: it becomes an outcome in the job's results object, under the job's id. For jobs
 * submitted with FTPOOL_SUBMIT_EMITS, any number of times. If the results object has a bound, this waits for room.
 *
 * **Ownership:** the value belongs to the reader. **Thread safety:** in a job, on the thread that runs it.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID outside of such a job.
 */
FTPOOL_API ftpool_status ftpool_emit(void *value);

/**
 * Runs `function(arg)` on a worker when it is due, once or again and again, as `options` say. `options` may be NULL,
 * which means now and once. `out_id` may be NULL.
 *
 * **Ownership:** `arg` belongs to the job from now on; see arg_free. If this fails, nothing was taken and nothing is
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
 * Queues `function(arg)` to run on a worker, and gives a handle to the job.
 *
 * **Ownership:** `arg` belongs to the job from now on, unless this fails: then nothing was taken. The caller owns the
 * handle and ends it with ftpool_job_release(), before or after the end of the job and of the pool. **Thread safety**,
 * **Returns:** as ftpool_submit(); FTPOOL_E_INVALID also if `out_job` is NULL. `*out_job` is NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_submit_job(ftpool *pool, ftpool_fn function, void *arg, ftpool_job **out_job);

/**
 * As ftpool_submit_job(), but ahead of every queued job.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_job().
 */
FTPOOL_API ftpool_status ftpool_submit_job_first(ftpool *pool, ftpool_fn function, void *arg, ftpool_job **out_job);

/**
 * Runs `function(arg)` on a worker, waits for its end and gives its outcome. `out_result` may be NULL. In a job of the
 * same pool it waits as ftpool_job_wait() does.
 *
 * **Ownership:** `arg` is the job's; for the result see ftpool_job_wait(). **Thread safety:** any thread. **Returns:**
 * FTPOOL_OK: the job has ended, in any way; else as ftpool_submit(); FTPOOL_E_INVALID also if the result's size is not
 * valid.
 */
FTPOOL_API ftpool_status ftpool_run(ftpool *pool, ftpool_fn function, void *arg, ftpool_result *out_result);

/**
 * Waits until the job has ended, and gives its outcome; this may be repeated. `out_result` may be NULL.
 *
 * In a job of the same pool, with FTPOOL_FOREVER: if the awaited job has not started, it runs in this call (and no
 * other job does), so that one worker is enough. Otherwise, and with a time limit, the worker sleeps.
 *
 * **Ownership:** the library does not touch the value; who owns it is up to the program. For the message see
 * ftpool_result. **Thread safety:** any thread, several at a time. **Returns:** FTPOOL_OK: the job has ended, in any
 * way; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job that this one waits for, or with FTPOOL_FOREVER for a delayed job of
 * the caller's own pool; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `job` is NULL, the
 * result's size is not valid, or the timeout is not valid.
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
 * Cancels the job if it has not started: it will never run, and its waiters are woken. A running job is asked to stop:
 * ftpool_self_cancelled().
 *
 * **Ownership:** the argument of a cancelled job belongs to the caller again, unless it had an arg_free, which has
 * been called then. **Thread safety:** any thread. **Returns:** FTPOOL_OK: it will never run (also if it was cancelled
 * before); FTPOOL_EMPTY: it is too late; FTPOOL_E_INVALID if `job` is NULL.
 */
FTPOOL_API ftpool_status ftpool_job_cancel(ftpool_job *job);

/**
 * The job's state.
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
 * Registers `callback(context, result)`, which is called with the job's outcome just before waiters see it: on the
 * worker that ran the job, or on the thread that cancelled or expired it. If the job has already ended, it is called
 * at once, in this call. What it returns is ignored. `*out_key` is for ftpool_job_remove_callback(); `out_key` may be
 * NULL.
 *
 * **Ownership:** `context` belongs to the caller, and must stay valid until the callback was called or removed.
 * Callbacks are called even after ftpool_job_release(). **Thread safety:** any thread. **Returns:** FTPOOL_OK;
 * FTPOOL_E_INVALID if `job` or `callback` is NULL.
 */
FTPOOL_API
ftpool_status ftpool_job_on_done(ftpool_job *job,
                                 ftpool_callback callback,
                                 void *context,
                                 uint64_t *out_key);

/**
 * Removes a callback.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK: it will not be called; FTPOOL_EMPTY: it was called, or is
 * being called, or there is none with this `key`; FTPOOL_E_INVALID if `job` is NULL.
 */
FTPOOL_API ftpool_status ftpool_job_remove_callback(ftpool_job *job, uint64_t key);

/**
 * Ends a handle. The job is not cancelled. NULL is accepted and ignored.
 *
 * **Ownership:** the handle is gone; a value that nobody has read is lost, but what it points to is not freed.
 * **Thread safety:** no other call on the handle may be under way or follow.
 */
FTPOOL_API void ftpool_job_release(ftpool_job *job);

/**
 * Waits until jobs have ended, as `until` says: FTPOOL_UNTIL_ALL, _FIRST or _FIRST_FAILED. Returns at once if `count`
 * is 0. Jobs may belong to several pools, and may occur more than once. `*out_done` is the number of jobs that have
 * ended, also after FTPOOL_TIMEOUT; `out_done` may be NULL. ftpool_job_state() tells which have ended.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job that all remaining
 * jobs wait for; FTPOOL_E_FORKED and FTPOOL_E_SHUTDOWN as ftpool_job_wait(); FTPOOL_E_INVALID if `jobs` is NULL and
 * `count` is not 0, a job is NULL, or `until` or the timeout is not valid.
 */
FTPOOL_API
ftpool_status ftpool_wait_jobs(ftpool_job *const *jobs,
                               size_t count,
                               uint32_t until,
                               int64_t timeout_ns,
                               size_t *out_done);

/**
 * Makes an empty set of handles.
 *
 * **Ownership:** the caller owns the object and ends it with ftpool_completed_free(). **Thread safety:** any thread.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_completed` is NULL.
 */
FTPOOL_API ftpool_status ftpool_completed_new(ftpool_completed **out_completed);

/**
 * Frees the set and the handles in it; their jobs are not cancelled. NULL is accepted and ignored.
 *
 * **Ownership:** the object is gone. **Thread safety:** no other call on the object may be under way or follow.
 */
FTPOOL_API void ftpool_completed_free(ftpool_completed *completed);

/**
 * Adds a handle, at any time, including between two calls of ftpool_completed_next().
 *
 * **Ownership:** the handle belongs to the object until it is given back; until then all calls on it but
 * ftpool_job_release() and ftpool_job_join() are allowed, and it must not be added again. **Thread safety:** one
 * thread at a time uses the object. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if an argument is NULL: nothing was
 * taken.
 */
FTPOOL_API ftpool_status ftpool_completed_add(ftpool_completed *completed, ftpool_job *job);

/**
 * Gives back the next handle whose job has ended. In a job of the same pool it waits as ftpool_job_wait() does.
 *
 * **Ownership:** the handle is the caller's again. **Thread safety:** one thread at a time uses the object.
 * **Returns:** FTPOOL_OK; FTPOOL_EMPTY: all were given back; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job that all
 * remaining jobs wait for; FTPOOL_E_FORKED and FTPOOL_E_SHUTDOWN as ftpool_job_wait(); FTPOOL_E_INVALID if an argument
 * is NULL or the timeout is not valid. `*out_job` is NULL unless FTPOOL_OK.
 */
FTPOOL_API ftpool_status ftpool_completed_next(ftpool_completed *completed, int64_t timeout_ns, ftpool_job **out_job);

/**
 * The parallel version of `for (size_t i = begin; i < end; i++) body(context, i);`, in no particular order. The caller
 * takes part, and so does every free worker if that pays: the caller runs the first items of a long loop alone to see
 * how long they take, and a loop of a few microseconds stays with it. So items must not wait for each other. `grain`
 * is how many items are taken at a time; 0 lets the loop choose. ftpool_fail() in the body stops the loop after the
 * items that are running; what the code and the message say is lost, so leave it in `context`.
 *
 * **Ownership:** `context` belongs to the caller. **Thread safety:** any thread, including in jobs, nested to any
 * depth; the body runs on several threads at a time. **Returns:** FTPOOL_OK: every item was run; FTPOOL_E_JOB: the
 * body has failed; FTPOOL_E_INVALID if `pool` or `body` is NULL or `begin` is after `end`. On a pool that was shut
 * down the caller runs all items, which is not an error.
 */
FTPOOL_API
ftpool_status ftpool_for(ftpool *pool,
                         size_t begin,
                         size_t end,
                         size_t grain,
                         ftpool_for_body body,
                         void *context);

/**
 * As ftpool_for(), but the body is called with a chunk of items at a time, from `begin` to before `end`: `grain`
 * items, or fewer at the end of the range.
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
 * Stores `function(args[i])` in `out_values[i]` for each i below `count`. The two arrays may be the same, and each
 * argument is replaced by its value then; else they must not overlap. The caller takes part, as in ftpool_for().
 * ftpool_fail() in the function stops it; the values of items that were not reached are NULL, or still the arguments
 * if the arrays are the same.
 *
 * **Ownership:** arguments and values belong to the program. **Thread safety:** as ftpool_for(). **Returns:**
 * FTPOOL_OK; FTPOOL_E_JOB: the function has failed; FTPOOL_E_INVALID if `pool` or `function` is NULL, or an array is
 * NULL and `count` is not 0.
 */
FTPOOL_API
ftpool_status ftpool_map(ftpool *pool,
                         ftpool_fn function,
                         void *const *args,
                         size_t count,
                         void **out_values);

/**
 * Folds the items of a range into a value of `size` bytes: `body` folds some items into a value that starts as a copy
 * of `value`, and `combine` combines these values from left to right. `value` must be neutral, such as 0 for a sum.
 * The caller takes part, as in ftpool_for().
 *
 * **Ownership:** `value` belongs to the caller, and holds the result after FTPOOL_OK. Copies of it are made bytewise,
 * aligned as malloc() does, and dropped without a call. **Thread safety:** as ftpool_for(). **Returns:** as
 * ftpool_for(); FTPOOL_E_JOB also if `combine` has failed; FTPOOL_E_INVALID also if `combine` or `value` is NULL.
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
 * Calls `first(first_arg)` and `second(second_arg)`, in parallel where that pays, and returns when both have returned.
 * Made for recursion: a call costs about as much as a function call as long as no worker takes the second. `out_first`
 * and `out_second` may be NULL.
 *
 * **Ownership:** arguments and values belong to the program. **Thread safety:** as ftpool_for(). **Returns:**
 * FTPOOL_OK; FTPOOL_E_INVALID if `pool` or a function is NULL. ftpool_fail() in either counts for the surrounding job.
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
 * Starts `count` workers, or as many as the limit still allows, before there are jobs for them. `*out_started` is how
 * many were started; `out_started` may be NULL.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_THREAD: the system refused a thread; those started
 * before stay; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN; FTPOOL_E_FORKED; FTPOOL_E_INVALID if `pool` is NULL.
 */
FTPOOL_API ftpool_status ftpool_spawn_workers(ftpool *pool, size_t count, size_t *out_started);

/**
 * Calls `function(context, index)` once on every worker, and returns when all calls have returned. The call first
 * starts workers up to the limit; *every worker* then means every thread that the pool has at that moment: as many as
 * the limit says, fewer if the system refuses a thread, more while extra workers exist. A sleeping worker is woken, a
 * busy one does this between its current job and the next. It cannot be cancelled. At most `capacity` values are
 * written to `out_values`, in the order of the indices; `*out_count` is how many there are. Both may be NULL.
 *
 * **Ownership:** `context` and the values belong to the program. **Thread safety:** any thread but the pool's own; the
 * function runs on several threads at a time. **Returns:** FTPOOL_OK; FTPOOL_E_DEADLOCK in a job of this pool;
 * FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN: also if a start hook fails, and the function may have run on others then;
 * FTPOOL_E_THREAD: the pool has no worker, and the system refused to start one; FTPOOL_E_FORKED; FTPOOL_E_INVALID if
 * `pool` or `function` is NULL, or `out_values` is and `capacity` is not 0. ftpool_fail() in the function counts for
 * the surrounding job.
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
 * returned, the job goes on at once; a worker that is now one too many finishes the jobs it has taken and sleeps until
 * it is needed again. Nested calls count once. Outside a job, or when no further worker is allowed, this just calls
 * the function. `out_value` may be NULL.
 *
 * **Ownership:** `arg` and the value belong to the program. **Thread safety:** any thread. **Returns:** FTPOOL_OK;
 * FTPOOL_E_INVALID if `function` is NULL.
 */
FTPOOL_API ftpool_status ftpool_blocking(ftpool_fn function, void *arg, void **out_value);

/**
 * The process-wide pool, with default configuration. It is created on first use, shared by everybody, and does not
 * keep the process alive. ftpool_shutdown() refuses to end it; ftpool_shutdown_all() does not. Once used, it is the
 * parent's pool in the child of a fork.
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
 * As ftpool_shutdown() with FTPOOL_SHUTDOWN_CANCEL, and calls `each(context, id)` for every queued job and pending
 * timer that will never run because of this call, in the order of their ids. It does so before it waits for the end,
 * so also if the timeout comes first. `each` may be NULL.
 *
 * **Ownership:** `context` stays the caller's. `each` is called on the calling thread, with no lock held, and may use
 * the pool. **Thread safety**, **Returns:** as ftpool_shutdown().
 */
FTPOOL_API ftpool_status ftpool_shutdown_now(ftpool *pool, ftpool_id_fn each, void *context, int64_t timeout_ns);

/**
 * The ids of the jobs that are queued, ascending, which is the order of submission for the jobs of one thread that
 * were all submitted the same way. Writes at most `capacity` of them to `out_ids`; `*out_count` is how many there are,
 * which may be more. The list may be out of date when this returns.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or `out_count` is NULL, or
 * `out_ids` is and `capacity` is not 0.
 */
FTPOOL_API ftpool_status ftpool_queued_ids(ftpool *pool, size_t capacity, ftpool_job_id *out_ids, size_t *out_count);

/**
 * Opens a pool that was shut down: it accepts jobs again. Waits for a shutdown in progress to end first. An open pool
 * is left as it is.
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT: the shutdown has not ended
 * yet; FTPOOL_E_BROKEN: a hook has failed; FTPOOL_E_DEADLOCK in a job of this pool; FTPOOL_E_FORKED;
 * FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `pool` is NULL or the timeout is not valid. The pool stays
 * closed then.
 */
FTPOOL_API ftpool_status ftpool_reopen(ftpool *pool, int64_t timeout_ns);

/**
 * Resets the pool: cancels what is queued, counts failures (ftpool_failed()) and expired jobs (ftpool_expired()) from
 * 0 again, and opens the pool if it was shut down. Running jobs go on and leave their outcomes. Waits only for a
 * shutdown in progress. `*out_count` is how many jobs were cancelled; `out_count` may be NULL.
 *
 * **Ownership:** as ftpool_cancel(). **Thread safety:** any thread. **Returns:** FTPOOL_OK, always for an open pool;
 * else as ftpool_reopen().
 */
FTPOOL_API ftpool_status ftpool_clear(ftpool *pool, int64_t timeout_ns, size_t *out_count);

/**
 * Shuts down every pool of the process, including ftpool_default(): closes them all, then waits until all have ended.
 * Pools that are made later and abandoned ones are left alone. May be called again. The pools must still be freed.
 *
 * **Thread safety:** any thread but a pool's. **Returns:** as ftpool_shutdown(); FTPOOL_E_DEADLOCK in a job of any of
 * the pools: nothing was done.
 */
FTPOOL_API ftpool_status ftpool_shutdown_all(uint32_t mode, int64_t timeout_ns);

/**
 * Gives up a pool with a job that never ends: closes it without waiting. Accepted jobs still run. Threads and memory
 * are released when the last job ends, if it ever does. To keep queued jobs from running, call ftpool_shutdown() with
 * FTPOOL_SHUTDOWN_CANCEL and FTPOOL_NOW first. NULL is accepted and ignored.
 *
 * **Ownership:** the pool is gone, as after ftpool_free(). **Thread safety:** as ftpool_free(), but jobs of the pool
 * may call it as well.
 */
FTPOOL_API void ftpool_abandon(ftpool *pool);

/**
 * Whether the pool would accept a job from the calling thread. If a hook has failed, `*out_cause` says which and why,
 * else it is NULL; `out_cause` may be NULL.
 *
 * **Ownership:** the text belongs to the library, and is valid until the calling thread reads an outcome or calls this
 * again. This call also ends the validity of earlier texts, see ftpool_result. **Thread safety:** any thread.
 * **Returns:** FTPOOL_OK; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN; FTPOOL_E_FORKED; FTPOOL_E_INVALID if `pool` is NULL.
 */
FTPOOL_API ftpool_status ftpool_check(ftpool *pool, const char **out_cause);

/**
 * Marks the running job as failed: when it returns, its value is ignored and it ends FTPOOL_OUTCOME_FAILED with this
 * code and message. Of several calls, the last one counts. `message` may be NULL. A callback returns a code instead;
 * there, this changes nothing.
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
 * Whether the running job was asked to stop, by ftpool_job_cancel() or by the config's overrun hook. A long job should
 * check this from time to time and return early.
 *
 * **Thread safety:** in a job, on the thread that runs it. **Returns:** 1 if so; 0 if not, and outside a job.
 */
FTPOOL_API int32_t ftpool_self_cancelled(void);

/**
 * The pool whose job the calling thread is running.
 *
 * **Ownership:** the pool belongs to whoever made it. **Thread safety:** any thread. **Returns:** the pool; NULL
 * outside a job.
 */
FTPOOL_API ftpool *ftpool_current(void);

/**
 * Which worker of its pool the calling thread is: an index into per-worker data.
 *
 * **Thread safety:** any thread. **Returns:** 0 to ftpool_worker_limit() − 1; −1 (FTPOOL_E_INVALID) on every thread
 * that is no worker of a pool, also in the body of a loop that such a thread calls; and in a job that its submitter
 * runs (FTPOOL_POLICY_CALLER_RUNS), whichever thread that is.
 */
FTPOOL_API int32_t ftpool_worker_index(void);

/**
 * Makes a clock. It starts at zero; its wall clock starts at the system's current time.
 *
 * **Ownership:** the caller owns the clock and ends it with ftpool_clock_free(), before or after its pools.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_clock` is NULL.
 */
FTPOOL_API ftpool_status ftpool_clock_new(ftpool_clock **out_clock);

/**
 * Frees a clock. Pools that use it live on, but time stands still for them. NULL is accepted and ignored.
 *
 * **Ownership:** the clock is gone. **Thread safety:** no other call on the clock may be under way or follow.
 */
FTPOOL_API void ftpool_clock_free(ftpool_clock *clock);

/**
 * Advances the clock. When this returns, the jobs that have become due are queued, in the order of their due times,
 * those by the wall clock after the others; they may have started, or even ended. If there are more than 64, the
 * others follow as workers get to them; ftpool_wait_idle() waits for them.
 *
 * Jobs whose start deadline has passed have ended, too. Their callbacks and the overrun hook are called here and may
 * advance the clock: what becomes overdue by that is seen to after they have returned.
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
 * How many nanoseconds the clock has advanced since it was made.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `clock` is NULL.
 */
FTPOOL_API int64_t ftpool_clock_elapsed(const ftpool_clock *clock);

/**
 * Makes a semaphore with `value` permits, as FTPOOL_SEMAPHORE_INIT(value) does.
 *
 * **Ownership:** the memory belongs to the caller. **Thread safety:** before other threads know the semaphore.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL or `value` is above FTPOOL_SEMAPHORE_MAX.
 */
FTPOOL_API ftpool_status ftpool_semaphore_init(ftpool_semaphore *semaphore, uint32_t value);

/**
 * Makes a fair semaphore with `value` permits, as FTPOOL_SEMAPHORE_INIT_FAIR(value) does.
 *
 * **Ownership:** the memory belongs to the caller. **Thread safety:** before other threads know the semaphore.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL or `value` is above FTPOOL_SEMAPHORE_MAX.
 */
FTPOOL_API ftpool_status ftpool_semaphore_init_fair(ftpool_semaphore *semaphore, uint32_t value);

/**
 * Acquires a permit, waiting for it as long as it takes.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_SHUTDOWN if the semaphore is closed, or is closed
 * meanwhile; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_acquire(ftpool_semaphore *semaphore);

/**
 * Acquires a permit if one is available and nobody is queued for it.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT if there is none; FTPOOL_E_SHUTDOWN if the
 * semaphore is closed; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_try_acquire(ftpool_semaphore *semaphore);

/**
 * Acquires `permits` permits at once, or none, waiting for them up to `timeout_ns`. Nobody overtakes a thread that
 * waits for more than one.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_SHUTDOWN if the semaphore is closed,
 * or is closed meanwhile; FTPOOL_E_INVALID if `semaphore` is NULL, `timeout_ns` is not valid or `permits` is above
 * FTPOOL_SEMAPHORE_MAX.
 */
FTPOOL_API
ftpool_status ftpool_semaphore_acquire_for(ftpool_semaphore *semaphore,
                                           uint32_t permits,
                                           int64_t timeout_ns);

/**
 * Releases `permits` permits, or adds new ones, and wakes at most as many waiters. Allowed on a closed semaphore.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_OVERFLOW if there would be more than
 * FTPOOL_SEMAPHORE_MAX: nothing was added; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_release(ftpool_semaphore *semaphore, uint32_t permits);

/**
 * As ftpool_semaphore_release(). This function exists for its inlined part, and programs need not call it.
 *
 * **Thread safety**, **Returns:** as ftpool_semaphore_release().
 */
FTPOOL_API ftpool_status ftpool_semaphore_release_slow(ftpool_semaphore *semaphore, uint32_t permits);

/**
 * The number of permits available at this moment.
 *
 * **Thread safety:** any thread. **Returns:** their number; 0 if `semaphore` is NULL.
 */
FTPOOL_API uint32_t ftpool_semaphore_value(const ftpool_semaphore *semaphore);

/**
 * Closes the semaphore: all waiters and all later requests get FTPOOL_E_SHUTDOWN. The memory may be reused when their
 * calls have returned.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_close(ftpool_semaphore *semaphore);

/**
 * Waits for the lock and acquires it. The pointer is not checked.
 *
 * **Thread safety:** any thread that does not have the lock.
 */
FTPOOL_API void ftpool_lock_acquire(ftpool_lock *lock);

/**
 * Acquires the lock if it is free. The pointer is not checked.
 *
 * **Thread safety:** any thread. **Returns:** whether the caller has the lock now.
 */
FTPOOL_API bool ftpool_lock_try_acquire(ftpool_lock *lock);

/**
 * Waits for the lock up to `timeout_ns` and acquires it.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK if the caller has the lock now; FTPOOL_TIMEOUT;
 * FTPOOL_E_INVALID if `lock` is NULL or `timeout_ns` is not valid.
 */
FTPOOL_API ftpool_status ftpool_lock_acquire_for(ftpool_lock *lock, int64_t timeout_ns);

/**
 * Releases the lock. The pointer is not checked. Releasing a free lock is harmless unless somebody is acquiring it at
 * the same time.
 *
 * **Ownership:** see ftpool_lock for when its memory may be freed. **Thread safety:** any thread, on behalf of the one
 * that has the lock.
 */
FTPOOL_API void ftpool_lock_release(ftpool_lock *lock);

/**
 * As ftpool_lock_release(), but reports a lock that is not held.
 *
 * **Thread safety:** any thread, on behalf of the one that has the lock. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if
 * `lock` is NULL or nobody has the lock; then nothing has changed.
 */
FTPOOL_API ftpool_status ftpool_lock_release_checked(ftpool_lock *lock);

/**
 * Wakes the next waiter. ftpool_lock_release() does so where it has to; this function exists for its inlined part, and
 * programs need not call it.
 *
 * **Thread safety:** any thread, at any time.
 */
FTPOOL_API void ftpool_lock_wake_next(ftpool_lock *lock);

/**
 * Whether the lock is held at this moment.
 *
 * **Thread safety:** any thread. **Returns:** whether it is; false if `lock` is NULL.
 */
FTPOOL_API bool ftpool_lock_locked(const ftpool_lock *lock);

/**
 * Sets an event and wakes all waiters. Setting it again does nothing.
 *
 * **Ownership:** on Linux, whoever has seen the event may free it. **Thread safety:** any thread. **Returns:**
 * FTPOOL_OK; FTPOOL_E_INVALID if `event` is NULL.
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
 * **Thread safety:** any thread. **Returns:** whether it has; false if `event` is NULL.
 */
FTPOOL_API bool ftpool_event_is_set(const ftpool_event *event);

/**
 * Adds `things` to the count. Call it before they begin, or all may seem done too early.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_OVERFLOW if there would be more than 2³¹ − 1;
 * FTPOOL_E_INVALID if `group` is NULL.
 */
FTPOOL_API ftpool_status ftpool_wait_group_add(ftpool_wait_group *group, uint32_t things);

/**
 * Marks one thing as done. The last one wakes all waiters.
 *
 * **Ownership:** on Linux, whoever has seen that all is done may free the group. **Thread safety:** any thread.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `group` is NULL or nothing is in progress.
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
 * The name of a status, such as "FTPOOL_E_INVALID"; "FTPOOL_?" for any other number.
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
/* The fast paths of locks and semaphores, which optimising compilers inline; everything else is done in the library.
 * The addresses of these functions are those of the library's. -DFTPOOL_NO_INLINE leaves them out, and so does
 * ThreadSanitizer, which has to see both sides in the library. How they work is explained in src/sync/README.md.
 * The numbers below are part of the ABI. */
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
    if (semaphore) {
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
    if (semaphore) {
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
