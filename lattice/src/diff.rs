//! The difference between the targets a group should have and the ones it has.

use std::collections::BTreeSet;

use crate::Target;

/// What has to be called so that a group holds what it should.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Targets to register, in order of address and port.
    pub register: Vec<Target>,
    /// Targets to deregister, in the same order. Never one that is also to be registered.
    pub deregister: Vec<Target>,
}

impl Changes {
    /// Whether nothing has to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.register.is_empty() && self.deregister.is_empty()
    }
}

/// Compares two sets of targets of one group.
///
/// Equal input gives equal output, in order of address and port. Cost: O(n), n = targets of both sets.
#[must_use]
pub fn diff(desired: &BTreeSet<Target>, observed: &BTreeSet<Target>) -> Changes {
    Changes {
        register: desired.difference(observed).copied().collect(),
        deregister: observed.difference(desired).copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn targets() -> impl Strategy<Value = BTreeSet<Target>> {
        proptest::collection::btree_set(
            (0u8..40, 1u16..4).prop_map(|(host, port)| Target { address: [10, 0, 0, host].into(), port }),
            0..60,
        )
    }

    proptest! {
        #[test]
        fn applying_the_difference_gives_what_is_desired(desired in targets(), observed in targets()) {
            let changes = diff(&desired, &observed);
            let mut after = observed.clone();
            after.extend(&changes.register);
            for target in &changes.deregister {
                prop_assert!(after.remove(target));
            }
            prop_assert_eq!(&after, &desired);
            prop_assert!(changes.register.iter().all(|target| !observed.contains(target)));
            prop_assert!(diff(&desired, &after).is_empty());
        }
    }
}
