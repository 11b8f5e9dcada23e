// libuv: uv_queue_work. A loop belongs to one thread, so each producer runs one of its own until its jobs are done. The
// number of threads is the process's, from UV_THREADPOOL_SIZE at the first use. Outcomes come back through the callback that
// is called when the work is done.
#include "rival.h"
#include <deque>
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
void *make(int) { return nullptr; }
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

struct Squares {
    uv_loop_t loop;
    Keep keep;
    void *to;
    std::size_t read;
};
struct Squaring {
    uv_work_t request;
    Squares *pool;
    Square square;
    std::size_t number, answer;
};
void *make_squares(int) {
    auto *pool = new Squares{};
    uv_loop_init(&pool->loop);
    return pool;
}
void submit_square(void *pool, std::size_t number, Square square) {
    auto *own = static_cast<Squares *>(pool);
    auto *work = new Squaring{{}, own, square, number, 0};
    auto run = [](uv_work_t *request) {
        auto *work = reinterpret_cast<Squaring *>(request);
        work->answer = work->square(work->number);
    };
    auto done = [](uv_work_t *request, int) {
        auto *work = reinterpret_cast<Squaring *>(request);
        work->pool->keep(work->pool->to, work->number, work->answer);
        work->pool->read++;
        delete work;
    };
    uv_queue_work(&own->loop, &work->request, run, done);
}
std::size_t read_square(void *pool, Keep keep, void *to) {
    auto *own = static_cast<Squares *>(pool);
    own->keep = keep, own->to = to, own->read = 0;
    while (own->read == 0)
        uv_run(&own->loop, UV_RUN_ONCE);
    return own->read;
}
void drop_squares(void *pool) {
    uv_loop_close(&static_cast<Squares *>(pool)->loop);
    delete static_cast<Squares *>(pool);
}
} // namespace

extern "C" const Outcomes outcomes_uv = {make_squares, submit_square, read_square, drop_squares};
extern "C" const Rival rival_uv = {make, submit, drop};
