/* The protocol of epoll_server.c, epoll_threads.c and epoll_load.c. A frame is a length, 4 bytes, most significant
 * first, and that many bytes. A request is a frame; the answer is a frame with the same bytes sorted. Answers come in
 * the order of their requests. A request that is too long is answered by REFUSED in place of a length, and is the last
 * one. */
#ifndef EPOLL_WIRE_H
#define EPOLL_WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 4, MAX_LENGTH = 64 * 1024, BUFFER = 16 * 1024 };
static const uint32_t REFUSED = 0xFFFFFFFF;

static inline void put_length(unsigned char *header, uint32_t length) {
    for (int i = 0; i < HEADER; i++)
        header[i] = (unsigned char)(length >> (24 - 8 * i));
}

static inline uint32_t get_length(const unsigned char *header) {
    return (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3];
}

static inline int by_value(const void *a, const void *b) {
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

/* The work: sorting by comparisons, to take some microseconds. */
static inline void sort_bytes(unsigned char *bytes, size_t length) {
    qsort(bytes, length, 1, by_value);
}

static inline void fail(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

/* A number from the command line. */
static inline long number(const char *text, long least, long most) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most) {
        fprintf(stderr, "%s: not a number from %ld to %ld\n", text, least, most);
        exit(2);
    }
    return value;
}

static inline struct sockaddr_in loopback(long port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    return address;
}

/* Without this, an answer waits until the previous one is acknowledged. */
static inline void send_at_once(int fd) {
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

/* Listens on a port of this machine, or any free one if it is 0, and prints which. */
static inline int listen_at(long port, int flags) {
    struct sockaddr_in address = loopback(port);
    socklen_t size = sizeof address;
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        fail("listen");
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

#endif
