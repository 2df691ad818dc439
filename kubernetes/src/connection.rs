//! The way to the API server: which cluster, and how long to wait for it.

use std::{path::PathBuf, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

/// Longest silence on a watch until it is begun anew, which costs no list. A connection can die without anybody noticing,
/// and until then nothing is heard of the cluster. The API server says something at least every 75 seconds.
/// Source: Kubernetes, `bookmarkFrequency` of the watch cache, one minute with up to 25 % of jitter.
pub const WATCH_SILENCE: Duration = Duration::from_secs(90);

/// Longest wait for the answer to anything else.
const REQUEST: Duration = Duration::from_secs(15);

/// Longest time to connect before the API server counts as not answering.
const CONNECT: Duration = Duration::from_secs(5);

/// Why there is no way to the API server.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The kubeconfig can't be used.
    #[error("KUBECONFIG {path:?} can't be used: {message}; correct it, or unset it to run inside a cluster")]
    Kubeconfig {
        /// Its path.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// There is neither a kubeconfig nor a cluster round the process.
    #[error(
        "there is no cluster to talk to: set KUBECONFIG to a kubeconfig's path, or run in a pod with its service \
         account's token ({0})"
    )]
    NoCluster(String),
}

/// Clients of one API server.
#[derive(Clone)]
pub struct Clients {
    /// For watches, which are silent for long.
    pub watches: Client,
    /// For everything else.
    pub requests: Client,
    /// The namespace that this process is in, or that the kubeconfig names.
    pub namespace: String,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// Clients of the cluster that `KUBECONFIG` names if it is set, else of the one round the process. Never by the
/// kubeconfig in the home directory, which points at whatever its owner worked on last.
///
/// # Errors
/// When what it goes by can't be used. Whether the API server answers is not tried.
pub async fn clients() -> Result<Clients, Error> {
    let config = config().await?;
    let client = |silence| {
        let mut config = config.clone();
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(silence);
        Client::try_from(config).map_err(|error| Error::NoCluster(chain(&error)))
    };
    Ok(Clients {
        watches: client(WATCH_SILENCE)?,
        requests: client(REQUEST)?,
        namespace: config.default_namespace.clone(),
    })
}

async fn config() -> Result<Config, Error> {
    let Some(path) = std::env::var_os("KUBECONFIG").filter(|path| !path.is_empty()) else {
        return Config::incluster().map_err(|error| Error::NoCluster(chain(&error)));
    };
    let path = PathBuf::from(path);
    let refuse = |message: String| Error::Kubeconfig { path: path.clone(), message };
    let file = Kubeconfig::read_from(&path).map_err(|error| refuse(chain(&error)))?;
    Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .map_err(|error| refuse(chain(&error)))
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    // A parser's error may show the place in lines of its own.
    let first_line = |text: String| text.lines().next().unwrap_or_default().to_owned();
    let mut text = first_line(error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = first_line(cause.to_string());
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
