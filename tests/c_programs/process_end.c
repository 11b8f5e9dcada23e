/* Ends a process while pools live, in the way that its argument names. 42 means that all went well. */
#define _DEFAULT_SOURCE

#include <fastthreadpool.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WELL = 42, QUEUED = 1000 };

static ftpool *pool;
static atomic_int started, ran;

static void *never_ends(void *unused) {
    atomic_fetch_add(&started, 1);
    for (;;)
        pause();
    return unused;
}

static void *must_not_begin(void *unused) {
    _exit(1);
    return unused;
}

static void *count(void *unused) {
    atomic_fetch_add(&ran, 1);
    return unused;
}

static void *leave(void *unused) {
    exit(WELL);
    return unused;
}

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        _exit(1);
    }
}

static void make_pool(void) {
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 2;
    check(ftpool_new(&config, &pool) == FTPOOL_OK, "new");
}

static void submit(ftpool_fn job, int times) {
    for (int i = 0; i < times; i++)
        check(ftpool_submit(pool, job, NULL, NULL) == FTPOOL_OK, "submit");
}

static void make_stuck_pool(void) {
    make_pool();
    submit(never_ends, 2);
    while (atomic_load(&started) < 2)
        usleep(100);
    submit(must_not_begin, QUEUED);
}

/* Registered before the first pool, so it runs when no job begins any more. */
static void late_handler(void) {
    check(ftpool_submit(pool, must_not_begin, NULL, NULL) == FTPOOL_E_SHUTDOWN, "submit at exit");
    check(ftpool_wait_idle(pool, FTPOOL_FOREVER) == FTPOOL_E_SHUTDOWN, "wait_idle at exit");
    check(ftpool_shutdown(pool, FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER) == FTPOOL_E_SHUTDOWN, "shutdown at exit");
    check(ftpool_shutdown_all(FTPOOL_SHUTDOWN_DRAIN, FTPOOL_FOREVER) == FTPOOL_E_SHUTDOWN, "shutdown_all at exit");
    ftpool_free(pool);
}

/* Registered after the first pool, so it runs while that still works. */
static void early_handler(void) {
    ftpool_free(pool);
    check(atomic_load(&ran) == QUEUED, "freed before all had run");
}

/* Runs on a worker of the pool, which it must not wait for. */
static void free_only(void) {
    ftpool_free(pool);
}

/* The library stays, and so does the pool. */
static void load_and_unload(const char *path) {
    typedef ftpool *make(void);
    typedef ftpool_status put(ftpool *, ftpool_fn, void *, ftpool_job_id *);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    check(library != NULL, "dlopen");
    make *the_pool;
    put *submit_to;
    *(void **)&the_pool = dlsym(library, "ftpool_default");
    *(void **)&submit_to = dlsym(library, "ftpool_submit");
    for (int i = 0; i < QUEUED; i++)
        check(submit_to(the_pool(), count, NULL, NULL) == FTPOOL_OK, "submit");
    check(dlclose(library) == 0, "dlclose");
    while (atomic_load(&ran) < QUEUED)
        usleep(100);
}

int main(int argc, char **argv) {
    const char *scenario = argc > 1 ? argv[1] : "";
    alarm(100); /* hangs are killed */
    if (strcmp(scenario, "main") == 0) {
        make_stuck_pool();
    } else if (strcmp(scenario, "job") == 0) {
        make_pool();
        submit(count, 100);
        submit(leave, 1);
        for (;;)
            ftpool_submit(pool, count, NULL, NULL); /* until the process has exited */
    } else if (strcmp(scenario, "job-and-free") == 0) {
        make_pool();
        atexit(free_only);
        submit(leave, 1);
        for (;;)
            pause();
    } else if (strcmp(scenario, "late-handler") == 0) {
        atexit(late_handler);
        make_stuck_pool();
    } else if (strcmp(scenario, "early-handler") == 0) {
        make_pool();
        atexit(early_handler);
        submit(count, QUEUED);
    } else if (strcmp(scenario, "dlclose") == 0 && argc > 2) {
        load_and_unload(argv[2]);
    } else {
        return 2;
    }
    return WELL;
}
