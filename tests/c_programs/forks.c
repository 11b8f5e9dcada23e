/* Forks many times while a pool is busy; in the children, calls on it return errors. Argument: how many times. */
#define _DEFAULT_SOURCE

#include <fastthreadpool.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WELL = 42 };

static ftpool *pools[2];
static ftpool_results *read_always, *cancel_always, *told;
static ftpool_group *group;
static ftpool_job *watched;
static ftpool_clock *hands;
static ftpool_submit_options in_time = FTPOOL_SUBMIT_OPTIONS_INIT;
static ftpool_results_options bounded = FTPOOL_RESULTS_OPTIONS_INIT;
static atomic_int ran, over;

static void *count(void *unused) {
    atomic_fetch_add(&ran, 1);
    return unused;
}

/* Runs until the end, in the parent. */
static void *stay(void *unused) {
    while (!atomic_load(&over))
        usleep(1000);
    return unused;
}

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        _exit(1);
    }
}

/* Kills this process if it hangs, even if its only thread is the copy of a worker, which blocks signals. */
static void kill_hangs(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGALRM);
    check(pthread_sigmask(SIG_UNBLOCK, &signals, NULL) == 0, "pthread_sigmask");
    alarm(100);
}

static void *keep_busy(void *unused) {
    while (!atomic_load(&over))
        for (int i = 0; i < 2; i++) {
            ftpool_job_id id;
            check(ftpool_submit(pools[i], count, NULL, &id) == FTPOOL_OK, "the parent's submit");
            if (id % 64 == 0)
                ftpool_cancel_all(pools[i], FTPOOL_CANCEL_QUEUED, NULL);
        }
    return unused;
}

/* Holds one of the pool's locks about half of the time. */
static void *keep_locked(void *unused) {
    while (!atomic_load(&over)) {
        ftpool_results *results;
        check(ftpool_group_submit(group, count, NULL, NULL) == FTPOOL_OK, "the parent's group");
        check(ftpool_submit_with(pools[0], count, NULL, &in_time, NULL) == FTPOOL_OK, "the parent's submit_with");
        check(ftpool_results_new_with(pools[0], &bounded, &results) == FTPOOL_OK, "the parent's results");
        ftpool_results_free(results);
    }
    return unused;
}

/* Is in the middle of reading as often as not. */
static void *keep_reading(void *unused) {
    ftpool_result outcomes[4];
    outcomes[0].size = sizeof outcomes[0];
    for (size_t count_read; !atomic_load(&over);) {
        check(ftpool_results_submit(read_always, count, NULL, NULL) == FTPOOL_OK, "the parent's results_submit");
        check(ftpool_results_next(read_always, FTPOOL_FOREVER, &outcomes[0]) == FTPOOL_OK, "the parent's next");
        for (int i = 0; i < 10000; i++)
            check(ftpool_results_take(read_always, 4, outcomes, &count_read) == FTPOOL_OK, "the parent's take");
    }
    return unused;
}

/* Ends jobs without being a worker as often as not. */
static void *keep_cancelling(void *unused) {
    static void *arguments[64];
    ftpool_result outcome = FTPOOL_RESULT_INIT;
    while (!atomic_load(&over)) {
        check(ftpool_results_submit_batch(cancel_always, count, arguments, 64, NULL) == FTPOOL_OK, "the batch");
        ftpool_cancel_all(pools[0], FTPOOL_CANCEL_QUEUED, NULL);
        while (ftpool_results_next(cancel_always, FTPOOL_FOREVER, &outcome) == FTPOOL_OK)
            continue;
    }
    return unused;
}

static int32_t ignore_outcome(void *unused, const ftpool_result *outcome) {
    (void)unused, (void)outcome;
    return 0;
}

static void watch_for_a_moment(ftpool_job *job) {
    uint64_t key;
    check(ftpool_job_on_done(job, ignore_outcome, NULL, &key) == FTPOOL_OK, "the parent's job_on_done");
    ftpool_job_remove_callback(job, key);
}

/* Is in the middle of adding a callback or of advancing the clock as often as not. */
static void *keep_watching(void *unused) {
    while (!atomic_load(&over)) {
        watch_for_a_moment(watched);
        check(ftpool_clock_advance(hands, 1) == FTPOOL_OK, "the parent's clock_advance");
    }
    return unused;
}

