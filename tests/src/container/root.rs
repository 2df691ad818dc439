//! Builds a container's root: the machine's own root under a layer of its own, with fresh kernel file systems.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rustix::fs::{CWD, XattrFlags};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_bind,
    mount_change, mount_remount, move_mount, open_tree, unmount,
};
use rustix::process::pivot_root;

use super::{Container, Mount};

/// Folders of the machine that no image would have: empty inside, as in an image.
const HIDDEN: [(&str, u32); 4] = [("tmp", 0o1777), ("run", 0o755), ("root", 0o700), ("home", 0o755)];
/// Devices that every container has.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Builds the root and makes it the root of this process, which needs a mount namespace of its own.
pub(super) fn build(container: &Container) -> io::Result<()> {
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
    // Taken now, put in place later: paths outside mean nothing once the root has changed, and paths inside, which
    // may lead over symbolic links, mean nothing before.
    let mounts = container.mounts.iter().map(take).collect::<io::Result<Vec<_>>>()?;
    mount("tmpfs", &container.root, "tmpfs", MountFlags::empty(), Some(c"size=1g,mode=755"))?;
    std::env::set_current_dir(&container.root)?;
    for folder in ["upper", "work", "merged"] {
        fs::create_dir(folder)?;
    }
    for (name, mode) in HIDDEN {
        let path = Path::new("upper").join(name);
        fs::create_dir(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        rustix::fs::setxattr(&path, c"trusted.overlay.opaque", b"y", XattrFlags::empty())?;
    }
    mount(
        "overlay",
        "merged",
        "overlay",
        MountFlags::empty(),
        Some(c"lowerdir=/,upperdir=upper,workdir=work"),
    )?;
    let merged = container.root.join("merged");
    kernel_file_systems(&merged)?;
    std::env::set_current_dir(&merged)?;
    // The old root is stacked on the new one at the same place, and taken off from there.
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    std::env::set_current_dir("/")?;
    for taken in mounts {
        put(&taken).map_err(|error| {
            let Mount { source, target, .. } = taken.mount;
            io::Error::new(
                error.kind(),
                format!("mounting {} at {}: {error}", source.display(), target.display()),
            )
        })?;
    }
    if container.read_only_root {
        mount_remount("/", MountFlags::BIND | MountFlags::RDONLY, c"")?;
    }
    Ok(())
}

/// A file or folder of the machine, held by a descriptor.
struct Taken<'a> {
    mount: &'a Mount,
    tree: OwnedFd,
    is_folder: bool,
}

/// Takes hold of what is to be mounted.
fn take(mount: &Mount) -> io::Result<Taken<'_>> {
    let taken = || -> io::Result<Taken<'_>> {
        let is_folder = fs::metadata(&mount.source)?.is_dir();
        let flags =
            OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
        Ok(Taken { mount, tree: open_tree(CWD, &mount.source, flags)?, is_folder })
    };
    taken().map_err(|error| {
        io::Error::new(error.kind(), format!("looking for {}: {error}", mount.source.display()))
    })
}

fn kernel_file_systems(merged: &Path) -> io::Result<()> {
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", merged.join("proc"), "proc", quiet, None)?;
    mount("sysfs", merged.join("sys"), "sysfs", quiet | MountFlags::RDONLY, None)?;
    let dev = merged.join("dev");
    mount("tmpfs", &dev, "tmpfs", MountFlags::NOSUID, Some(c"mode=755,size=64k"))?;
    for device in DEVICES {
        let path = dev.join(device);
        fs::write(&path, "")?;
        mount_bind(Path::new("/dev").join(device), &path)?;
    }
    for (name, target) in [("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
        symlink(Path::new("/proc/self").join(target), dev.join(name))?;
    }
    let shm = dev.join("shm");
    fs::create_dir(&shm)?;
    mount("tmpfs", &shm, "tmpfs", quiet, Some(c"mode=1777,size=64m"))?;
    Ok(())
}

/// Makes one file or folder appear.
fn put(taken: &Taken<'_>) -> io::Result<()> {
    let target = &taken.mount.target;
    if taken.is_folder {
        fs::create_dir_all(target)?;
    } else {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        if !target.exists() {
            fs::write(target, "")?;
        }
    }
    move_mount(&taken.tree, "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    if taken.mount.read_only {
        mount_remount(target, MountFlags::BIND | MountFlags::RDONLY, c"")?;
    }
    Ok(())
}
