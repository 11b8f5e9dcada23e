//! Waits that hang, end too early, or run what they should not.

mod common;

use common::{Count, Gate, LIMIT, Random, pool_of, within_limit};
use fastthreadpool::{
    Deadline, JobError, JobHandle, Pool, Until, WaitError, Waited, as_completed, current_job, fail, wait,
};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// Conformance 114.
#[test]
fn waiting_for_all_first_or_first_failed_gives_a_partition() {
    within_limit(|| {
        let (pool, gates) = (pool_of(3), [Gate::new(), Gate::new(), Gate::new()]);
        let mut jobs: Vec<JobHandle<()>> = gates.iter().take(2).map(|gate| pool.submit(gate.job()).unwrap()).collect();
        let door = gates[2].door();
        jobs.push(
            pool.try_submit(move || {
                door.pass();
                Err("failed")
            })
            .unwrap(),
        );
        let partition = |done: &[usize], not_done: &[usize]| Waited { done: done.into(), not_done: not_done.into() };
        assert_eq!(wait(&jobs, Until::All, Duration::from_millis(1)), Ok(partition(&[], &[0, 1, 2])));
        assert_eq!(wait(&jobs, Until::First, Duration::from_millis(1)), Ok(partition(&[], &[0, 1, 2])));
        gates[1].open();
        assert_eq!(wait(&jobs, Until::First, LIMIT), Ok(partition(&[1], &[0, 2])));
        assert_eq!(wait(&jobs, Until::FirstFailed, Duration::from_millis(1)), Ok(partition(&[1], &[0, 2])));
        gates[2].open();
        assert_eq!(wait(&jobs, Until::FirstFailed, LIMIT), Ok(partition(&[1, 2], &[0])));
        gates[0].open();
        assert_eq!(wait(&jobs, Until::All, LIMIT), Ok(partition(&[0, 1, 2], &[])));
        for until in [Until::All, Until::First, Until::FirstFailed] {
            assert_eq!(wait::<()>(&[], until, Deadline::NEVER), Ok(Waited::default()), "empty input returns at once");
        }
    });
}

/// Conformance 114: nothing fails, so the wait for a failure ends with the last job.
#[test]
fn waiting_for_a_failure_ends_when_all_have_succeeded() {
    within_limit(|| {
        let pool = pool_of(2);
        let jobs: Vec<_> = (0..50).map(|n| pool.submit(move || n).unwrap()).collect();
        assert_eq!(wait(&jobs, Until::FirstFailed, LIMIT).unwrap().done.len(), 50);
    });
}

/// Conformance 104: a map's values in batches, each as large as what has ended when the first does, when all have, or
/// when the time is over.
#[test]
fn jobs_are_read_in_batches() {
    within_limit(|| {
        let (pool, gates) = (pool_of(3), [Gate::new(), Gate::new(), Gate::new()]);
        let doors = gates.each_ref().map(Gate::door);
        let mut jobs = Vec::from(doors.map(|door| pool.submit(move || door.pass()).unwrap()));
        let ids: Vec<_> = jobs.iter().map(JobHandle::id).collect();
        let mut batch = |until, deadline: Deadline| {
            let ended = wait(&jobs, until, deadline).unwrap().done.into_iter().rev();
            let ended: Vec<_> = ended.map(|index| jobs.remove(index)).collect();
            ended.into_iter().map(|job| (job.id(), job.join().unwrap()).0).collect::<Vec<_>>()
        };
        for until in [Until::First, Until::All] {
            assert_eq!(batch(until, Deadline::after(Duration::from_millis(1))), [], "the time is over");
        }
        gates[1].open();
        assert_eq!(batch(Until::First, Deadline::NEVER), [ids[1]]);
        gates[0].open();
        gates[2].open();
        assert_eq!(batch(Until::All, Deadline::NEVER), [ids[2], ids[0]]);
        assert_eq!(batch(Until::First, Deadline::NEVER), [], "and nothing more comes");
    });
}

