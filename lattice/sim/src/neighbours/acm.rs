//! ACM: ListCertificates and DescribeCertificate over the certificates of the surroundings.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::SimTime;
use crate::state::State;
use crate::surroundings::Certificate;

use super::{Ask, Error, Served, served};

pub(super) const OPERATIONS: [Served; 2] = [
    served("ListCertificates", "acm.ListCertificates", list),
    served("DescribeCertificate", "acm.DescribeCertificate", describe),
];

/// Most certificates on a page. Source: API reference, ListCertificates.
const PAGE: usize = 1_000;
/// How long a certificate is valid, in days. Source: ACM user guide.
const VALID_DAYS: u64 = 395;

fn list(_: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let statuses = ask.texts("CertificateStatuses");
    let certificates: Vec<(u64, &Certificate)> = (0..)
        .zip(&ask.surroundings.certificates)
        .filter(|(_, certificate)| {
            own(ask, certificate) && (statuses.is_empty() || statuses.contains(&"ISSUED"))
        })
        .collect();
    let (page, next) = ask.page(certificates, "NextToken", "MaxItems", PAGE)?;
    let shown: Vec<Value> = page.into_iter().map(|(n, certificate)| summary(ask, n, certificate)).collect();
    Ok(match next {
        Some(next) => json!({"CertificateSummaryList": shown, "NextToken": next}),
        None => json!({"CertificateSummaryList": shown}),
    })
}

fn describe(_: &mut State, ask: &Ask<'_>) -> Result<Value, Error> {
    let arn = ask.required("CertificateArn")?;
    let mut certificates = (0..).zip(&ask.surroundings.certificates);
    let found = certificates.find(|(_, certificate)| certificate.arn == arn && own(ask, certificate));
    let Some((n, certificate)) = found else {
        let message = format!("Could not find certificate {arn}.");
        return Err(Error::new("ResourceNotFoundException", message));
    };
    let mut detail = summary(ask, n, certificate);
    detail["SubjectAlternativeNames"] = json!(certificate.domains);
    if let Some(members) = detail.as_object_mut() {
        members.remove("SubjectAlternativeNameSummaries");
        members.remove("HasAdditionalSubjectAlternativeNames");
    }
    Ok(json!({"Certificate": detail}))
}

fn own(ask: &Ask<'_>, certificate: &Certificate) -> bool {
    certificate.arn.split(':').nth(4) == Some(ask.caller.account.as_str())
}

/// A certificate as List shows it. Those that stand later are newer by a second each.
fn summary(ask: &Ask<'_>, n: u64, certificate: &Certificate) -> Value {
    let created = SimTime::from_secs(n);
    let ends = created + Duration::from_hours(24 * VALID_DAYS);
    json!({
        "CertificateArn": certificate.arn,
        "DomainName": certificate.domains.first(),
        "SubjectAlternativeNameSummaries": certificate.domains,
        "HasAdditionalSubjectAlternativeNames": false,
        "Status": "ISSUED",
        "Type": "AMAZON_ISSUED",
        "KeyAlgorithm": "EC-prime256v1",
        "InUse": false,
        "CreatedAt": ask.epoch(created),
        "IssuedAt": ask.epoch(created),
        "NotBefore": ask.epoch(created),
        "NotAfter": ask.epoch(ends),
        "RenewalEligibility": "INELIGIBLE",
    })
}