static void read_as_child(ftpool_status next(ftpool_results *, int64_t, ftpool_result *)) {
    ftpool_result outcome = FTPOOL_RESULT_INIT;
    ftpool_status status;
    do
        status = next(read_always, FTPOOL_FOREVER, &outcome);
    while (status == FTPOOL_OK);
    check(status == FTPOOL_E_FORKED || status == FTPOOL_EMPTY, "next");
}

/* The process-wide pool of the parent; a child makes one of its own. */
static ftpool *parents;

static void live_with_default_pool(void) {
    ftpool *own = ftpool_default();
    check(own != parents && own == ftpool_default(), "a child has one process-wide pool of its own");
    check(ftpool_check(parents, NULL) == FTPOOL_E_FORKED, "the parent's process-wide pool");
    atomic_store(&ran, 0);
    for (int i = 0; i < 100; i++)
        check(ftpool_submit(own, count, NULL, NULL) == FTPOOL_OK, "the child's process-wide pool");
    check(ftpool_wait_idle(own, FTPOOL_FOREVER) == FTPOOL_OK, "the child's process-wide pool comes to rest");
    check(atomic_load(&ran) == 100, "the child's process-wide pool works");
    pid_t grandchild = fork();
    check(grandchild >= 0, "fork");
    if (grandchild == 0)
        _exit(ftpool_default() != own && ftpool_submit(ftpool_default(), count, NULL, NULL) == FTPOOL_OK ? WELL : 1);
    int status;
    check(waitpid(grandchild, &status, 0) == grandchild, "waitpid");
    check(WIFEXITED(status) && WEXITSTATUS(status) == WELL, "a child of the child has another one");
}

/* Forks in a job of the process-wide pool, whose worker is the only thread of the child. */
static void *fork_in_default_pool(void *unused) {
    pid_t child = fork();
    check(child >= 0, "fork in a job");
    if (child == 0) {
        kill_hangs();
        live_with_default_pool();
        _exit(WELL);
    }
    int status;
    check(waitpid(child, &status, 0) == child, "waitpid in a job");
    check(WIFEXITED(status) && WEXITSTATUS(status) == WELL, "the child of a job");
    return unused;
}

