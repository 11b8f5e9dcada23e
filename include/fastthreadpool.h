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
 * Where to find what
 *
 * Jobs      ftpool_submit() runs a job. ftpool_submit_job() also returns a handle, and ftpool_job_join() waits for the
 *           job's value. ftpool_results_submit() collects the outcomes of many jobs, for ftpool_results_next().
 *           ftpool_for(), ftpool_map() and ftpool_reduce() are parallel loops.
 * Failures  A job fails by ftpool_fail(), or by the return value of its callback. ftpool_result.outcome tells how a job
 *           has ended; ftpool_failed() counts failures, and ftpool_config.failed is called for each. A loop in which
 *           ftpool_fail() is called stops; ftpool_loop_failure() tells why.
 * Limits    ftpool_config.workers limits the threads, max_queued the queue; ftpool_group_new() the jobs of one kind that
 *           run at a time; ftpool_results_options.done_max the unread outcomes.
 * Timers    ftpool_submit_later() delays a job, ftpool_schedule() repeats one, and ftpool_submit_timed() has options for
 *           both. ftpool_submit_options delays a job with a handle or a callback.
 * Timeouts  Nearly every wait takes a timeout. ftpool_submit_options has a start deadline and a run limit for a job,
 *           and ftpool_cancel() cancels a job that has not started.
 * Shutdown  ftpool_free() runs the queued jobs. ftpool_shutdown() runs or cancels them, with a timeout. Both cancel
 *           delayed and scheduled jobs that are not due.
 *
 * Conventions that every call follows
 *
 * Status    Calls return an ftpool_status: 0 is success, above 0 is not done but no error, below 0 is an error.
 *           ftpool_status_message() says what to do.
 * NULL      A NULL object gives FTPOOL_E_INVALID; every _free accepts NULL; getters return 0 or NULL.
 * Outputs   come last (out_...) and are written on success only, unless a call says otherwise; pointers to new objects
 *           are NULL after a failure.
 * Time      is in nanoseconds. As a timeout, FTPOOL_NOW does not wait, FTPOOL_FOREVER waits without a limit, and other
 *           negative values are FTPOOL_E_INVALID. Huge values mean forever; nothing overflows.
 * Structs   begin with their size. Initialise them with their _INIT macro; 0 in a field means its default.
 * Ownership A submit that does not return FTPOOL_OK took nothing. The library frees no argument or value by itself: to
 *           free the argument however its job ends, also if it is cancelled, use ftpool_submit_options.arg_free; for
 *           values that nobody reads, ftpool_results_options.value_free.
 * Memory    FTPOOL_E_NOMEM is about the memory of queues. Small things come from malloc(), and the process aborts if
 *           there is none: objects, a thread's first submits, submits with options, batches, schedules, callbacks,
 *           lists of jobs. What ftpool_submit() and handles without options need after that is in the queues.
 * Threads   Jobs run on worker threads. A pool with timers, start deadlines or run limits also has a timer thread, and
 *           a results object with a callback has a thread of its own. All of them block asynchronous signals. Processes
 *           that a job starts inherit that: clear the mask with sigprocmask() before exec, or with
 *           posix_spawnattr_setsigmask(). No function may be called in a signal handler.
 * Exit      A pool does not keep the process alive. Once exit() has begun, no further job starts, submits and waits
 *           return FTPOOL_E_SHUTDOWN, and ftpool_free() does not wait. Functions registered with atexit() after the
 *           first pool was made, and destructors of static objects constructed after it, run before that.
 * Fork      In the child, the parent's pools have no threads: submits and waits return FTPOOL_E_FORKED, loops run on
 *           the caller, and nothing waits. Make new pools there. Code that a loop or ftpool_join() runs on the caller
 *           must not fork and return in the child: the call would wait there for parts that stayed in the parent.
 * Unwinding No panic leaves this library. A C++ exception or pthread_exit() that leaves a job aborts the process.
 *           A thread must not be cancelled by pthread_cancel() in a call that makes, shuts down, reopens or frees a
 *           pool, or frees a results object (ftpool_new(), ftpool_shutdown(), ftpool_results_free(), ...), or in
 *           ftpool_results_fd(): disable it there with pthread_setcancelstate(). Other calls run to their end first.
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
#define FTPOOL_SUBMIT_OPTIONS_INIT {sizeof(ftpool_submit_options), NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, 0, NULL, 0, 0, 0}
#define FTPOOL_TIMER_OPTIONS_INIT {sizeof(ftpool_timer_options), NULL, NULL, 0, 0, 0, 0, 0, FTPOOL_MISSED_SKIP, 0}

/* Words that are accessed atomically are aligned to their size, also in 32-bit programs. */
#ifndef FTPOOL_ALIGNED
#ifdef __GNUC__
#define FTPOOL_ALIGNED(bytes) __attribute__((__aligned__(bytes)))
#else
#define FTPOOL_ALIGNED(bytes)
#endif
#endif

/* Stands before every declaration of a function. Define it if your platform needs an attribute there. */
#ifndef FTPOOL_API
#define FTPOOL_API
#endif


/**
 * A timeout of 0: do not wait.
 */
#define FTPOOL_NOW 0

/**
 * No timeout: wait without a limit.
 */
#define FTPOOL_FOREVER (-1)

/**
 * A level of ftpool_log_hook: a job or a hook has failed.
 */
#define FTPOOL_LOG_ERROR 1

/**
 * A mode of ftpool_shutdown(): queued jobs run, and so do jobs that they submit.
 */
#define FTPOOL_SHUTDOWN_DRAIN 0

/**
 * A mode of ftpool_shutdown(): queued jobs are cancelled; running jobs finish, and cannot submit others.
 */
#define FTPOOL_SHUTDOWN_CANCEL 1

/**
 * ftpool_config.policy: if the queue is full, a submit waits until there is room.
 */
#define FTPOOL_POLICY_BLOCK 0

/**
 * ftpool_config.policy: if the queue is full, a submit waits for policy_timeout_ns, then returns FTPOOL_FULL.
 */
#define FTPOOL_POLICY_TIMED 1

/**
 * ftpool_config.policy: if the queue is full, a submit returns FTPOOL_FULL at once.
 */
#define FTPOOL_POLICY_REJECT 2

/**
 * ftpool_config.policy: if the queue is full, the submitting thread runs the job itself, in the call.
 */
#define FTPOOL_POLICY_CALLER_RUNS 3

/**
 * ftpool_config.policy: if the queue is full, the queued job with the lowest id is cancelled to make room. That is the
 * oldest of its thread, and with ftpool_config.ordered the oldest of all.
 */
#define FTPOOL_POLICY_DISCARD_OLDEST 4

/**
 * ftpool_config.policy: every submit waits until a worker starts its job; max_queued is ignored.
 */
#define FTPOOL_POLICY_HAND_OFF 5

/**
 * Passed to ftpool_config.water_callback: the number of queued jobs has fallen to low_water.
 */
#define FTPOOL_WATER_LOW 0

/**
 * Passed to ftpool_config.water_callback: the number of queued jobs has risen to high_water.
 */
#define FTPOOL_WATER_HIGH 1

/**
 * ftpool_result.outcome: the job returned a value.
 */
#define FTPOOL_OUTCOME_DONE 0

/**
 * ftpool_result.outcome: the job called ftpool_fail(), a callback of it failed, or it panicked.
 */
#define FTPOOL_OUTCOME_FAILED 1

/**
 * ftpool_result.outcome: the job was cancelled before it started.
 */
#define FTPOOL_OUTCOME_CANCELLED 2

/**
 * ftpool_result.outcome: the job did not start before its start deadline.
 */
#define FTPOOL_OUTCOME_EXPIRED 3

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
 * A job's state: it did not start before its start deadline.
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
 * A flag of ftpool_submit_options: the job goes ahead of every queued job of the pool, or of its group.
 */
#define FTPOOL_SUBMIT_FIRST 1

/**
 * A flag of ftpool_submit_options: the job emits its values with ftpool_emit(); what it returns is ignored.
 */
#define FTPOOL_SUBMIT_EMITS 2

/**
 * A flag of ftpool_submit_options: the outcome has the job's argument in ftpool_result.arg. Not with
 * FTPOOL_SUBMIT_EMITS, because such a job may end without an outcome. If the outcome is not read, the argument is
 * lost: value_free is called with values only.
 */
#define FTPOOL_SUBMIT_RETURN_ARG 4

/**
 * A flag of ftpool_submit_options: a `wall_ns` that has passed means now, and is not an error.
 */
#define FTPOOL_SUBMIT_OR_NOW 8

/**
 * A flag of ftpool_submit_options: when due, a delayed job goes behind the queued jobs, not ahead of them.
 */
#define FTPOOL_SUBMIT_BACK 16

/**
 * A priority of a group: its jobs take turns with jobs outside groups.
 */
#define FTPOOL_PRIORITY_NORMAL 0

/**
 * A priority of a group: its jobs come before jobs outside groups, but after those of ftpool_submit_first().
 */
#define FTPOOL_PRIORITY_HIGH 1

/**
 * A priority of a group: its jobs come when no other job is queued.
 */
#define FTPOOL_PRIORITY_LOW 2

/**
 * ftpool_timer_options.missed: ticks that are due while the job of an earlier tick is queued or running are skipped.
 * If several ticks are due at once, because a clock has jumped, the job runs once.
 */
#define FTPOOL_MISSED_SKIP 0

/**
 * ftpool_timer_options.missed: such ticks are merged into one run, as soon as the earlier job has ended. If several
 * ticks are due at once, because a clock has jumped, the job runs once.
 */
#define FTPOOL_MISSED_COALESCE 1

/**
 * ftpool_timer_options.missed: each such tick queues a job. Jobs may pile up, and several may run at the same time.
 */
#define FTPOOL_MISSED_QUEUE 2

/**
 * A flag of ftpool_timer_options: when due, the job goes behind the queued jobs, not ahead of them.
 */
#define FTPOOL_TIMER_BACK 1

/**
 * A flag of ftpool_timer_options: the interval counts from the end of each run, so that no ticks are missed.
 */
#define FTPOOL_TIMER_FIXED_DELAY 2

/**
 * A flag of ftpool_timer_options: the schedule ends after a run that fails.
 */
#define FTPOOL_TIMER_STOP_ON_ERROR 4

