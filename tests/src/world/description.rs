//! What a world tells those who use it: the file `world.json` in its folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cloud::Announcement;
use crate::error::{Doing as _, Result};
use crate::network::addresses::Plan;

/// An account of the cloud, with its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its twelve digits.
    pub id: String,
    /// Access key id.
    #[serde(default)]
    pub access_key_id: String,
    /// Secret access key.
    #[serde(default)]
    pub secret_access_key: String,
}

/// A world as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The administrator's kubeconfig file.
    pub kubeconfig: PathBuf,
    /// The name of the cluster, as what belongs to it is tagged. No two clusters of a cloud have the same.
    pub cluster: String,
    /// URL of the cloud's endpoint; empty without a cloud.
    pub lattice_endpoint: String,
    /// The account that the cluster is in.
    pub account: Account,
    /// All accounts that the cloud knows.
    pub accounts: Vec<Account>,
    /// Id of the cluster's VPC.
    pub vpc: String,
    /// AWS region.
    pub region: String,
    /// The world's addresses.
    pub plan: Plan,
    /// The cgroup of the world; each node's is below it, named as the node.
    pub cgroup: PathBuf,
}

impl Description {
    /// Reads the description of a world by its folder.
    pub fn load(folder: &Path) -> Result<Self> {
        let file = Self::file(folder);
        let doing = || format!("reading {}; does a world run there", file.display());
        serde_json::from_slice(&std::fs::read(&file).doing_with(doing)?).doing_with(doing)
    }

    /// What its cloud announced when it started.
    pub(super) fn announcement(self) -> Announcement {
        Announcement { endpoint: self.lattice_endpoint, accounts: self.accounts, region: self.region }
    }

    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        let file = Self::file(folder);
        let bytes = serde_json::to_vec_pretty(self).doing("composing the world's description")?;
        std::fs::write(&file, bytes).doing_with(|| format!("writing {}", file.display()))
    }

    fn file(folder: &Path) -> PathBuf {
        folder.join("world.json")
    }
}
