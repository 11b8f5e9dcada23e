/*
 * futures: counts primes in pieces, reads the pieces as they complete, and stops
 * when it has seen enough.
 *
 * Build:      cc -o futures futures.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: a handle to one job (ftpool_submit_job, ftpool_job_release),
 *             waiting for it (ftpool_job_wait), and freeing it then
 *             (ftpool_job_join), or for several at once (ftpool_wait_jobs),
 *             handles as their jobs end (ftpool_completed_add,
 *             ftpool_completed_next), cancelling a job whether it runs or not
 *             (ftpool_job_cancel, ftpool_self_cancelled).
 */
#include <fastthreadpool.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECES = 8, NUMBERS = 50000 };

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK) {
        fprintf(stderr, "futures: %s: %s\n", call, ftpool_status_message(status));
        exit(EXIT_FAILURE);
    }
}

static int is_prime(unsigned number) {
    for (unsigned divisor = 2; divisor * divisor <= number; divisor++)
        if (number % divisor == 0)
            return 0;
    return number >= 2;
}

/* How many of the NUMBERS numbers from `from` on are prime. */
static void *count_primes(void *from) {
    size_t count = 0;
    for (unsigned number = *(unsigned *)from, end = number + NUMBERS; number < end; number++)
        count += (size_t)is_prime(number);
    return (void *)count;
}

/* Looks for a number that does not exist, until it is asked to stop. */
static void *search(void *unused) {
    (void)unused;
    size_t tries = 0;
    while (!ftpool_self_cancelled())
        tries++;
    ftpool_fail(1, "not found");
    return (void *)tries;
}

static size_t value_of(ftpool_job *job) {
    ftpool_result result = FTPOOL_RESULT_INIT;
    must(ftpool_job_wait(job, FTPOOL_FOREVER, &result), "ftpool_job_wait");
    return (size_t)result.value;
}

/* A job that waits for two other jobs: on a pool of one worker, it runs them itself. */
static void *sum_of_two(void *jobs) {
    size_t sum = 0;
    for (int i = 0; i < 2; i++)
        sum += value_of(((ftpool_job **)jobs)[i]);
    return (void *)sum;
}

/* Waits for the job, and frees the handle. */
static size_t last_value_of(ftpool_job *job) {
    ftpool_result result = FTPOOL_RESULT_INIT;
    must(ftpool_job_join(job, FTPOOL_FOREVER, &result), "ftpool_job_join");
    if (result.outcome != FTPOOL_OUTCOME_DONE)
        printf("job ended early: %s\n", result.error_message);
    return (size_t)result.value;
}

int main(void) {
    ftpool *pool;
    must(ftpool_new(NULL, &pool), "ftpool_new");

    unsigned from[PIECES];
    ftpool_job *jobs[PIECES];
    for (unsigned i = 0; i < PIECES; i++) {
        from[i] = i * NUMBERS;
        must(ftpool_submit_job(pool, count_primes, &from[i], &jobs[i]), "ftpool_submit_job");
    }
    size_t done;
    must(ftpool_wait_jobs(jobs, PIECES, FTPOOL_UNTIL_FIRST, FTPOOL_FOREVER, &done), "ftpool_wait_jobs");
    printf("%s\n", done > 0 ? "some pieces have ended" : "none has ended");

    ftpool_completed *completed;
    must(ftpool_completed_new(&completed), "ftpool_completed_new");
    for (int i = 0; i < PIECES; i++)
        must(ftpool_completed_add(completed, jobs[i]), "ftpool_completed_add");
    size_t primes = 0;
    ftpool_job *ended;
    while (ftpool_completed_next(completed, FTPOOL_FOREVER, &ended) == FTPOOL_OK)
        primes += value_of(ended);
    ftpool_completed_free(completed);
    printf("%zu primes below %d\n", primes, PIECES * NUMBERS);

    ftpool_job *sum;
    must(ftpool_submit_job(pool, sum_of_two, jobs, &sum), "ftpool_submit_job");
    printf("%zu of them below %d\n", last_value_of(sum), 2 * NUMBERS);

    ftpool_job *endless;
    must(ftpool_submit_job(pool, search, NULL, &endless), "ftpool_submit_job");
    if (ftpool_job_wait(endless, 10 * 1000 * 1000, NULL) != FTPOOL_TIMEOUT)
        return EXIT_FAILURE;
    while (ftpool_job_state(endless) == FTPOOL_JOB_QUEUED) {
    }
    if (ftpool_job_cancel(endless) == FTPOOL_EMPTY)
        printf("the search runs, it was asked to stop\n");
    last_value_of(endless);

    for (int i = 0; i < PIECES; i++)
        ftpool_job_release(jobs[i]);
    ftpool_free(pool);
    return EXIT_SUCCESS;
}