/**
 * A flag of ftpool_timer_options: a `wall_ns` that has passed means now, and is not an error.
 */
#define FTPOOL_TIMER_OR_NOW 8

/**
 * A flag of ftpool_timer_options: the first tick of a schedule comes now, not after one interval. `delay_ns` and
 * `wall_ns` must be 0.
 */
#define FTPOOL_TIMER_AT_ONCE 16

/**
 * A flag of ftpool_cancel_all(): cancel the jobs that are queued.
 */
#define FTPOOL_CANCEL_QUEUED 1

/**
 * A flag of ftpool_cancel_all(): cancel the delayed jobs that are not due yet, and the schedules.
 */
#define FTPOOL_CANCEL_TIMERS 2

/**
 * The most permits a semaphore can have.
 */
#define FTPOOL_SEMAPHORE_MAX 2147483647

/**
 * The status that a call returns. 0: success. Above 0: not done, but not an error. Below 0: an error; unless the
 * call's documentation says otherwise, nothing was done. Numbers are never reused; future versions may add more.
 */
enum ftpool_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Success.
     */
    FTPOOL_OK = 0,
    /**
     * The timeout passed first. What was waited for goes on; call again to wait longer.
     */
    FTPOOL_TIMEOUT = 1,
    /**
     * There is nothing to return, and there will not be; or there is no such job, or it is too late for it.
     */
    FTPOOL_EMPTY = 2,
    /**
     * The job was cancelled. Only in ftpool_result.error_code.
     */
    FTPOOL_CANCELLED = 3,
    /**
     * The queue is full. Try again when jobs have run.
     */
    FTPOOL_FULL = 4,
    /**
     * An argument is not valid, or the call is not valid on this thread.
     */
    FTPOOL_E_INVALID = -1,
    /**
     * The system has no memory. Let queued jobs finish first.
     */
    FTPOOL_E_NOMEM = -2,
    /**
     * The pool was shut down, the semaphore was closed, or the process exits.
     */
    FTPOOL_E_SHUTDOWN = -3,
    /**
     * The call would wait for its own end: a job waits for its pool, or for a job that waits for it.
     */
    FTPOOL_E_DEADLOCK = -4,
    /**
     * The system refused to start a thread that the call needs; errno tells more.
     */
    FTPOOL_E_THREAD = -5,
    /**
     * A struct has fields that this version of the library does not know, and they are not 0. Install a newer library.
     */
    FTPOOL_E_VERSION = -6,
    /**
     * A job or callback panicked.
     */
    FTPOOL_E_PANIC = -7,
    /**
     * The job, or the body of the loop, failed.
     */
    FTPOOL_E_JOB = -8,
    /**
     * The process was forked, and the pool's threads exist only in the parent. Make a new pool.
     */
    FTPOOL_E_FORKED = -9,
    /**
     * A hook of the pool has failed. Make a new pool.
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
     * The results object has a callback, which receives the outcomes.
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
 * A thread pool. Made by ftpool_new().
 */
typedef struct ftpool ftpool;

/**
 * A clock that advances only when it is told to, for tests of programs with delayed and scheduled jobs. Put it into
 * ftpool_config.clock; several pools may use it. Timeouts of calls do not go by it.
 */
typedef struct ftpool_clock ftpool_clock;

/**
 * A set of handles, which returns them as their jobs end, starting with those that have ended already. The cost of
 * each does not depend on how many there are. For a few jobs, ftpool_wait_jobs() is simpler.
 */
typedef struct ftpool_completed ftpool_completed;

/**
 * Jobs of a pool that share a limit on how many run at a time, and that can be cancelled and waited for together. They
 * wait in a queue of their own, so that a group at its limit does not block workers.
 */
typedef struct ftpool_group ftpool_group;

/**
 * A handle to one job, to wait for it, to read its outcome, or to cancel it.
 */
typedef struct ftpool_job ftpool_job;

/**
 * A results object collects the outcomes of many jobs, in a done queue and a failed queue. Every job submitted through
 * it leaves exactly one outcome: a value in the done queue, or a failure (failed, cancelled or expired) in the failed
 * queue. (Jobs that emit and schedules leave more.)
 */
typedef struct ftpool_results ftpool_results;

/**
 * Called on a worker thread with the context of the config and the worker's index.
 */
typedef void (*ftpool_worker_hook)(void *context, uint32_t worker);

/**
 * The id of an accepted job, unique in the process and never reused. 0 is no job's id.
 */
typedef uint64_t ftpool_job_id;

/**
 * Called for a job that has failed, with the context of the config, and the code and message of its ftpool_result. The
 * message belongs to the library, and is valid only during the call.
 */
typedef void (*ftpool_failed_hook)(void *context, ftpool_job_id id, int32_t code, const char *message);

/**
 * Called with the context of the config, FTPOOL_LOG_ERROR and a line of text, which belongs to the library and is
 * valid only during the call. Later versions may have more levels.
 */
typedef void (*ftpool_log_hook)(void *context, uint32_t level, const char *line);

/**
 * Called with FTPOOL_WATER_HIGH or FTPOOL_WATER_LOW and the number of queued jobs. The calls alternate and are never
 * concurrent. They are made on a thread that submits or cancels, on the timer thread, or on a worker between two jobs,
 * so the function should be short. It must return, as a job must.
 */
typedef void (*ftpool_water_fn)(void *context, uint32_t mark, size_t queued);

/**
 * Called for a job that has exceeded its run limit, with the context of the config, the job's id and name, and for how
 * many nanoseconds it has been running. If it returns anything but 0, the job is asked to stop
 * (ftpool_self_cancelled()). The name belongs to the library, and is valid only during the call.
 */
typedef int32_t (*ftpool_overrun_hook)(void *context, ftpool_job_id id, const char *name, uint64_t ran_ns);

/**
 * The configuration of a pool, for ftpool_new(). Initialise it with FTPOOL_CONFIG_INIT, then set the fields that
 * should not have their defaults. 0 in a field means its default.
 */
typedef struct ftpool_config {
    /**
     * sizeof(ftpool_config), set by FTPOOL_CONFIG_INIT. It tells the library which header the program was compiled
     * with.
     */
    size_t size;
    /**
     * The limit on workers, up to 32 768. 0, or −9999 and below: one for each usable processor, as counted by affinity
     * and cgroup quota. −1 to −9998: that many fewer than the usable processors.
     */
    int32_t workers;
    /**
     * 1: jobs start in the order of submission across all threads. 0: only the jobs of one thread are in order.
     */
    uint32_t ordered;
    /**
     * The prefix of the threads' names, which are `<name>-0`, `<name>-1` and so on. NULL means "ThreadPool". Copied.
     * Where the system keeps fewer bytes (Linux: 15), the prefix is cut, not the number.
     */
    const char *name;
    /**
     * The stack size of workers in bytes. 0 means that of new Rust threads: 2 MiB, or RUST_MIN_STACK.
     */
    size_t stack_size;
    /**
     * 1: outcomes say how long jobs were queued and ran, which costs three clock reads and an allocation for each job
     * with an outcome. 0: that is not measured.
     */
    uint32_t timing;
    /**
     * Called in each worker before its first job. May be NULL. If it calls ftpool_fail(), the pool is broken: queued
     * jobs are cancelled, and every later submit returns FTPOOL_E_BROKEN; ftpool_check() tells why.
     */
    ftpool_worker_hook start;
    /**
     * Called in each worker after its last job, unless its start hook has failed. May be NULL. If it calls
     * ftpool_fail(), the pool is broken; the worker and a shutdown end as usual. It may submit jobs to its own pool
     * only if the worker leaves an open pool (idle_timeout_ns, jobs_per_worker, extra_workers).
     */
    ftpool_worker_hook stop;
    /**
     * Called once for every job that fails, with or without an outcome, before that can be read: on the thread that
     * has run the job, or on the one that cancelled or expired it, if then its callback fails; possibly on several
     * threads at a time. May be NULL.
     */
    ftpool_failed_hook failed;
    /**
     * Called with a line of text where `failed` is called, and when a hook breaks the pool; possibly on several
     * threads at a time. May be NULL.
     */
    ftpool_log_hook log;
    /**
     * Passed to the four functions above, and to overrun. It must stay valid until the threads have ended.
     */
    void *context;
    /**
     * What a submit does when max_queued jobs are queued: FTPOOL_POLICY_BLOCK, _TIMED, _REJECT, _CALLER_RUNS,
     * _DISCARD_OLDEST or _HAND_OFF. The pool's own jobs never wait: they may submit above the limit. So may callbacks
     * of jobs that end without having run. Delayed and scheduled jobs are queued above the limit when they are due.
     */
    uint32_t policy;
    /**
     * The most jobs that may be queued, that is accepted but not started. 0 means no limit.
     */
    size_t max_queued;
    /**
     * How long a submit waits with FTPOOL_POLICY_TIMED. 0: it does not wait. FTPOOL_FOREVER: without a limit.
     */
    int64_t policy_timeout_ns;
    /**
     * The lower mark of water_callback. Without a callback, the marks have no effect.
     */
    size_t low_water;
    /**
     * The upper mark of water_callback, which must be above the lower one, and therefore not 0.
     */
    size_t high_water;
    /**
     * Called when the number of queued jobs has risen to high_water, and when it has then fallen to low_water. May be
     * NULL.
     */
    ftpool_water_fn water_callback;
    /**
     * Passed to water_callback. It must stay valid as long as `context`.
     */
    void *water_context;
    /**
     * A clock for delayed and scheduled jobs, for tests. NULL means the system's clocks.
     */
    ftpool_clock *clock;
    /**
     * How long an idle worker stays before its thread ends: an idle pool shrinks, down to no threads, and grows again
     * when there are jobs. 0 and FTPOOL_FOREVER: workers stay.
     */
    int64_t idle_timeout_ns;
    /**
     * How many jobs a worker runs before a new thread replaces it, for jobs that leak per-thread state. 0: no limit. A
     * limit costs throughput, because workers then take jobs one at a time.
     */
    uint64_t jobs_per_worker;
    /**
     * How many workers there may be beyond the limit, one for each job that is in ftpool_blocking(). Cut so that there
     * are at most 32 768 workers in all. ftpool_worker_limit() includes them. 0: none.
     */
    uint32_t extra_workers;
    /**
     * Called with `context` once for every job that exceeds its run_limit_ns (ftpool_submit_options), as soon as it
     * does, usually on the timer thread, where it delays other timers: it should be short. May be NULL; then run
     * limits have no effect.
     */
    ftpool_overrun_hook overrun;
} ftpool_config;

