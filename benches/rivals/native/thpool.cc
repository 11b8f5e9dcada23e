// C-Thread-Pool: thpool_add_work.
#include "rival.h"
#include <cthreadpool/thpool.h>

namespace {
Job the_job; // Always the same one; an element is an index.
void run(void *index) { the_job(reinterpret_cast<std::size_t>(index)); }
void *make(int workers) { return thpool_init(workers); }
void submit(void *pool, std::size_t begin, std::size_t end, Job job) {
    the_job = job;
    for (std::size_t index = begin; index != end; index++)
        thpool_add_work(static_cast<threadpool>(pool), run, reinterpret_cast<void *>(index));
}
void drop(void *pool) {
    thpool_wait(static_cast<threadpool>(pool));
    thpool_destroy(static_cast<threadpool>(pool));
}
} // namespace

extern "C" const Rival rival_thpool = {make, submit, drop};
