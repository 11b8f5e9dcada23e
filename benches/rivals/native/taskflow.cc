// Taskflow: silent_async, and async for handles.
#include "futures.h"
#include "rival.h"
#include <taskflow/taskflow.hpp>

namespace {
void *make(int workers) { return new tf::Executor(static_cast<std::size_t>(workers)); }
void submit(void *pool, std::size_t begin, std::size_t end, Job job) {
    for (std::size_t index = begin; index != end; index++)
        static_cast<tf::Executor *>(pool)->silent_async([job, index] { job(index); });
}
std::size_t sum(void *pool, std::size_t jobs) {
    return sum_of_futures(jobs, [pool](std::size_t number) {
        return static_cast<tf::Executor *>(pool)->async([number] { return number; });
    });
}
void drop(void *pool) {
    static_cast<tf::Executor *>(pool)->wait_for_all();
    delete static_cast<tf::Executor *>(pool);
}
} // namespace

extern "C" const Rival rival_taskflow = {make, submit, drop};
extern "C" const Handles handles_taskflow = {make, sum, drop};
