//! Random fractions that spread work over time. Nothing secret depends on them.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A source of fractions, seeded by the process's own random hash keys.
#[derive(Debug, Default)]
pub(crate) struct Random {
    keys: RandomState,
    drawn: u64,
}

impl Random {
    /// A fraction of [0, 1).
    pub(crate) fn fraction(&mut self) -> f64 {
        self.drawn += 1;
        let mut hasher = self.keys.build_hasher();
        hasher.write_u64(self.drawn);
        // 53 bits are what a fraction can hold.
        (hasher.finish() >> 11) as f64 / (1u64 << 53) as f64
    }
}
