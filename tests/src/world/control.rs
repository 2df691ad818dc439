//! How tests reach into a world: one request and one answer, each a line of JSON, over a socket in its folder.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::inside::Inside;
use crate::controlplane::Component;
use crate::error::{Doing as _, Error, Result};
use crate::network::Peer;

/// Longest request or answer, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A part of a world that is one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// A component of the control plane.
    ControlPlane(Component),
    /// The simulator.
    Cloud,
}

/// What can be sent to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartSignal {
    /// SIGSTOP: it stands still, its sockets stay open.
    Stop,
    /// SIGCONT: it goes on.
    Continue,
    /// SIGKILL: it is dead until restarted.
    Kill,
}

/// What a test asks of a world.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub(super) enum Request {
    Container { node: u8, pod: String, container: String },
    SignalContainer { node: u8, pod: String, container: String, signal: i32 },
    Cut { node: u8, peer: Peer },
    Heal { node: u8, peer: Peer },
    Reboot { node: u8, off_ms: u64 },
    Remove { node: u8 },
    Add { node: u8 },
    Signal { part: Part, signal: PartSignal },
    Restart { part: Part },
    WantAddress { address: Ipv4Addr, pod: String },
    RouterDescriptor,
}

/// What a world answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Done(Value),
    Refused(String),
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("control")
}

/// Asks the world of a folder for something, and waits until it is done.
pub(super) async fn ask<T: DeserializeOwned>(folder: &Path, request: Request) -> Result<T> {
    let doing = || format!("asking the world in {} for {request:?}", folder.display());
    let exchange = async {
        let mut stream = UnixStream::connect(socket(folder)).await?;
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        let mut answer = String::new();
        BufReader::new(stream.take(LONGEST)).read_line(&mut answer).await?;
        io::Result::Ok(serde_json::from_str::<Answer>(&answer)?)
    };
    match exchange.await.doing_with(doing)? {
        Answer::Done(value) => serde_json::from_value(value).doing_with(doing),
        Answer::Refused(why) => Err(Error::failed(doing(), why)),
    }
}

/// Opens the socket of a world.
pub(super) fn listen(folder: &Path) -> Result<UnixListener> {
    let path = socket(folder);
    // An earlier world in this folder has left its own, which nobody serves.
    if path.exists() {
        std::fs::remove_file(&path).doing_with(|| format!("removing {}", path.display()))?;
    }
    UnixListener::bind(&path).doing_with(|| format!("listening on {}", path.display()))
}

/// Serves requests for as long as the world lives, several at once.
pub(super) async fn serve(world: Arc<Inside>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let world = Arc::clone(&world);
                tokio::spawn(async move {
                    if let Err(error) = answer(&world, stream).await {
                        tracing::warn!(%error, "a control request failed");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a control connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    }
}

async fn answer(world: &Inside, mut stream: UnixStream) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new((&mut stream).take(LONGEST)).read_line(&mut line).await?;
    let answer = match serde_json::from_str::<Request>(&line) {
        Ok(request) => match world.obey(request).await {
            Ok(value) => Answer::Done(value),
            Err(error) => Answer::Refused(error.to_string()),
        },
        Err(error) => Answer::Refused(format!("the request cannot be understood: {error}")),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    stream.write_all(&line).await
}
