/* Forks while another thread uses the first pool of the process; the child uses one as well. 42 means success. Argument:
 * where the other thread is: registering what is called at forks (0), or reading a clock for the first, second ... time. */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <fastthreadpool.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WELL = 42 };

static atomic_bool held, forked;
static atomic_int ran, reads;
static int where;

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        _exit(1);
    }
}

static void wait_for_fork(void) {
    atomic_store(&held, 1);
    while (!atomic_load(&forked))
        usleep(100);
}

/* Called by the library, or by what it calls. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!atomic_load(&forked) && atomic_fetch_add(&reads, 1) + 1 == where)
        wait_for_fork();
    return (int)syscall(SYS_clock_gettime, clock, time);
}

/* Called by pthread_atfork, and so in the middle of making the first pool. */
int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library) {
    int (*real)(void (*)(void), void (*)(void), void (*)(void), void *);
    void *found = dlsym(RTLD_NEXT, "__register_atfork");
    memcpy(&real, &found, sizeof real);
    if (where == 0)
        wait_for_fork();
    return real(prepare, parent, child, library);
}

static void *count(void *unused) {
    atomic_fetch_add(&ran, 1);
    return unused;
}

static void *use_pool(void *unused) {
    ftpool *pool;
    check(ftpool_new(NULL, &pool) == FTPOOL_OK, "new");
    check(ftpool_submit_later(pool, 1000000, count, NULL, NULL) == FTPOOL_OK, "submit_later");
    while (atomic_load(&ran) == 0)
        usleep(100);
    ftpool_free(pool);
    atomic_store(&held, 1); /* It has not come there, or is back. */
    return unused;
}

/* A pool of this process, and a child that is told that it is not its own. */
static void see_the_fork(void) {
    ftpool *pool;
    check(ftpool_new(NULL, &pool) == FTPOOL_OK, "new");
    pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0)
        _exit(ftpool_submit(pool, count, NULL, NULL) == FTPOOL_E_FORKED ? WELL : 1);
    int status;
    check(waitpid(child, &status, 0) == child, "waitpid");
    check(WIFEXITED(status) && WEXITSTATUS(status) == WELL, "a child after the first pool");
    ftpool_free(pool);
}

int main(int argc, char **argv) {
    pthread_t first;
    where = argc > 1 ? atoi(argv[1]) : 0;
    alarm(100); /* hangs are killed */
    check(pthread_create(&first, NULL, use_pool, NULL) == 0, "pthread_create");
    while (!atomic_load(&held))
        usleep(100);
    pid_t child = fork();
    check(child >= 0, "fork");
    atomic_store(&forked, 1);
    if (child == 0) {
        alarm(10);
        atomic_store(&ran, 0);
        use_pool(NULL);
        see_the_fork();
        _exit(WELL);
    }
    int status;
    check(waitpid(child, &status, 0) == child, "waitpid");
    check(WIFEXITED(status) && WEXITSTATUS(status) == WELL, "the child");
    check(pthread_join(first, NULL) == 0, "pthread_join");
    see_the_fork();
    return WELL;
}
