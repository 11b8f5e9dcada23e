// oneTBB: tasks enqueued into an arena of its own. The calling thread's slot is not used.
#include "rival.h"
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

namespace {
struct Pool {
    tbb::global_control threads;
    tbb::task_arena arena;
    explicit Pool(int workers)
        : threads(tbb::global_control::max_allowed_parallelism, workers + 1), arena(workers, 0) {}
};
void *make(int workers) { return new Pool(workers); }
void submit(void *pool, std::size_t begin, std::size_t end, Job job) {
    auto &arena = static_cast<Pool *>(pool)->arena;
    for (std::size_t index = begin; index != end; index++)
        arena.enqueue([job, index] { job(index); });
}
void drop(void *pool) { delete static_cast<Pool *>(pool); }
} // namespace

extern "C" const Rival rival_tbb = {make, submit, drop};
