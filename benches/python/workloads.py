"""The workloads by which fastthreadpool for Python measures itself, with it and with Python's own library.

workloads.py NAME ITEMS prints the nanoseconds per item. Every answer is checked.
"""
import concurrent.futures
import sys
import threading
import time

import fastthreadpool

WORKERS = 2


def identity(value):
    return value


def submit(items):
    pool = fastthreadpool.Pool(WORKERS)
    for value in range(items):
        pool.submit(identity, value)
    pool.shutdown()
    return sum(pool.done)


def mapped(items):
    pool = fastthreadpool.Pool(WORKERS)
    pool.map(identity, range(items), unpack_args=False)
    pool.shutdown()
    return sum(pool.done)


def futures_submit(items):
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return sum(future.result() for future in [pool.submit(identity, value) for value in range(items)])


def futures_map(items):
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(identity, range(items)))


def pairs(semaphore, items):
    for _ in range(items):
        semaphore.acquire()
        semaphore.release()
    return items * (items - 1) // 2


WORKLOADS = {
    "submit": submit,
    "map": mapped,
    "futures-submit": futures_submit,
    "futures-map": futures_map,
    "semaphore": lambda items: pairs(fastthreadpool.Semaphore(8), items),
    "threading-semaphore": lambda items: pairs(threading.Semaphore(8), items),
}

name, items = sys.argv[1], int(sys.argv[2])
began = time.perf_counter_ns()
answer = WORKLOADS[name](items)
took = time.perf_counter_ns() - began
expected = items * (items - 1) // 2
assert answer == expected, f"{name}: {answer} instead of {expected}"
print(took / items)
