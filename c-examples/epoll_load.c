/*
 * epoll_load: sends requests to epoll_server or epoll_threads as fast as they
 * answer, checks every answer, and prints how many there were per second and
 * how long they took.
 *
 * Build:      cc -O2 -o epoll_load epoll_load.c
 * Try:        ./epoll_server -p 7000 & ./epoll_load -c 16 -w 8 -n 500000 7000
 * Introduces: nothing of the library: it is the other side.
 *
 * -c connections, each with -w requests at a time without an answer, -n
 * requests in all, of -s bytes on average.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <time.h>

#include "epoll_wire.h"

enum { SAMPLES = 64, MAX_WINDOW = 256, MAX_CLIENTS = 900, EVENTS = 64, FRAMES_AT_ONCE = 32 };

/* A request and its right answer, with their headers. */
static struct sample {
    uint32_t size;
    unsigned char *request, *answer;
} samples[SAMPLES];

struct client {
    int fd;
    bool waits_for_room;
    uint64_t asked, told, answered; /* requests that are being sent, sent, answered */
    size_t sent, got;               /* bytes of the next request to send, of the next answer */
    uint64_t begun[MAX_WINDOW];     /* when they were asked, in nanoseconds */
};

static struct {
    long clients, window, requests, size;
} options = {16, 8, 200000, 256};

static struct client *clients;
static uint64_t *times; /* of the answers, in nanoseconds */
static uint64_t asked, answered;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void *not_null(void *memory) {
    if (memory == NULL)
        fail("epoll_load");
    return memory;
}

/* Requests of 0 to twice the average size. Here they are sorted by counting. */
static void make_samples(void) {
    uint64_t random = 88172645463325252;
    for (int n = 0; n < SAMPLES; n++) {
        uint32_t length = (uint32_t)(2 * options.size * n / (SAMPLES - 1)), counts[256] = {0}, at = HEADER;
        struct sample *sample = &samples[n];
        sample->size = HEADER + length;
        sample->request = not_null(malloc(sample->size));
        sample->answer = not_null(malloc(sample->size));
        put_length(sample->request, length);
        put_length(sample->answer, length);
        for (uint32_t i = HEADER; i < sample->size; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            counts[sample->request[i] = (unsigned char)random]++;
        }
        for (int byte = 0; byte < 256; byte++) {
            memset(sample->answer + at, byte, counts[byte]);
            at += counts[byte];
        }
    }
}

/* Every connection sends the requests in an order of its own. */
static const struct sample *sample_of(const struct client *client, uint64_t number) {
    return &samples[((uint64_t)(client - clients) * 7 + number * 13) % SAMPLES];
}

static void wait_for(int epoll, struct client *client, bool room) {
    if (room != client->waits_for_room) {
        struct epoll_event event = {.events = EPOLLIN | (room ? (uint32_t)EPOLLOUT : 0), .data.ptr = client};
        client->waits_for_room = room;
        if (epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event) < 0)
            fail("epoll_ctl");
    }
}

/* Sends until the window or the connection is full, or all requests are sent. */
static void ask(int epoll, struct client *client) {
    for (;;) {
        struct iovec parts[FRAMES_AT_ONCE];
        size_t count = 0;
        uint64_t time = now();
        for (uint64_t number = client->told; count < FRAMES_AT_ONCE; number++) {
            if (number == client->asked) {
                if (asked == (uint64_t)options.requests || client->asked - client->answered == (uint64_t)options.window)
                    break;
                client->begun[number % (uint64_t)options.window] = time;
                client->asked++;
                asked++;
            }
            const struct sample *sample = sample_of(client, number);
            size_t skip = number == client->told ? client->sent : 0;
            parts[count++] = (struct iovec){sample->request + skip, sample->size - skip};
        }
        if (count == 0) {
            wait_for(epoll, client, false);
            return;
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
        ssize_t sent = sendmsg(client->fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            wait_for(epoll, client, true);
            return;
        }
        if (sent < 0 && errno != EINTR)
            fail("send");
        client->sent += sent > 0 ? (size_t)sent : 0;
        while (client->told < client->asked && client->sent >= sample_of(client, client->told)->size)
            client->sent -= sample_of(client, client->told++)->size;
    }
}

/* Compares received bytes with the expected answers. */
static void check(struct client *client, const unsigned char *bytes, size_t count) {
    uint64_t time = now();
    while (count > 0) {
        const struct sample *sample = sample_of(client, client->answered);
        size_t part = sample->size - client->got < count ? sample->size - client->got : count;
        if (client->answered == client->told || memcmp(bytes, sample->answer + client->got, part) != 0) {
            fprintf(stderr, "epoll_load: a wrong answer\n");
            exit(EXIT_FAILURE);
        }
        bytes += part;
        count -= part;
        client->got += part;
        if (client->got == sample->size) {
            times[answered++] = time - client->begun[client->answered++ % (uint64_t)options.window];
            client->got = 0;
        }
    }
}

static void listen_to(struct client *client) {
    static unsigned char buffer[4 * BUFFER];
    ssize_t got = recv(client->fd, buffer, sizeof buffer, 0);
    if (got == 0) {
        fprintf(stderr, "epoll_load: the server closed a connection\n");
        exit(EXIT_FAILURE);
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        fail("recv");
    if (got > 0)
        check(client, buffer, (size_t)got);
}

static void connect_to(long port, int epoll, struct client *client) {
    struct sockaddr_in address = loopback(port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    send_at_once(client->fd);
    if (fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
        fail("epoll_load");
}

static int by_time(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    for (int option; (option = getopt(argc, argv, "c:w:n:s:")) != -1;) {
        switch (option) {
        case 'c': options.clients = number(optarg, 1, MAX_CLIENTS); break;
        case 'w': options.window = number(optarg, 1, MAX_WINDOW); break;
        case 'n': options.requests = number(optarg, 1, 100000000); break;
        case 's': options.size = number(optarg, 0, MAX_LENGTH / 2); break;
        default: return 2;
        }
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: epoll_load [-c connections] [-w requests] [-n requests] [-s bytes] port\n");
        return 2;
    }
    long port = number(argv[optind], 1, 65535);
    make_samples();
    clients = not_null(calloc((size_t)options.clients, sizeof *clients));
    times = not_null(malloc((size_t)options.requests * sizeof *times));
    for (long n = 0; n < options.clients; n++)
        connect_to(port, epoll, &clients[n]);

    uint64_t start = now();
    for (long n = 0; n < options.clients; n++)
        ask(epoll, &clients[n]);
    while (answered < (uint64_t)options.requests) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            listen_to(client);
            ask(epoll, client);
        }
    }
    double seconds = (double)(now() - start) / 1e9;

    qsort(times, answered, sizeof *times, by_time);
    printf("%ld answers, %.0f in a second, p50 %.0f us, p99 %.0f us\n", options.requests, (double)answered / seconds,
           (double)times[answered / 2] / 1e3, (double)times[answered * 99 / 100] / 1e3);
    for (long n = 0; n < options.clients; n++)
        close(clients[n].fd);
    for (int n = 0; n < SAMPLES; n++) {
        free(samples[n].request);
        free(samples[n].answer);
    }
    free(clients);
    free(times);
    close(epoll);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
