/*
 * backpressure: a producer that is faster than its pool, and a queue that does
 * not grow without end.
 *
 * Build:      cc -o backpressure backpressure.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: a limit on queued jobs and what a submit does when it is reached
 *             (ftpool_config: max_queued, policy), giving a submit some time
 *             (ftpool_try_submit), water marks (water_callback).
 */
#define _POSIX_C_SOURCE 200809L

#include <fastthreadpool.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 4, RECORDS = 100000 };

static const int64_t MILLISECOND = 1000 * 1000; /* in nanoseconds */

static void die(const char *call, const char *why) {
    fprintf(stderr, "backpressure: %s: %s\n", call, why);
    exit(EXIT_FAILURE);
}

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK)
        die(call, ftpool_status_message(status));
}

static void must_be_0(int error, const char *call) {
    if (error != 0)
        die(call, strerror(error));
}

/* Keeps the only worker busy: a job that waits until it may go on. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool entered, open;
};

static void set(struct gate *gate, bool *flag) {
    must_be_0(pthread_mutex_lock(&gate->mutex), "pthread_mutex_lock");
    *flag = true;
    must_be_0(pthread_cond_signal(&gate->changed), "pthread_cond_signal");
    must_be_0(pthread_mutex_unlock(&gate->mutex), "pthread_mutex_unlock");
}

static void await(struct gate *gate, const bool *flag) {
    must_be_0(pthread_mutex_lock(&gate->mutex), "pthread_mutex_lock");
    while (!*flag)
        must_be_0(pthread_cond_wait(&gate->changed, &gate->mutex), "pthread_cond_wait");
    must_be_0(pthread_mutex_unlock(&gate->mutex), "pthread_mutex_unlock");
}

static void *wait_at_gate(void *arg) {
    struct gate *gate = arg;
    set(gate, &gate->entered);
    await(gate, &gate->open);
    return NULL;
}

static void *nothing(void *arg) {
    return arg;
}

static ftpool *new_pool(uint32_t policy) {
    ftpool *pool;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 1;
    config.max_queued = LIMIT;
    config.policy = policy;
    must(ftpool_new(&config, &pool), "ftpool_new");
    return pool;
}

/* Submits two jobs more than there is room for. */
static void overfill(const char *name, uint32_t policy) {
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
    ftpool *pool = new_pool(policy);
    must(ftpool_submit(pool, wait_at_gate, &gate, NULL), "ftpool_submit");
    await(&gate, &gate.entered);
    int refused = 0;
    for (int i = 0; i < LIMIT + 2; i++) {
        ftpool_status status = ftpool_submit(pool, nothing, NULL, NULL);
        if (status == FTPOOL_FULL)
            refused++;
        else
            must(status, "ftpool_submit");
    }
    /* One job runs; the others wait for it. */
    printf("%s: %zu queued, %d refused\n", name, ftpool_pending(pool) - 1, refused);
    set(&gate, &gate.open);
    ftpool_free(pool);
}

/* A submit that does not wait, whatever the policy: it keeps its argument. */
static void hurry(void) {
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
    ftpool *pool = new_pool(FTPOOL_POLICY_BLOCK);
    must(ftpool_submit(pool, wait_at_gate, &gate, NULL), "ftpool_submit");
    await(&gate, &gate.entered);
    for (int i = 0; i < LIMIT; i++)
        must(ftpool_submit(pool, nothing, NULL, NULL), "ftpool_submit");
    printf("try: %s\n", ftpool_status_name(ftpool_try_submit(pool, nothing, NULL, FTPOOL_NOW, NULL)));
    printf("try for 5 ms: %s\n",
           ftpool_status_name(ftpool_try_submit(pool, nothing, NULL, 5 * MILLISECOND, NULL)));
    set(&gate, &gate.open);
    printf("try for long: %s\n", ftpool_status_name(ftpool_try_submit(pool, nothing, NULL, FTPOOL_FOREVER, NULL)));
    ftpool_free(pool);
}

/* Calls are never concurrent, so this needs no lock. */
struct tide {
    size_t highs, lows;
    bool out_of_turn;
};

static void told(void *context, uint32_t mark, size_t queued) {
    struct tide *tide = context;
    (void)queued;
    if (mark == FTPOOL_WATER_HIGH)
        tide->highs++;
    else
        tide->lows++;
    if (tide->highs - tide->lows > 1)
        tide->out_of_turn = true;
}

/* The same argument for all: only one worker runs the jobs, one at a time. */
static void *count(void *arg) {
    ++*(size_t *)arg;
    return NULL;
}

static void stream(void) {
    struct tide tide = {0, 0, false};
    size_t counted = 0;
    ftpool *pool;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 1;
    config.max_queued = 1024; /* FTPOOL_POLICY_BLOCK: the producer waits */
    config.low_water = 100;
    config.high_water = 1000;
    config.water_callback = told;
    config.water_context = &tide;
    must(ftpool_new(&config, &pool), "ftpool_new");
    for (int i = 0; i < RECORDS; i++)
        must(ftpool_submit(pool, count, &counted, NULL), "ftpool_submit");
    ftpool_free(pool); /* waits until all have run */
    bool in_turn = !tide.out_of_turn && tide.highs == tide.lows;
    printf("%zu records; marks in turn: %s\n", counted, in_turn ? "yes" : "no");
}

int main(void) {
    overfill("reject", FTPOOL_POLICY_REJECT);
    overfill("caller runs", FTPOOL_POLICY_CALLER_RUNS);
    overfill("discard oldest", FTPOOL_POLICY_DISCARD_OLDEST);
    hurry();
    stream();
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
