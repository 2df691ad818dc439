//! A Kubernetes API server in memory: for tests within one process, on paused time, without a socket.
//!
//! [`ApiServer`] is what the test holds: it puts objects in as if their own writers had, and looks at what is there.
//! [`Access`] is one client's way to it, with that client's faults: watches that lag, a network that fails or swallows
//! everything, a watch that has expired, a list that lacks what there is.
//!
//! Faithful to the real one: lists and watches with their selectors and what an object that enters or leaves a selection
//! looks like; resource versions, and 410 for one that is too old; conflicts by resource version and UID; writes that
//! change nothing; generations of custom resources; `status` as a subresource; finalizers; merge, strategic (conditions
//! by type) and apply patches, the last one as a sole owner of its fields; bookmarks, and the server's end of a watch.
//!
//! Not there: admission, defaulting, validation, schemas, authorization, field ownership, pages, garbage collection,
//! and every controller. Timestamps are the wall clock's, also while tokio's time is paused.

mod access;
mod patch;
mod request;
mod server;
mod store;
mod watch;

pub use access::{Access, Outage};
pub use server::ApiServer;
pub use store::ObjectKey;

#[cfg(test)]
mod tests;
