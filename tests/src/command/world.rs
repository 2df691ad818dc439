//! `lath-world world start|run|stop`: a cluster with nodes and a cloud.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::error::{Error, Result};
use crate::interrupt::interrupted;
use crate::lath::Install;
use crate::world::{Description, World, WorldOptions, built};

/// What to do with a world.
#[derive(Debug, Subcommand)]
pub enum WorldCommand {
    /// Start a world that stays up, and print where it is when its nodes are Ready.
    Start(Options),
    /// Run a world in the foreground until Ctrl-C.
    Run(Options),
    /// End the world that was started with this folder; nothing but the folder is left.
    Stop {
        /// The folder given to `start`.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

/// How the world is to be.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder for its state and logs.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// How many nodes it has.
    #[arg(long, value_name = "N", default_value_t = 2)]
    nodes: u8,
    /// Let images whose name matches PATTERN run BINARY: a path, or a binary of this workspace such as test-server.
    #[arg(long = "image", value_name = "PATTERN=BINARY", value_parser = image)]
    images: Vec<(String, PathBuf)>,
    /// Do not start the simulator. Lath is not installed then, either.
    #[arg(long)]
    without_cloud: bool,
    /// Use the cloud of the world in this folder: one more cluster of its account, in a VPC of its own.
    #[arg(long, value_name = "DIR", conflicts_with = "without_cloud")]
    cloud_of: Option<PathBuf>,
    /// Do not install Lath.
    #[arg(long)]
    without_lath: bool,
}

/// Reads one `--image`.
fn image(text: &str) -> std::result::Result<(String, PathBuf), String> {
    let (pattern, binary) =
        text.split_once('=').ok_or("write PATTERN=BINARY, for example '*=test-server'".to_owned())?;
    let path = if binary.contains('/') {
        std::path::absolute(binary).map_err(|error| error.to_string())?
    } else {
        built(binary)
    };
    if path.is_file() {
        Ok((pattern.to_owned(), path))
    } else {
        Err(format!("there is no binary {}", path.display()))
    }
}

/// Runs the subcommand.
pub async fn run(command: WorldCommand) -> Result<()> {
    match command {
        WorldCommand::Start(options) => {
            let world_options = world_options(&options)?;
            let folder = world_options.folder.clone();
            let description = World::start_detached(world_options).await?;
            if let Err(error) = install(&options, &description).await {
                World::stop_detached(&folder).await?;
                return Err(error);
            }
            print(&description);
            Ok(())
        }
        WorldCommand::Run(options) => {
            let world = World::start(world_options(&options)?).await?;
            install(&options, world.description()).await?;
            print(world.description());
            interrupted().await;
            world.stop().await
        }
        WorldCommand::Stop { dir } => World::stop_detached(&absolute(&dir)?).await,
    }
}

fn world_options(options: &Options) -> Result<WorldOptions> {
    let mut world = WorldOptions::new(absolute(&options.dir)?);
    world.nodes = options.nodes;
    world.cloud = !options.without_cloud;
    world.cloud_of = options.cloud_of.as_deref().map(absolute).transpose()?;
    for (pattern, binary) in options.images.iter().rev() {
        world.images.prefer(pattern, binary.clone());
    }
    Ok(world)
}

fn absolute(folder: &std::path::Path) -> Result<PathBuf> {
    std::path::absolute(folder)
        .map_err(|error| Error::Usage(format!("{} is no folder: {error}", folder.display())))
}

/// Installs Lath's chart, unless that is not wanted. Without a cloud it would have nothing to talk to.
async fn install(options: &Options, description: &Description) -> Result<()> {
    if options.without_lath || options.without_cloud {
        return Ok(());
    }
    Install::default().run(description).await
}

fn print(description: &Description) {
    println!(
        "{}",
        json!({
            "kubeconfig": description.kubeconfig,
            "lattice_endpoint": description.lattice_endpoint,
            "account": description.account.id,
            "vpc": description.vpc,
            "region": description.region,
        })
    );
}
