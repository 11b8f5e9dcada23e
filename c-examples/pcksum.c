/*
 * pcksum: the POSIX `cksum`, with one job per file, whole directories, and
 * the lines in the order of the arguments whichever file is done first.
 *
 * Build:      cc -O2 -o pcksum pcksum.c $(pkg-config --cflags --libs fastthreadpool)
 * Try:        ./pcksum -j 4 /usr/include
 * Introduces: a results object (ftpool_results_new, _submit, _next), failing a
 *             job with ftpool_fail and relating its outcome to its file by the
 *             job id, waiting with a timeout to show progress.
 *
 * The lines are those of coreutils `cksum`, names unquoted. The files below a
 * directory come in the byte order of their path names, which is the order of
 *     find -H DIR -type f -print0 | LC_ALL=C sort -z
 */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <fastthreadpool.h>

#include "pcksum_crc.h"

enum {
    READ_SIZE = 64 * 1024,      /* on the stack of a worker */
    MAX_UNPRINTED = 64 * 1024,  /* files found but not printed: bounds the memory */
    TICK_NS = 100 * 1000 * 1000 /* between two updates of the progress line */
};

static bool progress_drawn;

static void erase_progress(void) {
    if (progress_drawn)
        fputs("\r\033[K", stderr);
    progress_drawn = false;
}

static void complain(const char *what, const char *why) {
    erase_progress();
    fprintf(stderr, "pcksum: %s: %s\n", what, why);
}

static void die(const char *what, const char *why) {
    complain(what, why);
    exit(EXIT_FAILURE);
}

static void check(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK)
        die(call, ftpool_status_message(status));
}

/* memory as malloc or realloc returned it */
static void *not_null(void *memory) {
    if (memory == NULL)
        die("out of memory", strerror(errno));
    return memory;
}

static char *concat(const char *a, const char *b) {
    size_t a_length = strlen(a), b_size = strlen(b) + 1;
    char *joined = not_null(malloc(a_length + b_size));
    memcpy(joined, a, a_length);
    memcpy(joined + a_length, b, b_size);
    return joined;
}

/* ---- The job ------------------------------------------------------------ */

/* A file that was found and not printed yet. The files are queued in the order
 * of the output. A job writes only crc and size, all else is the main thread's. */
struct file {
    struct file *next;
    char *path;
    ftpool_job_id id;
    enum { PENDING, GOOD, BAD } state;
    uint32_t crc;
    uint64_t size;
};

static void *fail_with(int error) {
    char text[128];
    if (strerror_r(error, text, sizeof text) != 0)
        snprintf(text, sizeof text, "error %d", error);
    check(ftpool_fail(error, text), "ftpool_fail");
    return NULL;
}

static void *checksum_file(void *arg) {
    struct file *file = arg;
    unsigned char buffer[READ_SIZE];
    uint32_t crc = 0;
    uint64_t size = 0;
    ssize_t got;

    int fd = open(file->path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return fail_with(errno);
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
        crc = crc_update(crc, buffer, (size_t)got);
        size += (uint64_t)got;
    }
    int error = errno;
    close(fd);
    if (got < 0)
        return fail_with(error);

    file->crc = crc_finish(crc, size);
    file->size = size;
    return file;
}

/* ---- The main thread: submit jobs, read outcomes, print ----------------- */

struct run {
    ftpool_results *results;
    struct file *first, **end; /* the queue of the files not printed yet */
    size_t unprinted;
    uint64_t files_found, files_done, bytes_done;
    bool show_progress, stdout_is_tty;
    uint64_t drawn_ns;
    int exit_status;
};

static void draw_progress(struct run *run) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    struct timespec now;
    size_t unit = 0;

    if (!run->show_progress)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    if (now_ns - run->drawn_ns < TICK_NS)
        return;
    run->drawn_ns = now_ns;

    double amount = (double)run->bytes_done;
    for (; amount >= 999.95; amount /= 1000)
        unit++;
    erase_progress();
    fprintf(stderr, "\r%" PRIu64 "/%" PRIu64 " files, %.*f %s", run->files_done, run->files_found,
            unit > 0, amount, units[unit]);
    progress_drawn = true;
}

static void report_failure(struct run *run, const char *path, const char *why) {
    complain(path, why);
    run->exit_status = EXIT_FAILURE;
}

static void flush_output(void) {
    if (fflush(stdout) != 0)
        die("write error", strerror(errno));
}

/* Prints and frees the files at the head of the queue whose job is done. */
static void print_finished(struct run *run) {
    struct file *file;
    while ((file = run->first) != NULL && file->state != PENDING) {
        if (file->state == GOOD) {
            if (run->stdout_is_tty)
                erase_progress();
            if (printf("%" PRIu32 " %" PRIu64 " %s\n", file->crc, file->size, file->path) < 0)
                die("write error", strerror(errno));
        }
        run->first = file->next;
        if (run->first == NULL)
            run->end = &run->first;
        run->unprinted--;
        free(file->path);
        free(file);
    }
}

static struct file *find_by_id(struct run *run, ftpool_job_id id) {
    struct file *file = run->first;
    while (file != NULL && file->id != id)
        file = file->next;
    if (file == NULL)
        die("ftpool_results_next", "outcome of an unknown job");
    return file;
}

