/*
 * epoll_threads: the same server with a thread for each connection and no
 * pool, to compare epoll_server with. epoll_wire.h says what it answers.
 *
 * Build:      cc -O2 -pthread -o epoll_threads epoll_threads.c
 * Try:        ./epoll_threads -p 7000 & ./epoll_load 7000
 * Introduces: nothing of the library: this is how it would be done without.
 */
#define _GNU_SOURCE

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include "epoll_wire.h"

/* The bytes read and written at a time, so that one system call serves many small frames. */
struct stream {
    int fd;
    size_t begin, end, unsent;
    unsigned char in[BUFFER], out[BUFFER];
};

static bool send_all(int fd, const unsigned char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        bytes += sent > 0 ? sent : 0;
        count -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static bool flush(struct stream *stream) {
    size_t unsent = stream->unsent;
    stream->unsent = 0;
    return send_all(stream->fd, stream->out, unsent);
}

static bool put(struct stream *stream, const unsigned char *bytes, size_t count) {
    if (count > BUFFER - stream->unsent && !flush(stream))
        return false;
    if (count > BUFFER)
        return send_all(stream->fd, bytes, count);
    memcpy(stream->out + stream->unsent, bytes, count);
    stream->unsent += count;
    return true;
}

/* Sends the answers before it waits. */
static bool get(struct stream *stream, unsigned char *bytes, size_t count) {
    while (count > 0) {
        if (stream->begin == stream->end) {
            if (stream->unsent > 0 && !flush(stream))
                return false;
            ssize_t got = recv(stream->fd, stream->in, BUFFER, 0);
            if (got == 0 || (got < 0 && errno != EINTR))
                return false;
            stream->begin = 0;
            stream->end = got > 0 ? (size_t)got : 0;
            continue;
        }
        size_t part = stream->end - stream->begin < count ? stream->end - stream->begin : count;
        memcpy(bytes, stream->in + stream->begin, part);
        stream->begin += part;
        bytes += part;
        count -= part;
    }
    return true;
}

static void *serve(void *arg) {
    struct stream *stream = arg;
    unsigned char header[HEADER], *bytes = malloc(MAX_LENGTH);
    while (bytes != NULL && get(stream, header, HEADER)) {
        uint32_t length = get_length(header);
        if (length > MAX_LENGTH) {
            put_length(header, REFUSED);
            if (!put(stream, header, HEADER) || !flush(stream))
                break;
            shutdown(stream->fd, SHUT_WR);
            while (recv(stream->fd, stream->in, BUFFER, 0) > 0) {
            }
            break;
        }
        if (!get(stream, bytes, length))
            break;
        sort_bytes(bytes, length);
        if (!put(stream, header, HEADER) || !put(stream, bytes, length))
            break;
    }
    close(stream->fd);
    free(bytes);
    free(stream);
    return NULL;
}

/* Waits for SIGINT or SIGTERM. The exit of the process ends the other threads. */
static void *end_at_a_signal(void *ends) {
    int signal;
    sigwait(ends, &signal);
    _exit(EXIT_SUCCESS);
}

int main(int argc, char **argv) {
    long port = 0;
    sigset_t ends;
    pthread_t thread;
    pthread_attr_t detached;

    for (int option; (option = getopt(argc, argv, "p:")) != -1;) {
        if (option == '?')
            return 2;
        port = number(optarg, 0, 65535);
    }
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    if (pthread_create(&thread, &detached, end_at_a_signal, &ends) != 0)
        fail("pthread_create");
    for (int listener = listen_at(port, 0);;) {
        int fd = accept(listener, NULL, NULL);
        struct stream *stream = fd < 0 ? NULL : calloc(1, sizeof *stream);
        if (stream == NULL) {
            if (fd >= 0)
                close(fd);
            continue;
        }
        send_at_once(fd);
        stream->fd = fd;
        if (pthread_create(&thread, &detached, serve, stream) != 0) {
            close(fd);
            free(stream);
        }
    }
}
