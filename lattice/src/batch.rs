//! Splits targets into calls that Lattice accepts.

use crate::{Target, limits};

/// Splits `targets` into runs of at most [`limits::TARGETS_PER_CALL`], in their order.
///
/// The number of calls is the least possible, ceil(n / 100).
pub fn calls(targets: &[Target]) -> impl Iterator<Item = &[Target]> {
    targets.chunks(limits::TARGETS_PER_CALL)
}

/// Splits `targets` into filters for ListTargets of at most [`limits::TARGETS_PER_FILTER`], in their order.
pub fn filters(targets: &[Target]) -> impl Iterator<Item = &[Target]> {
    targets.chunks(limits::TARGETS_PER_FILTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_above_its_limit_and_none_is_needless() {
        for (count, registers, lists) in
            [(0, 0, 0), (1, 1, 1), (20, 1, 1), (21, 1, 2), (100, 1, 5), (101, 2, 6)]
        {
            let targets: Vec<Target> =
                (0..count).map(|n| Target { address: [10, 0, 0, n].into(), port: 80 }).collect();
            assert_eq!(calls(&targets).count(), registers, "{count} targets");
            assert_eq!(filters(&targets).count(), lists, "{count} targets");
            assert_eq!(calls(&targets).flatten().count(), targets.len());
        }
    }
}
