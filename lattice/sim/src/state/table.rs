//! Rows in order of creation that are found by key.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::settings::choice::ListOrder;

/// Rows of one kind. A row's *place* is its number in order of creation, which is never used again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    from = "Rows<T, K>",
    bound(deserialize = "T: Deserialize<'de>, K: Clone + Eq + Hash + Deserialize<'de>")
)]
pub(crate) struct Table<T, K = String> {
    rows: BTreeMap<u64, (K, T)>,
    #[serde(skip)]
    places: HashMap<K, u64>,
    last: u64,
}

/// A table as it is kept.
#[derive(Deserialize)]
struct Rows<T, K> {
    rows: BTreeMap<u64, (K, T)>,
    last: u64,
}

impl<T, K: Clone + Eq + Hash> From<Rows<T, K>> for Table<T, K> {
    fn from(Rows { rows, last }: Rows<T, K>) -> Self {
        let places = rows.iter().map(|(place, (key, _))| (key.clone(), *place)).collect();
        Self { rows, places, last }
    }
}

impl<T, K> Default for Table<T, K> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), places: HashMap::new(), last: 0 }
    }
}

impl<T, K: Clone + Eq + Hash> Table<T, K> {
    /// Adds a row whose key is new.
    pub(crate) fn insert(&mut self, key: K, row: T) {
        self.last += 1;
        self.places.insert(key.clone(), self.last);
        self.rows.insert(self.last, (key, row));
    }

    pub(crate) fn place<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<u64>
    where
        K: Borrow<Q>,
    {
        self.places.get(key).copied()
    }

    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&T>
    where
        K: Borrow<Q>,
    {
        self.at(self.place(key)?)
    }

    pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut T>
    where
        K: Borrow<Q>,
    {
        self.at_mut(self.place(key)?)
    }

    pub(crate) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<T>
    where
        K: Borrow<Q>,
    {
        self.remove_at(self.place(key)?)
    }

    pub(crate) fn at(&self, place: u64) -> Option<&T> {
        self.rows.get(&place).map(|(_, row)| row)
    }

    pub(crate) fn at_mut(&mut self, place: u64) -> Option<&mut T> {
        self.rows.get_mut(&place).map(|(_, row)| row)
    }

    pub(crate) fn remove_at(&mut self, place: u64) -> Option<T> {
        let (key, row) = self.rows.remove(&place)?;
        self.places.remove(&key);
        Some(row)
    }

    /// The oldest row.
    pub(crate) fn first(&self) -> Option<&T> {
        self.rows.first_key_value().map(|(_, (_, row))| row)
    }

    /// Takes out the oldest row.
    pub(crate) fn remove_first(&mut self) -> Option<T> {
        let place = self.rows.first_key_value().map(|(place, _)| *place)?;
        self.remove_at(place)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows with their places, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.rows.iter().map(|(place, (_, row))| (*place, row))
    }

    /// The rows, oldest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &T> {
        self.rows.values().map(|(_, row)| row)
    }

    /// As [`Table::rows`], to change them.
    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut().map(|(_, row)| row)
    }

    /// The rows that come after the one at `place` in this order, all of them without one.
    pub(crate) fn after(
        &self,
        place: Option<u64>,
        order: ListOrder,
    ) -> Box<dyn Iterator<Item = (u64, &T)> + '_> {
        match order {
            ListOrder::Creation => {
                let from = place.map_or(0, |place| place.saturating_add(1));
                Box::new(self.rows.range(from..).map(|(place, (_, row))| (*place, row)))
            }
            ListOrder::Newest => {
                let before = place.unwrap_or(u64::MAX);
                Box::new(self.rows.range(..before).rev().map(|(place, (_, row))| (*place, row)))
            }
        }
    }
}
