/*
 * deadlines: a request that no worker has started in time is dropped, and a
 * report that takes too long is stopped.
 *
 * Build:      cc -o deadlines deadlines.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: start deadlines (ftpool_submit_options: start_within_ns;
 *             FTPOOL_OUTCOME_EXPIRED, FTPOOL_JOB_EXPIRED), jobs that are
 *             watched while they run (run_limit_ns, name;
 *             ftpool_config: overrun), handles to jobs with options
 *             (ftpool_submit_job_with).
 */
#define _POSIX_C_SOURCE 200809L

#include <fastthreadpool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EARLY = 5, LATE = 3 };

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK) {
        fprintf(stderr, "deadlines: %s: %s\n", call, ftpool_status_message(status));
        exit(EXIT_FAILURE);
    }
}

/* Keeps the only worker busy until it is set. */
static void *wait_for(void *event) {
    ftpool_event_wait(event, FTPOOL_FOREVER);
    return NULL;
}

static void *answer(void *request) {
    return request;
}

static int freed;

static void free_request(void *request) {
    free(request);
    freed++;
}

/* Called while the job runs: the report is asked to stop. */
static int32_t overrun(void *context, ftpool_job_id id, const char *name, uint64_t ran_ns) {
    (void)context, (void)id;
    if (ran_ns < 10 * 1000 * 1000)
        abort();
    printf("%s has run too long, and is asked to stop\n", name);
    return 1;
}

static void *report(void *arg) {
    struct timespec page = {0, 1000 * 1000};
    while (!ftpool_self_cancelled())
        nanosleep(&page, NULL);
    return arg;
}

static void requests(ftpool *pool) {
    ftpool_event busy = FTPOOL_EVENT_INIT;
    ftpool_results *results;
    must(ftpool_results_new(pool, &results), "ftpool_results_new");
    must(ftpool_submit(pool, wait_for, &busy, NULL), "ftpool_submit");

    ftpool_submit_options options = FTPOOL_SUBMIT_OPTIONS_INIT;
    options.results = results;
    options.arg_free = free_request;
    for (int i = 0; i < EARLY + LATE; i++) {
        options.start_within_ns = (int64_t)(i < EARLY ? 3600 * 1000 : 1) * 1000 * 1000;
        must(ftpool_submit_with(pool, answer, malloc(1), &options, NULL), "ftpool_submit_with");
    }

    /* The expired ones are reported although the worker is still busy. */
    int outcomes[4] = {0, 0, 0, 0};
    ftpool_result result = FTPOOL_RESULT_INIT;
    for (int i = 0; i < EARLY + LATE; i++) {
        must(ftpool_results_next(results, FTPOOL_FOREVER, &result), "ftpool_results_next");
        outcomes[result.outcome]++;
        if (outcomes[FTPOOL_OUTCOME_EXPIRED] == LATE)
            ftpool_event_set(&busy);
    }
    must(ftpool_wait_idle(pool, FTPOOL_FOREVER), "ftpool_wait_idle");
    printf("%d requests answered, %d expired: %d arguments freed\n", outcomes[FTPOOL_OUTCOME_DONE],
           outcomes[FTPOOL_OUTCOME_EXPIRED], freed);
    ftpool_results_free(results);
}

int main(void) {
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 1;
    config.overrun = overrun;
    ftpool *pool;
    must(ftpool_new(&config, &pool), "ftpool_new");
    requests(pool);

    ftpool_submit_options options = FTPOOL_SUBMIT_OPTIONS_INIT;
    options.run_limit_ns = 10 * 1000 * 1000;
    options.name = "report 1";
    ftpool_job *job;
    must(ftpool_submit_job_with(pool, report, "stopped early", &options, &job), "ftpool_submit_job_with");
    ftpool_result result = FTPOOL_RESULT_INIT;
    must(ftpool_job_wait(job, FTPOOL_FOREVER, &result), "ftpool_job_wait");
    printf("report 1 %s\n", (const char *)result.value);
    ftpool_job_release(job);
    ftpool_free(pool);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
