//! Certificates for custom domain names: Certificate Manager.

use std::time::SystemTime;

use aws_sdk_acm::types::{CertificateStatus, CertificateSummary, Filters, KeyAlgorithm};

use crate::{Client, Error, Operation, Urgency, answer::required};

/// A certificate that was issued or imported, and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// The names that it is for, such as `*.example.com`.
    pub domains: Vec<String>,
    /// When it was made or imported.
    pub created: Option<SystemTime>,
}

/// Most certificates on a page, and the default. Source: ACM's API reference, ListCertificates, `MaxItems`.
const PAGE_CERTIFICATES: i32 = 1_000;

impl Client {
    /// Reads which certificates there are in the region.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn certificates(&self, urgency: Urgency) -> Result<Vec<Certificate>, Error> {
        let operation = Operation::ListCertificates;
        // Unless it is told otherwise, ACM leaves out all keys but RSA of up to 2048 bits.
        let algorithms = KeyAlgorithm::values().iter().map(|name| KeyAlgorithm::from(*name)).collect();
        let filters = Filters::builder().set_key_types(Some(algorithms)).build();
        let ask = |token| {
            let call = self.certificates.list_certificates().includes(filters.clone());
            let call = call.certificate_statuses(CertificateStatus::Issued);
            call.max_items(PAGE_CERTIFICATES).set_next_token(token).send()
        };
        let summaries = self
            .follow(operation, urgency, ask, |page| {
                Ok((page.certificate_summary_list.unwrap_or_default(), page.next_token))
            })
            .await?;
        let mut certificates = Vec::with_capacity(summaries.len());
        for summary in summaries {
            let arn: String = required(operation, "an ARN", summary.certificate_arn())?;
            // A summary shows a hundred names at most.
            let domains = if summary.has_additional_subject_alternative_names() == Some(true) {
                match self.domains(&arn, urgency).await {
                    // Deleted since.
                    Err(Error::Missing { .. }) => continue,
                    domains => domains?,
                }
            } else {
                domains(&summary)
            };
            let created = summary.created_at().or(summary.imported_at()).copied();
            certificates.push(Certificate {
                arn,
                domains,
                created: created.and_then(|created| SystemTime::try_from(created).ok()),
            });
        }
        Ok(certificates)
    }

    /// All names that a certificate is for.
    async fn domains(&self, arn: &str, urgency: Urgency) -> Result<Vec<String>, Error> {
        let call = self.certificates.describe_certificate().certificate_arn(arn);
        let output = self.call(Operation::DescribeCertificate, urgency, call.send()).await?;
        Ok(output.certificate().map(|found| found.subject_alternative_names().to_vec()).unwrap_or_default())
    }
}

/// The names in a summary, of which the first may stand alone.
fn domains(summary: &CertificateSummary) -> Vec<String> {
    match summary.subject_alternative_name_summaries() {
        [] => summary.domain_name().map(Into::into).into_iter().collect(),
        names => names.to_vec(),
    }
}