static void live_as_child(ftpool_results *results, ftpool_job *job) {
    kill_hangs();
    ftpool_results *few;
    size_t taken;
    ftpool_result outcome = FTPOOL_RESULT_INIT;
    check(ftpool_results_take(read_always, 1, &outcome, &taken) == FTPOOL_OK, "take");
    read_as_child(ftpool_results_next);
    read_as_child(ftpool_results_next_done);
    read_as_child(ftpool_results_next_failed);
    ftpool_results_free(read_always);
    check(ftpool_results_submit(cancel_always, count, NULL, NULL) == FTPOOL_E_FORKED, "results_submit");
    ftpool_results_free(cancel_always);
    check(ftpool_submit_with(pools[0], count, NULL, &in_time, NULL) == FTPOOL_E_FORKED, "submit_with");
    check(ftpool_results_new_with(pools[0], &bounded, &few) == FTPOOL_OK, "results_new_with");
    ftpool_results_free(few);
    check(ftpool_group_pending(group) == 0, "group_pending");
    ftpool_group_free(group);
    for (int i = 0; i < 2; i++) {
        ftpool *pool = pools[i];
        size_t number;
        void *argument = NULL;
        check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_E_FORKED, "submit");
        check(ftpool_submit_first(pool, count, NULL, NULL) == FTPOOL_E_FORKED, "submit_first");
        check(ftpool_submit_batch(pool, count, &argument, 1, NULL) == FTPOOL_E_FORKED, "submit_batch");
        check(ftpool_check(pool, NULL) == FTPOOL_E_FORKED, "check");
        check(ftpool_wait_idle(pool, FTPOOL_FOREVER) == FTPOOL_E_FORKED, "wait_idle");
        check(ftpool_reopen(pool, FTPOOL_FOREVER) == FTPOOL_E_FORKED, "reopen");
        check(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_CANCEL, FTPOOL_FOREVER) == FTPOOL_E_FORKED, "shutdown");
        check(ftpool_shutdown_now(pool, NULL, NULL, FTPOOL_FOREVER) == FTPOOL_E_FORKED, "shutdown_now");
        check(ftpool_cancel(pool, 256) == FTPOOL_EMPTY, "cancel");
        check(ftpool_cancel_all(pool, FTPOOL_CANCEL_QUEUED, &number) == FTPOOL_OK && number == 0, "cancel_all");
        check(ftpool_queued_ids(pool, 0, NULL, &number) == FTPOOL_OK && number == 0, "queued_ids");
        ftpool_free(pool);
    }
    check(ftpool_results_submit(results, count, NULL, NULL) == FTPOOL_E_FORKED, "results_submit");
    check(ftpool_shutdown_all(FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER) == FTPOOL_OK, "none of the pools is the child's");
    ftpool_completed *completed;
    uint64_t key;
    check(ftpool_job_on_done(job, ignore_outcome, NULL, &key) == FTPOOL_OK, "job_on_done");
    ftpool_job_remove_callback(job, key); /* FTPOOL_EMPTY if the callback could not be added. */
    check(ftpool_job_wait(job, FTPOOL_FOREVER, NULL) == FTPOOL_E_FORKED, "job_wait");
    check(ftpool_wait_jobs(&job, 1, FTPOOL_UNTIL_ALL, FTPOOL_FOREVER, NULL) == FTPOOL_E_FORKED, "wait_jobs");
    check(ftpool_wait_jobs(&job, 1, FTPOOL_UNTIL_FIRST, FTPOOL_FOREVER, NULL) == FTPOOL_E_FORKED, "wait_jobs");
    check(ftpool_completed_new(&completed) == FTPOOL_OK, "completed_new");
    check(ftpool_completed_add(completed, job) == FTPOOL_OK, "completed_add");
    check(ftpool_completed_next(completed, FTPOOL_FOREVER, &job) == FTPOOL_E_FORKED, "completed_next");
    ftpool_completed_free(completed);
    ftpool *own;
    atomic_store(&ran, 0);
    check(ftpool_new(NULL, &own) == FTPOOL_OK, "new");
    for (int i = 0; i < 100; i++)
        check(ftpool_submit(own, count, NULL, NULL) == FTPOOL_OK, "a pool of the child's own");
    ftpool_free(own);
    check(atomic_load(&ran) == 100, "a pool of the child's own drains");
    ftpool_config by_clock = FTPOOL_CONFIG_INIT;
    by_clock.clock = hands;
    check(ftpool_clock_advance(hands, 1) == FTPOOL_OK, "clock_advance");
    check(ftpool_new(&by_clock, &own) == FTPOOL_OK, "new, with the parent's clock");
    check(ftpool_submit_later(own, 1, count, NULL, NULL) == FTPOOL_OK, "submit_later");
    check(ftpool_clock_advance(hands, 1) == FTPOOL_OK, "clock_advance");
    check(ftpool_wait_idle(own, FTPOOL_FOREVER) == FTPOOL_OK, "wait_idle");
    check(atomic_load(&ran) == 101, "the parent's clock goes on for a pool of the child's own");
    ftpool_free(own);
    ftpool_config many = FTPOOL_CONFIG_INIT;
    many.workers = 16;
    check(ftpool_new(&many, &own) == FTPOOL_OK, "new");
    check(ftpool_spawn_workers(own, 16, NULL) == FTPOOL_OK, "threads, which get the stacks of the parent's");
    ftpool_results_free(told); /* Its thread is in the parent; one of these may have its handle. */
    ftpool_free(own);
    live_with_default_pool();
    exit(WELL);
}

/* Forks in a job that returns in the child as well, where its worker must not go on. */
static void *fork_and_return(void *counter) {
    pid_t child = fork();
    check(child >= 0, "fork in a job");
    if (child == 0) {
        kill_hangs();
        return NULL;
    }
    int status;
    check(waitpid(child, &status, 0) == child, "waitpid in a job");
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a worker's copy ends, and with it the child");
    atomic_fetch_add((atomic_int *)counter, 1);
    return NULL;
}

static void *count_in_every_process(void *counter) {
    atomic_fetch_add((atomic_int *)counter, 1);
    return NULL;
}

