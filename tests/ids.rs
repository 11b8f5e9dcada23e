//! Ids that are missing, wrong or used twice.

mod common;

use common::{Gate, LIMIT, lock, pool_of, within_limit};
use fastthreadpool::{JobId, Pool, current_job};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::thread;

/// Conformance 16.
#[test]
fn every_way_to_submit_returns_an_id() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        let mut ids = vec![
            pool.spawn(|| ()).unwrap(),
            pool.spawn_first(|| ()).unwrap(),
            pool.try_spawn(|| Err("on purpose")).unwrap(),
            pool.try_spawn_first(|| Err("on purpose")).unwrap(),
            results.submit(|| 1).unwrap(),
            results.submit_first(|| 2).unwrap(),
            results.try_submit(|| Err("on purpose")).unwrap(),
            results.try_submit_first(|| Err("on purpose")).unwrap(),
        ];
        ids.extend(pool.spawn_batch([|| (), || ()]).unwrap());
        ids.extend(pool.try_spawn_batch([|| Err("on purpose"), || Ok(())]).unwrap());
        ids.extend(results.submit_batch([|| 3, || 4]).unwrap());
        assert_eq!(ids.len(), 14);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 14, "the ids are distinct");
    });
}

/// Conformance 16: an id is a number, as C programs see it.
#[test]
fn ids_and_their_numbers_belong_together() {
    within_limit(|| {
        let pool = pool_of(1);
        let id = pool.spawn(|| ()).unwrap();
        assert_ne!(id.get(), 0);
        assert_eq!(JobId::from_number(id.get()), Some(id));
        assert_eq!(JobId::from_number(0), None);
        assert_eq!(id.to_string(), id.get().to_string());
        assert_eq!(format!("{id:?}"), format!("JobId({})", id.get()));
    });
}

/// Submits 125 000 jobs to each of two pools, in every way; returns their ids.
fn submit_many(pools: &[Pool; 2]) -> Vec<u64> {
    let mut ids = Vec::new();
    while ids.len() < 250_000 {
        for pool in pools {
            ids.extend((0..100).map(|_| pool.spawn(|| ()).unwrap().get()));
            ids.extend((0..5).map(|_| pool.spawn_first(|| ()).unwrap().get()));
            ids.extend(pool.spawn_batch([|| (); 395]).unwrap().into_iter().map(JobId::get));
        }
    }
    ids
}

/// Conformance 17.
#[test]
fn a_million_jobs_have_a_million_ids() {
    within_limit(|| {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let pools = [pool_of(1), pool_of(2)];
            thread::scope(|scope| {
                let submitters: Vec<_> = (0..2).map(|_| scope.spawn(|| submit_many(&pools))).collect();
                submitters.into_iter().for_each(|submitter| ids.extend(submitter.join().unwrap()));
            });
        }
        assert_eq!(ids.len(), 1_000_000);
        assert!(!ids.contains(&0));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1_000_000);
    });
}

/// Conformance 17: ids are not reused when memory is.
#[test]
fn ids_of_finished_jobs_do_not_come_back() {
    within_limit(|| {
        let pool = pool_of(1);
        let mut ids = HashSet::new();
        for n in 0..20_000 {
            assert!(ids.insert(pool.spawn(|| ()).unwrap()));
            if n % 50 == 0 {
                pool.wait_idle(LIMIT).unwrap();
            }
        }
    });
}

/// Conformance 16, 18: a job knows the id that its submitter got, and so does its outcome.
#[test]
fn a_job_knows_its_id() {
    within_limit(|| {
        let pool = pool_of(2);
        let results = pool.results();
        let know = || current_job().expect("this is a job");
        let mut ids: Vec<JobId> = (0..1000).map(|_| results.submit(know).unwrap()).collect();
        ids.extend((0..100).map(|_| results.submit_first(know).unwrap()));
        ids.extend(results.submit_batch([know; 1000]).unwrap());
        let mut outcomes: Vec<JobId> = results
            .as_completed()
            .map(|outcome| {
                assert_eq!(outcome.result.unwrap(), outcome.id);
                outcome.id
            })
            .collect();
        ids.sort();
        outcomes.sort();
        assert_eq!(outcomes, ids);
    });
}

/// Conformance 16: so do jobs that leave no outcome, each of a batch too.
#[test]
fn a_detached_job_knows_its_id() {
    within_limit(|| {
        let (pool, gate) = (pool_of(1), Gate::new());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let know = {
            let seen = Arc::clone(&seen);
            move || lock(&seen).push(current_job().expect("this is a job"))
        };
        pool.spawn(gate.job()).unwrap();
        gate.wait_started(1);
        let mut ids = vec![pool.spawn_first(know.clone()).unwrap(), pool.spawn(know.clone()).unwrap()];
        ids.extend(pool.spawn_batch([know.clone(), know.clone()]).unwrap());
        gate.open();
        pool.wait_idle(LIMIT).unwrap();
        assert_eq!(*lock(&seen), ids);
    });
}

/// Conformance 16: no id outside a job, and no other job's id after one has submitted to another pool or to its own.
#[test]
fn the_current_id_is_the_running_jobs() {
    within_limit(|| {
        assert_eq!(current_job(), None);
        let (outer, inner) = (pool_of(1), pool_of(1));
        let seen = outer.results();
        let nested = move || {
            let before = current_job();
            inner.spawn(|| ()).unwrap();
            inner.wait_idle(LIMIT).unwrap();
            Pool::current().expect("this is a job").spawn(|| ()).unwrap();
            (before, current_job())
        };
        let id = seen.submit(nested).unwrap();
        assert_eq!(seen.next(LIMIT).unwrap().result.unwrap(), (Some(id), Some(id)));
        assert_eq!(current_job(), None);
    });
}
