//! Keeps the webhook's certificate: makes it, renews it in time, tells API servers whom to trust, and loads it.
//!
//! Every replica does this alike. What they agree on is the Secret: each step is written by version, so one replica
//! takes it and the others see it. While a certificate is renewed, API servers trust the old authority and the new one,
//! so no request meets a certificate that its sender does not know:
//!
//! | Step | Secret | API servers trust | Shown |
//! |---|---|---|---|
//! | prepare | the next pair beside the present one | both | the old one |
//! | promote | the next pair in its place | both | the new one, by every replica as soon as it looks |
//! | prune | | the new one | the new one |
//!
//! Between steps a while passes in which all replicas and API servers have seen the one before.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    ByteString,
    api::{admissionregistration::v1::MutatingWebhookConfiguration, core::v1::Secret},
};
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use lath_kubernetes::names;
use runtime::readiness::{BlockReady, Readiness};
use rustls::sign::CertifiedKey;
use serde_json::json;
use tokio::{sync::watch, time::sleep};

use super::{
    NAME, certificate,
    certificate::{Loaded, Pair},
    metrics::Metrics,
};
use step::{BUNDLE, CHAIN, CHANGED, Held, KEY, NEXT_CHAIN, NEXT_KEY, Step, decide, read_pair};

mod step;

/// The type of a Secret with a certificate. Source: Kubernetes API, `SecretTypeTLS`.
const TYPE: &str = "kubernetes.io/tls";

/// How often is looked until there is a certificate.
const FIRST: Duration = Duration::from_secs(1);

/// How the certificate is kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Somebody else makes it and tells API servers whom to trust.
    pub external: bool,
    /// How long a certificate is good. It is renewed after half of that, long before two thirds.
    pub life: Duration,
    /// What passes between the steps of a renewal.
    pub settle: Duration,
    /// How often is looked. Far below `settle`, so that every replica has seen a step before the next one.
    pub every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            external: false,
            life: Duration::from_hours(90 * 24),
            settle: Duration::from_mins(5),
            every: Duration::from_secs(10),
        }
    }
}

