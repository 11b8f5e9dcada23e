/*
 * results: reads the outcomes of jobs, first as they complete, then sorted into
 * values and failures.
 *
 * Build:      cc -o results results.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: a results object and its two queues: outcomes in the order in
 *             which jobs complete (ftpool_results_next), the failed ones only
 *             (_next_failed), one value (_next_done), how many there are
 *             (_done_count), many at once (_take); a job's failure
 *             (ftpool_fail); which job an outcome is of (ftpool_job_id).
 */
#include <fastthreadpool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBERS = 20, MOST_STEPS = 18, CAPACITY = 8 };

static void die(const char *call, const char *why) {
    fprintf(stderr, "results: %s: %s\n", call, why);
    exit(EXIT_FAILURE);
}

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK)
        die(call, ftpool_status_message(status));
}

/* The job: in how many steps does a number become 1, if even ones are halved
 * and odd ones tripled, plus 1? The argument and the value are plain numbers,
 * so that nothing has to be allocated. */
static void *count_steps(void *arg) {
    uintptr_t number = (uintptr_t)arg, steps = 0;
    for (; number != 1 && steps < MOST_STEPS; steps++)
        number = number % 2 == 0 ? number / 2 : 3 * number + 1;
    if (number == 1)
        return (void *)steps;
    must(ftpool_fail((int32_t)number, "takes too long"), "ftpool_fail");
    return NULL;
}

/* As they complete: the order of the outcomes is that in which workers reached
 * the end of jobs, so the id says which job an outcome is of. */
static void print_as_completed(ftpool_results *results) {
    ftpool_job_id ids[NUMBERS];
    char lines[NUMBERS][64];

    for (size_t i = 0; i < NUMBERS; i++)
        must(ftpool_results_submit(results, count_steps, (void *)(i + 10), &ids[i]), "ftpool_results_submit");

    ftpool_result result = FTPOOL_RESULT_INIT;
    ftpool_status status;
    while ((status = ftpool_results_next(results, FTPOOL_FOREVER, &result)) == FTPOOL_OK) {
        size_t i = 0;
        while (i < NUMBERS && ids[i] != result.id)
            i++;
        if (i == NUMBERS)
            die("ftpool_results_next", "an outcome of an unknown job");
        if (result.outcome == FTPOOL_OUTCOME_DONE)
            snprintf(lines[i], sizeof lines[i], "%zu steps", (size_t)(uintptr_t)result.value);
        else
            snprintf(lines[i], sizeof lines[i], "%s (at %d)", result.error_message, (int)result.error_code);
    }
    if (status != FTPOOL_EMPTY) /* every outcome was read, and no job is left */
        must(status, "ftpool_results_next");

    for (size_t i = 0; i < NUMBERS; i++)
        printf("%2zu: %s\n", i + 10, lines[i]);
}

/* The two queues, read separately. */
static void print_sums(ftpool_results *results) {
    void *args[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++)
        args[i] = (void *)(i + 10);
    must(ftpool_results_submit_batch(results, count_steps, args, NUMBERS, NULL), "ftpool_results_submit_batch");

    /* Failures first. FTPOOL_EMPTY says that no other will come: every job has
     * ended, and so every value waits in the done queue. */
    ftpool_result result = FTPOOL_RESULT_INIT;
    ftpool_status status;
    size_t failures = 0;
    while ((status = ftpool_results_next_failed(results, FTPOOL_FOREVER, &result)) == FTPOOL_OK)
        failures++;
    if (status != FTPOOL_EMPTY)
        must(status, "ftpool_results_next_failed");
    printf("%zu failures, %zu values\n", failures, ftpool_results_done_count(results));

    /* One value, then the rest, up to CAPACITY in one call. */
    must(ftpool_results_next_done(results, FTPOOL_NOW, &result), "ftpool_results_next_done");
    size_t steps = (size_t)(uintptr_t)result.value, count;
    do {
        ftpool_result taken[CAPACITY] = {FTPOOL_RESULT_INIT};
        must(ftpool_results_take(results, CAPACITY, taken, &count), "ftpool_results_take");
        for (size_t i = 0; i < count; i++)
            steps += (size_t)(uintptr_t)taken[i].value;
    } while (count > 0);
    printf("%zu steps in all, %zu values left\n", steps, ftpool_results_done_count(results));
}

int main(void) {
    ftpool *pool;
    ftpool_results *results;

    must(ftpool_new(NULL, &pool), "ftpool_new");
    must(ftpool_results_new(pool, &results), "ftpool_results_new");
    print_as_completed(results);
    print_sums(results);
    printf("%llu jobs have failed\n", (unsigned long long)ftpool_failed(pool));

    ftpool_results_free(results);
    ftpool_free(pool);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
