/*
 * groups: some jobs of a pool use the disk, and few should run at a time;
 * others can wait until there is nothing else to do.
 *
 * Build:      cc -o groups groups.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: groups with a limit and a priority (ftpool_group_new,
 *             ftpool_group_submit), outcomes of grouped jobs
 *             (ftpool_submit_options: group), cancelling and waiting for a group
 *             (ftpool_group_cancel_all, ftpool_group_wait_idle).
 */
#define _POSIX_C_SOURCE 200809L

#include <fastthreadpool.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORKERS = 4, DISK_JOBS = 40, DISK_LIMIT = 2, SUMS = 1000, REPORTS = 10 };

static void die(const char *call, const char *why) {
    fprintf(stderr, "groups: %s: %s\n", call, why);
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

/* How many jobs use the disk now, and the maximum so far. */
struct disk {
    pthread_mutex_t mutex;
    int users, most;
};

static void *read_something(void *arg) {
    struct disk *disk = arg;
    must_be_0(pthread_mutex_lock(&disk->mutex), "pthread_mutex_lock");
    disk->users++;
    if (disk->users > disk->most)
        disk->most = disk->users;
    must_be_0(pthread_mutex_unlock(&disk->mutex), "pthread_mutex_unlock");

    struct timespec seek = {0, 1000 * 1000};
    nanosleep(&seek, NULL);

    must_be_0(pthread_mutex_lock(&disk->mutex), "pthread_mutex_lock");
    disk->users--;
    must_be_0(pthread_mutex_unlock(&disk->mutex), "pthread_mutex_unlock");
    return NULL;
}

static void *square(void *arg) {
    size_t number = (size_t)arg;
    return (void *)(number * number);
}

int main(void) {
    struct disk disk = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = WORKERS;
    ftpool *pool;
    ftpool_group *reading, *reports;
    ftpool_results *results;
    must(ftpool_new(&config, &pool), "ftpool_new");
    must(ftpool_group_new(pool, DISK_LIMIT, FTPOOL_PRIORITY_HIGH, &reading), "ftpool_group_new");
    must(ftpool_group_new(pool, 1, FTPOOL_PRIORITY_LOW, &reports), "ftpool_group_new");
    must(ftpool_results_new(pool, &results), "ftpool_results_new");

    /* At most two workers use the disk; the others run the sums. */
    for (int i = 0; i < DISK_JOBS; i++)
        must(ftpool_group_submit(reading, read_something, &disk, NULL), "ftpool_group_submit");
    for (size_t i = 1; i <= SUMS; i++)
        must(ftpool_results_submit(results, square, (void *)i, NULL), "ftpool_results_submit");

    size_t sum = 0;
    ftpool_result result = FTPOOL_RESULT_INIT;
    while (ftpool_results_next(results, FTPOOL_FOREVER, &result) == FTPOOL_OK)
        sum += (size_t)result.value;
    printf("the sum of %d squares is %zu\n", SUMS, sum);

    must(ftpool_group_wait_idle(reading, FTPOOL_FOREVER), "ftpool_group_wait_idle");
    printf("%d jobs have read, %d at a time\n", DISK_JOBS, disk.most);

    /* A job of a group is a job like any other: it can have an outcome, and be cancelled. */
    ftpool_submit_options options = FTPOOL_SUBMIT_OPTIONS_INIT;
    options.results = results;
    options.group = reports;
    for (size_t i = 1; i <= REPORTS; i++)
        must(ftpool_submit_with(pool, square, (void *)i, &options, NULL), "ftpool_submit_with");
    size_t cancelled, done = 0, dropped = 0;
    must(ftpool_group_cancel_all(reports, &cancelled), "ftpool_group_cancel_all");
    while (ftpool_results_next(results, FTPOOL_FOREVER, &result) == FTPOOL_OK) {
        done += result.outcome == FTPOOL_OUTCOME_DONE;
        dropped += result.outcome == FTPOOL_OUTCOME_CANCELLED;
    }
    printf("every report is done or cancelled: %s\n",
           done + dropped == REPORTS && dropped == cancelled ? "yes" : "no");

    ftpool_results_free(results);
    ftpool_group_free(reports);
    ftpool_group_free(reading);
    ftpool_free(pool);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
