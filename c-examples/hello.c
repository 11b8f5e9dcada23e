/*
 * hello: runs one job.
 *
 * Build:      cc -o hello hello.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: a pool (ftpool_new, ftpool_free) and a job without an outcome
 *             (ftpool_submit): ftpool_free waits for all jobs.
 */
#include <fastthreadpool.h>
#include <stdio.h>

static void *greet(void *name) { return (void *)(size_t)printf("hello, %s\n", (char *)name); }

int main(void) {
    ftpool *pool;
    if (ftpool_new(NULL, &pool) != FTPOOL_OK) return 1;
    ftpool_status status = ftpool_submit(pool, greet, "world", NULL);
    ftpool_free(pool);
    return status != FTPOOL_OK;
}
