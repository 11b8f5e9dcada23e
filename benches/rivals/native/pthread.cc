// No pool: a thread for each job, detached. Where the system has no thread left, the producer tries again.
#include "rival.h"
#include <pthread.h>
#include <sched.h>

namespace {
Job the_job; // Always the same one; an argument is an index.
pthread_attr_t detached;
void *run(void *index) {
    the_job(reinterpret_cast<std::size_t>(index));
    return nullptr;
}
void *make(int) {
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 64 * 1024);
    return nullptr;
}
void submit(void *, std::size_t begin, std::size_t end, Job job) {
    the_job = job;
    pthread_t thread;
    for (std::size_t index = begin; index != end; index++)
        while (pthread_create(&thread, &detached, run, reinterpret_cast<void *>(index)) != 0)
            sched_yield();
}
void drop(void *) {}
} // namespace

extern "C" const Rival rival_pthread = {make, submit, drop};
