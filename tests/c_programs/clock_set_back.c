/* The wall clock is set back by an hour while the timer thread sleeps; other timers do not wait for it. What the
 * library reads is an hour ahead of what the kernel sleeps by, as if the kernel's had been set just then. */
#define _GNU_SOURCE

#include <fastthreadpool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WELL = 42, MILLISECOND = 1000000 };

int clock_gettime(clockid_t clock, struct timespec *time) {
    int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME)
        time->tv_sec += 3600;
    return failed;
}

static void *end_well(void *unused) {
    (void)unused;
    _exit(WELL);
}

static void *nothing(void *unused) { return unused; }

int main(void) {
    ftpool *pool;
    struct timespec now;
    alarm(100); /* hangs are killed */
    if (ftpool_new(NULL, &pool) != FTPOOL_OK || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return 1;
    int64_t soon = (int64_t)now.tv_sec * 1000 * MILLISECOND + now.tv_nsec + 300 * MILLISECOND;
    if (ftpool_submit_at(pool, soon, nothing, NULL, NULL) != FTPOOL_OK ||
        ftpool_submit_later(pool, 500 * MILLISECOND, end_well, NULL, NULL) != FTPOOL_OK)
        return 1;
    for (;;)
        pause();
}
