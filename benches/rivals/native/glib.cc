// GLib: a GThreadPool of exclusive threads. The pool's data is the job, each element an index plus 1 (NULL is none).
// Outcomes come back through a GAsyncQueue, as number and half of the square in one pointer.
#include "rival.h"
#include <glib.h>

namespace {
struct Pool {
    GThreadPool *threads;
    Job job;
};
void run(gpointer index, gpointer pool) { static_cast<Pool *>(pool)->job(reinterpret_cast<std::size_t>(index) - 1); }
void *make(int workers) {
    auto *pool = new Pool{nullptr, nullptr};
    pool->threads = g_thread_pool_new(run, pool, workers, TRUE, nullptr);
    return pool;
}
void submit(void *pool, std::size_t begin, std::size_t end, Job job) {
    auto *own = static_cast<Pool *>(pool);
    own->job = job; // Always the same one.
    for (std::size_t index = begin; index != end; index++)
        g_thread_pool_push(own->threads, reinterpret_cast<gpointer>(index + 1), nullptr);
}
void drop(void *pool) {
    auto *own = static_cast<Pool *>(pool);
    g_thread_pool_free(own->threads, FALSE, TRUE);
    delete own;
}

struct Squares {
    GThreadPool *threads;
    GAsyncQueue *done;
    Square square;
};
constexpr std::size_t LOW = 0xffffffff;
void run_square(gpointer index, gpointer pool) {
    auto *own = static_cast<Squares *>(pool);
    std::size_t number = reinterpret_cast<std::size_t>(index) - 1;
    std::size_t both = (number + 1) << 32 | (own->square(number) & LOW);
    g_async_queue_push(own->done, reinterpret_cast<gpointer>(both));
}
void *make_squares(int workers) {
    auto *pool = new Squares{nullptr, g_async_queue_new(), nullptr};
    pool->threads = g_thread_pool_new(run_square, pool, workers, TRUE, nullptr);
    return pool;
}
void submit_square(void *pool, std::size_t number, Square square) {
    auto *own = static_cast<Squares *>(pool);
    own->square = square; // Always the same one.
    g_thread_pool_push(own->threads, reinterpret_cast<gpointer>(number + 1), nullptr);
}
std::size_t read_square(void *pool, Keep keep, void *to) {
    auto *own = static_cast<Squares *>(pool);
    auto both = reinterpret_cast<std::size_t>(g_async_queue_pop(own->done));
    std::size_t number = (both >> 32) - 1;
    keep(to, number, (number * number & ~LOW) | (both & LOW));
    return 1;
}
void drop_squares(void *pool) {
    auto *own = static_cast<Squares *>(pool);
    g_thread_pool_free(own->threads, FALSE, TRUE);
    g_async_queue_unref(own->done);
    delete own;
}
} // namespace

extern "C" const Outcomes outcomes_glib = {make_squares, submit_square, read_square, drop_squares};
extern "C" const Rival rival_glib = {make, submit, drop};
