//! The cgroup v2 subtrees in which a world keeps its pods apart.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Doing as _, Error, Result};

/// Where cgroup v2 is mounted: `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` beside cgroup v1.
pub fn mount_point() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").doing("reading /proc/self/mountinfo")?;
    find_mount(&mounts).ok_or_else(|| {
        Error::failed(
            "looking for cgroup v2",
            "no cgroup2 file system is mounted; mount one at /sys/fs/cgroup",
        )
    })
}

/// The first cgroup2 mount in a mountinfo table. Mount points with spaces are not expected and not decoded.
fn find_mount(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        (after.split(' ').next()? == "cgroup2").then(|| before.split(' ').nth(4).map(PathBuf::from))?
    })
}

/// Makes a cgroup and its parents.
pub fn create(path: &Path) -> Result<()> {
    fs::create_dir_all(path).doing_with(|| format!("making the cgroup {}", path.display()))
}

/// Moves a process of this PID namespace into a cgroup.
pub fn enter(path: &Path, pid: u32) -> io::Result<()> {
    fs::write(path.join("cgroup.procs"), pid.to_string())
}

/// The processes of a cgroup and of all below it, numbered as the reader's PID namespace does.
#[must_use]
pub fn processes(path: &Path) -> Vec<u32> {
    let mut pids: Vec<u32> = fs::read_to_string(path.join("cgroup.procs"))
        .map(|text| text.lines().filter_map(|line| line.parse().ok()).collect())
        .unwrap_or_default();
    for child in children(path) {
        pids.extend(processes(&child));
    }
    pids
}

/// Ends every process in a cgroup and below, at once.
pub fn kill(path: &Path) -> io::Result<()> {
    match fs::write(path.join("cgroup.kill"), "1") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes a cgroup and all below it. They must be empty of processes; a cgroup that is gone already is no error.
pub fn remove(path: &Path) -> io::Result<()> {
    for child in children(path) {
        remove(&child)?;
    }
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// As [`remove`], again and again for up to five seconds: a cgroup stays busy for a moment after its last process.
pub async fn remove_when_empty(path: &Path) -> Result<()> {
    for _ in 0..250 {
        if remove(path).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    remove(path)
        .doing_with(|| format!("removing the cgroup {}, in which processes may live still", path.display()))
}

fn children(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path)
        .map(|entries| {
            entries
                .filter_map(std::result::Result::ok)
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path())
                .collect()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroup2_is_found_beside_v1_and_alone() {
        for (mountinfo, found) in [
            (
                "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n\
                 41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
                Some("/sys/fs/cgroup/unified"),
            ),
            (
                "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
                Some("/sys/fs/cgroup"),
            ),
            ("22 27 0:21 / /proc rw,relatime - proc proc rw\n", None),
        ] {
            assert_eq!(find_mount(mountinfo), found.map(PathBuf::from));
        }
    }
}
