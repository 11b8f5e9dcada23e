//! Stale ids. The 2²⁰ uses that it takes to retire a node are skipped here.

use super::{MOST_USES, Node, PAGE, Slab};
use std::collections::HashSet;

fn insert(slab: &mut Slab<u32>, mut value: u32) -> Node {
    slab.reserve().expect("memory");
    slab.insert(&mut value, 0)
}

fn remove(slab: &mut Slab<u32>, node: Node) -> u32 {
    let mut value = 0;
    // SAFETY: 1. nothing is lent in this test.
    unsafe { slab.remove(node, &mut value) };
    value
}

/// A page whose nodes are all retired is used again, with another number, so earlier ids find nothing.
#[test]
fn a_whole_page_is_retired_and_used_again() {
    let mut slab = Slab::new();
    let nodes: Vec<Node> = (0..PAGE as u32).map(|value| insert(&mut slab, value)).collect();
    for &node in &nodes {
        let meta = slab.meta(node);
        meta.word.set(meta.word.get() + MOST_USES - 1);
    }
    let before: HashSet<u64> = nodes.iter().map(|&node| slab.id(node)).collect();
    assert!(before.iter().all(|&id| slab.find(id).is_some()));
    let values: Vec<u32> = nodes.iter().map(|&node| remove(&mut slab, node)).collect();
    assert!(values.into_iter().eq(0..PAGE as u32));
    assert!(before.iter().all(|&id| slab.find(id).is_none()));

    let again: Vec<Node> = (0..PAGE as u32).map(|value| insert(&mut slab, value)).collect();
    assert_eq!(slab.pages.len(), 1, "the page was used again");
    let after: HashSet<u64> = again.iter().map(|&node| slab.id(node)).collect();
    assert_eq!(after.len(), PAGE);
    assert!(before.is_disjoint(&after));
    assert!(before.iter().all(|&id| slab.find(id).is_none()));
    assert!(again.iter().all(|&node| slab.find(slab.id(node)) == Some(node)));
}

/// The other nodes of its page stay in use.
#[test]
fn a_retired_node_is_not_used_again() {
    let mut slab = Slab::new();
    let retired = insert(&mut slab, 1);
    let meta = slab.meta(retired);
    meta.word.set(meta.word.get() + MOST_USES - 1);
    let id = slab.id(retired);
    remove(&mut slab, retired);
    let others: Vec<Node> = (1..PAGE as u32).map(|value| insert(&mut slab, value)).collect();
    assert!(!others.contains(&retired) && slab.pages.len() == 1);
    assert_ne!(insert(&mut slab, 0).page(), retired.page());
    assert_eq!(slab.find(id), None);
}
