//! forte, whose pools are statics of their program.

use crate::Node;
use ::forte::{ThreadPool, Worker};
use rivals::contest::Way;
use std::hint::black_box;

static POOL: ThreadPool = ThreadPool::new();

/// So many workers beside the caller, who is one while it is in `with_worker`.
pub fn start(workers: usize) -> Result<(), String> {
    match POOL.resize_to(workers) {
        size if size == workers => Ok(()),
        size => Err(format!("forte has {size} workers instead of {workers}")),
    }
}

pub fn missing() -> Option<String> {
    None
}

fn fib(worker: &Worker, n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (a, b) = worker.join(|worker| fib(worker, n - 1), |worker| fib(worker, n - 2));
    a + b
}

/// Of two pieces forte runs the second first.
fn sum(worker: &Worker, node: &Node) -> u64 {
    let below = node.children.as_ref().map_or(0, |(left, right)| {
        let (right, left) = worker.join(|worker| sum(worker, right), |worker| sum(worker, left));
        left + right
    });
    node.value + below
}

fn sum_right_first(worker: &Worker, node: &Node) -> u64 {
    let below = node.children.as_ref().map_or(0, |(left, right)| {
        let (left, right) =
            worker.join(|worker| sum_right_first(worker, left), |worker| sum_right_first(worker, right));
        left + right
    });
    node.value + below
}

pub fn fib_30() -> [Way<'static>; 1] {
    [("forte", Box::new(|| POOL.with_worker(|worker| fib(worker, black_box(30)))))]
}

/// The mean of so many sums of a tree.
pub fn sums_of(tree: &'static Node, repeat: u32) -> [Way<'static>; 2] {
    let many = move |one: fn(&Worker, &Node) -> u64| {
        let all = POOL.with_worker(|worker| (0..repeat).map(|_| black_box(one(worker, black_box(tree)))).sum::<u64>());
        all / u64::from(repeat)
    };
    [("forte", Box::new(move || many(sum))), ("forte, right first", Box::new(move || many(sum_right_first)))]
}
