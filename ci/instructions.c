/*
 * Does one thing many times, for counting instructions: ci/instructions.sh runs
 * it under callgrind and collects inside of one function only.
 */
#include <fastthreadpool.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void must(ftpool_status status) {
    if (status != FTPOOL_OK) {
        fprintf(stderr, "instructions: %s\n", ftpool_status_message(status));
        exit(EXIT_FAILURE);
    }
}

static void *wait_at_gate(void *arg) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return arg;
}

static void *nothing(void *arg) { return arg; }

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    long count = argc > 2 ? atol(argv[2]) : 0;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool_results *results;
    ftpool_job_id id;
    ftpool *pool;

    config.workers = 1;
    must(ftpool_new(&config, &pool));
    must(ftpool_results_new(pool, &results));
    pthread_mutex_lock(&gate); /* the worker is busy until everything is queued */
    must(ftpool_submit(pool, wait_at_gate, NULL, NULL));
    for (long i = 0; i < count; i++) {
        if (strcmp(what, "ftpool_submit") == 0)
            must(ftpool_submit(pool, nothing, NULL, NULL));
        else if (strcmp(what, "ftpool_submit_first") == 0)
            must(ftpool_submit_first(pool, nothing, NULL, NULL));
        else if (strcmp(what, "ftpool_results_submit") == 0)
            must(ftpool_results_submit(results, nothing, NULL, NULL));
        else if (strcmp(what, "ftpool_cancel") == 0) {
            must(ftpool_submit(pool, nothing, NULL, &id));
            must(ftpool_cancel(pool, id));
        } else
            return EXIT_FAILURE;
    }
    pthread_mutex_unlock(&gate);
    must(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER));
    ftpool_results_free(results);
    ftpool_free(pool);
    return EXIT_SUCCESS;
}