/// Conformance 115, 97.
#[test]
fn jobs_come_in_the_order_in_which_they_end() {
    within_limit(|| {
        let (pool, gates) = (pool_of(3), [Gate::new(), Gate::new(), Gate::new()]);
        let ended = pool.submit(|| 9).unwrap();
        ended.wait(LIMIT).unwrap();
        let job = |(number, gate): (usize, &Gate)| {
            let door = gate.door();
            pool.submit(move || {
                door.pass();
                number
            })
            .unwrap()
        };
        let mut jobs: Vec<_> = gates.iter().enumerate().map(job).collect();
        jobs.push(ended);
        let mut completed = as_completed(jobs, LIMIT);
        let mut next = || completed.next().unwrap().unwrap().join().unwrap();
        assert_eq!(next(), 9, "what has ended comes first");
        for index in [1, 2, 0] {
            gates[index].open();
            assert_eq!(next(), index);
        }
        assert!(completed.next().is_none());
    });
}

/// Conformance 115.
#[test]
fn a_deadline_ends_the_iteration_and_leaves_the_rest() {
    within_limit(|| {
        let (pool, gate) = (pool_of(2), Gate::new());
        let jobs = vec![pool.submit(gate.job()).unwrap(), pool.submit(|| ()).unwrap()];
        jobs[1].wait(LIMIT).unwrap();
        let mut completed = as_completed(jobs, Duration::from_millis(5));
        assert!(completed.next().unwrap().is_ok());
        assert!(matches!(completed.next(), Some(Err(WaitError::TimedOut))));
        assert!(completed.next().is_none());
        assert_eq!(completed.into_rest().len(), 1);
    });
}

/// Conformance 115: yielded handles are not kept.
#[test]
fn values_that_were_handed_out_are_released() {
    within_limit(|| {
        let (pool, drops) = (pool_of(2), Count::new());
        let job = || {
            let value = drops.on_drop();
            pool.submit(move || value).unwrap()
        };
        let mut completed = as_completed((0..100).map(|_| job()), LIMIT);
        for number in 1..=100 {
            drop(completed.next().unwrap().unwrap());
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(drops.get(), number);
        }
    });
}

/// Conformance 120: with jobs added during the iteration.
#[test]
fn a_loop_over_the_first_to_end_takes_time_in_proportion() {
    within_limit(|| {
        let pool = pool_of(2);
        let began = Instant::now();
        let mut completed = as_completed((0..1_000u64).map(|n| pool.submit(move || n).unwrap()), LIMIT);
        let (mut sum, mut added) = (0, 1_000..20_000u64);
        while let Some(job) = completed.next() {
            sum += job.unwrap().join().unwrap();
            if let Some(n) = added.next() {
                completed.push(pool.submit(move || n).unwrap());
            }
        }
        assert_eq!(sum, 20_000 * 19_999 / 2);
        assert!(completed.is_empty());
        assert!(began.elapsed() < LIMIT / 2);
    });
}

/// Conformance 120, 119: in a job that runs the jobs it waits for.
#[test]
fn a_job_reads_its_pools_jobs_in_time_in_proportion() {
    within_limit(|| {
        let (pool, began) = (pool_of(1), Instant::now());
        let inner = pool.clone();
        let outer = move || {
            let jobs = (0..100_000u64).map(|n| inner.submit(move || n).unwrap());
            as_completed(jobs, Deadline::NEVER).map(|job| job.unwrap().join().unwrap()).sum::<u64>()
        };
        assert_eq!(pool.run(outer).unwrap(), 100_000 * 99_999 / 2);
        assert!(began.elapsed() < LIMIT / 4);
    });
}

/// Conformance 114, 120: a wait for a failure that is the last of many.
#[test]
fn a_wait_for_a_failure_takes_time_in_proportion() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        pool.spawn(gate.job()).unwrap();
        let jobs: Vec<_> = (0..100_000u64).map(|n| pool.submit(move || n).unwrap()).collect();
        let began = Instant::now();
        gate.open();
        assert_eq!(wait(&jobs, Until::FirstFailed, LIMIT).unwrap().done.len(), 100_000);
        assert!(began.elapsed() < LIMIT / 4);
    });
}

