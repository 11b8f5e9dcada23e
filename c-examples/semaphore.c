/*
 * semaphore: producers and consumers around a ring of few places, and a latch.
 *
 * Build:      cc -o semaphore semaphore.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: semaphores in the program's own memory (FTPOOL_SEMAPHORE_INIT,
 *             zeroed memory), acquire and release of one and of many
 *             (ftpool_semaphore_acquire_for), a time limit, ending all
 *             waits (ftpool_semaphore_close), a lock (ftpool_lock).
 */
#include <fastthreadpool.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 4, PRODUCERS = 2, CONSUMERS = 3, ITEMS = 30000 /* of each producer */ };

static const int64_t MILLISECOND = 1000 * 1000; /* in nanoseconds */

static void die(const char *call, const char *why) {
    fprintf(stderr, "semaphore: %s: %s\n", call, why);
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

/* A bounded queue: one semaphore counts the free places, one the items. */
static struct {
    ftpool_semaphore places, items;
    ftpool_lock lock;
    size_t head, tail;
    unsigned ring[PLACES];
} queue = {.places = FTPOOL_SEMAPHORE_INIT(PLACES)}; /* the rest is zero: no items, and a free lock */

static ftpool_semaphore producers_done; /* zero: no producer is done yet */

static void *produce(void *arg) {
    (void)arg;
    for (unsigned item = 1; item <= ITEMS; item++) {
        must(ftpool_semaphore_acquire(&queue.places), "acquire a place");
        ftpool_lock_acquire(&queue.lock);
        queue.ring[queue.tail++ % PLACES] = item;
        ftpool_lock_release(&queue.lock);
        must(ftpool_semaphore_release(&queue.items, 1), "release an item");
    }
    must(ftpool_semaphore_release(&producers_done, 1), "release");
    return NULL;
}

/* Adds items up until the semaphore is closed. */
static void *consume(void *arg) {
    unsigned long long *sum = arg;
    ftpool_status status;
    while ((status = ftpool_semaphore_acquire(&queue.items)) == FTPOOL_OK) {
        ftpool_lock_acquire(&queue.lock);
        *sum += queue.ring[queue.head++ % PLACES];
        ftpool_lock_release(&queue.lock);
        must(ftpool_semaphore_release(&queue.places, 1), "release a place");
    }
    if (status != FTPOOL_E_SHUTDOWN)
        must(status, "acquire an item");
    return NULL;
}

int main(void) {
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    unsigned long long sums[CONSUMERS] = {0}, sum = 0;

    for (int i = 0; i < CONSUMERS; i++)
        must_be_0(pthread_create(&consumers[i], NULL, consume, &sums[i]), "pthread_create");
    for (int i = 0; i < PRODUCERS; i++)
        must_be_0(pthread_create(&producers[i], NULL, produce, NULL), "pthread_create");

    /* All producers at once, or none: they cannot all be done within no time... */
    ftpool_status early = ftpool_semaphore_acquire_for(&producers_done, PRODUCERS + 1, MILLISECOND);
    printf("one producer too many: %s\n", ftpool_status_name(early));
    /* ...but they will be. */
    must(ftpool_semaphore_acquire_for(&producers_done, PRODUCERS, FTPOOL_FOREVER), "wait for the producers");

    /* When every place is free, every item was consumed. */
    must(ftpool_semaphore_acquire_for(&queue.places, PLACES, FTPOOL_FOREVER), "wait for the consumers");
    printf("%u items left\n", (unsigned)ftpool_semaphore_value(&queue.items));
    must(ftpool_semaphore_close(&queue.items), "ftpool_semaphore_close");

    for (int i = 0; i < PRODUCERS; i++)
        must_be_0(pthread_join(producers[i], NULL), "pthread_join");
    for (int i = 0; i < CONSUMERS; i++) {
        must_be_0(pthread_join(consumers[i], NULL), "pthread_join");
        sum += sums[i];
    }
    printf("sum %llu, expected %llu\n", sum, PRODUCERS * (unsigned long long)ITEMS * (ITEMS + 1) / 2);

    /* Permits beyond the limit are refused, and nothing changes. */
    ftpool_semaphore full = FTPOOL_SEMAPHORE_INIT_FAIR(FTPOOL_SEMAPHORE_MAX);
    printf("one permit too many: %s\n", ftpool_status_name(ftpool_semaphore_release(&full, 1)));
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
