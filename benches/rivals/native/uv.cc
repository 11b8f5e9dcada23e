// libuv: uv_queue_work. A loop belongs to one thread, so each producer runs one of its own until its jobs are done. The
// number of threads is the process's, from UV_THREADPOOL_SIZE at the first use.
#include "rival.h"
#include <cstdlib>
#include <deque>
#include <string>
#include <uv.h>

namespace {
struct Work {
    uv_work_t request;
    Job job;
    std::size_t index;
};
void run(uv_work_t *request) {
    auto *work = reinterpret_cast<Work *>(request);
    work->job(work->index);
}
void done(uv_work_t *, int) {}
void *make(int workers) {
    setenv("UV_THREADPOOL_SIZE", std::to_string(workers).c_str(), 0);
    return nullptr;
}
void submit(void *, std::size_t begin, std::size_t end, Job job) {
    uv_loop_t loop;
    uv_loop_init(&loop);
    std::deque<Work> all(end - begin);
    for (auto &work : all) {
        work.job = job;
        work.index = begin++;
        uv_queue_work(&loop, &work.request, run, done);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}
void drop(void *) {}
} // namespace

extern "C" const Rival rival_uv = {make, submit, drop};
