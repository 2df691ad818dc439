//! TLS that is passed through: bytes to a target and back.

use std::net::SocketAddr;

use http::Version;
use tokio::io::copy_bidirectional;

use super::connections::{Destination, Error, Stream, connect};

/// Carries bytes between a client and a target until both have ended, or either breaks off.
pub(super) async fn carry(mut client: impl Stream, target: SocketAddr) -> Result<(), Error> {
    let to = Destination { target, secure: false, version: Version::HTTP_11 };
    let mut stream = connect(to).await?;
    copy_bidirectional(&mut client, &mut stream).await?;
    Ok(())
}
