//! `lath-world controlplane build|start|stop`: a control plane without nodes, on the loopback interface.

use std::path::PathBuf;

use clap::Subcommand;

use crate::controlplane::{Binaries, start, stop};
use crate::error::Result;

/// What to do with a control plane.
#[derive(Debug, Subcommand)]
pub enum ControlPlane {
    /// Build what is missing of etcd, Kubernetes, kubectl and helm, into the user's cache.
    Build,
    /// Start a control plane and print {"kubeconfig":PATH} when it is ready.
    Start {
        /// Folder for its certificates, data and logs.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
    /// End the control plane that was started with this folder.
    Stop {
        /// The folder given to `start`.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

/// Runs the subcommand.
pub async fn run(command: ControlPlane) -> Result<()> {
    match command {
        ControlPlane::Build => Binaries::from_environment()?.ensure().await,
        ControlPlane::Start { dir } => {
            let binaries = Binaries::from_environment()?;
            binaries.ensure().await?;
            let kubeconfig = start(&dir, &binaries).await?;
            println!("{}", serde_json::json!({ "kubeconfig": kubeconfig }));
            Ok(())
        }
        ControlPlane::Stop { dir } => stop(&dir).await,
    }
}