static atomic_int *shared_counter(void) {
    void *counter = mmap(NULL, sizeof(atomic_int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(counter != MAP_FAILED, "mmap");
    return counter;
}

static void fork_in_jobs(void) {
    atomic_int *counter = shared_counter();
    ftpool *pool;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 1;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    for (int i = 0; i < 20; i++) {
        check(ftpool_submit(pool, fork_and_return, counter, NULL) == FTPOOL_OK, "submit");
        for (int k = 0; k < 100; k++)
            check(ftpool_submit(pool, count_in_every_process, counter, NULL) == FTPOOL_OK, "submit");
    }
    ftpool_free(pool);
    check(atomic_load(counter) == 20 * 101, "each job runs in one process");
}

/* A callback may be about to be added to the job when it forks: its end in the child must not wait for that. */
static void fork_in_watched_jobs(void) {
    atomic_int *counter = shared_counter();
    ftpool *pool;
    check(ftpool_new(NULL, &pool) == FTPOOL_OK, "new");
    for (int i = 0; i < 20; i++) {
        ftpool_job *job;
        check(ftpool_submit_job(pool, fork_and_return, counter, &job) == FTPOOL_OK, "submit_job");
        while (ftpool_job_state(job) != FTPOOL_JOB_DONE)
            watch_for_a_moment(job);
        ftpool_job_release(job);
    }
    ftpool_free(pool);
    check(atomic_load(counter) == 20, "each job ends in both processes");
}

static void read_set_as_child(ftpool_completed *completed) {
    ftpool_job *job;
    ftpool_status status;
    kill_hangs();
    while ((status = ftpool_completed_next(completed, FTPOOL_FOREVER, &job)) == FTPOOL_OK)
        ftpool_job_release(job);
    check(status == FTPOOL_E_FORKED || status == FTPOOL_EMPTY, "completed_next in the child");
    ftpool_completed_free(completed);
    _exit(WELL);
}

/* Workers may be adding jobs to a set of ended ones: who reads it in the child must not wait for them. */
static void fork_while_jobs_end(void) {
    enum { JOBS = 1000 };
    ftpool *pool;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 2;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    for (int i = 0; i < 200; i++) {
        ftpool_completed *completed;
        check(ftpool_completed_new(&completed) == FTPOOL_OK, "completed_new");
        for (int k = 0; k < JOBS; k++) {
            ftpool_job *job;
            check(ftpool_submit_job(pool, count, NULL, &job) == FTPOOL_OK, "submit_job");
            check(ftpool_completed_add(completed, job) == FTPOOL_OK, "completed_add");
        }
        pid_t child = fork();
        check(child >= 0, "fork");
        if (child == 0)
            read_set_as_child(completed);
        int status;
        check(waitpid(child, &status, 0) == child, "waitpid");
        check(WIFEXITED(status) && WEXITSTATUS(status) == WELL, "a child with a set of jobs");
        ftpool_completed_free(completed);
    }
    ftpool_free(pool);
}

static void fork_in_hook(void *counter, uint32_t worker) {
    (void)worker;
    fork_and_return(counter);
}

/* A hundred jobs that count themselves, in a pool of this kind. */
static void run_counted(const ftpool_config *config, atomic_int *jobs) {
    ftpool *pool;
    check(ftpool_new(config, &pool) == FTPOOL_OK, "new");
    for (int k = 0; k < 100; k++)
        check(ftpool_submit(pool, count_in_every_process, jobs, NULL) == FTPOOL_OK, "submit");
    ftpool_free(pool);
}

/* The child has a copy of a worker that has a job already, and must not run it. */
static void fork_in_start_hook(void) {
    atomic_int *counter = shared_counter();
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 1;
    config.start = fork_in_hook;
    config.context = counter;
    run_counted(&config, counter);
    check(atomic_load(counter) == 1 + 100, "each job runs in one process, also after a hook");
}

/* The child has a copy of a worker that leaves, which must not remove itself from the crew of the parent's pool. */
static void fork_in_stop_hook(void) {
    atomic_int *forks = shared_counter(), *jobs = shared_counter();
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 2;
    config.jobs_per_worker = 10;
    config.stop = fork_in_hook;
    config.context = forks;
    run_counted(&config, jobs);
    check(atomic_load(jobs) == 100 && atomic_load(forks) > 0, "workers leave in one process");
}

/* The end of a job that forks must not wait in the child for room in the results: their readers are in the parent. */
static void fork_before_full_results(void) {
    atomic_int *counter = shared_counter();
    ftpool *pool;
    ftpool_results *results;
    ftpool_result outcome = FTPOOL_RESULT_INIT;
    check(ftpool_new(NULL, &pool) == FTPOOL_OK, "new");
    check(ftpool_results_new_with(pool, &bounded, &results) == FTPOOL_OK, "results_new_with");
    check(ftpool_results_submit(results, count, NULL, NULL) == FTPOOL_OK, "results_submit");
    while (ftpool_results_done_count(results) == 0)
        usleep(100);
    check(ftpool_results_submit(results, fork_and_return, counter, NULL) == FTPOOL_OK, "results_submit");
    while (atomic_load(counter) == 0)
        usleep(100);
    for (int i = 0; i < 2; i++)
        check(ftpool_results_next(results, FTPOOL_FOREVER, &outcome) == FTPOOL_OK, "results_next");
    ftpool_results_free(results);
    ftpool_free(pool);
}

static int32_t fork_in_outcome(void *counter, const ftpool_result *unused) {
    (void)unused;
    fork_and_return(counter);
    return 0;
}

/* The child has a copy of the thread that reads outcomes, and must not wait for more. */
static void fork_in_callback(void) {
    atomic_int *counter = shared_counter();
    ftpool *pool;
    ftpool_results *results;
    ftpool_results_options options = FTPOOL_RESULTS_OPTIONS_INIT;
    options.callback = fork_in_outcome;
    options.callback_context = counter;
    check(ftpool_new(NULL, &pool) == FTPOOL_OK, "new");
    check(ftpool_results_new_with(pool, &options, &results) == FTPOOL_OK, "results_new_with");
    for (int i = 0; i < 20; i++)
        check(ftpool_results_submit(results, count, NULL, NULL) == FTPOOL_OK, "results_submit");
    ftpool_free(pool);
    ftpool_results_free(results);
    check(atomic_load(counter) == 20, "each outcome is told of in one process");
}

static pthread_key_t at_the_end;

/* As a program that runs on the child's only thread sees the parent's pool, and one of its own. */
static void see_the_fork(ftpool *pool) {
    pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0) {
        kill_hangs();
        ftpool *own;
        check(ftpool_check(pool, NULL) == FTPOOL_E_FORKED, "check in the child");
        check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_E_FORKED, "submit in the child");
        check(ftpool_wait_idle(pool, FTPOOL_FOREVER) == FTPOOL_E_FORKED, "wait_idle in the child");
        check(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER) == FTPOOL_E_FORKED, "shutdown in the child");
        check(ftpool_new(NULL, &own) == FTPOOL_OK, "new in the child");
        check(ftpool_submit(own, count, NULL, NULL) == FTPOOL_OK, "submit to the child's own");
        ftpool_free(own);
        check(ftpool_submit(ftpool_default(), count, NULL, NULL) == FTPOOL_OK, "submit to the child's process-wide pool");
        check(ftpool_shutdown_all(FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER) == FTPOOL_OK, "shutdown_all in the child");
        return; /* The thread ends, and with it the child, whose last thread it is. */
    }
    int status;
    check(waitpid(child, &status, 0) == child, "waitpid");
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child of a thread that ends");
}

