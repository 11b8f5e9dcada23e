// The semaphore of C++20, for waits/cxx.rs.
#include <cstdint>
#include <semaphore>

using semaphore = std::counting_semaphore<>;

extern "C" {
semaphore *rival_semaphore_new(std::uint32_t permits) { return new semaphore(permits); }
void rival_semaphore_free(semaphore *self) { delete self; }
void rival_semaphore_acquire(semaphore *self) { self->acquire(); }
void rival_semaphore_release(semaphore *self) { self->release(); }
}
