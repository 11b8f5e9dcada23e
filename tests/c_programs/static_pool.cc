/* A pool that a static object owns: its destructor runs when the process exits. 42 means that all went well. */
#include <fastthreadpool.h>
#include <atomic>
#include <cstdlib>
#include <unistd.h>

static std::atomic<int> ran(0);

extern "C" void *count(void *argument) {
    ran++;
    return argument;
}

class Owner {
public:
    ftpool *pool;

    Owner() : pool(nullptr) {
        if (ftpool_new(nullptr, &pool) != FTPOOL_OK)
            _exit(1);
    }
    Owner(const Owner &) = delete;
    Owner &operator=(const Owner &) = delete;

    ~Owner() {
        ftpool_free(pool);
        if (ran != 1000)
            _exit(1);
    }
};

static Owner owner;

int main() {
    alarm(100);
    for (int i = 0; i < 1000; i++)
        if (ftpool_submit(owner.pool, count, nullptr, nullptr) != FTPOOL_OK)
            return 1;
    return 42;
}
