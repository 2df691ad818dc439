//! A target group as far as its targets are concerned.

use std::time::Duration;

use crate::{TargetGroupArn, target::IpFamily};

/// What kind of target a group takes. Source: API model, `TargetGroupType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetGroupType {
    /// IP addresses: the only kind that pods can be targets of.
    Ip,
    /// A Lambda function.
    Lambda,
    /// EC2 instances.
    Instance,
    /// An Application Load Balancer.
    Alb,
    /// A kind that this version does not know.
    Other,
}

impl TargetGroupType {
    /// The API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "IP",
            Self::Lambda => "LAMBDA",
            Self::Instance => "INSTANCE",
            Self::Alb => "ALB",
            Self::Other => "of an unknown type",
        }
    }
}

/// What GetTargetGroup says that matters to bindings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroup {
    /// Which group.
    pub arn: TargetGroupArn,
    /// Its name.
    pub name: String,
    /// What it takes.
    pub kind: TargetGroupType,
    /// The family of its addresses, for type IP.
    pub family: IpFamily,
    /// The VPC in which its targets are, if it names one.
    pub vpc: Option<String>,
    /// How often Lattice checks its targets; `None`: checks are off.
    pub health_check_interval: Option<Duration>,
    /// Whether targets can be registered: its status is ACTIVE.
    pub active: bool,
    /// The ARNs of services that use it. With none its targets are UNUSED.
    pub services: Vec<String>,
}
