/*
 * timers: a small cron. Runs shell commands at intervals, each with a jitter if
 * that is asked for, until it is interrupted or has run each -n times.
 *
 *     timers [-n RUNS] INTERVAL[~JITTER] COMMAND [INTERVAL[~JITTER] COMMAND]...
 *     timers 10 'date >> log' 60~15 ./fetch-mail         (times are in seconds)
 *
 * Build:      cc -o timers timers.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: a schedule whose outcomes are read (ftpool_submit_timed,
 *             ftpool_timer_options), a timer that its own job reschedules
 *             (ftpool_reschedule, ftpool_self_id), stopping all timers
 *             (FTPOOL_CANCEL_TIMERS), and signals beside a pool.
 *
 * A command that still runs when its next time comes is not started twice.
 * SIGINT and SIGTERM stop the clock, not the commands that are running.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fastthreadpool.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void die(const char *what, const char *why) {
    fprintf(stderr, "timers: %s: %s\n", what, why);
    exit(2);
}

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK)
        die(call, ftpool_status_message(status));
}

static void must_be_0(int error, const char *call) {
    if (error != 0)
        die(call, strerror(error));
}

/* One line of the crontab. */
struct entry {
    char *command;
    int64_t interval, jitter; /* nanoseconds */
    unsigned random;          /* the state of rand_r() */
    ftpool_job_id id;
    unsigned long runs, failures;
};

/* Runs the command; its exit status, or 128 and the signal that killed it. Signals are not blocked in it, as they are in
 * workers. */
static int run_command(char *command) {
    char *argv[] = {"sh", "-c", command, NULL};
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t child;
    int status;

    sigemptyset(&none);
    must_be_0(posix_spawnattr_init(&attributes), "posix_spawnattr_init");
    must_be_0(posix_spawnattr_setsigmask(&attributes, &none), "posix_spawnattr_setsigmask");
    must_be_0(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK), "posix_spawnattr_setflags");
    int error = posix_spawn(&child, "/bin/sh", NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        return 127;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A tick. Not more than one of an entry runs at a time. */
static void *tick(void *arg) {
    struct entry *entry = arg;
    int status = run_command(entry->command);
    if (status != 0)
        ftpool_fail(status, "the command has failed");
    if (entry->jitter > 0) {
        int64_t more = (int64_t)(rand_r(&entry->random) / ((double)RAND_MAX + 1) * (double)entry->jitter);
        ftpool_reschedule(ftpool_current(), ftpool_self_id(), entry->interval + more);
    }
    return NULL;
}

/* Waits for a signal, and stops all timers. */
static void *stop_at_signal(void *pool) {
    sigset_t signals;
    int signal;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    must_be_0(sigwait(&signals, &signal), "sigwait");
    must(ftpool_cancel_all(pool, FTPOOL_CANCEL_TIMERS, NULL), "ftpool_cancel_all");
    return NULL;
}

/* Seconds, as nanoseconds. */
static int64_t parse_time(const char *text, char **end) {
    double seconds = strtod(text, end);
    if (*end == text || !(seconds >= 0 && seconds < 9e9))
        die(text, "is not a number of seconds");
    return (int64_t)(seconds * 1e9);
}

static struct entry parse_entry(const char *time, char *command, unsigned number) {
    struct entry entry = {command, 0, 0, number + 1, 0, 0, 0};
    char *end;
    entry.interval = parse_time(time, &end);
    if (*end == '~')
        entry.jitter = parse_time(end + 1, &end);
    if (*end != '\0' || entry.interval <= 0)
        die(time, "is not INTERVAL[~JITTER]");
    return entry;
}

static unsigned long parse_runs(const char *text) {
    char *end;
    unsigned long runs = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || runs == 0)
        die(text, "is not a number of runs");
    return runs;
}

static void count(struct entry *entries, size_t number, const ftpool_result *result) {
    for (size_t i = 0; i < number; i++) {
        if (entries[i].id != result->id || result->outcome == FTPOOL_OUTCOME_CANCELLED)
            continue;
        entries[i].runs++;
        if (result->outcome == FTPOOL_OUTCOME_FAILED) {
            entries[i].failures++;
            fprintf(stderr, "timers: %s: exit status %d\n", entries[i].command, (int)result->error_code);
        }
    }
}

int main(int argc, char **argv) {
    ftpool_timer_options options = FTPOOL_TIMER_OPTIONS_INIT;
    ftpool_result result = FTPOOL_RESULT_INIT;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    int option;

    while ((option = getopt(argc, argv, "+n:")) == 'n')
        options.max_runs = parse_runs(optarg);
    size_t number = (size_t)(argc - optind) / 2;
    if (option != -1 || number == 0 || (argc - optind) % 2 != 0)
        die("usage", "timers [-n RUNS] INTERVAL[~JITTER] COMMAND ...");
    struct entry *entries = calloc(number, sizeof *entries);
    if (entries == NULL)
        die("calloc", strerror(errno));
    for (size_t i = 0; i < number; i++)
        entries[i] = parse_entry(argv[optind + 2 * (int)i], argv[optind + 2 * (int)i + 1], (unsigned)i);

    /* Blocked in all threads, so that only sigwait() gets them. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    must_be_0(pthread_sigmask(SIG_BLOCK, &signals, NULL), "pthread_sigmask");

    ftpool *pool;
    pthread_t stopper;
    config.workers = number < 64 ? (int)number : 64; /* one for each command that may run */
    config.name = "cron";
    must(ftpool_new(&config, &pool), "ftpool_new");
    must(ftpool_results_new(pool, &options.results), "ftpool_results_new");
    for (size_t i = 0; i < number; i++) {
        options.interval_ns = entries[i].interval;
        must(ftpool_submit_timed(pool, tick, &entries[i], &options, &entries[i].id), "ftpool_submit_timed");
    }
    must_be_0(pthread_create(&stopper, NULL, stop_at_signal, pool), "pthread_create");

    /* While a schedule is active, more outcomes are expected. */
    ftpool_status status;
    while ((status = ftpool_results_next(options.results, FTPOOL_FOREVER, &result)) == FTPOOL_OK)
        count(entries, number, &result);
    if (status != FTPOOL_EMPTY)
        must(status, "ftpool_results_next");

    pthread_kill(stopper, SIGTERM);
    must_be_0(pthread_join(stopper, NULL), "pthread_join");
    ftpool_free(pool);
    ftpool_results_free(options.results);
    for (size_t i = 0; i < number; i++)
        printf("%s: %lu runs, %lu failed\n", entries[i].command, entries[i].runs, entries[i].failures);
    free(entries);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
