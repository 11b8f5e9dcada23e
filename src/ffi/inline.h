#if defined(__GNUC__) && defined(__linux__) && !defined(FTPOOL_NO_INLINE) && !defined(__SANITIZE_THREAD__) && \
    __GCC_ATOMIC_INT_LOCK_FREE == 2 && __GCC_ATOMIC_LLONG_LOCK_FREE == 2
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define FTPOOL_NO_INLINE
#endif
#endif
#ifndef FTPOOL_NO_INLINE
/* The fast paths of locks and semaphores, for optimising compilers to inline; the slow paths are in the library, and so
 * are the functions that pointers to these refer to. -DFTPOOL_NO_INLINE leaves the inline functions out, and so does
 * ThreadSanitizer, which must see both sides of a lock in the library. The protocols are in src/sync/README.md. The
 * numbers below are part of the ABI. */
#define FTPOOL_INLINE extern inline __attribute__((__gnu_inline__))
#define FTPOOL_LOCK_FREE 0u
#define FTPOOL_LOCK_HELD 1u
#define FTPOOL_LOCK_WAITING 1u
#define FTPOOL_LOCK_STARVING 2u
#define FTPOOL_LOCK_LIGHT 8u
#define FTPOOL_SEMAPHORE_VALUE UINT64_C(0x7fffffff)
#define FTPOOL_SEMAPHORE_WAITING (UINT64_C(1) << 60)
#define FTPOOL_SEMAPHORE_CLOSED (UINT64_C(1) << 61)
#define FTPOOL_SEMAPHORE_QUEUED (UINT64_C(1) << 63)

FTPOOL_INLINE bool ftpool_lock_try_acquire(ftpool_lock *lock) {
    uint32_t seen = FTPOOL_LOCK_FREE;
    return __atomic_compare_exchange_n(&lock->opaque[0], &seen, FTPOOL_LOCK_HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

FTPOOL_INLINE void ftpool_lock_acquire(ftpool_lock *lock) {
    uint32_t seen = FTPOOL_LOCK_FREE;
    if (__builtin_expect(!__atomic_compare_exchange_n(&lock->opaque[0], &seen, FTPOOL_LOCK_HELD, false, __ATOMIC_ACQUIRE,
                                                      __ATOMIC_RELAXED), 0))
        (void)ftpool_lock_acquire_for(lock, FTPOOL_FOREVER);
}

FTPOOL_INLINE void ftpool_lock_release(ftpool_lock *lock) {
    uint32_t line = __atomic_load_n(&lock->opaque[1], __ATOMIC_RELAXED); /* R0 */
    if (__builtin_expect((line & (FTPOOL_LOCK_STARVING | FTPOOL_LOCK_LIGHT)) != FTPOOL_LOCK_LIGHT, 0)) {
        (void)ftpool_lock_release_checked(lock);
        return;
    }
    __atomic_store_n(&lock->opaque[0], FTPOOL_LOCK_FREE, __ATOMIC_RELEASE); /* R1 */
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* R2 */
    line = __atomic_load_n(&lock->opaque[1], __ATOMIC_RELAXED); /* R3 */
    if (__builtin_expect((line & (FTPOOL_LOCK_WAITING | FTPOOL_LOCK_STARVING)) != 0, 0))
        ftpool_lock_wake_next(lock);
}

FTPOOL_INLINE ftpool_status ftpool_semaphore_acquire(ftpool_semaphore *semaphore) {
    if (semaphore) {
        uint64_t seen = __atomic_load_n(&semaphore->opaque[0], __ATOMIC_RELAXED);
        while (__builtin_expect((seen & (FTPOOL_SEMAPHORE_CLOSED | FTPOOL_SEMAPHORE_QUEUED)) == 0 &&
                                (seen & FTPOOL_SEMAPHORE_VALUE) != 0, 1))
            if (__atomic_compare_exchange_n(&semaphore->opaque[0], &seen, seen - 1, true, __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED))
                return FTPOOL_OK;
    }
    return ftpool_semaphore_acquire_for(semaphore, 1, FTPOOL_FOREVER);
}

FTPOOL_INLINE ftpool_status ftpool_semaphore_release(ftpool_semaphore *semaphore, uint32_t permits) {
    if (semaphore) {
        uint64_t seen = __atomic_load_n(&semaphore->opaque[0], __ATOMIC_RELAXED);
        while (__builtin_expect((seen & (FTPOOL_SEMAPHORE_WAITING | FTPOOL_SEMAPHORE_QUEUED)) == 0 &&
                                permits <= FTPOOL_SEMAPHORE_VALUE - (seen & FTPOOL_SEMAPHORE_VALUE), 1))
            if (__atomic_compare_exchange_n(&semaphore->opaque[0], &seen, seen + permits, true, __ATOMIC_RELEASE,
                                            __ATOMIC_RELAXED))
                return FTPOOL_OK;
    }
    return ftpool_semaphore_release_slow(semaphore, permits);
}

#undef FTPOOL_INLINE
#endif  // FTPOOL_NO_INLINE
#endif  // __GNUC__