/**
 * A job's function, with the signature of pthread start routines. What it returns is the job's value. It must return:
 * a C++ exception, pthread_exit() or any other unwinding out of it aborts the process.
 */
typedef void *(*ftpool_fn)(void *arg);

/**
 * The outcome of a job. Initialise it with FTPOOL_RESULT_INIT.
 */
typedef struct ftpool_result {
    /**
     * sizeof(ftpool_result), set by FTPOOL_RESULT_INIT. The library does not change it.
     */
    size_t size;
    /**
     * The id of the job.
     */
    ftpool_job_id id;
    /**
     * What the job returned if the outcome is FTPOOL_OUTCOME_DONE; otherwise NULL.
     */
    void *value;
    /**
     * What went wrong if the outcome is not FTPOOL_OUTCOME_DONE; otherwise NULL. It belongs to the library, and is
     * valid until the calling thread next reads an outcome, from any results object or handle, or calls
     * ftpool_loop_failure() or ftpool_check(). Print or copy it before that.
     */
    const char *error_message;
    /**
     * For how many nanoseconds the job was queued; 0 unless ftpool_config.timing is set.
     */
    uint64_t queued_ns;
    /**
     * For how many nanoseconds the job ran; 0 unless ftpool_config.timing is set.
     */
    uint64_t run_ns;
    /**
     * FTPOOL_OUTCOME_DONE, _FAILED, _CANCELLED or _EXPIRED.
     */
    uint32_t outcome;
    /**
     * The code that was passed to ftpool_fail() or returned by a callback; FTPOOL_E_PANIC for a panic,
     * FTPOOL_CANCELLED for a cancelled job, FTPOOL_TIMEOUT for an expired one; otherwise 0.
     */
    int32_t error_code;
    /**
     * The job's argument if it was submitted with FTPOOL_SUBMIT_RETURN_ARG; otherwise NULL.
     */
    void *arg;
    /**
     * The number of the tick of a schedule, as in ftpool_self_tick(); 1 for a delayed job; 0 for other jobs, and for a
     * job that did not start.
     */
    uint64_t tick;
    /**
     * How many nanoseconds after its due time the job started; 0 where `tick` is 0.
     */
    int64_t late_by_ns;
} ftpool_result;

/**
 * Called with an outcome, which belongs to the library and is valid only during the call. It must return, as a job
 * must. On a thread that is no worker of the pool, such as one that cancels the job, it must not wait for that job or
 * its outcome without a timeout, because the job ends only after the call. ftpool_wait_idle(), ftpool_shutdown() and
 * the like return FTPOOL_E_DEADLOCK in it if they would wait for that job, as they do in a job.
 */
typedef int32_t (*ftpool_callback)(void *context, const ftpool_result *result);

/**
 * Frees an argument or a value. It must return, as a job must.
 */
typedef void (*ftpool_free_fn)(void *pointer);

/**
 * The options of a results object, for ftpool_results_new_with(). Initialise it with FTPOOL_RESULTS_OPTIONS_INIT,
 * which means all defaults.
 */
