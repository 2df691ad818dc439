//! The cluster's certificate authority and what it signs.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};

use crate::error::{Doing as _, Result};

/// A certificate authority of our own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    folder: PathBuf,
}

/// A certificate with its key, both as PEM and as files.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate, PEM.
    pub certificate: String,
    /// Its private key, PEM (PKCS #8).
    pub key: String,
    /// File of the certificate.
    pub certificate_file: PathBuf,
    /// File of the key.
    pub key_file: PathBuf,
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Default)]
pub struct Subject<'a> {
    /// Common name: the user, for Kubernetes.
    pub name: &'a str,
    /// Organization: the group, for Kubernetes.
    pub group: Option<&'a str>,
    /// DNS names of a server.
    pub names: &'a [&'a str],
    /// Addresses of a server.
    pub addresses: &'a [IpAddr],
}

impl Authority {
    /// Makes an authority and writes its certificate and key to `folder`/ca.crt and ca.key.
    pub fn create(folder: &Path) -> Result<Self> {
        let doing = "making the certificate authority";
        std::fs::create_dir_all(folder).doing_with(|| format!("making {}", folder.display()))?;
        let mut params = params("lath-test-world", None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().doing(doing)?;
        let pem = params.self_signed(&key).doing(doing)?.pem();
        write_secret(&folder.join("ca.crt"), &pem)?;
        write_secret(&folder.join("ca.key"), &key.serialize_pem())?;
        Ok(Self { issuer: Issuer::new(params, key), pem, folder: folder.to_owned() })
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Where its certificates are kept.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Signs a certificate that is good for clients and servers, and writes it to `file`.crt and `file`.key.
    pub fn sign(&self, file: &str, subject: &Subject<'_>) -> Result<Certificate> {
        let doing = || format!("making the certificate of {}", subject.name);
        let mut params = params(subject.name, subject.group);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        for name in subject.names {
            params.subject_alt_names.push(SanType::DnsName((*name).try_into().doing_with(doing)?));
        }
        params.subject_alt_names.extend(subject.addresses.iter().map(|address| SanType::IpAddress(*address)));
        let key = KeyPair::generate().doing_with(doing)?;
        let signed = Certificate {
            certificate: params.signed_by(&key, &self.issuer).doing_with(doing)?.pem(),
            key: key.serialize_pem(),
            certificate_file: self.folder.join(format!("{file}.crt")),
            key_file: self.folder.join(format!("{file}.key")),
        };
        write_secret(&signed.certificate_file, &signed.certificate)?;
        write_secret(&signed.key_file, &signed.key)?;
        Ok(signed)
    }
}

/// Makes the key that signs service-account tokens (ECDSA P-256, so tokens are ES256) and writes it to
/// `folder`/service-accounts.key, its public part to service-accounts.pub.
pub(super) fn create_signing_key(folder: &Path) -> Result<()> {
    let key = KeyPair::generate().doing("making the service accounts' signing key")?;
    write_secret(&folder.join("service-accounts.key"), &key.serialize_pem())?;
    write_secret(&folder.join("service-accounts.pub"), &key.public_key_pem())
}

fn params(name: &str, group: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    // A world lives for hours; fixed dates keep its certificates valid when a test moves the clock.
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2120, 1, 1);
    params
}

fn write_secret(path: &Path, content: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .doing_with(|| format!("writing {}", path.display()))
}
