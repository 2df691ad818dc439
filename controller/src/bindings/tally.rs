//! How the pods behind a binding fare, counted: the ready share, and pods that a rollout would hurt.

use lath_kubernetes::{
    Pod,
    pod::Life,
    standing::{Absence, Standing},
};

/// Counts of the live pods that a binding's Service selects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them, those without an address yet among them.
    pub live: u32,
    /// Those that take requests, or lack only a gate that Lath opens.
    pub ready: u32,
    /// Those with neither of Lath's readiness gates.
    pub without_gate: u32,
    /// Those without a preStop hook.
    pub without_pre_stop: u32,
}

impl Tally {
    /// Counts `members`.
    pub fn of<'a>(members: impl Iterator<Item = (&'a Pod, Standing)>) -> Self {
        let mut tally = Self::default();
        for (pod, standing) in members {
            // A pod that lacks the port is no target of this binding, however it fares.
            if pod.life != Life::Live || standing == Standing::Out(Absence::NoPort) {
                continue;
            }
            tally.live += 1;
            tally.ready += u32::from(matches!(standing, Standing::Ready(_)));
            tally.without_gate += u32::from(pod.gates.is_empty());
            tally.without_pre_stop += u32::from(!pod.has_pre_stop);
        }
        tally
    }

    /// Whether less than half are ready, so that unreadiness is rather a shared dependency's fault than the pods'.
    #[must_use]
    pub fn ready_share_low(&self) -> bool {
        self.ready.saturating_mul(2) < self.live
    }
}

#[cfg(test)]
mod tests {
    use lattice::Target;

    use super::*;
    use crate::testing::pod;

    #[test]
    fn the_ready_share_is_low_below_one_half() {
        for (live, ready, low) in [(0, 0, false), (1, 0, true), (2, 1, false), (3, 1, true), (4, 2, false)] {
            let tally = Tally { live, ready, ..Tally::default() };
            assert_eq!(tally.ready_share_low(), low, "{ready} of {live}");
        }
    }

    #[test]
    fn only_live_pods_count_and_those_without_an_address_are_not_ready() {
        let target = Target { address: [10, 0, 0, 1].into(), port: 80 };
        let mut gated = pod("a", 1);
        gated.gates = vec![(lath_kubernetes::names::GATE, false)];
        gated.has_pre_stop = true;
        let plain = pod("b", 2);
        let mut leaving = pod("c", 3);
        leaving.life = Life::Leaving;
        let tally = Tally::of(
            [
                (&gated, Standing::Ready(target)),
                (&plain, Standing::Out(Absence::NoAddress)),
                (&plain, Standing::Unready(target)),
                (&plain, Standing::Out(Absence::NoPort)),
                (&leaving, Standing::Out(Absence::Leaving)),
            ]
            .into_iter(),
        );
        let expected = Tally { live: 3, ready: 1, without_gate: 2, without_pre_stop: 2 };
        assert_eq!(tally, expected);
    }
}
