// What timers of C or C++ must be able to do to take part. All calls come from one thread.
#pragma once
#include <cstddef>
#include <cstdint>

using Job = void (*)(std::size_t);

struct Timers {
    void *(*make)();
    // Calls `job(number)` in so many nanoseconds. Numbers come in order, from 0.
    void (*insert)(void *timers, std::size_t number, std::uint64_t delay, Job job);
    // It waits, and is not to be called.
    void (*cancel)(void *timers, std::size_t number);
    // It waits, and is to be called in so many nanoseconds from now.
    void (*reset)(void *timers, std::size_t number, std::uint64_t delay);
    // Lets time pass until everything that waits was called.
    void (*fire)(void *timers);
    // Looks at the clock, as a loop does before it calls anybody.
    void (*look)(void *timers);
    // Waits, by the machine's clock, until a job was called.
    void (*wait)(void *timers);
    void (*drop)(void *timers);
};