/// Why the certificate could not be kept.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("reading the Secret {NAME} failed, may this service account get it?")]
    Read(#[source] kube::Error),
    #[error("writing the Secret {NAME} failed, may this service account create and update it?")]
    Write(#[source] kube::Error),
    #[error("there is no Secret {NAME}; whoever is to keep the webhook's certificate has not made it")]
    Missing,
    #[error("the certificate in the Secret {NAME} can't be used")]
    Unusable(#[source] certificate::Error),
    #[error("a new certificate is of no use")]
    Making(#[source] certificate::Error),
    #[error(
        "telling API servers by MutatingWebhookConfiguration {NAME} whom to trust failed, may this service account get \
         and patch it?"
    )]
    Publish(#[source] kube::Error),
}

/// Keeps the certificate.
pub struct Keeper {
    secrets: Api<Secret>,
    configurations: Api<MutatingWebhookConfiguration>,
    name: String,
    settings: Settings,
    shown: watch::Sender<Option<Arc<CertifiedKey>>>,
    pair: Option<Pair>,
    readiness: Readiness,
    waiting: Option<BlockReady>,
    failing: bool,
    metrics: Metrics,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Keeper {
    /// A keeper of the certificate of the webhook in `namespace`. What is to be shown to clients goes to `shown`.
    #[must_use]
    pub fn new(
        client: Client,
        namespace: &str,
        settings: Settings,
        shown: watch::Sender<Option<Arc<CertifiedKey>>>,
        readiness: Readiness,
        metrics: Metrics,
    ) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), namespace),
            configurations: Api::all(client),
            name: certificate::server_name(namespace),
            settings,
            shown,
            pair: None,
            waiting: Some(readiness.wait_for("the webhook's certificate")),
            readiness,
            failing: false,
            metrics,
        }
    }

    /// Keeps it, for ever.
    pub async fn run(mut self) {
        loop {
            let done = self.pass(Timestamp::now()).await;
            self.report(done);
            sleep(if self.pair.is_some() { self.settings.every } else { FIRST }).await;
        }
    }

    fn report(&mut self, done: Result<(), Error>) {
        match done {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    self.readiness.restore(NAME);
                    tracing::info!("the webhook's certificate is kept again");
                }
            }
            Err(error) => {
                let error = chain(&error);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(error, "keeping the webhook's certificate fails and is tried again");
                }
                self.readiness.degrade(NAME, error);
            }
        }
    }

    /// Looks once, and takes the step that is due.
    async fn pass(&mut self, now: Timestamp) -> Result<(), Error> {
        if self.settings.external {
            let secret = self.secrets.get_opt(NAME).await.map_err(Error::Read)?.ok_or(Error::Missing)?;
            let pair = read_pair(&secret, CHAIN, KEY);
            let loaded = certificate::load(&pair).map_err(Error::Unusable)?;
            self.show(&pair, &loaded);
            return Ok(());
        }
        // Read before the Secret, so that its version refuses what another replica's later Secret has overtaken. A failure
        // is told at the end: showing the certificate does not depend on it.
        let configuration = self.configurations.get_opt(NAME).await;
        let secret = self.secrets.get_opt(NAME).await.map_err(Error::Read)?;
        let held = secret.as_ref().map(|secret| Held::read(secret, &self.name, now));
        let held = match held {
            Some(Ok(held)) => {
                let published = match &configuration {
                    Ok(configuration) => configuration.as_ref().is_none_or(|it| trusts(it, &held.bundle)),
                    Err(_) => false,
                };
                let step = decide(&held, published, self.settings.settle, now);
                match self.next(&held, step, now)? {
                    Some(next) => self.write(secret.as_ref(), next, now).await?,
                    None => Some(held),
                }
            }
            reason => {
                if let Some(Err(error)) = reason {
                    tracing::warn!(
                        error = chain(&error),
                        "the webhook's certificate can't be used and is made anew"
                    );
                }
                let begun = self.begin(now)?;
                self.write(secret.as_ref(), begun, now).await?
            }
        };
        // Without: another replica was faster, and the next look finds what it has written.
        let Some(held) = held else { return Ok(()) };
        self.show(&held.pair, &held.loaded);
        match configuration.map_err(Error::Publish)? {
            Some(configuration) => self.publish(&configuration, &held.bundle).await,
            // Nobody calls until there is one.
            None => Ok(()),
        }
    }

    /// The first certificate.
    fn begin(&self, now: Timestamp) -> Result<Held, Error> {
        let issued = certificate::issue(&self.name, now, self.settings.life).map_err(Error::Making)?;
        let loaded = certificate::load(&issued.pair).map_err(Error::Making)?;
        certificate::verify(&loaded, &issued.authority, &self.name, now).map_err(Error::Making)?;
        Ok(Held { pair: issued.pair, loaded, next: None, bundle: issued.authority, changed: None })
    }

    /// What the Secret holds after a step; `None`: the same.
    fn next(&self, held: &Held, step: Step, now: Timestamp) -> Result<Option<Held>, Error> {
        let mut next = held.clone();
        match step {
            Step::Keep => return Ok(None),
            Step::Prepare => {
                let issued =
                    certificate::issue(&self.name, now, self.settings.life).map_err(Error::Making)?;
                next.next = Some(issued.pair);
                // At the end, by which it is known to be the newest. Those of before the last renewal go.
                let old = certificate::newest_of_several(&held.bundle).unwrap_or_else(|| held.bundle.clone());
                next.bundle = [old, issued.authority].concat();
            }
            Step::Promote => {
                let Some(pair) = next.next.take() else { return Ok(None) };
                next.loaded = certificate::load(&pair).map_err(Error::Making)?;
                next.pair = pair;
            }
            Step::Prune => {
                let Some(newest) = certificate::newest_of_several(&held.bundle) else { return Ok(None) };
                next.bundle = newest;
            }
        }
        tracing::info!(step = ?step, until = %next.loaded.validity.until, "the webhook's certificate is being renewed");
        Ok(Some(next))
    }

    /// Writes what the Secret is to hold; `None`: another replica was faster.
    async fn write(&self, old: Option<&Secret>, held: Held, now: Timestamp) -> Result<Option<Held>, Error> {
        let text = |bytes: &[u8]| ByteString(bytes.to_vec());
        let mut data: BTreeMap<String, ByteString> = BTreeMap::from([
            (CHAIN.into(), text(&held.pair.chain)),
            (KEY.into(), text(&held.pair.key)),
            (BUNDLE.into(), text(&held.bundle)),
        ]);
        if let Some(next) = &held.next {
            data.insert(NEXT_CHAIN.into(), text(&next.chain));
            data.insert(NEXT_KEY.into(), text(&next.key));
        }
        let mut secret = old.cloned().unwrap_or_else(|| Secret {
            metadata: ObjectMeta {
                name: Some(NAME.into()),
                labels: Some([(names::MADE_BY.into(), names::MADE_BY_CONTROLLER.into())].into()),
                ..ObjectMeta::default()
            },
            type_: Some(TYPE.into()),
            ..Secret::default()
        });
        secret.data = Some(data);
        secret.metadata.annotations.get_or_insert_default().insert(CHANGED.into(), now.to_string());
        let params = PostParams { field_manager: Some(names::CONTROLLER.into()), ..PostParams::default() };
        let written = match old {
            Some(_) => self.secrets.replace(NAME, &params, &secret).await,
            None => self.secrets.create(&params, &secret).await,
        };
        match written {
            Ok(_) => Ok(Some(held)),
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(None),
            Err(error) => Err(Error::Write(error)),
        }
    }

    /// Shows a certificate to clients from now on.
    fn show(&mut self, pair: &Pair, loaded: &Loaded) {
        if self.pair.as_ref() == Some(pair) {
            return;
        }
        self.pair = Some(pair.clone());
        self.shown.send_replace(Some(loaded.key.clone()));
        self.metrics.expires(loaded.validity.until.as_second());
        self.waiting = None;
        tracing::info!(until = %loaded.validity.until, "the webhook shows a new certificate");
    }

    /// Tells API servers whom to trust, unless they know.
    async fn publish(
        &self,
        configuration: &MutatingWebhookConfiguration,
        bundle: &[u8],
    ) -> Result<(), Error> {
        if trusts(configuration, bundle) {
            return Ok(());
        }
        let webhooks: Vec<_> = configuration
            .webhooks
            .iter()
            .flatten()
            .map(|webhook| {
                let trust = json!({ "caBundle": ByteString(bundle.to_vec()) });
                json!({ "name": webhook.name, "clientConfig": trust })
            })
            .collect();
        let patch = json!({
            "metadata": { "resourceVersion": configuration.metadata.resource_version },
            "webhooks": webhooks,
        });
        let params = PatchParams { field_manager: Some(names::CONTROLLER.into()), ..PatchParams::default() };
        match self.configurations.patch(NAME, &params, &Patch::Strategic(&patch)).await {
            Ok(_) => {
                tracing::info!("API servers are told whom to trust at the webhook");
                Ok(())
            }
            // Looked at anew the next time.
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(()),
            Err(error) => Err(Error::Publish(error)),
        }
    }
}

/// Whether each webhook of a configuration trusts exactly this bundle.
fn trusts(configuration: &MutatingWebhookConfiguration, bundle: &[u8]) -> bool {
    configuration
        .webhooks
        .iter()
        .flatten()
        .all(|webhook| webhook.client_config.ca_bundle.as_ref().is_some_and(|trusted| trusted.0 == bundle))
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
