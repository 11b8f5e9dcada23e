/*
 * callbacks: checks values before they can be read, adds them up without
 * a lock and without reading them, and has the pool free everything.
 *
 * Build:      cc -o callbacks callbacks.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: options of a job (ftpool_submit_with): a callback that may refuse
 *             the value, arg_free; options of a results object
 *             (ftpool_results_new_with): a callback on a thread of its own,
 *             value_free for values that are not taken.
 */
#include <fastthreadpool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEGATIVE = 1, NOT_A_PRICE = 2 };

static void die(const char *call, const char *why) {
    fprintf(stderr, "callbacks: %s: %s\n", call, why);
    exit(EXIT_FAILURE);
}

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK)
        die(call, ftpool_status_message(status));
}

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL)
        die("malloc", "no memory");
    return memory;
}

/* The job: reads a price. Its argument is freed by arg_free, whatever happens;
 * its value belongs to the callback or reader that takes it. */
static void *read_price(void *arg) {
    char *end;
    double price = strtod(arg, &end);
    if (end == arg || *end != '\0') {
        must(ftpool_fail(NOT_A_PRICE, arg), "ftpool_fail"); /* copies the message */
        return NULL;
    }
    double *value = allocate(sizeof *value);
    *value = price;
    return value;
}

/* On the worker, before the outcome can be read. A result other than 0
 * makes it a failure with this code; then value_free gets the value. */
static int32_t refuse_negative(void *context, const ftpool_result *result) {
    double least = *(const double *)context;
    return result->outcome == FTPOOL_OUTCOME_DONE && *(double *)result->value < least ? NEGATIVE : 0;
}

struct totals {
    double sum;
    unsigned prices, negative, not_a_price;
};

/* On a thread of its own, one outcome at a time: no lock is needed. The value
 * is the callback's. */
static int32_t add(void *context, const ftpool_result *result) {
    struct totals *totals = context;
    if (result->outcome == FTPOOL_OUTCOME_DONE) {
        totals->sum += *(double *)result->value;
        totals->prices++;
        free(result->value);
    } else if (result->error_code == NEGATIVE) {
        totals->negative++;
    } else {
        totals->not_a_price++;
    }
    return 0;
}

static void submit(ftpool *pool, ftpool_results *results, const char *text) {
    static const double least = 0;
    size_t size = strlen(text) + 1;
    char *copy = memcpy(allocate(size), text, size);

    ftpool_submit_options options = FTPOOL_SUBMIT_OPTIONS_INIT;
    options.results = results;
    options.callback = refuse_negative;
    options.callback_context = (void *)&least;
    options.arg_free = free;
    ftpool_status status = ftpool_submit_with(pool, read_price, copy, &options, NULL);
    if (status != FTPOOL_OK) {
        free(copy); /* a submit that fails takes nothing */
        must(status, "ftpool_submit_with");
    }
}

int main(void) {
    static const char *const texts[] = {"12.50", "7", "-3", "free", "0.25", "", "-0.01", "80.25"};
    struct totals totals = {0, 0, 0, 0};
    ftpool *pool;
    ftpool_results *added, *unread;

    must(ftpool_new(NULL, &pool), "ftpool_new");
    ftpool_results_options options = FTPOOL_RESULTS_OPTIONS_INIT;
    options.value_free = free;
    must(ftpool_results_new_with(pool, &options, &unread), "ftpool_results_new_with");
    options.callback = add;
    options.callback_context = &totals;
    must(ftpool_results_new_with(pool, &options, &added), "ftpool_results_new_with");

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        submit(pool, added, texts[i]);
        submit(pool, unread, texts[i]);
    }
    must(ftpool_wait_idle(pool, FTPOOL_FOREVER), "ftpool_wait_idle");

    /* Now every outcome is there. The callback gets those that it has not had
     * before ftpool_results_free() returns, so the totals may be read. */
    ftpool_results_free(added);
    printf("%u prices, %.2f in all\n", totals.prices, totals.sum);
    printf("%u negative, %u not a price\n", totals.negative, totals.not_a_price);

    printf("%zu values unread\n", ftpool_results_done_count(unread));
    ftpool_results_free(unread); /* frees them */
    ftpool_free(pool);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
