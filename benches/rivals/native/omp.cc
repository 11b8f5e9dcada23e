// OpenMP: each producer opens a team of itself and the workers, creates tasks, and helps until all have run.
#include "rival.h"

namespace {
void *make(int workers) { return new int(workers); }
void submit(void *pool, std::size_t begin, std::size_t end, Job job) {
    int threads = *static_cast<int *>(pool) + 1;
#pragma omp parallel num_threads(threads)
#pragma omp single
    for (std::size_t index = begin; index != end; index++) {
#pragma omp task firstprivate(index)
        job(index);
    }
}
void drop(void *pool) { delete static_cast<int *>(pool); }
} // namespace

extern "C" const Rival rival_omp = {make, submit, drop};
