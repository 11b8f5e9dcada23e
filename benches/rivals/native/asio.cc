// Boost.Asio: post to a thread_pool.
#include "rival.h"
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace {
using Pool = boost::asio::thread_pool;
void *make(int workers) { return new Pool(static_cast<std::size_t>(workers)); }
void submit(void *pool, std::size_t begin, std::size_t end, Job job) {
    for (std::size_t index = begin; index != end; index++)
        boost::asio::post(*static_cast<Pool *>(pool), [job, index] { job(index); });
}
void drop(void *pool) {
    static_cast<Pool *>(pool)->join();
    delete static_cast<Pool *>(pool);
}
} // namespace

extern "C" const Rival rival_asio = {make, submit, drop};
