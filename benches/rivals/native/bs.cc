// BS::thread_pool: detach_task, and submit_task for handles.
#include "futures.h"
#include "rival.h"
#include <BS_thread_pool.hpp>

namespace {
using Pool = BS::thread_pool<>;
void *make(int workers) { return new Pool(static_cast<std::size_t>(workers)); }
void submit(void *pool, std::size_t begin, std::size_t end, Job job) {
    for (std::size_t index = begin; index != end; index++)
        static_cast<Pool *>(pool)->detach_task([job, index] { job(index); });
}
std::size_t sum(void *pool, std::size_t jobs) {
    return sum_of_futures(jobs, [pool](std::size_t number) {
        return static_cast<Pool *>(pool)->submit_task([number] { return number; });
    });
}
void drop(void *pool) { delete static_cast<Pool *>(pool); }
} // namespace

extern "C" const Rival rival_bs = {make, submit, drop};
extern "C" const Handles handles_bs = {make, sum, drop};
