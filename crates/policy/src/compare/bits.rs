//! Sets of small numbers: statements, states, patterns.

/// A set of numbers below a length that is fixed when it is made; two sets are compared only with the same length.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// The empty set of numbers below `length`.
    pub(super) fn none(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    /// What there is to copy of it.
    pub(super) fn words(&self) -> usize {
        self.0.len()
    }

    /// Every number below `length`.
    pub(super) fn all(length: usize) -> Self {
        (0..length).fold(Self::none(length), |bits, index| bits.with(index))
    }

    pub(super) fn collect(length: usize, members: impl IntoIterator<Item = usize>) -> Self {
        members.into_iter().fold(Self::none(length), Self::with)
    }

    fn with(mut self, index: usize) -> Self {
        self.insert(index);
        self
    }

    pub(super) fn insert(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub(super) fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    pub(super) fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= b);
    }

    pub(super) fn union(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= !b);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                rest &= rest.wrapping_sub(1);
                (bit < 64).then_some(index * 64 + bit as usize)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut set = Bits::collect(130, [0, 63, 64, 129]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        set.subtract(&Bits::collect(130, [63]));
        assert!(set.contains(64) && !set.contains(63) && !set.contains(500));
        assert!(set.is_subset(&Bits::all(130)) && !Bits::all(130).is_subset(&set));
        set.subtract(&Bits::all(130));
        assert!(set.is_empty() && !set.intersects(&Bits::all(130)));
    }
}
