/*
 * epoll_server: a TCP server whose connections share one thread, and whose
 * work is done by a pool. epoll_wire.h says what it answers.
 *
 * Build:      cc -O2 -o epoll_server epoll_server.c $(pkg-config --cflags --libs fastthreadpool)
 * Try:        ./epoll_server -p 7000 & ./epoll_load 7000
 * Introduces: waiting for outcomes and sockets alike (ftpool_results_fd), submitting
 *             and taking many at once (ftpool_results_submit_batch, _take).
 *
 * -p PORT: 0 for any free one, which it prints (the default). -j WORKERS.
 * SIGINT or SIGTERM: no new connections and requests; earlier requests are
 * answered, for two seconds at most. A second signal ends it at once.
 */
#define _GNU_SOURCE

#include <fastthreadpool.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>

#include "epoll_connection.h"

enum {
    MAX_CONNECTIONS = 1000,
    WINDOW = 256 * 1024, /* bytes of a connection's unanswered requests, above which nothing more is read from it */
    EVENTS = 64,
    OUTCOMES = 64,
    GRACE_MS = 2000
};

struct server {
    int epoll, listener, signals, answers;
    struct batch batch;
    struct connection *all, *touched;
    size_t open, room; /* connections, and for how many there is room */
    bool accepting, stopping, ended;
    struct timespec stop_at;
};

/* ---- Connections -------------------------------------------------------- */

static void watch(struct server *server, int operation, int fd, uint32_t events, void *data) {
    struct epoll_event event = {.events = events, .data.ptr = data};
    if (epoll_ctl(server->epoll, operation, fd, &event) < 0)
        fail("epoll_ctl");
}

/* Marks it for the end of the round: answers are sent together, and no connection is freed that an event may name. */
static void touch(struct server *server, struct connection *connection) {
    if (!connection->touched) {
        connection->touched = true;
        connection->next_touched = server->touched;
        server->touched = connection;
    }
}

static void close_connection(struct server *server, struct connection *connection) {
    if (connection->fd < 0)
        return;
    close(connection->fd); /* which takes it out of epoll */
    connection->fd = -1;
    server->open--;
    touch(server, connection);
}

static void accept_connections(struct server *server) {
    while (server->open < server->room) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == EPERM))
            continue; /* it was closed before it was accepted */
        if (fd < 0 && errno != EAGAIN)
            server->room = server->open > 0 ? server->open : 1; /* until a connection ends and makes room */
        if (fd < 0)
            return;
        struct connection *connection = new_connection(fd, &server->all);
        if (connection == NULL) {
            close(fd);
            return;
        }
        server->room = MAX_CONNECTIONS;
        server->open++;
        connection->waiting_for = EPOLLIN;
        watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, connection);
    }
}

