//! How a world is to be.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::description::Description;
use crate::error::{Doing as _, Error, Result};
use crate::network::addresses::MAX_NODES;
use crate::nodelet::Images;

/// Binaries of this workspace that images of the same name mean.
const OWN: [&str; 4] = ["lath", "lath-agent", "lath-controller", "test-server"];

/// How a world is to be. [`WorldOptions::new`] gives two nodes, a cloud, and this workspace's own images.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorldOptions {
    /// Its folder: state, logs, sockets. Made if it does not exist; it stays when the world has gone.
    pub folder: PathBuf,
    /// How many nodes it starts with.
    pub nodes: u8,
    /// Which binary an image stands for.
    pub images: Images,
    /// Whether there is a cloud.
    pub cloud: bool,
    /// The folder of a running world whose cloud, account and region this one uses instead of a cloud of its own: it is
    /// one more cluster there, in a VPC of its own. Nodes can't be cut off from that cloud.
    pub cloud_of: Option<PathBuf>,
    /// Arguments for the cloud, after `lath sim --listen …`.
    pub cloud_arguments: Vec<String>,
    /// The binary `lath`, which is the cloud.
    pub cloud_program: PathBuf,
    /// Whether there are the kinds of Gateway API.
    pub gateway_api: bool,
    /// The AWS region, unless the cloud names another.
    pub region: String,
    /// The binary `lath-world`, which becomes the world.
    pub program: PathBuf,
}

impl WorldOptions {
    /// The usual world in a folder. Binaries are looked for beside the program that runs.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let mut images = Images::default();
        for name in OWN {
            images.prefer(name, built(name));
        }
        Self {
            folder: folder.into(),
            nodes: 2,
            images,
            cloud: true,
            cloud_of: None,
            cloud_arguments: Vec::new(),
            cloud_program: built("lath"),
            gateway_api: true,
            region: "us-west-2".into(),
            program: built("lath-world"),
        }
    }

    /// Refuses what cannot be, with a sentence that says what to change.
    pub(super) fn check(&self) -> Result<()> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::Usage("a world needs root for its namespaces; run this as root".into()));
        }
        if self.nodes > MAX_NODES {
            return Err(Error::Usage(format!("a world has at most {MAX_NODES} nodes, not {}", self.nodes)));
        }
        if !self.folder.is_absolute() {
            return Err(Error::Usage(format!(
                "name the world's folder by an absolute path, not {}",
                self.folder.display()
            )));
        }
        // What the kernel takes for the path of a socket is 107 bytes.
        if self.folder.as_os_str().len() > 90 {
            return Err(Error::Usage(format!(
                "choose a shorter folder than {}: a socket lies in it",
                self.folder.display()
            )));
        }
        if let Some(other) = &self.cloud_of {
            Description::load(other)?;
        }
        let mut needed = vec![("lath-world", &self.program)];
        if self.has_own_cloud() {
            needed.push(("lath", &self.cloud_program));
        }
        for (name, path) in needed {
            if !path.is_file() {
                return Err(Error::Usage(format!(
                    "the binary {} does not exist; build it with `cargo build --bin {name}`",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    /// Whether it starts a cloud.
    pub(super) fn has_own_cloud(&self) -> bool {
        self.cloud && self.cloud_of.is_none()
    }

    pub(super) fn save(&self) -> Result<()> {
        let folder = &self.folder;
        std::fs::create_dir_all(folder).doing_with(|| format!("making {}", folder.display()))?;
        let bytes = serde_json::to_vec_pretty(self).doing("composing the world's options")?;
        let file = folder.join("options.json");
        std::fs::write(&file, bytes).doing_with(|| format!("writing {}", file.display()))
    }

    pub(super) fn load(folder: &Path) -> Result<Self> {
        let file = folder.join("options.json");
        let doing = || format!("reading {}", file.display());
        serde_json::from_slice(&std::fs::read(&file).doing_with(doing)?).doing_with(doing)
    }
}

/// The name of a node.
pub(super) fn node_name(index: u8) -> String {
    format!("node-{index}")
}

/// The folder of a node within the world's.
pub(super) fn node_folder(world: &Path, index: u8) -> PathBuf {
    world.join("nodes").join(node_name(index))
}

/// Where cargo puts a binary of this workspace in the profile of the program that runs: beside it, or one folder up
/// for a test.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let folder = std::env::current_exe()
        .ok()
        .and_then(|program| program.parent().map(Path::to_owned))
        .unwrap_or_default();
    let folder = match folder.parent() {
        Some(parent) if folder.ends_with("deps") => parent.to_owned(),
        _ => folder,
    };
    folder.join(name)
}
