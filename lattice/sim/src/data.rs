//! The data plane: requests from clients to targets, by what the control plane says.
//!
//! A connection comes in at an address of a service, from where that is reached ([`listen`], [`reach`]); its bytes are
//! TLS ([`tls`]) or HTTP ([`heads`], [`framing`]); each request finds its service, rule and target ([`decide`]) and goes
//! there ([`forward`], [`connections`]), or becomes a function's event ([`invoke`]); access logs tell of it when it is
//! over ([`exchange`]). Connections to resource configurations are carried as they are ([`resource`]). Targets are
//! checked meanwhile ([`health`]). What changes in the control plane acts here after the times that the settings
//! `propagation.*` give, as a function of the simulator's clock.

pub(crate) mod addresses;
mod answer;
mod auth;
mod connections;
mod decide;
mod dns;
mod exchange;
mod filter;
mod forward;
mod framing;
mod headers;
mod heads;
mod health;
mod idle;
mod interface;
mod invoke;
mod listen;
mod names;
mod passthrough;
mod reach;
#[cfg(test)]
mod reference;
mod resource;
mod tls;
mod turns;

use std::sync::Arc;

pub use interface::Error as InterfaceError;

use crate::simulator::Simulator;
use connections::Connections;
use interface::Interface;
use invoke::Functions;
use tls::Authority;
pub(crate) use turns::Turns;

/// Why the data plane can't be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its network interface can't be made.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    /// Its certificate authority can't be made.
    #[error("making the certificate authority: {0}")]
    Authority(#[from] rcgen::Error),
}

/// A data plane that is ready to carry traffic.
#[derive(Debug)]
pub struct DataPlane {
    shared: Arc<Shared>,
    interface: Interface,
}

/// What every connection uses.
#[derive(Debug)]
struct Shared {
    simulator: Simulator,
    authority: Authority,
    connections: Connections,
    functions: Functions,
}

impl Simulator {
    /// Makes a data plane for this simulator: its interface and its certificate authority. From now on targets are
    /// really checked.
    pub async fn data_plane(&self) -> Result<DataPlane, Error> {
        let name = self.settings().interface.0;
        let interface = Interface::create(&name).await?;
        let authority = Authority::create(self.lock().authority_key.as_deref())?;
        {
            let mut world = self.lock();
            world.authority = Some(authority.pem());
            world.authority_key = Some(authority.key().to_owned());
            world.changes += 1;
            let now = world.clock.now();
            world.state.restored(now);
            world.state.start_checking(now);
        }
        let shared = Shared {
            simulator: self.clone(),
            authority,
            connections: Connections::default(),
            functions: Functions::default(),
        };
        Ok(DataPlane { shared: Arc::new(shared), interface })
    }
}

impl DataPlane {
    /// Carries traffic until `shutdown` ends; then the interface is taken away.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let _names = dns::start(&self.shared.simulator, &mut self.interface).await;
        let checks = health::run(self.shared.simulator.clone());
        let listening = listen::run(Arc::clone(&self.shared), &mut self.interface);
        tokio::select! {
            () = shutdown => {}
            () = checks => {}
            () = listening => {}
        }
        self.interface.remove().await;
    }
}
