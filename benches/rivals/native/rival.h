// What pools of C and C++ must be able to do to take part.
#pragma once
#include <cstddef>

using Job = void (*)(std::size_t);

// Fire and forget.
struct Rival {
    // A pool with this many workers.
    void *(*make)(int workers);
    // Submits one call of `job` for each index in [begin, end). Called by several producers at once.
    void (*submit)(void *pool, std::size_t begin, std::size_t end, Job job);
    // Ends the pool, when no job is left.
    void (*drop)(void *pool);
};

// Jobs with handles (futures).
struct Handles {
    void *(*make)(int workers);
    // Submits a job for each number below `jobs`, which returns it; waits for all of them, and adds up what they gave.
    std::size_t (*sum)(void *pool, std::size_t jobs);
    void (*drop)(void *pool);
};

using Square = std::size_t (*)(std::size_t);
using Keep = void (*)(void *to, std::size_t number, std::size_t square);

// Jobs whose outcomes come back through a queue. One thread submits and reads.
struct Outcomes {
    void *(*make)(int workers);
    void (*submit)(void *pool, std::size_t number, Square square);
    // Waits for one outcome at least, and hands on all that it gets; how many.
    std::size_t (*read)(void *pool, Keep keep, void *to);
    void (*drop)(void *pool);
};
