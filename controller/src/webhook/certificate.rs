//! Certificates of the webhook: made, read, and held against what API servers will ask of them.

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    sign::CertifiedKey,
};

mod validity;

pub use validity::Validity;

/// How far before its making a certificate begins to be good, for clocks that are behind.
pub const BACK: Duration = Duration::from_hours(1);

/// What is wrong with a certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its PEM can't be read.
    #[error("{0} holds no PEM that can be read")]
    Pem(&'static str),
    /// The key is of no use, or another certificate's.
    #[error("the private key does not fit the certificate")]
    Key(#[source] rustls::Error),
    /// The certificate can't be read.
    #[error("the certificate can't be read")]
    Unreadable,
    /// Its authority can't be used.
    #[error("the certificate's authority can't be used")]
    Authority(#[source] rustls::client::VerifierBuilderError),
    /// Clients that trust this authority don't take it.
    #[error("API servers would not take the certificate")]
    Refused(#[source] rustls::Error),
    /// It can't be made.
    #[error("making a certificate failed")]
    Making(#[source] rcgen::Error),
}

/// A certificate chain and its key, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// The chain, the webhook's own certificate first.
    pub chain: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

/// The key is never shown.
impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").finish_non_exhaustive()
    }
}

/// A pair that has just been made, with the certificate of the authority that has signed it.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The pair.
    pub pair: Pair,
    /// The authority's certificate, PEM.
    pub authority: Vec<u8>,
}

/// A certificate as it is shown to clients.
#[derive(Clone)]
pub struct Loaded {
    /// What TLS shows.
    pub key: Arc<CertifiedKey>,
    /// From when to when it is good.
    pub validity: Validity,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("validity", &self.validity).finish_non_exhaustive()
    }
}

/// The name by which API servers call the webhook in a namespace.
#[must_use]
pub fn server_name(namespace: &str) -> String {
    format!("{}.{namespace}.svc", super::NAME)
}

/// Makes a certificate for `name`, good for `life` from `now`, and an authority for it alone, whose key is not kept: nobody
/// can issue another in its name.
///
/// # Errors
/// When the system gives no random numbers.
pub fn issue(name: &str, now: Timestamp, life: Duration) -> Result<Issued, Error> {
    let authority_key = KeyPair::generate().map_err(Error::Making)?;
    let mut authority = CertificateParams::default();
    // Each authority has a name of its own, so that clients which know two are never in doubt which one has signed.
    describe(&mut authority, &format!("{} authority of {now}", super::NAME), now, life);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority_pem = authority.self_signed(&authority_key).map_err(Error::Making)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().map_err(Error::Making)?;
    let mut own = CertificateParams::new(vec![name.to_owned()]).map_err(Error::Making)?;
    describe(&mut own, super::NAME, now, life);
    own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let chain = own.signed_by(&key, &issuer).map_err(Error::Making)?.pem();
    let pair = Pair { chain: chain.into_bytes(), key: key.serialize_pem().into_bytes() };
    Ok(Issued { pair, authority: authority_pem.into_bytes() })
}

fn describe(params: &mut CertificateParams, name: &str, now: Timestamp, life: Duration) {
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let since_epoch = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
    let made = rcgen::date_time_ymd(1970, 1, 1) + since_epoch;
    params.not_before = made - BACK;
    params.not_after = made + life;
}

/// Reads a pair.
///
/// # Errors
/// What is wrong with it.
pub fn load(pair: &Pair) -> Result<Loaded, Error> {
    let chain = certificates(&pair.chain).ok_or(Error::Pem("tls.crt"))?;
    let own = chain.first().ok_or(Error::Pem("tls.crt"))?;
    let validity = validity::read(own).ok_or(Error::Unreadable)?;
    let key = PrivateKeyDer::from_pem_slice(&pair.key).map_err(|_unreadable| Error::Pem("tls.key"))?;
    let key = CertifiedKey::from_der(chain, key, &provider()).map_err(Error::Key)?;
    Ok(Loaded { key: Arc::new(key), validity })
}

