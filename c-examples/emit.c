/*
 * emit: splits numbers into their prime factors, of which there are none, one
 * or many.
 *
 * Build:      cc -o emit emit.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: jobs with any number of values (FTPOOL_SUBMIT_EMITS,
 *             ftpool_emit), all under one id, which may fail after some; a
 *             bound on unread outcomes (done_max), so that workers are never
 *             far ahead of the reader.
 */
#include <fastthreadpool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_FACTORS = 32, ROOM = 4, LARGEST_DIVISOR = 1000 };

static void die(const char *call, const char *why) {
    fprintf(stderr, "emit: %s: %s\n", call, why);
    exit(EXIT_FAILURE);
}

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK)
        die(call, ftpool_status_message(status));
}

/* The job. What it returns is ignored. If there is no room, ftpool_emit()
 * waits until the reader has made some. */
static void *factorise(void *arg) {
    uintptr_t rest = (uintptr_t)arg;
    for (uintptr_t divisor = 2; divisor * divisor <= rest; divisor++) {
        if (divisor > LARGEST_DIVISOR) {
            must(ftpool_fail(1, "gave up on the rest"), "ftpool_fail");
            return NULL;
        }
        for (; rest % divisor == 0 && rest > divisor; rest /= divisor)
            must(ftpool_emit((void *)divisor), "ftpool_emit");
    }
    if (rest > 1)
        must(ftpool_emit((void *)rest), "ftpool_emit");
    return NULL;
}

struct line {
    uintptr_t number;
    ftpool_job_id id;
    uintptr_t factors[MOST_FACTORS];
    size_t count;
    const char *note;
};

static struct line *line_of(struct line *lines, size_t count, ftpool_job_id id) {
    for (size_t i = 0; i < count; i++)
        if (lines[i].id == id)
            return &lines[i];
    die("ftpool_results_next", "an outcome of an unknown job");
    return NULL;
}

int main(void) {
    static const uintptr_t numbers[] = {1, 2, 12, 97, 360, 1024, 2044234, 3030273, 30030};
    enum { COUNT = sizeof numbers / sizeof *numbers };
    static struct line lines[COUNT];
    ftpool *pool;
    ftpool_results *results;

    must(ftpool_new(NULL, &pool), "ftpool_new");
    ftpool_results_options few = FTPOOL_RESULTS_OPTIONS_INIT;
    few.done_max = ROOM;
    must(ftpool_results_new_with(pool, &few, &results), "ftpool_results_new_with");

    ftpool_submit_options options = FTPOOL_SUBMIT_OPTIONS_INIT;
    options.results = results;
    options.flags = FTPOOL_SUBMIT_EMITS;
    for (size_t i = 0; i < COUNT; i++) {
        lines[i].number = numbers[i];
        must(ftpool_submit_with(pool, factorise, (void *)numbers[i], &options, &lines[i].id), "ftpool_submit_with");
    }

    /* The values of one job come in the order in which it emitted them, those
     * of different jobs in between. */
    ftpool_result result = FTPOOL_RESULT_INIT;
    ftpool_status status;
    while ((status = ftpool_results_next(results, FTPOOL_FOREVER, &result)) == FTPOOL_OK) {
        struct line *line = line_of(lines, COUNT, result.id);
        if (result.outcome == FTPOOL_OUTCOME_DONE)
            line->factors[line->count++] = (uintptr_t)result.value;
        else
            line->note = "and a rest that took too long";
    }
    if (status != FTPOOL_EMPTY) /* every outcome was read, and no job is left */
        must(status, "ftpool_results_next");

    for (size_t i = 0; i < COUNT; i++) {
        printf("%ju:", (uintmax_t)lines[i].number);
        for (size_t n = 0; n < lines[i].count; n++)
            printf(" %ju", (uintmax_t)lines[i].factors[n]);
        printf("%s%s\n", lines[i].note != NULL ? " " : "", lines[i].note != NULL ? lines[i].note : "");
    }
    ftpool_results_free(results);
    ftpool_free(pool);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
