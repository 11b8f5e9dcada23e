// libuv: uv_timer_t. It goes by the machine's clock, in whole milliseconds, so here a minute is 60 ms while many are fired.
#include "timers.h"
#include <deque>
#include <uv.h>

namespace {
struct Timer {
    uv_timer_t handle;
    Job job;
    std::size_t number;
};
struct All {
    uv_loop_t loop;
    std::deque<Timer> timers;
    bool one = false; // Only until one was called.
};
void called(uv_timer_t *handle) {
    auto *timer = reinterpret_cast<Timer *>(handle);
    timer->job(timer->number);
    if (static_cast<All *>(handle->loop->data)->one)
        uv_stop(handle->loop);
}
void start(All *all, std::size_t number, std::uint64_t delay) {
    constexpr std::uint64_t millisecond = 1000000, second = 1000 * millisecond, hour = 3600 * second;
    // Those that are to be outstanding for ever stay so.
    const auto milliseconds = delay >= hour ? delay / millisecond : delay > second ? delay / second : 1;
    uv_timer_start(&all->timers[number].handle, called, milliseconds, 0);
}
void *make() {
    auto *all = new All;
    uv_loop_init(&all->loop);
    all->loop.data = all;
    return all;
}
void insert(void *timers, std::size_t number, std::uint64_t delay, Job job) {
    auto *all = static_cast<All *>(timers);
    auto &timer = all->timers.emplace_back();
    uv_timer_init(&all->loop, &timer.handle);
    timer.job = job;
    timer.number = number;
    start(all, number, delay);
}
void cancel(void *timers, std::size_t number) { uv_timer_stop(&static_cast<All *>(timers)->timers[number].handle); }
void reset(void *timers, std::size_t number, std::uint64_t delay) { start(static_cast<All *>(timers), number, delay); }
void fire(void *timers) { uv_run(&static_cast<All *>(timers)->loop, UV_RUN_DEFAULT); }
void look(void *timers) { uv_update_time(&static_cast<All *>(timers)->loop); }
void wait(void *timers) {
    auto *all = static_cast<All *>(timers);
    // UV_RUN_ONCE would call what is due already, and then wait for the next one.
    all->one = true;
    uv_run(&all->loop, UV_RUN_DEFAULT);
    all->one = false;
}
void drop(void *timers) {
    auto *all = static_cast<All *>(timers);
    for (auto &timer : all->timers)
        uv_close(reinterpret_cast<uv_handle_t *>(&timer.handle), nullptr);
    uv_run(&all->loop, UV_RUN_DEFAULT);
    uv_loop_close(&all->loop);
    delete all;
}
} // namespace

extern "C" const Timers timers_uv = {make, insert, cancel, reset, fire, look, wait, drop};
