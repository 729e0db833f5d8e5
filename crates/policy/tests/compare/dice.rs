//! Numbers that look random.

/// A small generator of numbers that look random: the same ones each time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub(crate) fn some(&mut self, from: &[&str]) -> String {
        let list: Vec<String> = (0..=self.below(2)).map(|_| format!("{:?}", self.pick(from))).collect();
        format!("[{}]", list.join(","))
    }
}
