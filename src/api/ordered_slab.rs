//! A slab that remembers the order of insertion.

/// A slab whose values are linked in the order of insertion. Insertion and removal take constant time, indices are used
/// again, and iteration visits only the values that are present.
#[derive(Debug)]
pub(super) struct OrderedSlab<T> {
    /// A circular list from the oldest to the newest. Its head is entry 0, which is always empty.
    entries: Vec<Entry<T>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Entry<T> {
    value: Option<T>,
    older: usize,
    newer: usize,
}

/// The index of the list's head.
const HEAD: usize = 0;

impl<T> OrderedSlab<T> {
    pub(super) fn new() -> Self {
        Self { entries: vec![Entry { value: None, older: HEAD, newer: HEAD }], free: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - 1 - self.free.len()
    }

    /// Inserts what `make` returns for its index.
    pub(super) fn push_with(&mut self, make: impl FnOnce(usize) -> T) {
        let index = self.free.last().copied().unwrap_or(self.entries.len());
        let newest = self.entries[HEAD].older;
        let entry = Entry { value: Some(make(index)), older: newest, newer: HEAD };
        if self.free.pop().is_some() {
            self.entries[index] = entry;
        } else {
            self.entries.push(entry);
        }
        self.entries[newest].newer = index;
        self.entries[HEAD].older = index;
    }

    pub(super) fn remove(&mut self, index: usize) -> Option<T> {
        let Entry { value, older, newer } = &mut self.entries[index];
        let (value, older, newer) = (value.take()?, *older, *newer);
        self.entries[older].newer = newer;
        self.entries[newer].older = older;
        self.free.push(index);
        Some(value)
    }

    /// Iterates from the oldest to the newest.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let mut at = HEAD;
        std::iter::from_fn(move || {
            at = self.entries[at].newer;
            self.entries[at].value.as_ref()
        })
    }

    pub(super) fn into_vec(mut self) -> Vec<T> {
        let mut values = Vec::with_capacity(self.len());
        while let Some(value) = self.remove(self.entries[HEAD].newer) {
            values.push(value);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::OrderedSlab;

    /// Conformance 115, 120: indices are used again, and the order is kept.
    #[test]
    fn removed_values_are_not_visited_and_the_others_keep_their_order() {
        let mut slab = OrderedSlab::new();
        (0..4).for_each(|n| slab.push_with(|index| (n, index)));
        let [first, .., last] = *slab.iter().map(|value| value.1).collect::<Vec<_>>() else { unreachable!() };
        assert_eq!((slab.remove(first), slab.remove(first)), (Some((0, first)), None));
        assert_eq!(slab.remove(last), Some((3, last)));
        (4..7).for_each(|n| slab.push_with(|index| (n, index)));
        assert_eq!(slab.len(), 5);
        assert_eq!(slab.iter().map(|value| value.0).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
        assert_eq!(slab.into_vec().iter().map(|value| value.0).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
    }
}
