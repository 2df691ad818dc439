//! TLS: the certificate authority of the data plane, what it shows to clients, and how it speaks to targets.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use http::Version;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, DigitallySignedStruct, ProtocolVersion, ServerConfig, ServerConnection, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Most certificates that are remembered; beyond it all are issued anew.
const MOST_CERTIFICATES: usize = 1_000;

/// A certificate authority that issues certificates for whatever name a service has.
pub(super) struct Authority {
    pem: String,
    key_pem: String,
    acceptor: TlsAcceptor,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// An authority with this key, in PEM, or with a new one. Clients that know the certificate of an authority know all
    /// that were made with its key.
    pub(super) fn create(key: Option<&str>) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "lath sim");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = key.map_or_else(KeyPair::generate, KeyPair::from_pem)?;
        let (pem, key_pem) = (params.self_signed(&key)?.pem(), key.serialize_pem());
        let names = Names { issuer: Issuer::new(params, key), issued: Mutex::default() };
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|_unsupported| rcgen::Error::UnsupportedSignatureAlgorithm)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(names));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { pem, key_pem, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// The authority's certificate.
    pub(super) fn pem(&self) -> String {
        self.pem.clone()
    }

    /// Its key, in PEM.
    pub(super) fn key(&self) -> &str {
        &self.key_pem
    }

    /// What answers clients' handshakes.
    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

/// Certificates by name.
struct Names {
    issuer: Issuer<'static, KeyPair>,
    issued: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl Names {
    fn issue(&self, name: &str) -> Option<CertifiedKey> {
        let key = KeyPair::generate().ok()?;
        let mut params = CertificateParams::new(vec![name.to_owned()]).ok()?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "lath sim service");
        let certificate = params.signed_by(&key, &self.issuer).ok()?;
        let private = PrivateKeyDer::try_from(key.serialize_der()).ok()?;
        let signing = ring::sign::any_supported_type(&private).ok()?;
        Some(CertifiedKey::new(vec![certificate.der().clone()], signing))
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Which names there are was decided before the handshake.
        let name = hello.server_name()?;
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issued.get(name) {
            return Some(Arc::clone(known));
        }
        if issued.len() >= MOST_CERTIFICATES {
            issued.clear();
        }
        let new = Arc::new(self.issue(name)?);
        issued.insert(name.to_owned(), Arc::clone(&new));
        Some(new)
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));
    Arc::clone(&PROVIDER)
}

/// What a client and we agreed upon, as access logs write it.
#[derive(Debug)]
pub(super) struct Agreed {
    /// The name that the client asked for.
    pub(super) name: String,
    /// `ECDHE-RSA-AES128-GCM-SHA256` say, and `TLSv1.2`; unknown where TLS is passed through.
    pub(super) cipher: Option<String>,
    pub(super) version: Option<&'static str>,
}

impl Agreed {
    /// What a connection that asked for this name is about.
    pub(super) fn of(name: String, connection: &ServerConnection) -> Self {
        let cipher = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let version = connection.protocol_version().map(|version| match version {
            ProtocolVersion::TLSv1_2 => "TLSv1.2",
            _ => "TLSv1.3",
        });
        Self { name, cipher: cipher.map(cipher_name), version }
    }
}

/// The name that OpenSSL has for a cipher suite.
fn cipher_name(suite: &str) -> String {
    if let Some(rest) = suite.strip_prefix("TLS13_") {
        return format!("TLS_{rest}");
    }
    let name =
        suite.trim_start_matches("TLS_").replace("_WITH_", "_").replace("AES_", "AES").replace('_', "-");
    name.replace("POLY1305-SHA256", "POLY1305")
}

/// What a ClientHello says.
pub(super) enum Hello {
    /// It is not complete yet.
    Partial,
    /// It is none.
    Malformed,
    /// The name that it asks for, if it names one.
    Name(Option<String>),
}

/// Reads the first bytes of a connection as a ClientHello.
pub(super) fn hello(bytes: &[u8]) -> Hello {
    let mut acceptor = Acceptor::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        match acceptor.read_tls(&mut rest) {
            Ok(0) | Err(_) => return Hello::Malformed,
            Ok(_) => {}
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                return Hello::Name(accepted.client_hello().server_name().map(str::to_owned));
            }
            Ok(None) => {}
            Err(_) => return Hello::Malformed,
        }
    }
    Hello::Partial
}

/// What opens TLS connections to targets of a version of HTTP.
pub(super) fn to_targets(version: Version) -> Result<TlsConnector, rustls::Error> {
    type Config = Result<Arc<ClientConfig>, rustls::Error>;
    static CONFIGS: LazyLock<[Config; 2]> = LazyLock::new(|| {
        [b"http/1.1".as_slice(), b"h2"].map(|protocol| client_config(protocol).map(Arc::new))
    });
    let [single, shared] = &*CONFIGS;
    let config = if version == Version::HTTP_2 { shared } else { single };
    config.clone().map(TlsConnector::from)
}

fn client_config(protocol: &[u8]) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything(provider())))
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    config.enable_sni = false;
    Ok(config)
}

/// Trusts every certificate of a target.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cipher_suites_are_named_as_openssl_names_them() {
        for (suite, expected) in [
            ("TLS13_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
            ("TLS13_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
            ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ] {
            assert_eq!(cipher_name(suite), expected);
        }
    }
}
