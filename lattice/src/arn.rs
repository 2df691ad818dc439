//! Identifiers: account ids, and the ARN of a target group.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not an ARN of a VPC Lattice target group.
    #[error(
        "{text:?} is not the ARN of a target group, which looks like \
         arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0"
    )]
    TargetGroupArn {
        /// What was given.
        text: String,
    },
}

/// The ARN of a target group, such as `arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0`.
///
/// Its form has been checked against the pattern of the API model (`TargetGroupArn`). Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetGroupArn(Arc<str>);

/// Characters of an id behind its prefix. Source: the API model, `TargetGroupId`.
const ID_LENGTH: usize = 17;

impl TargetGroupArn {
    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region, such as `us-west-2`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.field(3)
    }

    /// The 12 digits of the owning account.
    #[must_use]
    pub fn account(&self) -> &str {
        self.field(4)
    }

    /// The id, such as `tg-0123456789abcdef0`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// A field between colons; the constructor has made sure that there are six.
    fn field(&self, index: usize) -> &str {
        self.0.split(':').nth(index).unwrap_or_default()
    }
}

impl FromStr for TargetGroupArn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fields: Vec<&str> = text.split(':').collect();
        let well_formed = match fields.as_slice() {
            ["arn", partition, "vpc-lattice", region, account, resource] => {
                let plain = |text: &str| {
                    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                };
                plain(partition)
                    && plain(region)
                    && account.len() == 12
                    && account.bytes().all(|b| b.is_ascii_digit())
                    && resource.strip_prefix("targetgroup/tg-").is_some_and(|id| {
                        id.len() == ID_LENGTH
                            && id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
                    })
            }
            _ => false,
        };
        if well_formed {
            Ok(Self(text.into()))
        } else {
            Err(Error::TargetGroupArn { text: text.chars().take(200).collect() })
        }
    }
}

impl TryFrom<String> for TargetGroupArn {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<TargetGroupArn> for String {
    fn from(arn: TargetGroupArn) -> Self {
        arn.0.as_ref().into()
    }
}

impl fmt::Display for TargetGroupArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TargetGroupArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_target_group_arn() {
        let arn: TargetGroupArn =
            "arn:aws-us-gov:vpc-lattice:us-gov-west-1:123456789012:targetgroup/tg-0123456789abcdefg"
                .parse()
                .unwrap();
        assert_eq!(arn.region(), "us-gov-west-1");
        assert_eq!(arn.account(), "123456789012");
        assert_eq!(arn.id(), "tg-0123456789abcdefg");
    }

    #[test]
    fn what_is_no_target_group_arn_is_refused() {
        for text in [
            "",
            "tg-0123456789abcdef0",
            "arn:aws:vpc-lattice:us-west-2:123456789012:service/svc-0123456789abcdef0",
            "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef",
            "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789ABCDEF0",
            "arn:aws:vpc-lattice:us-west-2:12345678901:targetgroup/tg-0123456789abcdef0",
            "arn:aws:vpc-lattice::123456789012:targetgroup/tg-0123456789abcdef0",
            "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0",
            "arn:aws:vpc-lattice:us-west-2:123456789012:targetgroup/tg-0123456789abcdef0:x",
        ] {
            assert!(text.parse::<TargetGroupArn>().is_err(), "{text:?}");
        }
    }
}
