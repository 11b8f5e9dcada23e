/* Threads that call the lock and the semaphore in all ways at once: as the header inlines them, by the addresses of the
 * library's functions, and with time limits. 42 means that no two sections overlapped. Compiles as C and as C++. */
#include <fastthreadpool.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { WAYS = 4, THREADS = 2 * WAYS };

/* The library's own functions; volatile, so that the compiler does not replace them by the inlined ones. */
static void (*volatile acquire)(ftpool_lock *) = ftpool_lock_acquire;
static void (*volatile release)(ftpool_lock *) = ftpool_lock_release;
static ftpool_status (*volatile take)(ftpool_semaphore *) = ftpool_semaphore_acquire;
static ftpool_status (*volatile give)(ftpool_semaphore *, uint32_t) = ftpool_semaphore_release;

static ftpool_lock lock = FTPOOL_LOCK_INIT;
static ftpool_semaphore permit = FTPOOL_SEMAPHORE_INIT(1);
static long rounds, locked, permitted;

static void must(ftpool_status status) {
    if (status != FTPOOL_OK)
        _exit(1);
}

/* Now and then the others have to wait for long. */
static void count(long *counter, long round) {
    long before = *counter;
    if (round % 64 == 0)
        sched_yield();
    *counter = before + 1;
}

static void *run(void *way) {
    for (long i = 0; i < rounds; i++)
        switch (*(const int *)way) {
        case 0:
            ftpool_lock_acquire(&lock);
            count(&locked, i);
            ftpool_lock_release(&lock);
            must(ftpool_semaphore_acquire(&permit));
            count(&permitted, i);
            must(ftpool_semaphore_release(&permit, 1));
            break;
        case 1:
            acquire(&lock);
            count(&locked, i);
            release(&lock);
            must(take(&permit));
            count(&permitted, i);
            must(give(&permit, 1));
            break;
        case 2: /* acquired by one, released by the other */
            ftpool_lock_acquire(&lock);
            count(&locked, i);
            release(&lock);
            must(take(&permit));
            count(&permitted, i);
            must(ftpool_semaphore_release(&permit, 1));
            break;
        default:
            while (!ftpool_lock_try_acquire(&lock))
                if (ftpool_lock_acquire_for(&lock, 1000) == FTPOOL_OK)
                    break;
            count(&locked, i);
            ftpool_lock_release(&lock);
            while (ftpool_semaphore_try_acquire(&permit) != FTPOOL_OK)
                if (ftpool_semaphore_acquire_for(&permit, 1, 1000) == FTPOOL_OK)
                    break;
            count(&permitted, i);
            must(give(&permit, 1));
        }
    return NULL;
}

int main(int argc, char **argv) {
    static int ways[THREADS];
    pthread_t threads[THREADS];
    rounds = argc > 1 ? atol(argv[1]) : 1000;
    alarm(100);
    for (int i = 0; i < THREADS; i++) {
        ways[i] = i % WAYS;
        if (pthread_create(&threads[i], NULL, run, &ways[i]) != 0)
            return 1;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (locked != THREADS * rounds || permitted != THREADS * rounds)
        return 2;
    if (ftpool_lock_locked(&lock) || ftpool_semaphore_value(&permit) != 1)
        return 3;
    /* The functions that the inlined ones call. */
    must(ftpool_semaphore_acquire(&permit));
    must(ftpool_semaphore_release(&permit, FTPOOL_SEMAPHORE_MAX));
    if (ftpool_semaphore_release(&permit, 1) != FTPOOL_E_OVERFLOW || ftpool_semaphore_release(&permit, 0) != FTPOOL_OK)
        return 4;
    must(ftpool_semaphore_close(&permit));
    if (ftpool_semaphore_acquire(&permit) != FTPOOL_E_SHUTDOWN)
        return 5;
    if (ftpool_semaphore_acquire(NULL) != FTPOOL_E_INVALID || ftpool_semaphore_release(NULL, 1) != FTPOOL_E_INVALID)
        return 6;
    return 42;
}
