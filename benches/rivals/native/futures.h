// Many std::futures, or what is like them.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

// Calls `submit` for each number below `jobs`, waits for all that it returned, and adds up.
template <class Submit> std::size_t sum_of_futures(std::size_t jobs, Submit submit) {
    std::vector<decltype(submit(std::size_t{}))> all;
    all.reserve(jobs);
    for (std::size_t number = 0; number != jobs; number++)
        all.push_back(submit(number));
    std::size_t sum = 0;
    for (auto &future : all)
        sum += future.get();
    return sum;
}
