//! What is brought to what is wanted by itself: a service, a target group, a service network, or what carries TCP.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use super::lanes::Lanes;

/// Which of the resources with a tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// The one that counts, by the tag's value.
    Own(String),
    /// Another one with the same tag, by its ARN: it was made twice around a crash, and goes.
    Spare(String),
}

/// A unit's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Name {
    /// A service network, by the name that it is wanted by, or its id if nobody wants it.
    Network(String),
    /// A target group.
    Group(Place),
    /// A service.
    Service(Place),
    /// A resource gateway, a directory or a resource configuration.
    Resource(Place),
}

/// The kind of a unit, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Network,
    Group,
    Service,
    Resource,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Network, Self::Group, Self::Service, Self::Resource];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Group => "group",
            Self::Service => "service",
            Self::Resource => "resource",
        }
    }
}

/// What is there of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree<T, S> {
    /// Nothing.
    Absent,
    /// Something that has not been read.
    Unread(S),
    /// This.
    Read(T),
}

impl<T, S> Tree<T, S> {
    /// What was read.
    pub(super) fn read(&self) -> Option<&T> {
        match self {
            Self::Read(tree) => Some(tree),
            _ => None,
        }
    }

    /// The same to be changed.
    pub(super) fn read_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Read(tree) => Some(tree),
            _ => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// Why what was read is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// It is time.
    Audit,
    /// A call has shown that it is not as it was read.
    Stale,
}

/// A unit: what is wanted, what is there, and what is under way. `W` is what may be wanted, `T` what may be there, `S`
/// what is known of it before it is read, `L` names a lane, `J` is a call that can be repeated.
#[derive(Debug)]
pub(super) struct Unit<W, T, S, L, J> {
    pub(super) wanted: Option<Arc<W>>,
    pub(super) tree: Tree<T, S>,
    pub(super) lanes: Lanes<L, J>,
    /// Why it is to be read again, before anything else is done.
    pub(super) doubt: Option<Doubt>,
    /// When what is wanted changed, until it is done.
    pub(super) changed: Option<Instant>,
    /// Since when it has been done, or what was wanted last was begun.
    pub(super) since: Timestamp,
    /// Whether it was done when it was last planned.
    pub(super) done: bool,
    /// When it is to be audited.
    pub(super) audit: Option<Instant>,
}

impl<W: PartialEq, T, S, L: Ord + Clone, J> Unit<W, T, S, L, J> {
    /// A unit of which nothing is wanted.
    pub(super) fn new(tree: Tree<T, S>) -> Self {
        Self {
            wanted: None,
            tree,
            lanes: Lanes::default(),
            doubt: None,
            changed: None,
            since: Timestamp::now(),
            done: false,
            audit: None,
        }
    }

    /// Takes in what is wanted. Tells whether that is something else than before.
    pub(super) fn want(&mut self, wanted: Option<&W>, now: Instant) -> bool
    where
        W: Clone,
    {
        if self.wanted.as_deref() == wanted {
            return false;
        }
        self.wanted = wanted.map(|wanted| Arc::new(wanted.clone()));
        self.lanes.forgive();
        self.changed = Some(now);
        self.since = Timestamp::now();
        self.done = false;
        true
    }

    /// Raises a doubt, unless there is a graver one.
    pub(super) fn doubt(&mut self, doubt: Doubt) {
        self.doubt = self.doubt.max(Some(doubt));
    }

    /// Notes whether it is done. Returns how long that took, when it has just become so.
    pub(super) fn note(&mut self, done: bool, now: Instant) -> Option<std::time::Duration> {
        if self.done != done {
            self.done = done;
            self.since = Timestamp::now();
        }
        let changed = self.changed.filter(|_| done)?;
        self.changed = None;
        Some(now - changed)
    }

    /// Whether it is not there, and may be any moment.
    pub(super) fn is_being_made(&self) -> bool {
        self.tree.is_absent() && (self.lanes.busy() || !self.lanes.to_repeat().is_empty())
    }

    /// Whether nothing is there, wanted or under way.
    pub(super) fn is_over(&self) -> bool {
        self.wanted.is_none()
            && self.tree.is_absent()
            && !self.lanes.busy()
            && self.lanes.to_repeat().is_empty()
    }
}