static void fork_at_the_end(void *pool) {
    see_the_fork(pool);
}

/* The thread forks when its thread-locals are gone, and did so before; the library's are among them. */
static void *fork_now_and_at_the_end(void *pool) {
    pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0)
        _exit(ftpool_check(pool, NULL) == FTPOOL_E_FORKED ? WELL : 1);
    int status;
    check(waitpid(child, &status, 0) == child, "waitpid");
    check(WIFEXITED(status) && WEXITSTATUS(status) == WELL, "the child of a thread");
    check(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_OK, "submit");
    check(pthread_setspecific(at_the_end, pool) == 0, "pthread_setspecific");
    return NULL;
}

static void fork_in_destructors(void) {
    check(pthread_key_create(&at_the_end, fork_at_the_end) == 0, "pthread_key_create");
    ftpool *pool;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 2;
    config.jobs_per_worker = 3; /* workers end while others work */
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
    for (int i = 0; i < 10; i++) {
        pthread_t thread;
        check(pthread_create(&thread, NULL, fork_now_and_at_the_end, pool) == 0, "pthread_create");
        check(ftpool_submit(pool, fork_now_and_at_the_end, pool, NULL) == FTPOOL_OK, "submit");
        check(pthread_join(thread, NULL) == 0, "pthread_join");
    }
    check(ftpool_wait_idle(pool, FTPOOL_FOREVER) == FTPOOL_OK, "wait_idle");
    ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER);
    ftpool_free(pool);
}