static void read_from(struct server *server, struct connection *connection) {
    unsigned char buffer[BUFFER];
    ssize_t got = recv(connection->fd, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    touch(server, connection);
    if (got < 0 || (got == 0 && connection->shut)) {
        close_connection(server, connection);
    } else if (got == 0) {
        connection->no_more = true;
    } else if (!take_in(connection, &server->batch, buffer, (size_t)got)) {
        fprintf(stderr, "epoll_server: no memory, a connection is closed\n");
        close_connection(server, connection);
    }
}

/* ---- After a change ----------------------------------------------------- */

/* Sets what a connection waits for: for room to send, if an answer is unsent; for requests, if not too many are
 * unanswered. After the last answer it is read to its end, so that the answers are not lost. */
static void look_after(struct server *server, struct connection *connection) {
    if (connection->fd < 0) {
        if (connection->running == 0)
            free_connection(connection);
        return;
    }
    if (!send_answers(connection)) {
        close_connection(server, connection); /* which touches it */
        return;
    }
    if (connection->no_more && !connection->shut && all_answered(connection)) {
        shutdown(connection->fd, SHUT_WR);
        connection->shut = true;
    }
    bool answers_left = connection->first != NULL && connection->first->state == ANSWERED;
    bool reads = connection->shut || (!connection->no_more && connection->unanswered < WINDOW);
    uint32_t events = (answers_left ? (uint32_t)EPOLLOUT : 0) | (reads ? (uint32_t)EPOLLIN : 0);
    if (events != connection->waiting_for) {
        connection->waiting_for = events;
        watch(server, EPOLL_CTL_MOD, connection->fd, events, connection);
    }
}

/* ---- Rounds ------------------------------------------------------------- */

/* Takes the available outcomes. A call that gets fewer than it has room for got all, and rearms the descriptor. */
static void take_outcomes(struct server *server) {
    ftpool_result outcomes[OUTCOMES] = {FTPOOL_RESULT_INIT};
    size_t count;
    do {
        must(ftpool_results_take(server->batch.results, OUTCOMES, outcomes, &count), "ftpool_results_take");
        for (size_t i = 0; i < count; i++) {
            struct request *request = outcomes[i].value; /* these jobs do not fail, and are not cancelled */
            for (; request != NULL; request = request->next_in_job) {
                request->state = ANSWERED;
                request->from->running--;
                touch(server, request->from);
            }
        }
    } while (count == OUTCOMES);
}

static void stop(struct server *server) {
    struct signalfd_siginfo signal;
    if (read(server->signals, &signal, sizeof signal) != sizeof signal)
        return;
    server->ended = server->stopping;
    if (server->stopping)
        return;
    server->stopping = true;
    clock_gettime(CLOCK_MONOTONIC, &server->stop_at);
    server->stop_at.tv_sec += GRACE_MS / 1000;
    close(server->listener);
    server->listener = -1;
    for (struct connection *connection = server->all; connection != NULL; connection = connection->next) {
        connection->no_more = true;
        touch(server, connection);
    }
}

/* Listens while there is room for connections. */
static void look_after_listener(struct server *server) {
    bool accepts = server->open < server->room;
    if (server->listener >= 0 && accepts != server->accepting) {
        server->accepting = accepts;
        watch(server, EPOLL_CTL_MOD, server->listener, accepts ? (uint32_t)EPOLLIN : 0, &server->listener);
    }
}

static int milliseconds_left(const struct server *server) {
    struct timespec now;
    if (!server->stopping)
        return -1;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left = (int64_t)(server->stop_at.tv_sec - now.tv_sec) * 1000;
    left += (server->stop_at.tv_nsec - now.tv_nsec) / 1000000;
    return left > 0 ? (int)left : 0;
}

static void serve_round(struct server *server, const struct epoll_event *events, int count) {
    for (int i = 0; i < count; i++) {
        void *source = events[i].data.ptr;
        struct connection *connection = source;
        if (source == &server->listener) {
            if (server->listener >= 0)
                accept_connections(server);
        } else if (source == &server->signals) {
            stop(server);
        } else if (source == &server->answers) {
            continue; /* outcomes are taken in every round */
        } else if (connection->fd >= 0) {
            if ((events[i].events & EPOLLERR) != 0 || (events[i].events & (EPOLLHUP | EPOLLIN)) == EPOLLHUP)
                close_connection(server, connection);
            else if ((events[i].events & EPOLLIN) != 0)
                read_from(server, connection);
            touch(server, connection);
        }
    }
    if (server->batch.count > 0)
        submit_batch(&server->batch); /* first, so that workers work while answers are sent */
    take_outcomes(server);
    while (server->touched != NULL) {
        struct connection *connection = server->touched;
        server->touched = connection->next_touched;
        connection->touched = false;
        look_after(server, connection);
    }
    look_after_listener(server);
}

int main(int argc, char **argv) {
    struct server server = {.accepting = true, .room = MAX_CONNECTIONS};
    struct epoll_event events[EVENTS];
    ftpool_config config = FTPOOL_CONFIG_INIT;
    ftpool *pool;
    sigset_t ends;
    long port = 0;

    for (int option; (option = getopt(argc, argv, "p:j:")) != -1;) {
        if (option == '?')
            return 2;
        if (option == 'p')
            port = number(optarg, 0, 65535);
        else
            config.workers = (int32_t)number(optarg, 1, 1000);
    }
    if (optind < argc) {
        fprintf(stderr, "usage: epoll_server [-p port] [-j workers]\n");
        return 2;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    server.signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server.epoll < 0 || server.signals < 0)
        fail("epoll_server");

    config.name = "sorter";
    must(ftpool_new(&config, &pool), "ftpool_new");
    server.batch.workers = ftpool_worker_limit(pool);
    must(ftpool_results_new(pool, &server.batch.results), "ftpool_results_new");
    must(ftpool_results_fd(server.batch.results, &server.answers), "ftpool_results_fd");
    server.listener = listen_at(port, SOCK_NONBLOCK);
    watch(&server, EPOLL_CTL_ADD, server.listener, EPOLLIN, &server.listener);
    watch(&server, EPOLL_CTL_ADD, server.signals, EPOLLIN, &server.signals);
    watch(&server, EPOLL_CTL_ADD, server.answers, EPOLLIN, &server.answers);

    while (!server.ended && !(server.stopping && (server.all == NULL || milliseconds_left(&server) == 0))) {
        int count = epoll_wait(server.epoll, events, EVENTS, milliseconds_left(&server));
        if (count < 0 && errno != EINTR)
            fail("epoll_wait");
        serve_round(&server, events, count);
    }

    ftpool_free(pool); /* after this no job uses a request */
    ftpool_results_free(server.batch.results);
    while (server.all != NULL) {
        if (server.all->fd >= 0)
            close(server.all->fd);
        free_connection(server.all);
    }
    if (server.listener >= 0)
        close(server.listener);
    close(server.signals);
    close(server.epoll);
    return EXIT_SUCCESS;
}