/* Reads one outcome; false if there was none in time. */
static bool take_outcome(struct run *run, int64_t timeout_ns) {
    ftpool_result result = FTPOOL_RESULT_INIT;
    ftpool_status status = ftpool_results_next(run->results, timeout_ns, &result);
    if (status == FTPOOL_TIMEOUT || status == FTPOOL_EMPTY)
        return false;
    check(status, "ftpool_results_next");

    /* A failed job has no value, so its file is found by the id. The search is
     * mostly short, since the first jobs of the queue are the first to start. */
    if (result.outcome == FTPOOL_OUTCOME_DONE) {
        struct file *file = result.value;
        file->state = GOOD;
        run->bytes_done += file->size;
    } else {
        struct file *file = find_by_id(run, result.id);
        file->state = BAD;
        report_failure(run, file->path, result.error_message ? result.error_message : "did not run");
    }
    run->files_done++;
    print_finished(run);
    draw_progress(run);
    return true;
}

/* Output is flushed only before this thread may have to wait: so no line is
 * late, yet many go out together while outcomes come fast. */
static void wait_for_outcome(struct run *run) {
    if (take_outcome(run, FTPOOL_NOW))
        return;
    flush_output();
    if (!take_outcome(run, run->show_progress ? TICK_NS : FTPOOL_FOREVER))
        draw_progress(run);
}

/* The path is freed with the file. */
static void add_file(struct run *run, char *path) {
    struct file *file = not_null(malloc(sizeof *file));
    *file = (struct file){.path = path, .state = PENDING};

    while (run->unprinted >= MAX_UNPRINTED)
        wait_for_outcome(run);
    *run->end = file;
    run->end = &file->next;
    run->unprinted++;
    run->files_found++;

    /* The job may be over before this returns, but its outcome, and with it the
     * id, is looked at by this thread only, later. */
    check(ftpool_results_submit(run->results, checksum_file, file, &file->id), "ftpool_results_submit");
    while (take_outcome(run, FTPOOL_NOW))
        ;
}

/* ---- Finding the files -------------------------------------------------- */

struct names {
    char **list;
    size_t count, capacity;
};

static void add_name(struct names *names, char *name) {
    if (names->count == names->capacity) {
        names->capacity = names->capacity ? 2 * names->capacity : 64;
        names->list = not_null(realloc(names->list, names->capacity * sizeof *names->list));
    }
    names->list[names->count++] = name;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads the names of regular files, and of subdirectories with a slash added:
 * sorted like that, the names bring the files of the whole tree into the order
 * of their paths ("a.c" is before "a/b"). */
static bool read_directory(const char *path, struct names *names) {
    DIR *dir = opendir(path);
    if (dir == NULL)
        return false;
    struct dirent *entry;
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            info.st_mode = S_IFREG; /* the job will fail with the reason */
        if (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode))
            add_name(names, concat(entry->d_name, S_ISDIR(info.st_mode) ? "/" : ""));
    }
    int error = errno;
    closedir(dir);
    if (names->count > 0)
        qsort(names->list, names->count, sizeof *names->list, compare_names);
    errno = error;
    return error == 0;
}

/* The path ends with a slash. */
static void add_directory(struct run *run, const char *path) {
    struct names names = {0};
    flush_output();
    if (!read_directory(path, &names))
        report_failure(run, path, strerror(errno));
    for (size_t i = 0; i < names.count; i++) {
        char *child = concat(path, names.list[i]);
        free(names.list[i]);
        if (child[strlen(child) - 1] == '/') {
            add_directory(run, child);
            free(child);
        } else {
            add_file(run, child);
        }
    }
    free(names.list);
}

static void add_argument(struct run *run, const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) {
        report_failure(run, path, strerror(errno));
    } else if (S_ISDIR(info.st_mode)) {
        char *directory = concat(path, path[strlen(path) - 1] == '/' ? "" : "/");
        add_directory(run, directory);
        free(directory);
    } else {
        add_file(run, concat(path, ""));
    }
}

/* ---- Command line ------------------------------------------------------- */

static const char usage[] = "usage: pcksum [-j N] [--] PATH...\n"
                            "Print the POSIX checksum and size of each file, and of the files in each directory.\n"
                            "  -j N   use N worker threads\n";

static void usage_error(const char *what, const char *argument) {
    fprintf(stderr, "pcksum: %s%s\n%s", what, argument, usage);
    exit(2);
}

static int32_t parse_workers(const char *text) {
    char *end;
    if (text == NULL)
        usage_error("-j needs a number", "");
    long long number = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < 1 || number > INT32_MAX)
        usage_error("not a number of workers: ", text);
    return (int32_t)number;
}

/* Returns the index of the first path. A lone "-" is a path, not stdin. */
static int parse_options(int argc, char **argv, ftpool_config *config) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        const char *option = argv[i];
        if (strcmp(option, "--") == 0)
            return i + 1;
        if (strcmp(option, "-h") == 0 || strcmp(option, "--help") == 0) {
            fputs(usage, stdout);
            flush_output();
            exit(EXIT_SUCCESS);
        } else if (strncmp(option, "-j", 2) == 0) {
            config->workers = parse_workers(option[2] ? option + 2 : argv[++i]);
        } else {
            usage_error("unknown option: ", option);
        }
    }
    return i;
}

int main(int argc, char **argv) {
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool *pool;
    struct run run = {.show_progress = isatty(STDERR_FILENO), .stdout_is_tty = isatty(STDOUT_FILENO)};

    run.end = &run.first;
    int first_path = parse_options(argc, argv, &config);
    if (first_path >= argc)
        usage_error("no path given", "");
    prepare_crc();
    check(ftpool_new(&config, &pool), "ftpool_new");
    check(ftpool_results_new(pool, &run.results), "ftpool_results_new");

    for (int i = first_path; i < argc; i++)
        add_argument(&run, argv[i]);
    while (run.first != NULL)
        wait_for_outcome(&run);
    flush_output();
    erase_progress();

    ftpool_results_free(run.results);
    ftpool_free(pool);
    return run.exit_status;
}
