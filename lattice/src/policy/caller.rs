//! Who calls, and whom the principals of a statement mean.

use std::collections::BTreeMap;

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The request is not signed.
    Anonymous,
    /// The request's signature was found to be this principal's.
    Authenticated(Box<Principal>),
}

/// A principal of IAM that signs requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    arn: String,
    account: String,
    kind: Kind,
    /// The role of a session, or the role itself.
    role: Option<String>,
    organization: Option<String>,
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Root,
    User,
    Role,
    FederatedUser,
}

/// A text that is not the ARN of a principal that can sign requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the ARN of a user, a role, a session of a role, a federated user or an account's root, such as \
     arn:aws:sts::123456789012:assumed-role/checkout/session"
)]
pub struct UnknownPrincipal(pub String);

impl Principal {
    /// The principal of an ARN: `arn:aws:iam::ACCOUNT:user/…`, `…:role/…`, `…:root`,
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, `…:federated-user/…`.
    ///
    /// A session's ARN leaves out its role's path; [`Principal::with_role`] adds it where the role has one.
    pub fn from_arn(arn: &str) -> Result<Self, UnknownPrincipal> {
        let unknown = || UnknownPrincipal(arn.chars().take(200).collect());
        let (partition, service, account, resource) = iam_arn(arn).ok_or_else(unknown)?;
        let (kind, role) = match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => (Kind::Root, None),
            ("iam", Some(("user", name))) if !name.is_empty() => (Kind::User, None),
            ("iam", Some(("role", name))) if !name.is_empty() => (Kind::Role, Some(arn.to_owned())),
            ("sts", Some(("federated-user", name))) if !name.is_empty() => (Kind::FederatedUser, None),
            ("sts", Some(("assumed-role", rest))) => match rest.split_once('/') {
                Some((role, session)) if !role.is_empty() && !session.is_empty() => {
                    (Kind::Role, Some(format!("arn:{partition}:iam::{account}:role/{role}")))
                }
                _ => return Err(unknown()),
            },
            _ => return Err(unknown()),
        };
        Ok(Self {
            arn: arn.to_owned(),
            account: account.to_owned(),
            kind,
            role,
            organization: None,
            tags: BTreeMap::new(),
        })
    }

    /// Says which role a session is of, path included. The role of anything but a session is left as it is.
    #[must_use]
    pub fn with_role(mut self, arn: &str) -> Self {
        if self.role.is_some() && self.arn.contains(":assumed-role/") {
            self.role = Some(arn.to_owned());
        }
        self
    }

    /// Says which organization its account is in, such as `o-0123456789`.
    #[must_use]
    pub fn in_organization(mut self, id: &str) -> Self {
        self.organization = Some(id.to_owned());
        self
    }

    /// Adds a tag of the principal, or of its session.
    #[must_use]
    pub fn with_tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The ARN as the signature's key has it; a session's, where it is one.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The 12 digits of its account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The organization, if it is known.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// The tags.
    #[must_use]
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// `aws:PrincipalArn`: a session's role in place of the session. Source: IAM user guide, global condition keys.
    pub(super) fn condition_arn(&self) -> &str {
        self.role.as_deref().unwrap_or(&self.arn)
    }

    /// `aws:PrincipalType`. Source: IAM user guide, "Principal key values".
    pub(super) fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Root => "Account",
            Kind::User => "User",
            Kind::Role => "AssumedRole",
            Kind::FederatedUser => "FederatedUser",
        }
    }

    /// `aws:username`, which only users have: the name without its path.
    pub(super) fn user_name(&self) -> Option<&str> {
        (self.kind == Kind::User).then(|| self.arn.rsplit('/').next())?
    }
}

impl Caller {
    /// As the 403 sentence names it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Authenticated(principal) => principal.arn(),
        }
    }
}

/// Partition, service, account and resource of an ARN of IAM or STS.
fn iam_arn(arn: &str) -> Option<(&str, &str, &str, &str)> {
    let mut parts = arn.splitn(6, ':');
    if parts.next()? != "arn" {
        return None;
    }
    let (partition, service, region) = (parts.next()?, parts.next()?, parts.next()?);
    let (account, resource) = (parts.next()?, parts.next()?);
    let known = !partition.is_empty() && matches!(service, "iam" | "sts") && region.is_empty();
    (known && is_account(account)).then_some((partition, service, account, resource))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The principals that a statement names.
#[derive(Debug, Clone)]
pub(super) struct Principals(pub(super) Vec<Named>);

/// Whom one entry of a `Principal` element means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// `*`: everyone, anonymous callers included.
    Everyone,
    /// Every principal of an account.
    Account(String),
    /// One user, role or session.
    Arn(String),
    /// Somebody who does not call services through VPC Lattice: an AWS service, a federation, a deleted principal.
    Nobody,
}

impl Principals {
    pub(super) fn include(&self, caller: &Caller) -> bool {
        self.0.iter().any(|named| match (named, caller) {
            (Named::Everyone, _) => true,
            (_, Caller::Anonymous) | (Named::Nobody, _) => false,
            (Named::Account(account), Caller::Authenticated(principal)) => principal.account == *account,
            (Named::Arn(arn), Caller::Authenticated(principal)) => {
                principal.arn == *arn || principal.role.as_deref() == Some(arn)
            }
        })
    }
}

impl Named {
    /// Reads an entry of `Principal.AWS`. Wildcards but a lone `*` are refused, as IAM does.
    pub(super) fn aws(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if text.contains(['*', '?']) {
            return Err(format!("{text:?} has a wildcard; only \"*\" alone may be one"));
        }
        if is_account(text) {
            return Ok(Self::Account(text.to_owned()));
        }
        // The id that IAM leaves in place of a deleted user or role.
        let id = text.starts_with("AIDA") || text.starts_with("AROA");
        if id && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return Ok(Self::Nobody);
        }
        match Principal::from_arn(text) {
            Ok(principal) if principal.kind == Kind::Root => Ok(Self::Account(principal.account)),
            Ok(_) => Ok(Self::Arn(text.to_owned())),
            Err(error) => Err(error.to_string()),
        }
    }
}
