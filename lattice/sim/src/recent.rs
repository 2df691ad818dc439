//! The latest entries of a log, numbered, within bounds of number and memory.

use std::collections::VecDeque;

/// Most entries that are kept.
pub(crate) const MOST_ENTRIES: usize = 50_000;
/// Most bytes that they may take: 64 MiB.
pub(crate) const MOST_BYTES: usize = 64 << 20;

/// What an entry takes of the memory.
pub(crate) trait Weight {
    /// Bytes, with the structure itself.
    fn bytes(&self) -> usize;
}

/// The latest entries. Each has a number, one more than that of the entry before, from 1 on.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    rows: VecDeque<T>,
    bytes: usize,
    /// The number of the latest entry.
    last: u64,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { rows: VecDeque::new(), bytes: 0, last: 0 }
    }
}

impl<T: Weight> Recent<T> {
    /// Adds an entry, and forgets the oldest ones beyond the bounds.
    pub(crate) fn add(&mut self, row: T) {
        self.last += 1;
        self.bytes += row.bytes();
        self.rows.push_back(row);
        while self.rows.len() > MOST_ENTRIES || self.bytes > MOST_BYTES {
            let Some(oldest) = self.rows.pop_front() else { break };
            self.bytes -= oldest.bytes();
        }
    }

    /// The entries that are left of those whose number is above `after`, with their numbers.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = (u64, &T)> {
        let first = self.last - self.rows.len() as u64 + 1;
        let known = usize::try_from(after.saturating_sub(first - 1)).unwrap_or(usize::MAX);
        (first..).zip(&self.rows).skip(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weight for usize {
        fn bytes(&self) -> usize {
            *self
        }
    }

    fn numbers(recent: &Recent<usize>, after: u64) -> Vec<u64> {
        recent.after(after).map(|(n, _)| n).collect()
    }

    #[test]
    fn the_oldest_are_forgotten_beyond_the_bytes_and_numbers_go_on() {
        let mut recent = Recent::default();
        assert_eq!(numbers(&recent, 0).len(), 0);
        for _ in 0..5 {
            recent.add(MOST_BYTES / 2);
        }
        assert_eq!(numbers(&recent, 0), [4, 5]);
        assert_eq!(numbers(&recent, 4), [5]);
        assert_eq!(numbers(&recent, 9).len(), 0);
        assert_eq!(recent.bytes, MOST_BYTES);
    }

    #[test]
    fn the_oldest_are_forgotten_beyond_the_entries() {
        let mut recent = Recent::default();
        for _ in 0..MOST_ENTRIES + 3 {
            recent.add(1);
        }
        let numbers = numbers(&recent, 0);
        assert_eq!((numbers.len(), numbers[0]), (MOST_ENTRIES, 4));
    }
}
