/* The connections of epoll_server.c: requests are received piece by piece, become jobs when they are complete, and are
 * answered in the order in which they were asked. Nothing here waits. */
#ifndef EPOLL_CONNECTION_H
#define EPOLL_CONNECTION_H

#include <fastthreadpool.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "epoll_wire.h"

enum { FRAMES_AT_ONCE = 32, REQUESTS_AT_ONCE = 64, MOST_IN_A_JOB = 8 };

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK) {
        fprintf(stderr, "epoll_server: %s: %s\n", call, ftpool_status_message(status));
        exit(EXIT_FAILURE);
    }
}

/* A request, and its answer when the job is done. While the job runs, the bytes are the job's. */
struct request {
    struct request *next;
    struct request *next_in_job;
    struct connection *from;
    enum { READING, RUNNING, ANSWERED } state;
    uint32_t length;
    unsigned char header[HEADER];
    unsigned char bytes[];
};

struct connection {
    struct connection *next, **link; /* in the list of all */
    int fd;                          /* −1 when it is closed */
    uint32_t waiting_for;            /* events that are registered with epoll */
    bool no_more;                    /* no more requests: the other side has ended, was refused, or we stop */
    bool shut;                       /* every request is answered, and our side is shut down */
    bool touched;                    /* to be handled at the end of this round */
    struct connection *next_touched;
    struct request *first, **end; /* in the order of arrival; the last one may be READING */
    size_t unanswered;            /* bytes, including overhead */
    size_t running;               /* jobs that use one of the requests */
    size_t sent;                  /* bytes of the first answer */
    size_t filled;                /* bytes of the header or the request that is READING */
    unsigned char header[HEADER];
    struct request *reading;
};

static struct connection *new_connection(int fd, struct connection **all) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    send_at_once(fd);
    connection->fd = fd;
    connection->end = &connection->first;
    connection->next = *all;
    connection->link = all;
    if (*all != NULL)
        (*all)->link = &connection->next;
    *all = connection;
    return connection;
}

static size_t cost(const struct request *request) {
    return sizeof *request + request->length;
}

static void forget_first(struct connection *connection) {
    struct request *first = connection->first;
    connection->unanswered -= cost(first);
    connection->first = first->next;
    if (connection->first == NULL)
        connection->end = &connection->first;
    free(first);
}

/* Frees it and its requests, once no job uses one of them. */
static void free_connection(struct connection *connection) {
    while (connection->first != NULL)
        forget_first(connection);
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    free(connection);
}

/* The job. */
static void *answer(void *first) {
    for (struct request *request = first; request != NULL; request = request->next_in_job)
        sort_bytes(request->bytes, request->length);
    return first;
}

static struct request *new_request(struct connection *connection, uint32_t length) {
    struct request *request = malloc(sizeof *request + length);
    if (request == NULL)
        return NULL;
    request->next = request->next_in_job = NULL;
    request->from = connection;
    request->state = READING;
    request->length = length;
    put_length(request->header, length);
    *connection->end = request;
    connection->end = &request->next;
    connection->unanswered += cost(request);
    return request;
}

/* Requests that arrive in one round become jobs together, which costs less, and wakes workers once. They take some
 * microseconds each, less than it takes to wake this thread for the answer: where there are many, a job has several of
 * them, so that the answers come together as well. Where there are few, every worker gets some. */
struct batch {
    ftpool_results *results;
    size_t workers, count;
    struct request *requests[REQUESTS_AT_ONCE];
};

static void submit_batch(struct batch *batch) {
    void *jobs[REQUESTS_AT_ONCE];
    size_t size = batch->count / (2 * batch->workers), count = 0;
    size = size < 1 ? 1 : size > MOST_IN_A_JOB ? MOST_IN_A_JOB : size;
    for (size_t i = 0; i < batch->count; i++) {
        if (i % size == 0)
            jobs[count++] = batch->requests[i];
        else
            batch->requests[i - 1]->next_in_job = batch->requests[i];
    }
    must(ftpool_results_submit_batch(batch->results, answer, jobs, count, NULL), "ftpool_results_submit_batch");
    batch->count = 0;
}

static void submit(struct batch *batch, struct request *request) {
    request->state = RUNNING;
    request->from->running++;
    batch->requests[batch->count++] = request;
    if (batch->count == REQUESTS_AT_ONCE)
        submit_batch(batch);
}

/* Processes received bytes; false if there is no memory for a request. */
static bool take_in(struct connection *connection, struct batch *batch, const unsigned char *bytes, size_t count) {
    while (count > 0 && !connection->no_more) {
        struct request *reading = connection->reading;
        unsigned char *place = reading != NULL ? reading->bytes : connection->header;
        size_t size = reading != NULL ? reading->length : HEADER;
        size_t part = size - connection->filled < count ? size - connection->filled : count;
        memcpy(place + connection->filled, bytes, part);
        connection->filled += part;
        bytes += part;
        count -= part;
        if (connection->filled < size)
            break;
        connection->filled = 0;
        if (reading == NULL) {
            uint32_t length = get_length(connection->header);
            bool too_long = length > MAX_LENGTH;
            reading = new_request(connection, too_long ? 0 : length);
            if (reading == NULL)
                return false;
            if (too_long) {
                put_length(reading->header, REFUSED);
                reading->state = ANSWERED;
                connection->no_more = true;
                break;
            }
            connection->reading = reading;
            if (length > 0)
                continue;
        }
        connection->reading = NULL;
        submit(batch, reading);
    }
    return true;
}

/* Sends the answers that are ready, in the order of the requests; false if the connection is broken. */
static bool send_answers(struct connection *connection) {
    while (connection->first != NULL && connection->first->state == ANSWERED) {
        struct iovec parts[2 * FRAMES_AT_ONCE];
        struct request *request = connection->first;
        size_t count = 0, skip = connection->sent;
        for (; request != NULL && request->state == ANSWERED && count < 2 * FRAMES_AT_ONCE; request = request->next) {
            parts[count++] = (struct iovec){request->header, HEADER};
            parts[count++] = (struct iovec){request->bytes, request->length};
        }
        for (size_t i = 0; skip > 0; i++) {
            size_t part = skip < parts[i].iov_len ? skip : parts[i].iov_len;
            parts[i].iov_base = (unsigned char *)parts[i].iov_base + part;
            parts[i].iov_len -= part;
            skip -= part;
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
        ssize_t sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        connection->sent += (size_t)sent;
        while (connection->first != NULL && connection->first->state == ANSWERED &&
               connection->sent >= HEADER + connection->first->length) {
            connection->sent -= HEADER + connection->first->length;
            forget_first(connection);
        }
    }
    return true;
}

static bool all_answered(const struct connection *connection) {
    return connection->first == NULL || connection->first == connection->reading;
}

#endif
