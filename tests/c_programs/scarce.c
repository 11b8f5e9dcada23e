/* Uses pools while the system lacks memory for threads. 42 means success. */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fastthreadpool.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WELL = 42, JOBS = 10000, SECOND = 1000000000 };
static const size_t MIB = 1 << 20;

static atomic_int ran;

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        _exit(1);
    }
}

static void *count(void *unused) {
    atomic_fetch_add(&ran, 1);
    return unused;
}

static void *count_slowly(void *unused) {
    usleep(1000);
    return count(unused);
}

static void limit_memory(size_t bytes) {
    struct rlimit limit = {bytes, bytes};
    check(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
}

/* Stacks for a few threads only: the others are not started, and those few run all jobs. */
static void few_threads(void) {
    limit_memory(1024 * MIB);
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool *pool;
    config.workers = 64;
    config.stack_size = 128 * MIB;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    for (int i = 0; i < 200; i++)
        check(ftpool_submit(pool, count_slowly, NULL, NULL) == FTPOOL_OK, "submit");
    for (int i = 0; i < JOBS; i++)
        check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_OK, "submit");
    size_t alive = ftpool_alive(pool);
    check(alive > 0 && alive < 8, "a few threads");
    ftpool_free(pool);
    check(atomic_load(&ran) == JOBS + 200, "all ran");
}

/* No stack at all: an error, each time, and nothing is taken. */
static void no_thread(void) {
    limit_memory(256 * MIB);
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool *pool;
    void *arguments[300] = {NULL};
    ftpool_submit_options in_time = FTPOOL_SUBMIT_OPTIONS_INIT;
    config.stack_size = 1024 * MIB;
    in_time.start_within_ns = SECOND;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    for (int i = 0; i < 100; i++) {
        check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_E_THREAD, "submit");
        check(ftpool_submit_first(pool, count, NULL, NULL) == FTPOOL_E_THREAD, "submit_first");
        check(ftpool_submit_batch(pool, count, arguments, 300, NULL) == FTPOOL_E_THREAD, "submit_batch");
        check(ftpool_submit_later(pool, SECOND, count, NULL, NULL) == FTPOOL_E_THREAD, "submit_later");
        check(ftpool_submit_with(pool, count, NULL, &in_time, NULL) == FTPOOL_E_THREAD, "submit_with");
    }
    check(ftpool_pending(pool) == 0 && ftpool_alive(pool) == 0, "nothing is left");
    check(ftpool_delayed_count(pool) == 0, "nothing is delayed");
    check(ftpool_wait_idle(pool, FTPOOL_NOW) == FTPOOL_OK, "wait_idle");
    ftpool_free(pool);
    check(atomic_load(&ran) == 0, "nothing ran");
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *unused) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return unused;
}

/* The pool whose only worker leaves while the next memory is mapped; from then on there are no threads. */
static ftpool *_Atomic left_by_worker;
static atomic_bool no_threads;

/* Nothing can be mapped, and so a queue that has no memory yet gets none. */
static atomic_bool no_mappings;

void *mmap(void *at, size_t size, int access, int kind, int file, off_t offset) {
    ftpool *pool = atomic_exchange(&left_by_worker, NULL);
    if (pool) {
        atomic_store(&no_threads, 1);
        pthread_mutex_unlock(&gate);
        while (ftpool_alive(pool) > 0)
            usleep(100);
    }
    if (atomic_load(&no_mappings)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, size, access, kind, file, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*code)(void *), void *argument) {
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    void *found = dlsym(RTLD_NEXT, "pthread_create");
    memcpy(&real, &found, sizeof real);
    return atomic_load(&no_threads) ? EAGAIN : real(thread, how, code, argument);
}

/* The last worker leaves after a batch has seen it, and there is no other thread. Either it observes the batch and comes
 * back, and all jobs run; or there is an error, and nothing is taken. */
static void worker_gone(void) {
    static void *arguments[JOBS];
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool *pool;
    config.workers = 1;
    config.idle_timeout_ns = 1;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    pthread_mutex_lock(&gate);
    check(ftpool_submit(pool, wait_at_gate, NULL, NULL) == FTPOOL_OK, "submit");
    while (ftpool_busy(pool) == 0)
        usleep(100);
    atomic_store(&left_by_worker, pool);
    ftpool_status status = ftpool_submit_batch(pool, count, arguments, JOBS, NULL);
    check(atomic_load(&left_by_worker) == NULL, "the worker has left in the middle");
    check(status == FTPOOL_OK || status == FTPOOL_E_THREAD, "submit_batch");
    check(ftpool_wait_idle(pool, FTPOOL_FOREVER) == FTPOOL_OK, "wait_idle");
    int accepted = status == FTPOOL_OK ? JOBS : 0;
    check(atomic_load(&ran) == accepted, "all of the batch ran, or nothing");
    atomic_store(&no_threads, 0);
    check(ftpool_submit_batch(pool, count, arguments, JOBS, NULL) == FTPOOL_OK, "submit_batch, again");
    ftpool_free(pool);
    check(atomic_load(&ran) == accepted + JOBS, "all of the second batch ran");
}

