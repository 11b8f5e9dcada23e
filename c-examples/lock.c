/*
 * lock: counts words in several threads, which share a table behind a lock.
 *
 * Build:      cc -o lock lock.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: a lock in the program's own memory (FTPOOL_LOCK_INIT), acquire
 *             and release, querying (ftpool_lock_locked), trying
 *             (ftpool_lock_try_acquire), a time limit
 *             (ftpool_lock_acquire_for), the checked release; an event and a
 *             wait group.
 */
#include <fastthreadpool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS = 8, ROUNDS = 5000, MOST_WORDS = 8 };

static const char *const TEXT[] = {"the", "lock", "the", "value", "the", "waiter", "lock"};

static void die(const char *call, const char *why) {
    fprintf(stderr, "lock: %s: %s\n", call, why);
    exit(EXIT_FAILURE);
}

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK)
        die(call, ftpool_status_message(status));
}

/* The lock and the data that it protects. */
static struct {
    ftpool_lock lock;
    size_t words;
    struct {
        const char *word;
        unsigned count;
    } table[MOST_WORDS];
} counts = {.lock = FTPOOL_LOCK_INIT};

static ftpool_event begin = FTPOOL_EVENT_INIT;
static ftpool_wait_group under_way = FTPOOL_WAIT_GROUP_INIT;

/* The caller must hold the lock. */
static void count(const char *word) {
    size_t i = 0;
    while (i < counts.words && strcmp(counts.table[i].word, word) != 0)
        i++;
    if (i == counts.words) {
        if (i == MOST_WORDS)
            die("count", "too many words");
        counts.table[counts.words++].word = word;
    }
    counts.table[i].count++;
}

static void *count_all(void *arg) {
    (void)arg;
    must(ftpool_event_wait(&begin, FTPOOL_FOREVER), "ftpool_event_wait");
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < sizeof TEXT / sizeof *TEXT; i++) {
            ftpool_lock_acquire(&counts.lock);
            count(TEXT[i]);
            ftpool_lock_release(&counts.lock);
        }
    must(ftpool_wait_group_done(&under_way), "ftpool_wait_group_done");
    return NULL;
}

int main(void) {
    ftpool *pool;
    ftpool_config config = FTPOOL_CONFIG_INIT;
    config.workers = 4;
    must(ftpool_new(&config, &pool), "ftpool_new");

    /* While we hold the lock, no thread counts; any thread may query and try it. */
    ftpool_lock_acquire(&counts.lock);
    printf("locked: %d\n", ftpool_lock_locked(&counts.lock));
    printf("once more: %d\n", ftpool_lock_try_acquire(&counts.lock));
    printf("for a while: %s\n", ftpool_status_name(ftpool_lock_acquire_for(&counts.lock, 1000)));
    for (size_t i = 0; i < sizeof TEXT / sizeof *TEXT; i++)
        count(TEXT[i]); /* the order of the words is that of the text */
    must(ftpool_lock_release_checked(&counts.lock), "ftpool_lock_release_checked");
    printf("released twice: %s\n", ftpool_status_name(ftpool_lock_release_checked(&counts.lock)));

    must(ftpool_wait_group_add(&under_way, JOBS), "ftpool_wait_group_add");
    for (int i = 0; i < JOBS; i++)
        must(ftpool_submit(pool, count_all, NULL, NULL), "ftpool_submit");
    must(ftpool_event_set(&begin), "ftpool_event_set");
    must(ftpool_wait_group_wait(&under_way, FTPOOL_FOREVER), "ftpool_wait_group_wait");

    ftpool_free(pool); /* after this, no job uses the lock */
    for (size_t i = 0; i < counts.words; i++)
        printf("%s %u\n", counts.table[i].word, counts.table[i].count);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
