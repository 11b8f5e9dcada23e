/* The lock and the semaphore as C programs have them, for waits/c_abi.rs: the header inlines what needs no waiting; the
 * rest comes from the library that was loaded. */
#include <fastthreadpool.h>
#include <time.h>

struct library {
    ftpool_status (*lock_acquire_for)(ftpool_lock *, int64_t);
    ftpool_status (*lock_release_checked)(ftpool_lock *);
    void (*lock_wake_next)(ftpool_lock *);
    ftpool_status (*semaphore_acquire_for)(ftpool_semaphore *, uint32_t, int64_t);
    ftpool_status (*semaphore_release_slow)(ftpool_semaphore *, uint32_t);
};

static struct library library;

/* Threads that do the same; see Contest in locks.rs and semaphores.rs, whose loops these are, for a language whose calls
 * are not inlined into Rust. */
struct contest {
    size_t times;
    uint32_t inside, outside;
    bool every; /* every wait is timed, or one in 64 */
};

void c_waits_load(const struct library *loaded);
uint64_t c_lock_contest(ftpool_lock *lock, uint64_t *count, const struct contest *contest);
void c_lock_alone(ftpool_lock *lock, uint64_t *count, size_t times);
ftpool_status c_semaphore_acquire(ftpool_semaphore *semaphore);
ftpool_status c_semaphore_release(ftpool_semaphore *semaphore);
size_t c_semaphore_alone(ftpool_semaphore *semaphore, size_t times);

void c_waits_load(const struct library *loaded) { library = *loaded; }

/* In place of the dynamic linker. */
ftpool_status ftpool_lock_acquire_for(ftpool_lock *lock, int64_t timeout_ns) {
    return library.lock_acquire_for(lock, timeout_ns);
}
ftpool_status ftpool_lock_release_checked(ftpool_lock *lock) { return library.lock_release_checked(lock); }
void ftpool_lock_wake_next(ftpool_lock *lock) { library.lock_wake_next(lock); }
ftpool_status ftpool_semaphore_acquire_for(ftpool_semaphore *semaphore, uint32_t permits, int64_t timeout_ns) {
    return library.semaphore_acquire_for(semaphore, permits, timeout_ns);
}
ftpool_status ftpool_semaphore_release_slow(ftpool_semaphore *semaphore, uint32_t permits) {
    return library.semaphore_release_slow(semaphore, permits);
}

static uint64_t now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* As work() in race.rs: about a nanosecond a step. */
static inline void work(uint32_t steps) {
    for (uint32_t step = 0; step < steps; step++) {
        uint32_t seen = step;
        __asm__ volatile("" : : "r"(&seen) : "memory");
    }
}

/* The longest wait, in nanoseconds. */
uint64_t c_lock_contest(ftpool_lock *lock, uint64_t *count, const struct contest *contest) {
    const struct contest it = *contest;
    uint64_t longest = 0;
    for (size_t i = 1; i <= it.times; i++) {
        bool timed = it.every || i % 64 == 0;
        uint64_t began = timed ? now() : 0;
        ftpool_lock_acquire(lock);
        if (timed) {
            uint64_t took = now() - began;
            longest = took > longest ? took : longest;
        }
        ++*count;
        work(it.inside);
        ftpool_lock_release(lock);
        work(it.outside);
    }
    return longest;
}

void c_lock_alone(ftpool_lock *lock, uint64_t *count, size_t times) {
    for (size_t i = 0; i < times; i++) {
        ftpool_lock_acquire(lock);
        ++*count;
        ftpool_lock_release(lock);
    }
}

ftpool_status c_semaphore_acquire(ftpool_semaphore *semaphore) { return ftpool_semaphore_acquire(semaphore); }
ftpool_status c_semaphore_release(ftpool_semaphore *semaphore) { return ftpool_semaphore_release(semaphore, 1); }

size_t c_semaphore_alone(ftpool_semaphore *semaphore, size_t times) {
    size_t done = 0;
    for (size_t i = 0; i < times; i++)
        done += ftpool_semaphore_acquire(semaphore) == FTPOOL_OK && ftpool_semaphore_release(semaphore, 1) == FTPOOL_OK;
    return done;
}