int main(int argc, char **argv) {
    int times = argc > 1 ? atoi(argv[1]) : 1;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 2;
    check(ftpool_new(&config, &pools[0]) == FTPOOL_OK, "new");
    config.ordered = 1;
    check(ftpool_new(&config, &pools[1]) == FTPOOL_OK, "new");
    ftpool_results *results;
    check(ftpool_results_new(pools[0], &results) == FTPOOL_OK, "results");
    ftpool_job *job;
    check(ftpool_submit_job(pools[0], stay, NULL, &job) == FTPOOL_OK, "submit_job");
    while (ftpool_job_state(job) != FTPOOL_JOB_RUNNING) /* else it is cancelled with all others */
        usleep(100);
    in_time.start_within_ns = 1000000000;
    bounded.done_max = 1;
    check(ftpool_group_new(pools[0], 2, FTPOOL_PRIORITY_NORMAL, &group) == FTPOOL_OK, "group");
    check(ftpool_results_new(pools[0], &read_always) == FTPOOL_OK, "results");
    check(ftpool_results_new(pools[0], &cancel_always) == FTPOOL_OK, "results");
    ftpool_results_options with_callback = FTPOOL_RESULTS_OPTIONS_INIT;
    with_callback.callback = ignore_outcome;
    check(ftpool_results_new_with(pools[0], &with_callback, &told) == FTPOOL_OK, "results");
    parents = ftpool_default();
    check(ftpool_submit(parents, fork_in_default_pool, NULL, NULL) == FTPOOL_OK, "submit");
    check(ftpool_wait_idle(parents, FTPOOL_FOREVER) == FTPOOL_OK, "wait_idle");
    watched = job;
    ftpool *clocked;
    check(ftpool_clock_new(&hands) == FTPOOL_OK, "clock_new");
    config.clock = hands;
    check(ftpool_new(&config, &clocked) == FTPOOL_OK, "new");
    void *(*const work[])(void *) = {keep_busy, keep_busy, keep_locked, keep_reading, keep_cancelling, keep_watching};
    enum { THREADS = sizeof work / sizeof *work };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], NULL, work[i], NULL) == 0, "pthread_create");
    for (int i = 0; i < times; i++) {
        pid_t child = fork();
        check(child >= 0, "fork");
        if (child == 0)
            live_as_child(results, job);
        int status;
        check(waitpid(child, &status, 0) == child, "waitpid");
        check(WIFEXITED(status) && WEXITSTATUS(status) == WELL, "the child");
        check(ftpool_submit(pools[i % 2], count, NULL, NULL) == FTPOOL_OK, "the parent goes on");
    }
    atomic_store(&over, 1);
    for (int i = 0; i < THREADS; i++)
        check(pthread_join(threads[i], NULL) == 0, "pthread_join");
    check(ftpool_job_wait(job, FTPOOL_FOREVER, NULL) == FTPOOL_OK, "the parent's job ends");
    ftpool_job_release(job);
    ftpool_group_free(group);
    ftpool_results_free(results);
    ftpool_results_free(read_always);
    ftpool_results_free(cancel_always);
    ftpool_results_free(told);
    ftpool_free(pools[0]);
    ftpool_free(pools[1]);
    ftpool_free(clocked);
    ftpool_clock_free(hands);
    fork_in_jobs();
    fork_in_watched_jobs();
    fork_while_jobs_end();
    fork_before_full_results();
    fork_in_start_hook();
    fork_in_stop_hook();
    fork_in_callback();
    fork_in_destructors();
    return WELL;
}
