// thread_pool (header only): Submit, whose future is dropped, or waited for.
#include "futures.h"
#include "rival.h"
#include <thread_pool/thread_pool.hpp>

namespace {
using Pool = thread_pool::ThreadPool;
void *make(int workers) { return new Pool(static_cast<std::size_t>(workers)); }
void submit(void *pool, std::size_t begin, std::size_t end, Job job) {
    for (std::size_t index = begin; index != end; index++)
        static_cast<Pool *>(pool)->Submit(job, index);
}
std::size_t sum(void *pool, std::size_t jobs) {
    return sum_of_futures(jobs, [pool](std::size_t number) {
        return static_cast<Pool *>(pool)->Submit([number] { return number; });
    });
}
void drop(void *pool) { delete static_cast<Pool *>(pool); }
} // namespace

extern "C" const Rival rival_thread_pool = {make, submit, drop};
extern "C" const Handles handles_thread_pool = {make, sum, drop};