static atomic_bool blocks;

static void *block_at_gate(void *unused) {
    atomic_store(&blocks, 1);
    return wait_at_gate(unused);
}

static void *call_blocking(void *unused) {
    check(ftpool_blocking(block_at_gate, NULL, NULL) == FTPOOL_OK, "blocking");
    return unused;
}

static void *block_later(void *unused) {
    while (!atomic_load(&no_threads))
        usleep(100);
    return call_blocking(unused);
}

/* The only worker blocks, and there is no thread for another: an error, for its job may wait for the others. What was
 * accepted before runs in the end. */
static void worker_blocked(void) {
    void *arguments[300] = {NULL};
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool *pool;
    config.workers = 1;
    config.extra_workers = 1;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    pthread_mutex_lock(&gate);
    check(ftpool_submit(pool, call_blocking, NULL, NULL) == FTPOOL_OK, "submit");
    while (!atomic_load(&blocks))
        usleep(100);
    atomic_store(&no_threads, 1);
    check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_E_THREAD, "submit, behind one that blocks");
    check(ftpool_submit_first(pool, count, NULL, NULL) == FTPOOL_E_THREAD, "submit_first, behind one that blocks");
    check(ftpool_submit_batch(pool, count, arguments, 300, NULL) == FTPOOL_E_THREAD, "submit_batch");
    check(ftpool_pending(pool) == 1, "nothing else is left");
    atomic_store(&no_threads, 0);
    check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_OK, "submit, again");
    while (atomic_load(&ran) == 0)
        usleep(100);
    pthread_mutex_unlock(&gate);
    ftpool_free(pool);

    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    pthread_mutex_lock(&gate);
    atomic_store(&blocks, 0);
    check(ftpool_submit(pool, block_later, NULL, NULL) == FTPOOL_OK, "submit");
    check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_OK, "submit, behind one that will block");
    atomic_store(&no_threads, 1);
    while (!atomic_load(&blocks))
        usleep(100);
    check(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, INT64_C(1500000000)) == FTPOOL_TIMEOUT, "shutdown");
    pthread_mutex_unlock(&gate);
    ftpool_free(pool);
    check(atomic_load(&ran) == 2, "all that was accepted ran");
}

/* Where a job may be queued. */
enum { BEHIND_ALL, BEFORE_ALL, IN_A_GROUP, FIRST_IN_A_GROUP, PLACES };

static ftpool_status submit_at(int place, ftpool *pool, ftpool_group *group) {
    switch (place) {
    case BEFORE_ALL:
        return ftpool_submit_first(pool, count, NULL, NULL);
    case IN_A_GROUP:
        return ftpool_group_submit(group, count, NULL, NULL);
    case FIRST_IN_A_GROUP:
        return ftpool_group_submit_first(group, count, NULL, NULL);
    default:
        return ftpool_submit(pool, count, NULL, NULL);
    }
}

/* A queue grows until there is no memory; when it has emptied, the pool works as before. */
static void no_memory(void) {
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool *pool;
    ftpool_group *group;
    config.workers = 1;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    check(ftpool_group_new(pool, 1, FTPOOL_PRIORITY_NORMAL, &group) == FTPOOL_OK, "group_new");
    limit_memory(96 * MIB);
    for (int round = 0; round <= PLACES; round++) {
        ftpool_status status;
        int accepted = 0;
        atomic_store(&ran, 0);
        pthread_mutex_lock(&gate);
        check(ftpool_submit(pool, wait_at_gate, NULL, NULL) == FTPOOL_OK, "submit");
        while ((status = submit_at(round % PLACES, pool, group)) == FTPOOL_OK)
            accepted++;
        check(status == FTPOOL_E_NOMEM && accepted > JOBS, "memory ends some time");
        pthread_mutex_unlock(&gate);
        check(ftpool_wait_idle(pool, FTPOOL_FOREVER) == FTPOOL_OK, "wait_idle");
        check(atomic_load(&ran) == accepted, "all that was accepted ran");
    }
    ftpool_group_free(group);
    ftpool_free(pool);
}

static ftpool *with_clock(ftpool_clock **clock) {
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool *pool;
    check(ftpool_clock_new(clock) == FTPOOL_OK, "clock_new");
    config.clock = *clock;
    config.workers = 1;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    return pool;
}

