"""The workloads by which fastthreadpool for Python measures itself, with it and with concurrent.futures.

Prints one line for each: name, nanoseconds per item. Every answer is checked.
"""
import concurrent.futures
import sys
import threading
import time

import fastthreadpool

ITEMS = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
WORKERS = 2


def identity(value):
    return value


def timed(name, items, work, expected):
    began = time.perf_counter_ns()
    answer = work()
    took = time.perf_counter_ns() - began
    assert answer == expected, f"{name}: {answer} instead of {expected}"
    print(f"{name}\t{took / items:.1f}", flush=True)


def submit():
    pool = fastthreadpool.Pool(WORKERS)
    for value in range(ITEMS):
        pool.submit(identity, value)
    pool.shutdown()
    return sum(pool.done)


def mapped():
    pool = fastthreadpool.Pool(WORKERS)
    pool.map(identity, range(ITEMS), unpack_args=False)
    pool.shutdown()
    return sum(pool.done)


def futures():
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return sum(future.result() for future in [pool.submit(identity, value) for value in range(ITEMS)])


def pairs(semaphore):
    def work():
        for _ in range(ITEMS):
            semaphore.acquire()
            semaphore.release()
        return True

    return work


SUM = ITEMS * (ITEMS - 1) // 2
timed("fastthreadpool submit", ITEMS, submit, SUM)
timed("fastthreadpool map", ITEMS, mapped, SUM)
timed("concurrent.futures submit", ITEMS, futures, SUM)
timed("fastthreadpool.Semaphore", ITEMS, pairs(fastthreadpool.Semaphore(8)), True)
timed("threading.Semaphore", ITEMS, pairs(threading.Semaphore(8)), True)
