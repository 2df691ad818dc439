//! The one error of the test world: what was being done, and why it failed.

/// What a lower layer reported.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something in the test world failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller asked for something that cannot be; the sentence says what to change. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The machine, the control plane or the cloud did not do its part.
    #[error("{doing}: {source}")]
    Failed {
        /// What was being done, in words that fit before a colon.
        doing: String,
        /// What the layer below said.
        #[source]
        source: BoxError,
    },
}

impl Error {
    /// A failure that has no lower cause.
    pub fn failed(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Failed { doing: doing.into(), source: why.into().into() }
    }
}

/// Says what was being done when an error came up from below.
pub trait Doing<T> {
    /// Wraps the error with `what`, which is read before a colon: "writing the kubeconfig".
    fn doing(self, what: impl Into<String>) -> Result<T>;

    /// As [`Doing::doing`], for a sentence that is costly to make.
    fn doing_with<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Into<BoxError>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl Into<String>) -> Result<T> {
        self.doing_with(|| what)
    }

    fn doing_with<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|error| Error::Failed { doing: what().into(), source: error.into() })
    }
}
