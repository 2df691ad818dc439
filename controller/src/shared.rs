//! State that one task writes and others read, with word of each change.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::watch;

/// A value behind a lock, and a channel that tells its readers when it has changed.
///
/// The lock is held for computations only, never across an await.
#[derive(Debug)]
pub struct Shared<T> {
    value: RwLock<T>,
    changed: watch::Sender<()>,
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Shared<T> {
    /// Shares a value.
    pub fn new(value: T) -> Self {
        Self { value: RwLock::new(value), changed: watch::Sender::new(()) }
    }

    /// The value now. A writer that panicked leaves a value whose every field is whole, if not up to date.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.value.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the value, and tells the readers.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.value.write().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_replace(());
        result
    }

    /// Word of each change from now on. Several changes may arrive as one.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}
