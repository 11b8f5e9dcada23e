/*
 * cancel: cancels queued jobs, and shuts down a busy pool.
 *
 * Build:      cc -o cancel cancel.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: a config (ftpool_config), cancelling a queued job by its id
 *             (ftpool_cancel), overtaking the queue (ftpool_submit_first),
 *             a shutdown with a deadline (ftpool_shutdown).
 */
#define _POSIX_C_SOURCE 200809L

#include <fastthreadpool.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t MILLISECOND = 1000 * 1000; /* in nanoseconds */

static void die(const char *call, const char *why) {
    fprintf(stderr, "cancel: %s: %s\n", call, why);
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

static void *print_name(void *name) {
    printf("job %s runs\n", (const char *)name);
    return NULL;
}

int main(void) {
    static char *const names[] = {"A", "B", "C", "D"};
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
    ftpool_job_id busy, ids[4];
    ftpool *pool;

    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 1;
    config.name = "printer";
    must(ftpool_new(&config, &pool), "ftpool_new");

    must(ftpool_submit(pool, wait_at_gate, &gate, &busy), "ftpool_submit");
    await(&gate, &gate.entered);
    for (int i = 0; i < 4; i++)
        must(ftpool_submit(pool, print_name, names[i], &ids[i]), "ftpool_submit");
    must(ftpool_submit_first(pool, print_name, "E", NULL), "ftpool_submit_first");
    printf("%zu jobs are queued or running\n", ftpool_pending(pool));

    /* Only a job that has not begun can be cancelled, and only once. */
    printf("cancel B: %s\n", ftpool_status_name(ftpool_cancel(pool, ids[1])));
    printf("cancel D: %s\n", ftpool_status_name(ftpool_cancel(pool, ids[3])));
    printf("cancel D again: %s\n", ftpool_status_name(ftpool_cancel(pool, ids[3])));
    printf("cancel the running job: %s\n", ftpool_status_name(ftpool_cancel(pool, busy)));
    printf("%zu jobs are queued or running\n", ftpool_pending(pool));

    /* The running job takes longer than we want to wait. The pool is closed
     * from now on, and goes on with what it has accepted. */
    ftpool_status status = ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, 20 * MILLISECOND);
    printf("shut down within 20 ms: %s\n", ftpool_status_name(status));
    status = ftpool_submit(pool, print_name, "F", NULL);
    printf("submit F: %s (%s)\n", ftpool_status_name(status), ftpool_status_message(status));

    set(&gate, &gate.open);
    must(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER), "ftpool_shutdown");
    printf("shut down: %zu threads, %zu jobs\n", ftpool_alive(pool), ftpool_pending(pool));

    ftpool_free(pool);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
