//! Repeatable random numbers.

/// A stream of random numbers (`SplitMix64`): small, fast, and the same for the same seed everywhere.
///
/// It serves ids, delays and fault rules; nothing secret depends on it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for each purpose, so that using one does not shift another.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self(hash(seed, purpose.as_bytes()))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number of [0, 1).
    pub(crate) fn fraction(&mut self) -> f64 {
        // The upper 53 bits are what a double holds exactly.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A hash of `bytes`, the same in every run (FNV-1a, mixed).
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let folded = bytes.iter().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(folded)
}

/// A random UUID (version 4).
pub(crate) fn uuid(random: &mut Random) -> String {
    let (high, low) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}
