/*
 * Does one thing many times, for counting instructions: ci/instructions.sh runs
 * it under callgrind, and only what a function does is collected, or what a
 * worker does between two jobs.
 */
#include <fastthreadpool.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#define HOUR (INT64_C(3600) * 1000 * 1000 * 1000)

/* The library's own functions, where the header inlines a part of them. */
static ftpool_status (*volatile take)(ftpool_semaphore *) = ftpool_semaphore_acquire;
static ftpool_status (*volatile give)(ftpool_semaphore *, uint32_t) = ftpool_semaphore_release;
static void (*volatile acquire)(ftpool_lock *) = ftpool_lock_acquire;
static void (*volatile release)(ftpool_lock *) = ftpool_lock_release;

void lock_inlined(ftpool_lock *lock);
ftpool_status semaphore_inlined(ftpool_semaphore *semaphore);

/* What the header inlines. */
__attribute__((noinline)) void lock_inlined(ftpool_lock *lock) {
    ftpool_lock_acquire(lock);
    ftpool_lock_release(lock);
}

__attribute__((noinline)) ftpool_status semaphore_inlined(ftpool_semaphore *semaphore) {
    ftpool_status status = ftpool_semaphore_acquire(semaphore);
    return status == FTPOOL_OK ? ftpool_semaphore_release(semaphore, 1) : status;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void must(ftpool_status status) {
    if (status != FTPOOL_OK) {
        fprintf(stderr, "instructions: %s\n", ftpool_status_message(status));
        exit(EXIT_FAILURE);
    }
}

static atomic_int at_gate;

static void *wait_at_gate(void *arg) {
    atomic_store(&at_gate, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return arg;
}

static void *nothing(void *arg) { return arg; }

/* Between two of these, what the worker's thread does is counted. */
static void *toggle(void *arg) {
    CALLGRIND_TOGGLE_COLLECT;
    return arg;
}

/* While the worker is busy; everything that is queued runs in the end. */
static int repeat(const char *what, long count, ftpool *pool, ftpool_results *results, ftpool_job **jobs) {
    ftpool_semaphore semaphore = FTPOOL_SEMAPHORE_INIT(1);
    ftpool_lock lock = FTPOOL_LOCK_INIT;
    ftpool_job_id id;

    if (strcmp(what, "run") == 0)
        must(ftpool_submit(pool, toggle, NULL, NULL));
    for (long i = 0; i < count; i++) {
        if (strcmp(what, "ftpool_submit") == 0 || strcmp(what, "run") == 0)
            must(ftpool_submit(pool, nothing, NULL, NULL));
        else if (strcmp(what, "ftpool_submit_first") == 0)
            must(ftpool_submit_first(pool, nothing, NULL, NULL));
        else if (strcmp(what, "ftpool_submit_later") == 0)
            must(ftpool_submit_later(pool, HOUR + i, nothing, NULL, NULL));
        else if (strcmp(what, "ftpool_results_submit") == 0 || strcmp(what, "ftpool_results_next") == 0)
            must(ftpool_results_submit(results, nothing, NULL, NULL));
        else if (strcmp(what, "ftpool_submit_job") == 0 || strcmp(what, "ftpool_job_join") == 0)
            must(ftpool_submit_job(pool, nothing, NULL, &jobs[i]));
        else if (strcmp(what, "ftpool_join") == 0)
            must(ftpool_join(pool, nothing, NULL, nothing, NULL, NULL, NULL));
        else if (strcmp(what, "ftpool_cancel") == 0) {
            must(ftpool_submit(pool, nothing, NULL, &id));
            must(ftpool_cancel(pool, id));
        } else if (strcmp(what, "ftpool_semaphore_acquire+ftpool_semaphore_release") == 0) {
            must(take(&semaphore));
            must(give(&semaphore, 1));
        } else if (strcmp(what, "semaphore_inlined") == 0)
            must(semaphore_inlined(&semaphore));
        else if (strcmp(what, "ftpool_lock_acquire+ftpool_lock_release") == 0) {
            acquire(&lock);
            release(&lock);
        } else if (strcmp(what, "lock_inlined") == 0)
            lock_inlined(&lock);
        else
            return EXIT_FAILURE;
    }
    if (strcmp(what, "run") == 0)
        must(ftpool_submit(pool, toggle, NULL, NULL));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    long count = argc > 2 ? atol(argv[2]) : 0;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool_result result = FTPOOL_RESULT_INIT;
    ftpool_job **jobs = calloc((size_t)count + 1, sizeof *jobs);
    ftpool_results *results;
    ftpool *pool;
    int status;

    config.workers = 1;
    must(ftpool_new(&config, &pool));
    must(ftpool_results_new(pool, &results));
    if (count > 0) { /* its memory is not new then */
        must(ftpool_submit_batch(pool, nothing, (void **)jobs, (size_t)count, NULL));
        must(ftpool_wait_idle(pool, FTPOOL_FOREVER));
    }
    pthread_mutex_lock(&gate); /* the worker is busy until everything is queued */
    must(ftpool_submit(pool, wait_at_gate, NULL, NULL));
    while (!atomic_load(&at_gate))
        sched_yield();
    status = repeat(what, count, pool, results, jobs);
    pthread_mutex_unlock(&gate);
    if (strcmp(what, "ftpool_results_next") == 0) {
        must(ftpool_wait_idle(pool, FTPOOL_FOREVER));
        for (long i = 0; i < count; i++)
            must(ftpool_results_next(results, FTPOOL_NOW, &result));
    }
    if (strcmp(what, "ftpool_job_join") == 0)
        must(ftpool_wait_idle(pool, FTPOOL_FOREVER));
    for (long i = 0; i < count && jobs[i]; i++)
        must(ftpool_job_join(jobs[i], FTPOOL_FOREVER, &result));
    free(jobs);
    must(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER));
    ftpool_results_free(results);
    ftpool_free(pool);
    return status;
}
