//! What is waited for, in the order in which it came.

/// Things under numbers, which are used again. Putting one in and taking one out costs the same however many there are,
/// and whoever goes through them meets only those that are there.
#[derive(Debug)]
pub(super) struct Pending<H> {
    /// A circle from the oldest to the newest. The first place links the two, and is always empty.
    places: Vec<Place<H>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Place<H> {
    held: Option<H>,
    older: usize,
    newer: usize,
}

/// The place that is always empty.
const ENDS: usize = 0;

impl<H> Pending<H> {
    pub(super) fn new() -> Self {
        Self { places: vec![Place { held: None, older: ENDS, newer: ENDS }], free: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - 1 - self.free.len()
    }

    /// Puts in what `make` makes for its number.
    pub(super) fn push_with(&mut self, make: impl FnOnce(usize) -> H) {
        let number = self.free.last().copied().unwrap_or(self.places.len());
        let newest = self.places[ENDS].older;
        let place = Place { held: Some(make(number)), older: newest, newer: ENDS };
        if self.free.pop().is_some() {
            self.places[number] = place;
        } else {
            self.places.push(place);
        }
        self.places[newest].newer = number;
        self.places[ENDS].older = number;
    }

    pub(super) fn take(&mut self, number: usize) -> Option<H> {
        let Place { held, older, newer } = &mut self.places[number];
        let (held, older, newer) = (held.take()?, *older, *newer);
        self.places[older].newer = newer;
        self.places[newer].older = older;
        self.free.push(number);
        Some(held)
    }

    /// Those that are there, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &H> {
        let mut at = ENDS;
        std::iter::from_fn(move || {
            at = self.places[at].newer;
            self.places[at].held.as_ref()
        })
    }

    pub(super) fn into_rest(mut self) -> Vec<H> {
        let mut rest = Vec::with_capacity(self.len());
        while let Some(held) = self.take(self.places[ENDS].newer) {
            rest.push(held);
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::Pending;

    /// Conformance 115, 120: numbers are used again, and the order is kept.
    #[test]
    fn what_was_taken_out_is_not_met_again_and_the_rest_keeps_its_order() {
        let mut pending = Pending::new();
        (0..4).for_each(|n| pending.push_with(|number| (n, number)));
        let [first, .., last] = *pending.iter().map(|held| held.1).collect::<Vec<_>>() else { unreachable!() };
        assert_eq!((pending.take(first), pending.take(first)), (Some((0, first)), None));
        assert_eq!(pending.take(last), Some((3, last)));
        pending.push_with(|number| (4, number));
        pending.push_with(|number| (5, number));
        pending.push_with(|number| (6, number));
        assert_eq!(pending.len(), 5);
        assert_eq!(pending.iter().map(|held| held.0).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
        assert_eq!(pending.into_rest().iter().map(|held| held.0).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
    }
}
