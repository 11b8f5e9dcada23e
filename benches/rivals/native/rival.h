// What a pool of C or C++ must be able to do to take part.
#pragma once
#include <cstddef>

using Job = void (*)(std::size_t);

struct Rival {
    // A pool with this many workers.
    void *(*make)(int workers);
    // Submits one call of `job` for each index in [begin, end). Called by several producers at once.
    void (*submit)(void *pool, std::size_t begin, std::size_t end, Job job);
    // Ends the pool, when no job is left.
    void (*drop)(void *pool);
};
