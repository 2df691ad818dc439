//! What takes effect some time after it was decided.

use std::collections::VecDeque;

use crate::clock::SimTime;

/// Versions of something, each with the time from which it is in force.
#[derive(Debug, Clone)]
pub(crate) struct Delayed<T>(VecDeque<(SimTime, T)>);

impl<T> Default for Delayed<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Delayed<T> {
    /// The version in force.
    pub(crate) fn at(&self, now: SimTime) -> Option<&T> {
        self.0.iter().rev().find(|(from, _)| *from <= now).map(|(_, version)| version)
    }

    /// Puts a version in force from `from` on.
    pub(crate) fn publish(&mut self, version: T, now: SimTime, from: SimTime) {
        // Of the versions in force by now the last is enough.
        while self.0.get(1).is_some_and(|(from, _)| *from <= now) {
            self.0.pop_front();
        }
        // One that would come into force no earlier than the new one never does.
        while self.0.back().is_some_and(|(other, _)| *other >= from) {
            self.0.pop_back();
        }
        self.0.push_back((from, version));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_in_force_from_its_time_on() {
        let at = SimTime::from_secs;
        let mut published = Delayed::default();
        published.publish('a', at(0), at(2));
        assert_eq!(published.at(at(1)), None);
        published.publish('b', at(5), at(7));
        published.publish('c', at(6), at(8));
        for (time, version) in [(2, 'a'), (6, 'a'), (7, 'b'), (8, 'c'), (100, 'c')] {
            assert_eq!(published.at(at(time)), Some(&version), "{time}");
        }
        published.publish('d', at(100), at(100));
        assert_eq!(published.0.len(), 2);
        // The clock may stand still.
        for version in 'e'..'z' {
            published.publish(version, at(100), at(102));
        }
        assert_eq!(
            (published.0.len(), published.at(at(100)), published.at(at(102))),
            (2, Some(&'d'), Some(&'y'))
        );
    }
}
