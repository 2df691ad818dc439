//! Identifiers: ids, and ARNs in their place.

/// The ARN of a resource with this path, `targetgroup/tg-…` say.
pub(crate) fn arn(region: &str, account: &str, path: &str) -> String {
    format!("arn:aws:vpc-lattice:{region}:{account}:{path}")
}

/// The path of an ARN of this region and account: what follows the fifth colon.
pub(crate) fn path<'a>(arn: &'a str, region: &str, account: &str) -> Option<&'a str> {
    let mut parts = arn.splitn(6, ':');
    let head = [parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    (head == ["arn", "aws", "vpc-lattice", region, account]).then(|| parts.next()).flatten()
}

/// The id that an identifier (id or ARN) means.
///
/// An ARN of another region or account means nothing here.
pub(crate) fn id<'a>(identifier: &'a str, region: &str, account: &str) -> Option<&'a str> {
    if identifier.starts_with("arn:") {
        path(identifier, region, account)?.rsplit('/').next()
    } else {
        Some(identifier)
    }
}

/// The last part of an identifier, whatever account it is of. For messages and for matching fault rules.
pub(crate) fn last_part(identifier: &str) -> &str {
    identifier.rsplit('/').next().unwrap_or(identifier)
}
