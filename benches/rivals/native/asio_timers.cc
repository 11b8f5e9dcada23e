// Boost.Asio: its waitable timer, by steady_clock, which a round may put forward.
#include "timers.h"
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <deque>

namespace {
struct Clock {
    using Base = std::chrono::steady_clock;
    using duration = Base::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Clock>;
    static constexpr bool is_steady = true;
    static duration ahead;
    static time_point now() { return time_point(Base::now().time_since_epoch() + ahead); }
};
Clock::duration Clock::ahead{};

using Timer = boost::asio::basic_waitable_timer<Clock>;
struct All {
    boost::asio::io_context context{1};
    std::deque<std::pair<Timer, Job>> timers;
};
void start(All *all, std::size_t number, std::uint64_t delay) {
    auto &[timer, job] = all->timers[number];
    timer.expires_after(std::chrono::nanoseconds(delay));
    timer.async_wait([job = job, number](const boost::system::error_code &error) {
        if (!error)
            job(number);
    });
}
void *make() { return new All; }
void insert(void *timers, std::size_t number, std::uint64_t delay, Job job) {
    auto *all = static_cast<All *>(timers);
    all->timers.emplace_back(Timer(all->context), job);
    start(all, number, delay);
}
// The handler is told, like that of a job of ours.
void cancel(void *timers, std::size_t number) {
    auto *all = static_cast<All *>(timers);
    all->timers[number].first.cancel();
    all->context.poll();
}
void reset(void *timers, std::size_t number, std::uint64_t delay) {
    auto *all = static_cast<All *>(timers);
    start(all, number, delay);
    all->context.poll();
}
void fire(void *timers) {
    auto *all = static_cast<All *>(timers);
    Clock::ahead += std::chrono::hours(1);
    all->context.restart();
    all->context.run();
}
void look(void *) {}
void wait(void *timers) {
    auto *all = static_cast<All *>(timers);
    // It stops when nothing waits any more, and then has to be told that something does again.
    all->context.restart();
    all->context.run_one();
}
void drop(void *timers) { delete static_cast<All *>(timers); }
} // namespace

extern "C" const Timers timers_asio = {make, insert, cancel, reset, fire, look, wait, drop};
