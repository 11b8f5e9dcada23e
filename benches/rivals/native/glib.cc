// GLib: a GThreadPool of exclusive threads. The pool's data is the job, each element an index plus 1 (NULL is none).
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
} // namespace

extern "C" const Rival rival_glib = {make, submit, drop};
