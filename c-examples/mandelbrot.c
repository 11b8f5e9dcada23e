/*
 * mandelbrot: paints the Mandelbrot set, one line of the picture per item.
 *
 * Build:      cc -o mandelbrot mandelbrot.c $(pkg-config --cflags --libs fastthreadpool)
 * Introduces: a parallel loop in which the caller takes part (ftpool_for), a
 *             sum over a range (ftpool_reduce), stopping early (ftpool_fail).
 *
 * mandelbrot [WIDTH [FILE.ppm]] writes a picture of WIDTH x WIDTH points;
 * without a file it only counts the points of the set.
 */
#include <fastthreadpool.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 500 };

struct picture {
    size_t width;
    unsigned char *points; /* three bytes each */
    unsigned short *steps;
};

static void must(ftpool_status status, const char *call) {
    if (status != FTPOOL_OK) {
        fprintf(stderr, "mandelbrot: %s: %s\n", call, ftpool_status_message(status));
        exit(EXIT_FAILURE);
    }
}

/* How many steps it takes to leave the circle of radius 2; STEPS for a point of the set. */
static unsigned escape(double x, double y) {
    double re = 0, im = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        double re2 = re * re, im2 = im * im;
        if (re2 + im2 > 4)
            return step;
        im = 2 * re * im + y;
        re = re2 - im2 + x;
    }
    return STEPS;
}

/* Lines differ a lot in cost: a thread with cheap ones takes more of them. */
static void paint_line(void *context, size_t line) {
    struct picture *picture = context;
    for (size_t column = 0; column < picture->width; column++) {
        double x = 3.0 * (double)column / (double)picture->width - 2.25;
        double y = 3.0 * (double)line / (double)picture->width - 1.5;
        unsigned steps = escape(x, y);
        size_t at = line * picture->width + column;
        picture->steps[at] = (unsigned short)steps;
        for (int colour = 0; colour < 3; colour++)
            picture->points[3 * at + (size_t)colour] = (unsigned char)(steps == STEPS ? 0 : steps * (unsigned)(3 + 2 * colour));
    }
}

/* Adds the points of the set among some points. */
static void count_points(void *context, size_t begin, size_t end, void *sum) {
    const struct picture *picture = context;
    for (size_t at = begin; at < end; at++)
        *(size_t *)sum += picture->steps[at] == STEPS;
}

static void add(void *context, void *into, const void *from) {
    (void)context;
    *(size_t *)into += *(const size_t *)from;
}

/* Looks for a point that takes exactly 100 steps, and stops the loop when it has found one. */
static void find_100(void *context, size_t at) {
    const struct picture *picture = context;
    if (picture->steps[at] == 100)
        ftpool_fail((int32_t)at, "found");
}

int main(int argc, char **argv) {
    struct picture picture = {argc > 1 ? strtoul(argv[1], NULL, 10) : 256, NULL, NULL};
    if (picture.width == 0 || picture.width > 10000) {
        fprintf(stderr, "usage: mandelbrot [WIDTH [FILE.ppm]]\n");
        return EXIT_FAILURE;
    }
    size_t points = picture.width * picture.width;
    picture.points = malloc(3 * points);
    picture.steps = malloc(points * sizeof *picture.steps);
    if (picture.points == NULL || picture.steps == NULL)
        return EXIT_FAILURE;

    ftpool *pool;
    must(ftpool_new(NULL, &pool), "ftpool_new");
    must(ftpool_for(pool, 0, picture.width, 0, paint_line, &picture), "ftpool_for");

    size_t inside = 0;
    must(ftpool_reduce(pool, 0, points, 0, count_points, add, &picture, sizeof inside, &inside), "ftpool_reduce");
    printf("%zu of %zu points belong to the set\n", inside, points);
    ftpool_status found = ftpool_for(pool, 0, points, 1000, find_100, &picture);
    printf("a point leaves after exactly 100 steps: %s\n", found == FTPOOL_E_JOB ? "yes" : "no");

    int failed = 0;
    if (argc > 2) {
        FILE *file = fopen(argv[2], "wb");
        failed = file == NULL || fprintf(file, "P6\n%zu %zu\n255\n", picture.width, picture.width) < 0 ||
                 fwrite(picture.points, 3, points, file) != points;
        if (file != NULL && fclose(file) != 0)
            failed = 1;
        if (failed)
            perror(argv[2]);
    }
    ftpool_free(pool);
    free(picture.points);
    free(picture.steps);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