/// Holds a certificate against what API servers ask: that an authority of the PEM `bundle` has signed it, for this name
/// and this moment.
///
/// # Errors
/// Why they would not take it.
pub fn verify(loaded: &Loaded, bundle: &[u8], name: &str, now: Timestamp) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(bundle).ok_or(Error::Pem("ca.crt"))? {
        roots.add(authority).map_err(Error::Refused)?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(Error::Authority)?;
    let name = ServerName::try_from(name.to_owned()).map_err(|_invalid| Error::Unreadable)?;
    let (own, rest) = loaded.key.cert.split_first().ok_or(Error::Unreadable)?;
    let now = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
    verifier
        .verify_server_cert(own, rest, &name, &[], UnixTime::since_unix_epoch(now))
        .map(drop)
        .map_err(Error::Refused)
}

/// The certificates of a PEM file. `None` if there is none or one can't be read.
pub(super) fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

/// The last certificate of a bundle, PEM, if there are more than one: the newest, since new ones are put at its end.
pub(super) fn newest_of_several(bundle: &[u8]) -> Option<Vec<u8>> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let begins = |at: &usize| bundle[*at..].starts_with(BEGIN);
    let mut places = (0..bundle.len()).filter(begins);
    places.next()?;
    places.next_back().map(|last| bundle[last..].to_vec())
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));
    Arc::clone(&PROVIDER)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "lath-webhook.lath-system.svc";
    const DAY: Duration = Duration::from_hours(24);

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_is_made_is_taken_for_its_name_and_its_time_only() {
        let issued = issue(NAME, now(), 90 * DAY).unwrap();
        let loaded = load(&issued.pair).unwrap();
        assert_eq!(loaded.validity.from, now() - BACK);
        assert_eq!(loaded.validity.until, now() + 90 * DAY);
        let take = |name: &str, at: Timestamp| verify(&loaded, &issued.authority, name, at).is_ok();
        for (name, at, taken) in [
            (NAME, now(), true),
            (NAME, now() - BACK, true),
            (NAME, now() - BACK - Duration::from_secs(1), false),
            (NAME, now() + 90 * DAY, true),
            (NAME, now() + 90 * DAY + Duration::from_secs(1), false),
            ("lath-webhook.elsewhere.svc", now(), false),
        ] {
            assert_eq!(take(name, at), taken, "{name} at {at}");
        }
        let other = issue(NAME, now() + DAY, 90 * DAY).unwrap();
        assert!(verify(&loaded, &other.authority, NAME, now()).is_err());
        let both = [other.authority.clone(), issued.authority.clone()].concat();
        verify(&loaded, &both, NAME, now()).unwrap();
    }

    #[test]
    fn what_does_not_belong_together_is_named() {
        let (one, other) = (issue(NAME, now(), DAY).unwrap().pair, issue(NAME, now(), DAY).unwrap().pair);
        let pair = |chain: &[u8], key: &[u8]| Pair { chain: chain.to_vec(), key: key.to_vec() };
        for (pair, words) in [
            (pair(&one.chain, &other.key), "the private key does not fit the certificate"),
            (pair(b"", &one.key), "tls.crt holds no PEM"),
            (pair(&one.chain, b"-----BEGIN"), "tls.key holds no PEM"),
            (
                pair(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &one.key),
                "the certificate can't be read",
            ),
        ] {
            let said = load(&pair).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn the_newest_authority_is_the_last() {
        let (one, other) = (issue(NAME, now(), DAY).unwrap(), issue(NAME, now(), DAY).unwrap());
        let both = [one.authority.clone(), other.authority.clone()].concat();
        assert_eq!(newest_of_several(&both), Some(other.authority));
        assert_eq!(newest_of_several(&one.authority), None);
        assert_eq!(newest_of_several(b""), None);
    }

    #[test]
    fn no_key_is_shown() {
        let issued = issue(NAME, now(), DAY).unwrap();
        let shown = format!("{issued:?} {:?} {:?}", issued.pair, load(&issued.pair).unwrap());
        let key = String::from_utf8(issued.pair.key).unwrap();
        let line = key.lines().nth(1).unwrap();
        assert!(!shown.contains(line) && !shown.contains("PRIVATE"), "{shown}");
    }
}