/// Conformance 119: on a pool of one worker, by every kind of wait.
#[test]
fn a_job_that_waits_for_a_queued_job_runs_it() {
    within_limit(|| {
        let pool = pool_of(1);
        let inner = pool.clone();
        let outer = pool.submit(move || {
            let job = |n: u64| inner.submit(move || (n, current_job().unwrap())).unwrap();
            let own = current_job();
            let joined = job(1);
            let id = joined.id();
            assert_eq!(joined.join().unwrap(), (1, id), "under its own id");
            assert_eq!(current_job(), own);
            let jobs = [job(2), job(3)];
            assert_eq!(wait(&jobs, Until::First, Deadline::NEVER).unwrap().done, [0], "and no other job");
            assert_eq!(wait(&jobs, Until::All, Deadline::NEVER).unwrap().done, [0, 1]);
            as_completed((0..100).map(job), Deadline::NEVER).map(|job| job.unwrap().join().unwrap().0).sum::<u64>()
        });
        assert_eq!(outer.unwrap().join().unwrap(), 4950);
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(pool.pending(), 0);
    });
}

/// Conformance 119: `fail` in the waiting job does not fail the job that runs in its wait, and vice versa.
#[test]
fn a_job_run_inside_a_waiting_job_fails_for_itself() {
    within_limit(|| {
        let pool = pool_of(1);
        let inner = pool.clone();
        let outer = pool.submit(move || {
            fail(1, "outer");
            let failing = inner.submit(|| fail(2, "inner")).unwrap();
            assert_eq!(failing.join().unwrap_err().to_string(), "the job failed: inner (code 2)");
            assert!(matches!(inner.submit(|| panic!("inner")).unwrap().join(), Err(JobError::Panicked(_))));
            assert!(inner.submit(|| 1).unwrap().join().is_ok());
        });
        assert_eq!(outer.unwrap().join().unwrap_err().to_string(), "the job failed: outer (code 1)");
    });
}

/// Design rule 14: an unrelated job under the waiter's lock would deadlock here.
#[test]
fn a_waiting_job_runs_no_unrelated_job() {
    within_limit(|| {
        let (pool, lock) = (pool_of(1), Arc::new(Mutex::new(())));
        let inner = pool.clone();
        let outer = pool.submit(move || {
            let guard = lock.lock().unwrap();
            let unrelated = Arc::clone(&lock);
            let other = inner.submit(move || drop(unrelated.lock().unwrap())).unwrap();
            inner.submit(|| ()).unwrap().join().unwrap();
            assert!(!other.is_done());
            drop(guard);
        });
        outer.unwrap().join().unwrap();
    });
}

/// Conformance 119: a timed wait in a job only sleeps.
#[test]
fn a_timed_wait_in_a_job_ends_in_time() {
    within_limit(|| {
        let pool = pool_of(1);
        let inner = pool.clone();
        let outer = pool.submit(move || {
            let queued = inner.submit(|| 1).unwrap();
            assert_eq!(queued.wait(Duration::from_millis(2)), Err(WaitError::TimedOut));
            queued.join().unwrap()
        });
        assert_eq!(outer.unwrap().join().unwrap(), 1);
    });
}

/// Conformance 119: a job that waits for itself, directly or through others.
#[test]
fn a_circle_of_waits_is_an_error() {
    within_limit(|| {
        for size in [1, 2, 3] {
            let (pool, gate) = (pool_of(size), Gate::new());
            let (senders, receivers): (Vec<_>, Vec<_>) = (0..size).map(|_| mpsc::channel::<JobHandle<bool>>()).unzip();
            let jobs: Vec<_> = receivers
                .into_iter()
                .map(|next| {
                    let door = gate.door();
                    pool.submit(move || {
                        door.pass();
                        let next = next.recv().unwrap();
                        next.wait(Deadline::NEVER) == Err(WaitError::Deadlock)
                    })
                    .unwrap()
                })
                .collect();
            let (sender, ended) = mpsc::channel();
            for (index, job) in jobs.into_iter().enumerate() {
                let sender = sender.clone();
                job.on_done(move |result| sender.send(*result.unwrap()).unwrap());
                senders[(index + 1) % senders.len()].send(job).unwrap();
            }
            gate.wait_started(size as usize);
            gate.open();
            let deadlocks: Vec<bool> = (0..size).map(|_| ended.recv_timeout(LIMIT).unwrap()).collect();
            assert_eq!(deadlocks.iter().filter(|&&deadlock| deadlock).count(), 1, "one wait breaks the circle");
        }
    });
}

