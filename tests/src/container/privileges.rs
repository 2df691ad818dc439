//! User, groups and capabilities of a container's process.

use std::io;

use rustix::fs::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs, set_thread_gid,
    set_thread_groups, set_thread_uid,
};
use serde::{Deserialize, Serialize};

/// What container runtimes leave to a container that asks for nothing, without the prefix `CAP_`.
pub const DEFAULT_CAPABILITIES: [&str; 14] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

/// The number of the last capability that this program knows: `CAP_CHECKPOINT_RESTORE`.
const LAST_CAPABILITY: u32 = 40;

/// Who a process is and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privileges {
    /// User id.
    pub user: u32,
    /// Group id.
    pub group: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// The bounding set, as bits. A process of user 0 has all of it, any other user's has none.
    pub capabilities: u64,
    /// Whether programs that it starts can gain rights (set-user-ID, file capabilities).
    pub may_gain: bool,
}

/// The bit of a capability by its name without `CAP_`, if it is one.
#[must_use]
pub fn capability(name: &str) -> Option<u64> {
    CapabilitySet::from_name(name).map(|capability| capability.bits())
}

impl Privileges {
    /// Gives everything else up, for good. The calling process has one thread.
    pub(super) fn apply(&self) -> io::Result<()> {
        let keep = CapabilitySet::from_bits_retain(self.capabilities);
        for number in 0..=LAST_CAPABILITY {
            let capability = CapabilitySet::from_bits_retain(1 << number);
            if !keep.contains(capability) {
                match remove_capability_from_bounding_set(capability) {
                    // An older kernel does not know the newest ones, which it then cannot grant either.
                    Ok(()) | Err(rustix::io::Errno::INVAL) => {}
                    Err(errno) => return Err(errno.into()),
                }
            }
        }
        clear_ambient_capability_set()?;
        let own = capabilities(None)?;
        set_capabilities(None, CapabilitySets { inheritable: CapabilitySet::empty(), ..own })?;
        set_thread_groups(&self.groups.iter().map(|group| Gid::from_raw(*group)).collect::<Vec<_>>())?;
        set_thread_gid(Gid::from_raw(self.group))?;
        set_thread_uid(Uid::from_raw(self.user))?;
        if !self.may_gain {
            set_no_new_privs(true)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_known_by_their_names() {
        assert_eq!(capability("CHOWN"), Some(1));
        assert_eq!(capability("NET_ADMIN"), Some(1 << 12));
        assert_eq!(capability("BPF"), Some(1 << 39));
        for name in ["CAP_BPF", "bpf", "FLY", ""] {
            assert_eq!(capability(name), None, "{name}");
        }
        for name in DEFAULT_CAPABILITIES {
            assert!(capability(name).is_some(), "{name}");
        }
    }
}