typedef struct ftpool_results_options {
    /**
     * sizeof(ftpool_results_options), set by FTPOOL_RESULTS_OPTIONS_INIT.
     */
    size_t size;
    /**
     * The most unread outcomes that the object holds; 0 means no bound. A worker whose outcome does not fit waits
     * until one is read, the object is freed, or the pool is shut down. Outcomes of jobs that did not run are
     * delivered even above the bound.
     */
    size_t done_max;
    /**
     * Called with every value that was not read when the object is freed, and with those that arrive later; on any
     * thread. May be NULL.
     */
    ftpool_free_fn value_free;
    /**
     * Called with every outcome, on a thread of its own, with one at a time; reading then returns FTPOOL_E_BUSY. The
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
 * Combines two values of ftpool_reduce(): adds `from` to `into`, which is the value of lower items. It must return, as
 * a job must.
 */
typedef void (*ftpool_combine)(void *context, void *into, const void *from);

/**
 * Called with an outcome, as ftpool_callback, and decides how the job ends. If it returns 0, the job is done with the
 * value in `*value`, which on entry is what the job returned, or NULL. If it returns another code, the job fails with
 * that code; a failure whose own code is returned keeps its message. So `return result->error_code` changes nothing.
 * It must free a value that it replaces or refuses. It must return, as a job must.
 */
typedef int32_t (*ftpool_settle_fn)(void *context, const ftpool_result *result, void **value);

/**
 * The options of a job, for ftpool_submit_with(). Initialise it with FTPOOL_SUBMIT_OPTIONS_INIT, which means none.
 */
typedef struct ftpool_submit_options {
    /**
     * sizeof(ftpool_submit_options), set by FTPOOL_SUBMIT_OPTIONS_INIT.
     */
    size_t size;
    /**
     * The results object for the outcome, which must be of the same pool. NULL: none.
     */
    ftpool_results *results;
    /**
     * Called with the outcome before it can be read: on the thread that has run the job, or on the one that cancelled
     * or expired it. If there is neither `results` nor a handle, nobody else sees the value. With FTPOOL_SUBMIT_EMITS
     * it is called with every value, and with the failure if there is one. If it returns anything but 0, the job fails
     * with that code, and the value is passed to the value_free of `results`, if there is one; a failure whose own
     * code is returned stays as it was. May be NULL.
     */
    ftpool_callback callback;
    /**
     * Called instead of `callback`, which must be NULL then, and decides how the job ends. May be NULL.
     */
    ftpool_settle_fn settle;
    /**
     * Passed to `callback` or `settle`. It must stay valid until the job has ended.
     */
    void *callback_context;
    /**
     * Called with the argument exactly once when the accepted job has ended in any way (done, failed, cancelled or
     * expired), after `callback` or `settle` and on the same thread, before the outcome can be read. May be NULL. It
     * must be NULL with FTPOOL_SUBMIT_RETURN_ARG.
     */
    ftpool_free_fn arg_free;
    /**
     * FTPOOL_SUBMIT_FIRST, _EMITS, _RETURN_ARG, _OR_NOW, _BACK, or'ed together; 0 for none.
     */
    uint32_t flags;
    /**
     * A group of the same pool, whose limit and priority then apply. NULL: none.
     */
    ftpool_group *group;
    /**
     * If not 0, a deadline for the start of the job, counted from the submit: a job that no worker has started by then
     * ends FTPOOL_OUTCOME_EXPIRED at that moment, not when a worker would have reached it. Its callback and arg_free
     * are then usually called on the pool's timer thread. A submit that waits for room returns FTPOOL_FULL at the same
     * deadline. FTPOOL_E_THREAD may also mean the timer thread.
     */
    int64_t start_within_ns;
    /**
     * If not 0, ftpool_config.overrun is called once if the job runs longer than this. If the system refuses what that
     * needs (memory, the timer thread), the job runs nevertheless.
     */
    int64_t run_limit_ns;
    /**
     * The name that overrun is called with. Copied. NULL means "".
     */
    const char *name;
    /**
     * If not 0, the job is due this long after the submit, as with ftpool_submit_later(). Not with `group` or
     * `start_within_ns`, and FTPOOL_SUBMIT_FIRST has no effect. A job of the same pool can wait for it only with a
     * time limit.
     */
    int64_t delay_ns;
    /**
     * If not 0, the job is due when the wall clock shows this time, in nanoseconds since 1970, as with
     * ftpool_submit_at(); `delay_ns` must then be 0. Otherwise as `delay_ns`.
     */
    int64_t wall_ns;
    /**
     * How much later a delayed job may be, so that the machine wakes up less often.
     */
    int64_t leeway_ns;
} ftpool_submit_options;

/**
 * When a job is due, and its other options, for ftpool_submit_timed(). Initialise it with FTPOOL_TIMER_OPTIONS_INIT,
 * which means now and once.
 */
typedef struct ftpool_timer_options {
    /**
     * sizeof(ftpool_timer_options), set by FTPOOL_TIMER_OPTIONS_INIT.
     */
    size_t size;
    /**
     * The results object for outcomes, which must be of the same pool. NULL: none. Every run of a schedule leaves an
     * outcome under the schedule's id, and a schedule that is cancelled leaves one more, FTPOOL_OUTCOME_CANCELLED;
     * while the schedule is active, readers wait for more.
     */
    ftpool_results *results;
    /**
     * Called with the argument exactly once when the accepted job has ended in any way; for a schedule, after its last
     * run; on any thread. May be NULL.
     */
    ftpool_free_fn arg_free;
    /**
     * How long after the submit the job is due. For a schedule, 0 means one interval.
     */
    int64_t delay_ns;
    /**
     * If not 0, the job is due when the wall clock shows this time, in nanoseconds since 1970; `delay_ns` must then be
     * 0. All ticks of a schedule then go by the wall clock.
     */
    int64_t wall_ns;
    /**
     * The time from tick to tick; 0 for a job that runs once, for which max_runs, missed and the flags other than
     * FTPOOL_TIMER_BACK and _OR_NOW must be 0.
     */
    int64_t interval_ns;
    /**
     * How much later the job, or the whole schedule, may be, so that the machine wakes up less often.
     */
    int64_t leeway_ns;
    /**
     * The number of runs after which a schedule ends; 0 means no limit. A tick that was cancelled while it was queued
     * counts as a run.
     */
    uint64_t max_runs;
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
 * The function of ftpool_broadcast(); `worker` is the worker's index, as in ftpool_worker_index(). It must return, as
 * a job must.
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
 * A semaphore made by FTPOOL_SEMAPHORE_INIT() is fast but not fair: a thread that has just arrived may get a permit
 * ahead of one that has been waiting. FTPOOL_SEMAPHORE_INIT_FAIR() makes one that grants permits in the order of the
 * requests.
 *
 * What a thread did before it released a permit is visible to the thread that acquires it. On Linux, if a semaphore is
 * not fair and permits are acquired one at a time, a release accesses no memory after it has added the permits: the
 * thread that acquires the last one may free the semaphore's memory.
 */
typedef struct FTPOOL_ALIGNED(8) ftpool_semaphore {
    /**
     * Private to the library.
     */
    uint64_t opaque[4];
} ftpool_semaphore;

/**
 * A mutual exclusion lock for short critical sections; it needs no pool. It lives in the program's memory, allocates
 * nothing and needs no clean-up: `static ftpool_lock lock = FTPOOL_LOCK_INIT;`. Zeroed memory is a free lock. It must
 * not be copied or moved while it is in use. It is not recursive. Any thread may release it, not only the one that
 * acquired it.
 *
 * A release accesses the lock even after another thread may have acquired it. So free its memory only when every call
 * of ftpool_lock_release() has returned, for example after joining the threads that used it.
 *
 * The fast paths are inlined in optimised programs (see the end of the header). In C++ it is a *Lockable*:
 * `std::lock_guard<ftpool_lock> guard(lock);`.
 */
typedef struct ftpool_lock {
    /**
     * Private to the library.
     */
    uint32_t opaque[2];
#ifdef __cplusplus
    void lock();
    bool try_lock();
    void unlock();
#endif  // __cplusplus
} ftpool_lock;

/**
 * An event that is set once, and that any number of threads can wait for. It lives in the program's memory, allocates
 * nothing and needs no clean-up: `static ftpool_event ready = FTPOOL_EVENT_INIT;`. Zeroed memory is an event that is
 * not set. What a thread did before ftpool_event_set() is visible to threads that have seen the event set.
 */
typedef struct ftpool_event {
    /**
     * Private to the library.
     */
    uint32_t opaque;
} ftpool_event;

/**
 * A count of tasks in progress; any number of threads can wait until it is 0. It lives in the program's memory,
 * allocates nothing and needs no clean-up: `ftpool_wait_group group = FTPOOL_WAIT_GROUP_INIT;`. Zeroed memory is a
 * group whose count is 0. What a thread did before ftpool_wait_group_done() is visible to threads that have waited.
 */
typedef struct ftpool_wait_group {
    /**
     * Private to the library.
     */
    uint32_t opaque;
} ftpool_wait_group;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* ---------- Pools ---------- */

/**
 * Makes a pool. Its threads are started when there are jobs for them. `config` may be NULL, which means all defaults.
 *
 * **Ownership:** the caller owns the pool and frees it with ftpool_free(). The config and its name are copied.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_pool` is NULL or a field of the
 * config is not valid; FTPOOL_E_VERSION if the config comes from a newer header and uses fields that this library does
 * not know. `*out_pool` is NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_new(const ftpool_config *config, ftpool **out_pool);

/**
 * Frees a pool: waits until every accepted job has run, ends the threads, frees the memory. Delayed and scheduled jobs
 * that are not due are cancelled. In a job of the pool it does not wait: then the pool ends by itself after its last
 * job. NULL is accepted and ignored.
 *
 * **Ownership:** the pool is gone. Its results objects, handles and groups must still be freed; outcomes can still be
 * read. **Thread safety:** this waits for calls that other threads have begun; a call that begins later is a bug in
 * the program. If other threads may still use the pool, call ftpool_shutdown() first.
 */
FTPOOL_API void ftpool_free(ftpool *pool);

/**
 * Shuts a pool down, and waits until its threads have ended. Queued jobs run, and from now on only the pool's own jobs
 * can submit (FTPOOL_SHUTDOWN_DRAIN); or queued jobs are cancelled, and nobody can submit (FTPOOL_SHUTDOWN_CANCEL). In
 * both cases delayed and scheduled jobs that are not due are cancelled, and running jobs finish; then the threads end.
 * May be called again, from any thread, to wait for the same shutdown. The pool must still be freed; ftpool_reopen()
 * opens it again.
 *
 * **Ownership:** as ftpool_cancel(), for each cancelled job. **Thread safety:** any thread but the pool's own.
 * **Returns:** FTPOOL_OK: all threads have ended; FTPOOL_TIMEOUT: the shutdown goes on, call again to wait longer;
 * FTPOOL_E_DEADLOCK in a job of this pool: nothing was done; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits,
 * and this does not wait; FTPOOL_E_INVALID if `pool` is NULL or ftpool_default(), or the mode or the timeout is not
 * valid.
 */
FTPOOL_API ftpool_status ftpool_shutdown(ftpool *pool, uint32_t mode, int64_t timeout_ns);

/**
 * Waits for a moment at which no job is queued or running. The pool stays open. Delayed and scheduled jobs that are
 * not due are not waited for.
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job
 * of this pool; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `pool` is NULL or the
 * timeout is not valid.
 */
FTPOOL_API ftpool_status ftpool_wait_idle(ftpool *pool, int64_t timeout_ns);

/**
 * The number of worker threads that exist now.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_alive(const ftpool *pool);

/**
 * The number of workers that are running a job now.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_busy(const ftpool *pool);

/**
 * The number of jobs that are queued or running now. Delayed jobs count once they are due.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_pending(const ftpool *pool);

/**
 * The number of jobs that ended FTPOOL_OUTCOME_FAILED since the pool was made or cleared (ftpool_clear()). A job whose
 * callback fails counts here and not as cancelled or expired, even if it never ran.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API uint64_t ftpool_failed(const ftpool *pool);

/**
 * The number of jobs that ended FTPOOL_OUTCOME_EXPIRED, because they missed their start deadline
 * (ftpool_submit_options.start_within_ns), since the pool was made or cleared (ftpool_clear()).
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API uint64_t ftpool_expired(const ftpool *pool);

/**
 * The most worker threads that the pool can have, including extra workers. Every ftpool_worker_index() is below it.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_worker_limit(const ftpool *pool);

/* ---------- Jobs without an outcome ---------- */

/**
 * Queues `function(arg)` to run on a worker. Its value is dropped; a failure is counted (ftpool_failed()). `out_id`
 * may be NULL. To get the value, use ftpool_submit_job() or ftpool_results_submit().
 *
 * **Ownership:** `arg` belongs to the job from now on, unless this fails: then nothing was taken. If the job is
 * cancelled, `arg` is the caller's again; to have it freed in every case, use ftpool_submit_with() and arg_free.
 * **Thread safety:** any thread; the pool's own jobs also while the pool drains. **Returns:** FTPOOL_OK;
 * FTPOOL_E_INVALID if `pool` or `function` is NULL; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN: a hook has failed;
 * FTPOOL_FULL: the queue is full, and the policy in the config does not wait, or did not wait long enough;
 * FTPOOL_E_NOMEM; FTPOOL_E_THREAD: the pool has no worker but those that block, and the system refused to start one;
 * FTPOOL_E_FORKED.
 */
FTPOOL_API ftpool_status ftpool_submit(ftpool *pool, ftpool_fn function, void *arg, ftpool_job_id *out_id);

/**
 * As ftpool_submit(), but ahead of every queued job. Of several such jobs, the last one starts first.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit().
 */
FTPOOL_API ftpool_status ftpool_submit_first(ftpool *pool, ftpool_fn function, void *arg, ftpool_job_id *out_id);

/**
 * Queues `function(args[i])` for each `i` below `count`, which costs less than submitting one by one. Either all jobs
 * are accepted or none is. `out_ids` is NULL or has room for `count` ids.
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
 * Cancels a job that has not started, queued or delayed, so that it will never run; or ends a schedule; a run of it
 * that is in progress goes on. The outcome, if it leaves one, is FTPOOL_OUTCOME_CANCELLED. The cost does not depend on
 * how many jobs are queued.
 *
 * **Ownership:** the job's `arg` belongs to the caller again, unless the job had an arg_free, which has then been
 * called; in both cases not before a run of the schedule in progress has ended. **Thread safety:** any thread.
 * **Returns:** FTPOOL_OK: it is cancelled; FTPOOL_EMPTY: it is running, has ended or was cancelled before, or no job
 * of this pool has this id; FTPOOL_E_INVALID if `pool` is NULL.
 */
FTPOOL_API ftpool_status ftpool_cancel(ftpool *pool, ftpool_job_id id);

/**
 * As ftpool_submit(), but waits for room in the queue no longer than the timeout, whatever the policy is (with
 * FTPOOL_POLICY_HAND_OFF, until a worker starts the job). FTPOOL_NOW does not wait.
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

/* ---------- For running jobs ---------- */

/**
 * Marks the running job as failed: when it returns, its value is ignored, and it ends FTPOOL_OUTCOME_FAILED with this
 * code and message. Of several calls, the last one counts. `message` may be NULL. In the body of a loop such as
 * ftpool_for() it stops the loop instead, and in a start or stop hook it breaks the pool. It has no effect in a
 * callback, which returns a code instead.
 *
 * **Ownership:** the message is copied; bytes that are not UTF-8 become U+FFFD. **Thread safety:** in a job, on the
 * thread that runs it. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID in a callback, and if the thread runs no job, no loop,
 * and no start or stop hook.
 */
FTPOOL_API ftpool_status ftpool_fail(int32_t code, const char *message);

/**
 * Returns the id of the job that the calling thread is running.
 *
 * **Thread safety:** any thread. **Returns:** the id; 0 outside a job.
 */
FTPOOL_API ftpool_job_id ftpool_self_id(void);

/**
 * Returns whether the running job was asked to stop, by ftpool_job_cancel() or by the config's overrun hook. A long
 * job should check this from time to time, and return early.
 *
 * **Thread safety:** in a job, on any thread that runs it or an item of its loops. **Returns:** 1 if so; 0 if not, and
 * outside a job.
 */
FTPOOL_API int32_t ftpool_self_cancelled(void);

/**
 * Returns the pool whose job the calling thread is running.
 *
 * **Ownership:** the pool still belongs to its owner; do not free it. **Thread safety:** any thread. **Returns:** the
 * pool; NULL outside a job.
 */
FTPOOL_API ftpool *ftpool_current(void);

/**
 * Returns the index of the calling worker in its pool, for data that each worker has of its own. No two workers have
 * the same index at a time; when a worker's stop hook has returned, a later worker may get its index.
 *
 * **Thread safety:** any thread. **Returns:** the index, which is less than ftpool_worker_limit(). FTPOOL_E_INVALID
 * (−1) on a thread that is no worker, also in the body of a loop that such a thread calls, and in a job that its
 * submitter runs (FTPOOL_POLICY_CALLER_RUNS).
 */
FTPOOL_API int32_t ftpool_worker_index(void);

/* ---------- Jobs with a handle ---------- */

/**
 * Queues `function(arg)` to run on a worker, and returns a handle to the job in `*out_job`.
 *
 * **Ownership:** `arg` belongs to the job from now on, unless this fails: then nothing was taken. The caller owns the
 * handle and frees it with ftpool_job_release() or ftpool_job_join(), before or after the end of the job and of the
 * pool. **Thread safety**, **Returns:** as ftpool_submit(); FTPOOL_E_INVALID also if `out_job` is NULL. `*out_job` is
 * NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_submit_job(ftpool *pool, ftpool_fn function, void *arg, ftpool_job **out_job);

/**
 * As ftpool_submit_job(), but ahead of every queued job.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_job().
 */
FTPOOL_API ftpool_status ftpool_submit_job_first(ftpool *pool, ftpool_fn function, void *arg, ftpool_job **out_job);

/**
 * Runs `function(arg)` on a worker, waits for its end, and returns its outcome in `*out_result`, which may be NULL. In
 * a job of the same pool it waits as ftpool_job_wait() does.
 *
 * **Ownership:** `arg` as ftpool_submit(), and after FTPOOL_E_DEADLOCK it belongs to the job, for which nobody waits
 * then; for the result see ftpool_job_wait(). **Thread safety:** any thread. **Returns:** FTPOOL_OK: the job has ended
 * in any way (see ftpool_result.outcome); otherwise as ftpool_submit() and ftpool_job_wait(); FTPOOL_E_INVALID also if
 * the result's size is not valid.
 */
FTPOOL_API ftpool_status ftpool_run(ftpool *pool, ftpool_fn function, void *arg, ftpool_result *out_result);

/**
 * Waits until the job has ended, and returns its outcome in `*out_result`, which may be NULL. It may be called again.
 *
 * In a job of the same pool, with FTPOOL_FOREVER, an awaited job that has not started runs in this call (and no other
 * job does), so that one worker is enough. Otherwise, and with a time limit, the worker sleeps.
 *
 * **Ownership:** the library does not touch the value; the program decides which reader owns it. For the message see
 * ftpool_result. **Thread safety:** any thread, several at a time. **Returns:** FTPOOL_OK: the job has ended in any
 * way (see ftpool_result.outcome); FTPOOL_TIMEOUT: the job goes on; FTPOOL_E_DEADLOCK in a job that this one waits
 * for, with FTPOOL_FOREVER for a delayed job of the caller's own pool, or if 64 jobs wait on top of each other on this
 * thread and no other worker is free; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `job`
 * is NULL, the result's size is not valid, or the timeout is not valid.
 */
FTPOOL_API ftpool_status ftpool_job_wait(ftpool_job *job, int64_t timeout_ns, ftpool_result *out_result);

/**
 * Waits as ftpool_job_wait(), and frees the handle if the job has ended.
 *
 * **Ownership:** after FTPOOL_OK the handle is gone, as after ftpool_job_release(); otherwise it is still the
 * caller's. **Thread safety:** no other call on the handle may be under way, or follow after FTPOOL_OK. **Returns:**
 * as ftpool_job_wait().
 */
FTPOOL_API ftpool_status ftpool_job_join(ftpool_job *job, int64_t timeout_ns, ftpool_result *out_result);

/**
 * Cancels the job if it has not started: it will never run, and its waiters are woken. A running job goes on, but is
 * asked to stop; it can check that with ftpool_self_cancelled().
 *
 * **Ownership:** the argument of a cancelled job belongs to the caller again, unless the job had an arg_free, which
 * has then been called. **Thread safety:** any thread. **Returns:** FTPOOL_OK: it will never run (also if it was
 * cancelled before); FTPOOL_EMPTY: it is running or has ended; FTPOOL_E_INVALID if `job` is NULL.
 */
FTPOOL_API ftpool_status ftpool_job_cancel(ftpool_job *job);

/**
 * Returns whether the job is queued, running, or how it has ended.
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
 * Registers `callback(context, result)`, which is called once with the job's outcome, just before waiters see it: on
 * the thread that has run the job, or on the one that cancelled or expired it. If the job has already ended, it is
 * called at once, in this call. Its return value is ignored. `*out_key` is for ftpool_job_remove_callback(); `out_key`
 * may be NULL.
 *
 * **Ownership:** `context` belongs to the caller, and must stay valid until the callback has returned or was removed.
 * The callback is called even after ftpool_job_release(). **Thread safety:** any thread. **Returns:** FTPOOL_OK;
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
 * Frees a handle. The job is not cancelled. NULL is accepted and ignored.
 *
 * **Ownership:** the handle is gone; a value that was not read is lost, and what it points to is not freed. **Thread
 * safety:** no other call on the handle may be under way or follow.
 */
FTPOOL_API void ftpool_job_release(ftpool_job *job);

/**
 * Waits until all of `count` jobs, or the first of them, have ended, as `until` says: FTPOOL_UNTIL_ALL, _FIRST or
 * _FIRST_FAILED. Returns at once if `count` is 0. Jobs may belong to several pools, and may occur more than once.
 * `*out_done` is how many of the `count` have ended, also after FTPOOL_TIMEOUT; `out_done` may be NULL.
 * ftpool_job_state() tells which have ended. To process many jobs as they end, use ftpool_completed_next().
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
 * **Ownership:** the handle belongs to the object until ftpool_completed_next() returns it. Until then it must not be
 * added again, and all calls on it but ftpool_job_release() and ftpool_job_join() are allowed. **Thread safety:** one
 * thread at a time may use the object. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if an argument is NULL, and the handle
 * stays the caller's.
 */
FTPOOL_API ftpool_status ftpool_completed_add(ftpool_completed *completed, ftpool_job *job);

/**
 * Waits for the next job to end, and returns its handle in `*out_job`. In a job of the same pool it waits as
 * ftpool_job_wait() does.
 *
 * **Ownership:** the handle is the caller's again. **Thread safety:** one thread at a time may use the object.
 * **Returns:** FTPOOL_OK; FTPOOL_EMPTY if the set is empty; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job that all
 * remaining jobs wait for; FTPOOL_E_FORKED and FTPOOL_E_SHUTDOWN as ftpool_job_wait(); FTPOOL_E_INVALID if an argument
 * is NULL or the timeout is not valid. `*out_job` is NULL unless FTPOOL_OK.
 */
FTPOOL_API ftpool_status ftpool_completed_next(ftpool_completed *completed, int64_t timeout_ns, ftpool_job **out_job);

/* ---------- Results objects: the outcomes of many jobs ---------- */

/**
 * Makes a results object. A pool can have any number of them.
 *
 * **Ownership:** the caller owns the object and frees it with ftpool_results_free(), before or after the pool.
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
 * If the object has a callback, that is called for the outcomes that have arrived, and not after this has returned,
 * unless the callback itself calls this. NULL is accepted and ignored.
 *
 * **Ownership:** the object is gone; values that were not read are passed to its value_free, if it has one. **Thread
 * safety:** no other call on the object may be under way or follow.
 */
FTPOOL_API void ftpool_results_free(ftpool_results *results);

/**
 * Queues `function(arg)` to run on a worker; what it returns becomes an outcome of this object. `out_id` may be NULL.
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
 * Queues `function(args[i])` for each `i` below `count`; what they return becomes outcomes of this object. Either all
 * jobs are accepted or none is. `out_ids` is NULL or has room for `count` ids.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_batch(), also for a batch that is larger than
 * max_queued.
 */
FTPOOL_API
ftpool_status ftpool_results_submit_batch(ftpool_results *results,
                                          ftpool_fn function,
                                          void *const *args,
                                          size_t count,
                                          ftpool_job_id *out_ids);

/**
 * Waits for the next outcome, done or failed, and returns it in `*out_result`. If there are both, either may come
 * first.
 *
 * **Ownership:** the value belongs to the caller; for the message see ftpool_result. **Thread safety:** any thread;
 * each outcome goes to exactly one. **Returns:** FTPOOL_OK: `*out_result` is filled; FTPOOL_EMPTY: every outcome was
 * read, and every job submitted through this object has ended (delayed jobs and schedules, too); FTPOOL_TIMEOUT;
 * FTPOOL_E_BUSY if a callback receives the outcomes; FTPOOL_E_DEADLOCK with FTPOOL_FOREVER in a job of a pool with one
 * worker; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if an argument is NULL, the result's
 * size is not valid, or the timeout is not valid.
 */
FTPOOL_API ftpool_status ftpool_results_next(ftpool_results *results, int64_t timeout_ns, ftpool_result *out_result);

/**
 * Waits for the next value, and returns it in `*out_result`. Failures stay in the failed queue. FTPOOL_EMPTY means
 * that every value was read.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_results_next().
 */
FTPOOL_API
ftpool_status ftpool_results_next_done(ftpool_results *results,
                                       int64_t timeout_ns,
                                       ftpool_result *out_result);

/**
 * Waits for the next outcome without a value (failed, cancelled or expired), and returns it in `*out_result`. Values
 * stay in the done queue. FTPOOL_EMPTY means that every such outcome was read.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_results_next().
 */
FTPOOL_API
ftpool_status ftpool_results_next_failed(ftpool_results *results,
                                         int64_t timeout_ns,
                                         ftpool_result *out_result);

/**
 * Reads up to `capacity` outcomes without waiting, failed ones first. The entries of `out_results` lie
 * `out_results[0].size` bytes apart; only the size field of the first one must be set.
 *
 * **Ownership**, **Thread safety:** as ftpool_results_next(). **Returns:** FTPOOL_OK: `*out_count` were read, maybe 0;
 * FTPOOL_E_BUSY if a callback receives the outcomes; FTPOOL_E_INVALID if `results` or `out_count` is NULL, or
 * `out_results` is while `capacity` is not 0, or the size is not valid.
 */
FTPOOL_API
ftpool_status ftpool_results_take(ftpool_results *results,
                                  size_t capacity,
                                  ftpool_result *out_results,
                                  size_t *out_count);

/**
 * Returns the oldest failure of the object's callback that was not returned yet: the id of the job whose outcome the
 * callback was called with, FTPOOL_OUTCOME_FAILED, and the code that the callback returned. If that is the outcome's
 * own code, the message is the outcome's, too.
 *
 * **Ownership:** for the message see ftpool_result. **Thread safety:** any thread; each failure goes to exactly one.
 * **Returns:** FTPOOL_OK: `*out_result` is filled; FTPOOL_EMPTY: there is none; FTPOOL_E_INVALID if an argument is
 * NULL or the result's size is not valid.
 */
FTPOOL_API ftpool_status ftpool_results_next_callback_failure(ftpool_results *results, ftpool_result *out_result);

/**
 * The number of values that can be read now.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `results` is NULL.
 */
FTPOOL_API size_t ftpool_results_done_count(const ftpool_results *results);

/**
 * The number of outcomes without a value that can be read now.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `results` is NULL.
 */
FTPOOL_API size_t ftpool_results_failed_count(const ftpool_results *results);

/**
 * Returns a file descriptor that poll(), epoll and the like report as readable when there is something to read. Like
 * an edge-triggered descriptor, it is reported once, and again only after a read has found nothing more: before you
 * poll, read with FTPOOL_NOW until FTPOOL_TIMEOUT or FTPOOL_EMPTY, or until ftpool_results_take() returns fewer than
 * `capacity`. It costs a system call only while a thread waits for it.
 *
 * **Ownership:** the descriptor belongs to the object; do not read from it or close it. **Thread safety:** any thread.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if an argument is NULL; FTPOOL_E_BUSY if a callback receives the outcomes;
 * FTPOOL_E_UNSUPPORTED where there is no eventfd, in a forked child, and if the system refused one (see errno).
 */
FTPOOL_API ftpool_status ftpool_results_fd(ftpool_results *results, int32_t *out_fd);

/* ---------- Loops and forks ---------- */

/**
 * The parallel version of `for (size_t i = begin; i < end; i++) body(context, i);`, in no particular order. It returns
 * when all items are done.
 *
 * The caller takes part, and so does every free worker if that pays: the caller runs the first items alone to see how
 * long they take, and keeps a loop of a few microseconds to itself. So items must not wait for each other. `grain` is
 * how many items a thread takes at a time; 0 lets the loop choose. ftpool_fail() in the body stops the loop after the
 * items that are running, and does not fail the job that calls it; ftpool_loop_failure() returns its code and message.
 *
 * **Ownership:** `context` belongs to the caller. **Thread safety:** any thread, including in jobs, nested to any
 * depth; the body runs on several threads at a time. **Returns:** FTPOOL_OK: every item was run; FTPOOL_E_JOB: the
 * body has failed; FTPOOL_E_INVALID if `pool` or `body` is NULL or `begin` is after `end`. On a pool that was shut
 * down, and in a forked child, the caller runs all items, which is not an error.
 */
FTPOOL_API
ftpool_status ftpool_for(ftpool *pool,
                         size_t begin,
                         size_t end,
                         size_t grain,
                         ftpool_for_body body,
                         void *context);

/**
 * As ftpool_for(), but calls the body with a chunk of items at a time, from `begin` to before `end`: `grain` items, or
 * fewer at the end of the range. If `grain` is 0, the loop chooses the size of each chunk.
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
 * Stores `function(args[i])` in `out_values[i]` for each `i` below `count`. The caller takes part, as in ftpool_for().
 * The two arrays may be the same, so that each argument is replaced by its value; otherwise they must not overlap.
 * ftpool_fail() in the function stops the loop; the values of the remaining items are NULL, or still the arguments if
 * the arrays are the same.
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
 * Folds the items of a range into a value of `size` bytes. `body` folds a chunk of items into a copy of `value`, and
 * `combine` combines these copies from left to right, on the calling thread. `value` must be neutral, such as 0 for a
 * sum. The caller takes part, as in ftpool_for().
 *
 * **Ownership:** `value` belongs to the caller; it holds the result after FTPOOL_OK, and is unchanged otherwise.
 * Copies of it are made bytewise, with the alignment of malloc(), and are freed without a call. **Thread safety:** as
 * ftpool_for(). **Returns:** as ftpool_for(); FTPOOL_E_JOB also if `combine` has failed; FTPOOL_E_INVALID also if
 * `combine` or `value` is NULL.
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
 * Returns the failure of the last loop that has returned FTPOOL_E_JOB on the calling thread: FTPOOL_OUTCOME_FAILED,
 * and the code and message of an item that has failed. It is returned once. Call this right after the loop.
 *
 * **Ownership:** for the message see ftpool_result. **Thread safety:** any thread. **Returns:** FTPOOL_OK:
 * `*out_result` is filled; FTPOOL_EMPTY: there is none; FTPOOL_E_INVALID if `out_result` is NULL or its size is not
 * valid.
 */
FTPOOL_API ftpool_status ftpool_loop_failure(ftpool_result *out_result);

/**
 * Calls `first(first_arg)` and `second(second_arg)`, in parallel where that pays, and returns when both have returned.
 * Their values are stored in `*out_first` and `*out_second`, which may be NULL. It is made for recursion: a call costs
 * about as much as a function call as long as no worker takes the second.
 *
 * **Ownership:** arguments and values belong to the program. **Thread safety:** as ftpool_for(). **Returns:**
 * FTPOOL_OK; FTPOOL_E_INVALID if `pool` or a function is NULL. ftpool_fail() in either counts for the surrounding job
 * or loop, and has no effect outside both.
 */
FTPOOL_API
ftpool_status ftpool_join(ftpool *pool,
                          ftpool_fn first,
                          void *first_arg,
                          ftpool_fn second,
                          void *second_arg,
                          void **out_first,
                          void **out_second);

/* ---------- Jobs with options ---------- */

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
 * As ftpool_submit_with(), and returns a handle to the job in `*out_job`. The outcome goes to the handle, so `options`
 * must not have a results object or FTPOOL_SUBMIT_EMITS.
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
 * Emits a value of the running job, any number of times: each is passed to the job's callback, and becomes an outcome
 * in its results object, under the job's id. Only in a job that was submitted with FTPOOL_SUBMIT_EMITS. If the results
 * object has a bound, this waits for room.
 *
 * **Ownership:** the value belongs to the reader. **Thread safety:** in a job, on the thread that runs it.
 * **Returns:** FTPOOL_OK; FTPOOL_E_INVALID outside such a job, and in a callback of another job.
 */
FTPOOL_API ftpool_status ftpool_emit(void *value);

/* ---------- Groups ---------- */

/**
 * Makes a group, of whose jobs at most `limit` run at a time; 0 means the pool's own limit on workers. `priority` is
 * FTPOOL_PRIORITY_NORMAL, _HIGH or _LOW; none starves another: after sixteen jobs of a higher priority, a lower one
 * gets a turn.
 *
 * In one case the limit is exceeded. A job of the pool that waits with FTPOOL_FOREVER for jobs of the group may run
 * one that has not started, on its own thread. So, for each such waiting job that is not in the group, one more job
 * may run. The group does not count it: ftpool_group_busy(), ftpool_group_pending() and ftpool_group_wait_idle()
 * disregard it; ftpool_pending() and ftpool_wait_idle() do not.
 *
 * **Ownership:** the caller owns the group and ends it with ftpool_group_free(), before or after the pool. **Thread
 * safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if a pointer is NULL or the priority is not valid.
 * `*out_group` is NULL on failure.
 */
FTPOOL_API ftpool_status ftpool_group_new(ftpool *pool, size_t limit, uint32_t priority, ftpool_group **out_group);

/**
 * Frees a group; its queued jobs still run. NULL is accepted and ignored.
 *
 * **Ownership:** the group is gone. **Thread safety:** no other call on the group may be under way or follow.
 */
FTPOOL_API void ftpool_group_free(ftpool_group *group);

/**
 * Queues `function(arg)` behind the jobs that are queued in the group. `out_id` may be NULL. For a results object, a
 * handle or a callback, use ftpool_submit_with() or ftpool_submit_job_with() with the option `group`.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit(). Where the pool's policy is
 * FTPOOL_POLICY_CALLER_RUNS, this waits for room instead.
 */
FTPOOL_API ftpool_status ftpool_group_submit(ftpool_group *group, ftpool_fn function, void *arg, ftpool_job_id *out_id);

/**
 * As ftpool_group_submit(), but ahead of the jobs that are queued in the group.
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
 * Waits for a moment at which no job of the group is queued or running, or being cancelled or expired. A job that a
 * waiting job runs itself is not waited for (see ftpool_group_new()).
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT; FTPOOL_E_DEADLOCK in a job
 * of the pool, and in a callback of a job of the group that is being cancelled or expired; FTPOOL_E_FORKED;
 * FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `group` is NULL or the timeout is not valid.
 */
FTPOOL_API ftpool_status ftpool_group_wait_idle(ftpool_group *group, int64_t timeout_ns);

/**
 * The number of jobs of the group that are running now.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `group` is NULL.
 */
FTPOOL_API size_t ftpool_group_busy(const ftpool_group *group);

/**
 * The number of jobs of the group that are queued or running now, or being cancelled or expired.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `group` is NULL.
 */
FTPOOL_API size_t ftpool_group_pending(const ftpool_group *group);

/* ---------- Delayed and scheduled jobs ---------- */

/**
 * Runs `function(arg)` on a worker `delay_ns` from now, and never early. When the delay is over, the job is queued
 * ahead of the jobs that were submitted without a delay, and behind delayed jobs that were due earlier. The delay goes
 * by the monotonic clock, which is never set, and which on Linux does not count the time that the machine is
 * suspended. A waiting job costs memory but no thread. `out_id` may be NULL.
 *
 * ftpool_cancel() accepts the id until the job starts, and ftpool_reschedule() changes the delay. A shutdown cancels
 * the delayed jobs that are not yet due.
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit(); FTPOOL_E_THREAD also if the system refused the
 * timer thread; FTPOOL_E_INVALID also if the delay is negative.
 */
FTPOOL_API
ftpool_status ftpool_submit_later(ftpool *pool,
                                  int64_t delay_ns,
                                  ftpool_fn function,
                                  void *arg,
                                  ftpool_job_id *out_id);

/**
 * Runs `function(arg)` on a worker when the wall clock shows `ns_since_1970`, also if that clock is set meanwhile.
 * `out_id` may be NULL. For a time that repeats, or that may have passed, use ftpool_submit_timed().
 *
 * **Ownership**, **Thread safety**, **Returns:** as ftpool_submit_later(); FTPOOL_E_INVALID also if the time has
 * passed.
 */
FTPOOL_API
ftpool_status ftpool_submit_at(ftpool *pool,
                               int64_t ns_since_1970,
                               ftpool_fn function,
                               void *arg,
                               ftpool_job_id *out_id);

/**
 * Runs `function(arg)` on a worker every `interval_ns`, for the first time one interval from now, without drift. A
 * tick that is due while the job of an earlier tick is queued or running is skipped; for other behaviour use
 * ftpool_submit_timed(). A run that fails is counted, and the schedule goes on. The id stands for the whole schedule:
 * ftpool_cancel() ends it, and removes a tick that is queued. `out_id` may be NULL.
 *
 * **Ownership:** `arg` belongs to the job until the schedule has been cancelled or the pool has ended, and no run is
 * in progress; ftpool_submit_timed() has an arg_free, which is called then. **Thread safety:** as ftpool_submit().
 * **Returns:** as ftpool_submit_later(); FTPOOL_E_INVALID also if the interval is not above 0.
 */
FTPOOL_API
ftpool_status ftpool_schedule(ftpool *pool,
                              int64_t interval_ns,
                              ftpool_fn function,
                              void *arg,
                              ftpool_job_id *out_id);

/**
 * Makes a delayed job that has not started, or the next tick of a schedule, due `delay_ns` from now instead. The cost
 * does not depend on how many timers there are.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_EMPTY: it is too late, or no timer of this pool has
 * this id, or its next tick is not known yet, because it follows the end of a run (fixed delay, or coalesced ticks);
 * FTPOOL_E_INVALID if `pool` is NULL or the delay is negative.
 */
FTPOOL_API ftpool_status ftpool_reschedule(ftpool *pool, ftpool_job_id id, int64_t delay_ns);

/**
 * Returns the time until a timer is next due, in nanoseconds.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_EMPTY: no timer of this pool has this id, or the time
 * is not known (a delayed job is queued, or the next tick follows the end of a run: fixed delay, or coalesced ticks);
 * FTPOOL_E_INVALID if `pool` or `out_due_in_ns` is NULL.
 */
FTPOOL_API ftpool_status ftpool_timer_next_due(ftpool *pool, ftpool_job_id id, int64_t *out_due_in_ns);

/**
 * The number of delayed jobs that are not due yet.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_delayed_count(const ftpool *pool);

/**
 * The number of active schedules.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `pool` is NULL.
 */
FTPOOL_API size_t ftpool_scheduled_count(const ftpool *pool);

/**
 * Lists the ids of the delayed jobs that are not due yet, in no particular order. Writes at most `capacity` ids to
 * `out_ids`; `*out_count` is how many there are, which may be more.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or `out_count` is NULL, or
 * `out_ids` is and `capacity` is not 0.
 */
FTPOOL_API ftpool_status ftpool_delayed_ids(ftpool *pool, size_t capacity, ftpool_job_id *out_ids, size_t *out_count);

/**
 * Lists the ids of the active schedules, as ftpool_delayed_ids() lists delayed jobs.
 *
 * **Thread safety**, **Returns:** as ftpool_delayed_ids().
 */
FTPOOL_API ftpool_status ftpool_scheduled_ids(ftpool *pool, size_t capacity, ftpool_job_id *out_ids, size_t *out_count);

/**
 * Returns the tick that the running job was queued for: its number, counted from 1 and including skipped ticks (1 for
 * a delayed job), and how long after its due time the job started. Both pointers may be NULL.
 *
 * **Thread safety:** in a job, on the thread that runs it. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID outside a job, and
 * in one that was not delayed.
 */
FTPOOL_API ftpool_status ftpool_self_tick(uint64_t *out_number, int64_t *out_late_by_ns);

/**
 * Runs `function(arg)` on a worker when it is due, once or again and again, as `options` says. `options` may be NULL,
 * which means now and once. `out_id` may be NULL.
 *
 * **Ownership:** `arg` belongs to the job from now on; see arg_free. If this fails, nothing was taken and nothing is
 * called. The options are copied. **Thread safety:** any thread, jobs of the pool included. **Returns:** as
 * ftpool_submit_later(); FTPOOL_E_INVALID also if a time is negative or, without FTPOOL_TIMER_OR_NOW, has passed, or
 * another field is not valid; FTPOOL_E_VERSION if the options have fields that this library does not know.
 */
FTPOOL_API
ftpool_status ftpool_submit_timed(ftpool *pool,
                                  ftpool_fn function,
                                  void *arg,
                                  const ftpool_timer_options *options,
                                  ftpool_job_id *out_id);

/* ---------- Workers ---------- */

/**
 * Starts up to `count` workers before there are jobs for them, as far as the limit allows. `*out_started` is how many
 * were started; `out_started` may be NULL.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_THREAD: the system refused a thread; those started
 * before stay; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN; FTPOOL_E_FORKED; FTPOOL_E_INVALID if `pool` is NULL.
 */
FTPOOL_API ftpool_status ftpool_spawn_workers(ftpool *pool, size_t count, size_t *out_started);

/**
 * Calls `function(context, index)` once on every worker, and returns when all calls have returned. The call first
 * starts workers up to the limit, then reaches every thread that the pool has at that moment: as many as the limit
 * says, fewer if the system refuses a thread, more while extra workers exist. A sleeping worker is woken, a busy one
 * calls the function between its current job and the next. A broadcast cannot be cancelled. At most `capacity` values
 * are written to `out_values`, in the order of the indices; `*out_count` is how many there are. Both may be NULL.
 *
 * **Ownership:** `context` and the values belong to the program. **Thread safety:** any thread but the pool's own; the
 * function runs on several threads at a time. **Returns:** FTPOOL_OK; FTPOOL_E_DEADLOCK in a job of this pool;
 * FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN: also if a start hook fails, and then the function may have run on other workers;
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
 * Calls `function(arg)`, which blocks: it waits for a file, a lock, a child process, or another job. Its value is
 * stored in `*out_value`, which may be NULL.
 *
 * Meanwhile the worker does not count against the limit of its pool, so that another one may start and run queued
 * jobs. The config's extra_workers says for how many workers at a time this holds; by default for none, and then this
 * only calls the function. When the function has returned, the job goes on at once; a worker that is now in excess
 * finishes the jobs it has taken, and sleeps until it is needed again. Nested calls count once.
 *
 * **Ownership:** `arg` and the value belong to the program. **Thread safety:** any thread. **Returns:** FTPOOL_OK;
 * FTPOOL_E_INVALID if `function` is NULL.
 */
FTPOOL_API ftpool_status ftpool_blocking(ftpool_fn function, void *arg, void **out_value);

/* ---------- Pools as a whole: cancelling all, reopening, ending ---------- */

/**
 * Returns the process-wide pool, which has the default configuration. It is made on first use, shared by all its
 * users, and does not keep the process alive. ftpool_shutdown() refuses to end it; only ftpool_shutdown_all() does.
 * The child of a fork has one of its own: it must ask again, and not use the pointer that its parent got.
 *
 * **Ownership:** the library's: ftpool_free() and ftpool_abandon() ignore it. **Thread safety:** any thread.
 * **Returns:** the pool, always the same in one process, never NULL.
 */
FTPOOL_API ftpool *ftpool_default(void);

/**
 * Cancels all jobs of the kinds in `what`: FTPOOL_CANCEL_QUEUED, FTPOOL_CANCEL_TIMERS, or'ed together; 0 for none.
 * Running jobs go on. The outcome of a cancelled job is FTPOOL_OUTCOME_CANCELLED. `*out_count` is how many jobs and
 * timers were cancelled; `out_count` may be NULL.
 *
 * **Ownership:** as ftpool_cancel(). **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool`
 * is NULL or `what` contains an unknown bit.
 */
FTPOOL_API ftpool_status ftpool_cancel_all(ftpool *pool, uint32_t what, size_t *out_count);

/**
 * Shuts down as ftpool_shutdown() with FTPOOL_SHUTDOWN_CANCEL, and calls `each(context, id)` for every queued job and
 * timer that it cancels, in the order of their ids, before it waits for the threads to end. `each` may be NULL.
 *
 * **Ownership:** `context` stays the caller's. `each` is called on the calling thread, with no lock held, and may use
 * the pool. **Thread safety**, **Returns:** as ftpool_shutdown().
 */
FTPOOL_API ftpool_status ftpool_shutdown_now(ftpool *pool, ftpool_id_fn each, void *context, int64_t timeout_ns);

/**
 * Lists the ids of the jobs that are queued, in ascending order. For jobs that one thread submitted in the same way,
 * that is the order of submission. Writes at most `capacity` ids to `out_ids`; `*out_count` is how many there are,
 * which may be more. The list may be out of date when this returns.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `pool` or `out_count` is NULL, or
 * `out_ids` is and `capacity` is not 0.
 */
FTPOOL_API ftpool_status ftpool_queued_ids(ftpool *pool, size_t capacity, ftpool_job_id *out_ids, size_t *out_count);

/**
 * Opens a pool that was shut down, so that it accepts jobs again. Waits for a shutdown in progress to end first. Does
 * nothing to an open pool.
 *
 * **Thread safety:** any thread but the pool's own. **Returns:** FTPOOL_OK. Otherwise the pool stays closed:
 * FTPOOL_TIMEOUT: the shutdown has not ended yet; FTPOOL_E_BROKEN: a hook has failed; FTPOOL_E_DEADLOCK in a job of
 * this pool; FTPOOL_E_FORKED; FTPOOL_E_SHUTDOWN: the process exits; FTPOOL_E_INVALID if `pool` is NULL or the timeout
 * is not valid.
 */
FTPOOL_API ftpool_status ftpool_reopen(ftpool *pool, int64_t timeout_ns);

/**
 * Resets the pool: cancels the queued jobs, resets the counts of ftpool_failed() and ftpool_expired() to 0, and
 * reopens the pool if it was shut down. Running jobs go on and leave their outcomes. Waits only for a shutdown in
 * progress. `*out_count` is how many jobs were cancelled; `out_count` may be NULL.
 *
 * **Ownership:** as ftpool_cancel(). **Thread safety:** any thread. **Returns:** FTPOOL_OK, always for an open pool;
 * otherwise as ftpool_reopen().
 */
FTPOOL_API ftpool_status ftpool_clear(ftpool *pool, int64_t timeout_ns, size_t *out_count);

/**
 * Shuts down every pool of the process, including ftpool_default(): closes all pools, then waits until all have ended.
 * Pools that are made later, and abandoned pools, are not affected. May be called again. The pools must still be
 * freed.
 *
 * **Thread safety:** any thread but a pool's. **Returns:** as ftpool_shutdown(); FTPOOL_E_DEADLOCK in a job of any of
 * the pools: nothing was done.
 */
FTPOOL_API ftpool_status ftpool_shutdown_all(uint32_t mode, int64_t timeout_ns);

/**
 * Frees a pool without waiting, for a pool with a job that may never end. Accepted jobs still run. Threads and memory
 * are released when the last job ends, if it does. To keep queued jobs from running, call ftpool_shutdown() with
 * FTPOOL_SHUTDOWN_CANCEL and FTPOOL_NOW first. NULL is accepted and ignored.
 *
 * **Ownership:** the pool is gone, as after ftpool_free(). **Thread safety:** as ftpool_free(), but jobs of the pool
 * may call it as well.
 */
FTPOOL_API void ftpool_abandon(ftpool *pool);

/**
 * Checks whether the pool is open to jobs of the calling thread. If a hook has failed, `*out_cause` says which and
 * why; otherwise it is NULL. `out_cause` may be NULL.
 *
 * **Ownership:** the text belongs to the library, and is valid until the calling thread reads an outcome or calls this
 * again. This call also ends the validity of earlier texts (see ftpool_result). **Thread safety:** any thread.
 * **Returns:** FTPOOL_OK; FTPOOL_E_SHUTDOWN; FTPOOL_E_BROKEN; FTPOOL_E_FORKED; FTPOOL_E_INVALID if `pool` is NULL.
 */
FTPOOL_API ftpool_status ftpool_check(ftpool *pool, const char **out_cause);

/* ---------- Clocks for tests ---------- */

/**
 * Makes a clock. It starts at zero; its wall clock starts at the system's current time.
 *
 * **Ownership:** the caller owns the clock and ends it with ftpool_clock_free(), before or after its pools. **Thread
 * safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `out_clock` is NULL.
 */
FTPOOL_API ftpool_status ftpool_clock_new(ftpool_clock **out_clock);

/**
 * Frees a clock. Pools that use it stay usable, but their time does not advance any more. NULL is accepted and
 * ignored.
 *
 * **Ownership:** the clock is gone. **Thread safety:** no other call on the clock may be under way or follow.
 */
FTPOOL_API void ftpool_clock_free(ftpool_clock *clock);

/**
 * Advances the clock by `time_ns`, and queues the jobs that have become due, in the order of their due times, those by
 * the wall clock after the others. When this returns, they may have started, or even ended. If there are more than 64,
 * the others follow as workers get to them; ftpool_wait_idle() waits for them.
 *
 * Jobs whose start deadline has passed have ended when this returns. Their callbacks and the overrun hook are called
 * here. They may advance the clock in turn; the outer call then handles what becomes overdue, after they have
 * returned.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `clock` is NULL or the time is negative.
 */
FTPOOL_API ftpool_status ftpool_clock_advance(ftpool_clock *clock, int64_t time_ns);

/**
 * Sets the clock's wall clock, forward or back, and queues the jobs that have become due.
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

/* ---------- Semaphores ---------- */

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
 * Acquires a permit, waiting for it without a limit.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_SHUTDOWN if the semaphore is closed, or is closed
 * meanwhile; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_acquire(ftpool_semaphore *semaphore);

/**
 * Acquires a permit without waiting, if one is available and no thread is queued for it.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_TIMEOUT if there is none; FTPOOL_E_SHUTDOWN if the
 * semaphore is closed; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_try_acquire(ftpool_semaphore *semaphore);

/**
 * Acquires `permits` permits together, or none, waiting for them for up to `timeout_ns`. A thread that waits for more
 * than one is not overtaken.
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
 * As ftpool_semaphore_release(). This function exists for the inlined part of that; programs need not call it.
 *
 * **Thread safety**, **Returns:** as ftpool_semaphore_release().
 */
FTPOOL_API ftpool_status ftpool_semaphore_release_slow(ftpool_semaphore *semaphore, uint32_t permits);

/**
 * The number of permits that are available at this moment.
 *
 * **Thread safety:** any thread. **Returns:** the number; 0 if `semaphore` is NULL.
 */
FTPOOL_API uint32_t ftpool_semaphore_value(const ftpool_semaphore *semaphore);

/**
 * Closes the semaphore: all waiting and all later acquires return FTPOOL_E_SHUTDOWN. The memory may be reused when
 * their calls have returned.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `semaphore` is NULL.
 */
FTPOOL_API ftpool_status ftpool_semaphore_close(ftpool_semaphore *semaphore);

/* ---------- Locks ---------- */

/**
 * Waits for the lock and acquires it. The pointer is not checked.
 *
 * **Thread safety:** any thread that does not hold the lock.
 */
FTPOOL_API void ftpool_lock_acquire(ftpool_lock *lock);

/**
 * Acquires the lock if it is free. The pointer is not checked.
 *
 * **Thread safety:** any thread. **Returns:** whether the caller holds the lock now.
 */
FTPOOL_API bool ftpool_lock_try_acquire(ftpool_lock *lock);

/**
 * Waits for the lock for up to `timeout_ns`, and acquires it.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK if the caller holds the lock now; FTPOOL_TIMEOUT;
 * FTPOOL_E_INVALID if `lock` is NULL or `timeout_ns` is not valid.
 */
FTPOOL_API ftpool_status ftpool_lock_acquire_for(ftpool_lock *lock, int64_t timeout_ns);

/**
 * Releases the lock. The pointer is not checked. Releasing a free lock is harmless, unless a thread is acquiring it at
 * the same time.
 *
 * **Ownership:** see ftpool_lock for when its memory may be freed. **Thread safety:** any thread, on behalf of the one
 * that holds the lock.
 */
FTPOOL_API void ftpool_lock_release(ftpool_lock *lock);

/**
 * As ftpool_lock_release(), but reports a lock that is not held.
 *
 * **Thread safety:** any thread, on behalf of the one that holds the lock. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if
 * `lock` is NULL or not held; then nothing has changed.
 */
FTPOOL_API ftpool_status ftpool_lock_release_checked(ftpool_lock *lock);

/**
 * Wakes the next waiter. This function exists for the inlined part of ftpool_lock_release(); programs need not call
 * it.
 *
 * **Thread safety:** any thread, at any time.
 */
FTPOOL_API void ftpool_lock_wake_next(ftpool_lock *lock);

/**
 * Returns whether the lock is held at this moment.
 *
 * **Thread safety:** any thread. **Returns:** whether it is; false if `lock` is NULL.
 */
FTPOOL_API bool ftpool_lock_locked(const ftpool_lock *lock);

/* ---------- Events and wait groups ---------- */

/**
 * Sets an event and wakes all waiters. Setting it again does nothing.
 *
 * **Ownership:** on Linux, a thread that has seen the event set may free its memory, even before this returns.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `event` is NULL.
 */
FTPOOL_API ftpool_status ftpool_event_set(ftpool_event *event);

/**
 * Waits until an event is set, for up to `timeout_ns`.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK if it is set; FTPOOL_TIMEOUT; FTPOOL_E_INVALID if `event` is
 * NULL or `timeout_ns` is not valid.
 */
FTPOOL_API ftpool_status ftpool_event_wait(ftpool_event *event, int64_t timeout_ns);

/**
 * Returns whether an event is set.
 *
 * **Thread safety:** any thread. **Returns:** whether it is; false if `event` is NULL.
 */
FTPOOL_API bool ftpool_event_is_set(const ftpool_event *event);

/**
 * Adds `tasks` to the count. Call it before the tasks begin, so that the count is not 0 too early.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_OVERFLOW if there would be more than 2³¹ − 1;
 * FTPOOL_E_INVALID if `group` is NULL.
 */
FTPOOL_API ftpool_status ftpool_wait_group_add(ftpool_wait_group *group, uint32_t tasks);

/**
 * Subtracts one task from the count. The last one wakes all waiters.
 *
 * **Ownership:** on Linux, a thread that has seen the count at 0 may free its memory, even before this returns.
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK; FTPOOL_E_INVALID if `group` is NULL or the count is 0.
 */
FTPOOL_API ftpool_status ftpool_wait_group_done(ftpool_wait_group *group);

/**
 * Waits until the count is 0, for up to `timeout_ns`.
 *
 * **Thread safety:** any thread. **Returns:** FTPOOL_OK if it is 0; FTPOOL_TIMEOUT; FTPOOL_E_INVALID if `group` is
 * NULL or `timeout_ns` is not valid.
 */
FTPOOL_API ftpool_status ftpool_wait_group_wait(ftpool_wait_group *group, int64_t timeout_ns);

/* ---------- Statuses ---------- */

/**
 * Returns the name of a status, such as "FTPOOL_E_INVALID"; "FTPOOL_?" for any other number.
 *
 * **Ownership:** static text, not to be freed. **Thread safety:** any thread. **Returns:** never NULL.
 */
FTPOOL_API const char *ftpool_status_name(int32_t status);

/**
 * Returns a sentence that says what a status means, and what to do about it.
 *
 * **Ownership:** static text, not to be freed. **Thread safety:** any thread. **Returns:** never NULL.
 */
FTPOOL_API const char *ftpool_status_message(int32_t status);

/* ---------- Version ---------- */

/**
 * Returns the version of the library that is loaded, as major × 1 000 000 + minor × 1 000 + patch. Compare it with
 * FTPOOL_VERSION_NUMBER, the version of the header that the program was compiled with.
 *
 * **Thread safety:** any thread. **Returns:** the number.
 */
FTPOOL_API uint32_t ftpool_version_number(void);

/**
 * Returns the version of the library that is loaded, such as "0.1.0".
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
/* The fast paths of locks and semaphores, for optimising compilers to inline; the slow paths are in the library, and so
 * are the functions that pointers to these refer to. -DFTPOOL_NO_INLINE leaves the inline functions out, and so does
 * ThreadSanitizer, which must see both sides of a lock in the library. The protocols are in src/sync/README.md. The
 * numbers below are part of the ABI. */
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