/// Conformance 119: many jobs wait for a running job, and one waits for a job below it on the stack.
#[test]
fn a_job_that_a_nested_job_waits_for_may_not_be_below_it() {
    within_limit(|| {
        let pool = pool_of(1);
        let (sender, own) = mpsc::channel::<JobHandle<()>>();
        let inner = pool.clone();
        let outer = pool
            .submit(move || {
                let nested = inner.submit(move || own.recv().unwrap().wait(Deadline::NEVER)).unwrap();
                assert_eq!(nested.join().unwrap(), Err(WaitError::Deadlock));
            })
            .unwrap();
        let (done, ended) = mpsc::channel();
        outer.on_done(move |result| done.send(result.is_ok()).unwrap());
        sender.send(outer).unwrap();
        assert!(ended.recv_timeout(LIMIT).unwrap());
    });
}

fn tree(pool: &Pool, depth: u32) -> u64 {
    if depth == 0 {
        return 1;
    }
    let child = || {
        let inner = pool.clone();
        pool.submit(move || tree(&inner, depth - 1)).unwrap()
    };
    let children = [child(), child()];
    children.into_iter().map(|child| child.join().unwrap()).sum::<u64>() + 1
}

/// Conformance 119, 112: trees of jobs that wait for their children.
#[test]
fn trees_of_jobs_come_to_their_root() {
    within_limit(|| {
        for workers in [1, 2, 4] {
            let pool = pool_of(workers);
            for depth in [0, 1, 5, 12] {
                let root = pool.clone();
                let sum = pool.submit(move || tree(&root, depth)).unwrap().join().unwrap();
                assert_eq!(sum, (1 << (depth + 1)) - 1);
            }
            pool.wait_idle(LIMIT).unwrap();
            assert_eq!(pool.failed(), 0);
        }
    });
}

/// Conformance 119: several workers wait for the same jobs, some of which are cancelled meanwhile.
#[test]
fn jobs_that_wait_for_jobs_that_are_cancelled_go_on() {
    within_limit(|| {
        let mut random = Random::new(6);
        for _ in 0..200 {
            let pool = pool_of(2);
            let jobs: Vec<_> = (0..10).map(|n| pool.submit(move || n).unwrap()).collect();
            let ids: Vec<_> = jobs.iter().map(JobHandle::id).collect();
            let sum = pool.submit(move || jobs.into_iter().filter_map(|job| job.join().ok()).sum::<u32>()).unwrap();
            let cancelled = (0..5).filter(|_| pool.cancel(ids[random.below(10) as usize])).count();
            assert!(sum.join().unwrap() <= 45);
            assert!(cancelled <= 5);
        }
    });
}

/// Conformance 119, reliability R10: the stack is bounded, and a wait that could never end is refused.
#[test]
fn a_chain_of_waits_that_is_too_deep_is_an_error() {
    fn chain(pool: &Pool, depth: u32) -> Result<u32, WaitError> {
        if depth == 0 {
            return Ok(0);
        }
        let inner = pool.clone();
        let next = pool.submit(move || chain(&inner, depth - 1)).unwrap();
        next.wait(Deadline::NEVER)?;
        next.join().unwrap().map(|below| below + 1)
    }
    within_limit(|| {
        let pool = pool_of(1);
        let run = |depth| {
            let inner = pool.clone();
            pool.run(move || chain(&inner, depth)).unwrap()
        };
        assert_eq!((run(1), run(64)), (Ok(1), Ok(64)));
        assert_eq!(run(200), Err(WaitError::Deadlock));
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(run(10), Ok(10));
    });
}
