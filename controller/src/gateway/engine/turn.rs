//! What a unit does when its turn has come, and what answers to its calls make of it.

pub(super) mod declared;
pub(super) mod group;
pub(super) mod network;
pub(super) mod resource;
pub(super) mod service;