/* Advances the clock by a second, at the end of which there is no memory to queue what is due, and then by another. */
static void advance_without_memory(ftpool *pool, ftpool_clock *clock) {
    atomic_store(&no_mappings, 1);
    check(ftpool_clock_advance(clock, SECOND) == FTPOOL_OK, "clock_advance");
    atomic_store(&no_mappings, 0);
    check(ftpool_pending(pool) == 0 && atomic_load(&ran) == 0, "there was no memory");
    check(ftpool_clock_advance(clock, SECOND) == FTPOOL_OK, "clock_advance");
    check(ftpool_wait_idle(pool, FTPOOL_FOREVER) == FTPOOL_OK, "wait_idle");
}

static void *check_first_tick(void *unused) {
    uint64_t number;
    check(ftpool_self_tick(&number, NULL) == FTPOOL_OK && number == 1, "the first run is that of the first tick");
    return count(unused);
}

static void *ignore(void *unused) {
    return unused;
}

/* A tick that cannot be queued comes again; it is not counted twice. */
static void no_memory_for_tick(void) {
    ftpool_clock *clock;
    ftpool *pool = with_clock(&clock);
    ftpool_timer_options options = FTPOOL_TIMER_OPTIONS_INIT;
    options.interval_ns = SECOND;
    options.flags = FTPOOL_TIMER_FIXED_DELAY;
    check(ftpool_submit_timed(pool, check_first_tick, NULL, &options, NULL) == FTPOOL_OK, "submit_timed");
    advance_without_memory(pool, clock);
    check(atomic_load(&ran) == 1, "the tick came again");
    ftpool_free(pool);
    ftpool_clock_free(clock);
}

/* A delayed job that cannot be queued is due again soon, by its own clock, also if a tick of the other one is due. */
static void no_memory_for_delayed_job(void) {
    ftpool_clock *clock;
    ftpool *pool = with_clock(&clock);
    ftpool_timer_options options = FTPOOL_TIMER_OPTIONS_INIT;
    check(ftpool_clock_set_wall(clock, INT64_C(2000000000) * SECOND) == FTPOOL_OK, "clock_set_wall");
    options.wall_ns = INT64_C(2000000001) * SECOND;
    options.interval_ns = SECOND;
    check(ftpool_submit_timed(pool, ignore, NULL, &options, NULL) == FTPOOL_OK, "submit_timed");
    check(ftpool_submit_later(pool, SECOND, count, NULL, NULL) == FTPOOL_OK, "submit_later");
    advance_without_memory(pool, clock);
    check(atomic_load(&ran) == 1, "the delayed job came again");
    ftpool_free(pool);
    ftpool_clock_free(clock);
}

/* The only worker begins to block for what a queued job will do, and there is no thread for another until later: then
 * the thread that sleeps for the timers gets one. */
static void worker_blocked_before_timers(void) {
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool *pool;
    config.workers = 1;
    config.extra_workers = 1;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    check(ftpool_submit_later(pool, INT64_C(3600) * SECOND, ignore, NULL, NULL) == FTPOOL_OK, "submit_later");
    pthread_mutex_lock(&gate);
    check(ftpool_submit(pool, block_later, NULL, NULL) == FTPOOL_OK, "submit");
    check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_OK, "submit, behind one that will block");
    atomic_store(&no_threads, 1);
    while (!atomic_load(&blocks))
        usleep(100);
    atomic_store(&no_threads, 0);
    while (atomic_load(&ran) == 0)
        usleep(100);
    pthread_mutex_unlock(&gate);
    ftpool_free(pool);
}

static void one_processor(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    check(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
    ftpool *pool;
    check(ftpool_new(NULL, &pool) == FTPOOL_OK, "new");
    check(ftpool_worker_limit(pool) == 1, "one worker for one processor");
    for (int i = 0; i < JOBS; i++)
        check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_OK, "submit");
    ftpool_free(pool);
    check(atomic_load(&ran) == JOBS, "all ran");
}

int main(int argc, char **argv) {
    const char *scenario = argc > 1 ? argv[1] : "";
    alarm(150); /* hangs are killed */
    if (strcmp(scenario, "few-threads") == 0)
        few_threads();
    else if (strcmp(scenario, "no-thread") == 0)
        no_thread();
    else if (strcmp(scenario, "worker-gone") == 0)
        worker_gone();
    else if (strcmp(scenario, "worker-blocked") == 0)
        worker_blocked();
    else if (strcmp(scenario, "no-memory") == 0)
        no_memory();
    else if (strcmp(scenario, "no-memory-for-tick") == 0)
        no_memory_for_tick();
    else if (strcmp(scenario, "no-memory-for-delayed-job") == 0)
        no_memory_for_delayed_job();
    else if (strcmp(scenario, "worker-blocked-before-timers") == 0)
        worker_blocked_before_timers();
    else if (strcmp(scenario, "one-processor") == 0)
        one_processor();
    else
        return 2;
    return WELL;
}
