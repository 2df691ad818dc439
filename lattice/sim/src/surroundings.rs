//! What surrounds VPC Lattice: accounts, VPCs, instances, functions, certificates, roles.
//!
//! It comes from a file or from `PUT /_sim/surroundings` and is replaced as a whole. A kind of which the surroundings
//! name nothing is unknown, and references to it are taken on trust; as soon as they name one, whatever else is
//! referred to does not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use lattice::policy::Policy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::{self, Account};

/// What surrounds VPC Lattice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Surroundings {
    /// Accounts with their keys. Without any there are those of the setting `accounts`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
    /// VPCs, which clients and targets are in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vpcs: Vec<Vpc>,
    /// Security groups, which decide who may reach a VPC association.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<SecurityGroup>,
    /// Managed prefix lists besides those of VPC Lattice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefix_lists: Vec<PrefixList>,
    /// VPC endpoints, the other way from a VPC to a service network or to a resource configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vpc_endpoints: Vec<VpcEndpoint>,
    /// Instances, for target groups of type INSTANCE.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<Instance>,
    /// Lambda functions, for target groups of type LAMBDA.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<Function>,
    /// Application Load Balancers, for target groups of type ALB.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub load_balancers: Vec<LoadBalancer>,
    /// Certificates of ACM.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// Users with keys of their own and with identity policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<User>,
    /// Roles that pods and others assume.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Resources that have an ARN, a database say, for resource configurations of type ARN.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ArnResource>,
    /// Names outside of VPC Lattice with their addresses, for resource configurations that are a DNS name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, Vec<IpAddr>>,
}

/// A VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vpc {
    /// Its id, `vpc-` and 8 or 17 characters.
    pub id: String,
    /// Its owner; the first account without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Its address ranges, IPv4 and IPv6. They decide which VPC a client is in, so no two VPCs' may overlap.
    #[schemars(with = "Vec<String>")]
    pub cidrs: Vec<IpNet>,
    /// Tags, which DescribeVpcs shows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroup {
    /// Its id, `sg-` and 8 or 17 characters.
    pub id: String,
    /// The VPC that it belongs to.
    pub vpc: String,
    /// The addresses that carry it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub members: Vec<IpNet>,
    /// What may come in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inbound: Vec<InboundRule>,
}

/// What a security group lets in over TCP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InboundRule {
    /// First and last port; all without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<(u16, u16)>,
    /// Ranges of addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub cidrs: Vec<IpNet>,
    /// Security groups whose members may come in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
}

/// A managed prefix list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefixList {
    /// Its id, `pl-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its entries.
    #[schemars(with = "Vec<String>")]
    pub cidrs: Vec<IpNet>,
}

/// A VPC endpoint of type service network or resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VpcEndpoint {
    /// Its id, `vpce-` and 17 hexadecimal digits.
    pub id: String,
    /// The VPC that it is in.
    pub vpc: String,
    /// The service network that it leads to, by id, ARN or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_network: Option<String>,
    /// The resource configuration that it leads to, by id, ARN or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_configuration: Option<String>,
}

/// An EC2 instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Its id, `i-` and 8 or 17 hexadecimal digits.
    pub id: String,
    /// The VPC that it is in.
    pub vpc: String,
    /// Its addresses; traffic goes to the first.
    pub addresses: Vec<IpAddr>,
    /// Its private DNS name, if DescribeInstances is to show one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_dns_name: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A Lambda function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "GivenFunction")]
#[schemars(!try_from, deny_unknown_fields)]
pub struct Function {
    /// Its ARN.
    pub arn: String,
    /// What runs for an invocation.
    #[serde(flatten)]
    pub run: Run,
}

/// A function as it is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenFunction {
    arn: String,
    url: Option<String>,
    command: Option<Vec<String>>,
}

impl TryFrom<GivenFunction> for Function {
    type Error = String;

    fn try_from(given: GivenFunction) -> Result<Self, String> {
        let GivenFunction { arn, url, command } = given;
        let run = match (url, command) {
            (Some(url), None) => Run::Url(url),
            (None, Some(command)) => Run::Command(command),
            _ => return Err(format!("the function {arn} needs either a url or a command")),
        };
        Ok(Self { arn, run })
    }
}

/// What runs for an invocation of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// A URL with `http://`, to which the event is posted, and which answers with the function's result, as the Lambda
    /// runtime interface emulator does at `/2015-03-31/functions/function/invocations`.
    Url(String),
    /// A program with its arguments, which gets the event on standard input and prints the function's result. Programs
    /// come from the files given at the start; what is put later can't bring new ones.
    Command(Vec<String>),
}

/// An Application Load Balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// Its ARN.
    pub arn: String,
    /// The VPC that it is in.
    pub vpc: String,
    /// The address that traffic goes to; the port is the target's.
    pub address: IpAddr,
}

/// A resource that a resource configuration of type ARN stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArnResource {
    /// Its ARN.
    pub arn: String,
    /// The address that connections go to.
    pub address: IpAddr,
    /// The port that it listens on.
    pub port: u16,
}

/// A certificate of ACM. The simulator issues it by its own authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// The domain names that it is for, the first of which is its name. The first label may be `*`.
    pub domains: Vec<String>,
}

/// An IAM user with keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its ARN, `arn:aws:iam::ACCOUNT:user/NAME`.
    pub arn: String,
    /// The access key id.
    pub access_key_id: String,
    /// The secret that goes with it.
    pub secret_access_key: String,
    /// Identity policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<serde_json::Value>,
    /// Tags of the principal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its ARN, `arn:aws:iam::ACCOUNT:role/NAME`.
    pub arn: String,
    /// Identity policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<serde_json::Value>,
    /// Tags of the principal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// EKS Pod Identity associations: which pods get it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pod_identities: Vec<PodIdentity>,
    /// The subjects of web identity tokens that may assume it, `system:serviceaccount:NAMESPACE:NAME` say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub web_identities: Vec<String>,
}

/// An EKS Pod Identity association.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PodIdentity {
    /// The cluster's name.
    pub cluster: String,
    /// The service account's namespace.
    pub namespace: String,
    /// The service account's name.
    pub service_account: String,
}

/// What is wrong with surroundings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct Error {
    /// Where, `vpcs[1].id` say.
    pub at: String,
    /// What, as the end of a sentence that begins with the place.
    pub problem: String,
}

fn wrong(at: impl Into<String>, problem: impl Into<String>) -> Error {
    Error { at: at.into(), problem: problem.into() }
}

impl Surroundings {
    /// The JSON schema of surroundings, as text.
    #[must_use]
    pub fn schema() -> String {
        format!("{:#}", schemars::schema_for!(Self).to_value())
    }

    /// Checks what a schema can't say: that references lead somewhere and that nothing stands twice.
    pub fn check(&self) -> Result<(), Error> {
        for (n, account) in self.accounts.iter().enumerate() {
            if account.id.len() != 12 || !account.id.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(wrong(format!("accounts[{n}].id"), format!("{} is not 12 digits", account.id)));
            }
        }
        let keys = self.accounts.iter().map(|account| &account.access_key_id);
        once(
            "accounts and users",
            "access key id",
            keys.chain(self.users.iter().map(|user| &user.access_key_id)),
        )?;
        once("accounts", "id", self.accounts.iter().map(|account| &account.id))?;
        once("vpcs", "id", self.vpcs.iter().map(|vpc| &vpc.id))?;
        once("security_groups", "id", self.security_groups.iter().map(|group| &group.id))?;
        once("instances", "id", self.instances.iter().map(|instance| &instance.id))?;
        once("functions", "ARN", self.functions.iter().map(|function| &function.arn))?;
        once("load_balancers", "ARN", self.load_balancers.iter().map(|balancer| &balancer.arn))?;
        once("resources", "ARN", self.resources.iter().map(|resource| &resource.arn))?;
        once("certificates", "ARN", self.certificates.iter().map(|certificate| &certificate.arn))?;
        once("roles", "ARN", self.roles.iter().map(|role| &role.arn))?;
        once("users", "ARN", self.users.iter().map(|user| &user.arn))?;
        once("vpc_endpoints", "id", self.vpc_endpoints.iter().map(|endpoint| &endpoint.id))?;
        self.check_vpcs()?;
        for (n, endpoint) in self.vpc_endpoints.iter().enumerate() {
            if endpoint.service_network.is_some() == endpoint.resource_configuration.is_some() {
                let problem = "leads to either a service_network or a resource_configuration";
                return Err(wrong(format!("vpc_endpoints[{n}]"), problem));
            }
        }
        for (n, instance) in self.instances.iter().enumerate() {
            if instance.addresses.is_empty() {
                return Err(wrong(format!("instances[{n}].addresses"), "must not be empty"));
            }
        }
        for (n, certificate) in self.certificates.iter().enumerate() {
            if certificate.domains.is_empty() {
                return Err(wrong(format!("certificates[{n}].domains"), "must not be empty"));
            }
        }
        for (n, function) in self.functions.iter().enumerate() {
            match &function.run {
                Run::Command(command) if command.is_empty() => {
                    return Err(wrong(format!("functions[{n}].command"), "must not be empty"));
                }
                Run::Url(url) if !is_http(url) => {
                    let problem = format!("{url} is no URL with http:// and a host");
                    return Err(wrong(format!("functions[{n}].url"), problem));
                }
                _ => {}
            }
        }
        self.check_ids()?;
        let documents =
            self.users.iter().enumerate().map(|(n, user)| (format!("users[{n}]"), &user.policies)).chain(
                self.roles.iter().enumerate().map(|(n, role)| (format!("roles[{n}]"), &role.policies)),
            );
        for (at, policies) in documents {
            for (n, policy) in policies.iter().enumerate() {
                if let Err(error) = Policy::identity(&policy.to_string()) {
                    let problem = format!("is no policy document: {error}");
                    return Err(wrong(format!("{at}.policies[{n}]"), problem));
                }
            }
        }
        Ok(())
    }

    /// Checks that ids and ARNs have the form of what they name.
    fn check_ids(&self) -> Result<(), Error> {
        for (n, vpc) in self.vpcs.iter().enumerate() {
            let digits = vpc.id.strip_prefix("vpc-").unwrap_or_default();
            let plain = digits.bytes().all(|digit| digit.is_ascii_digit() || digit.is_ascii_lowercase());
            if !matches!(digits.len(), 8 | 17) || !plain {
                let problem = format!("{} is not vpc- and 8 or 17 digits or small letters", vpc.id);
                return Err(wrong(format!("vpcs[{n}].id"), problem));
            }
            let mut accounts = self.accounts.iter();
            if let Some(owner) = &vpc.account
                && !self.accounts.is_empty()
                && !accounts.any(|account| account.id == *owner)
            {
                return Err(wrong(format!("vpcs[{n}].account"), format!("{owner} is not in accounts")));
            }
        }
        for (n, group) in self.security_groups.iter().enumerate() {
            for (m, rule) in group.inbound.iter().enumerate() {
                let at = |member: &str| format!("security_groups[{n}].inbound[{m}].{member}");
                if rule.ports.is_some_and(|(first, last)| first > last) {
                    return Err(wrong(at("ports"), "must be the first and the last port, in this order"));
                }
                let known = |id: &String| self.security_groups.iter().any(|group| group.id == *id);
                if let Some(id) = rule.security_groups.iter().find(|id| !known(id)) {
                    return Err(wrong(at("security_groups"), format!("{id} is not in security_groups")));
                }
            }
        }
        let functions = self.functions.iter().map(|function| &function.arn);
        check_arns("functions", "arn:aws:lambda:", ":function:", functions)?;
        check_arns("users", "arn:aws:iam::", ":user/", self.users.iter().map(|user| &user.arn))?;
        check_arns("roles", "arn:aws:iam::", ":role/", self.roles.iter().map(|role| &role.arn))
    }

    /// Refuses programs that are not among these.
    pub(crate) fn check_programs(&self, allowed: &[Run]) -> Result<(), Error> {
        let refused = |run: &Run| matches!(run, Run::Command(_)) && !allowed.contains(run);
        match self.functions.iter().position(|function| refused(&function.run)) {
            None => Ok(()),
            Some(n) => {
                let problem =
                    "names a program that --surroundings did not name at the start; give it there, or a url";
                Err(wrong(format!("functions[{n}].command"), problem))
            }
        }
    }

    fn check_vpcs(&self) -> Result<(), Error> {
        let known: BTreeSet<&str> = self.vpcs.iter().map(|vpc| vpc.id.as_str()).collect();
        let within = [
            ("security_groups", self.security_groups.iter().map(|group| &group.vpc).collect::<Vec<_>>()),
            ("vpc_endpoints", self.vpc_endpoints.iter().map(|endpoint| &endpoint.vpc).collect()),
            ("instances", self.instances.iter().map(|instance| &instance.vpc).collect()),
            ("load_balancers", self.load_balancers.iter().map(|balancer| &balancer.vpc).collect()),
        ];
        for (kind, vpcs) in within {
            if let Some((n, vpc)) = vpcs.iter().enumerate().find(|(_, vpc)| !known.contains(vpc.as_str())) {
                return Err(wrong(format!("{kind}[{n}].vpc"), format!("there is no VPC {vpc} in vpcs")));
            }
        }
        let ranges: Vec<(&str, IpNet)> = self
            .vpcs
            .iter()
            .flat_map(|vpc| vpc.cidrs.iter().map(|range| (vpc.id.as_str(), *range)))
            .collect();
        for (n, (vpc, range)) in ranges.iter().enumerate() {
            let overlaps =
                |other: &IpNet| range.contains(&other.network()) || other.contains(&range.network());
            let rest = ranges.get(n + 1..).unwrap_or_default();
            if let Some((other, _)) = rest.iter().find(|(other, range)| other != vpc && overlaps(range)) {
                let problem =
                    format!("the ranges of {vpc} and {other} overlap, so clients can't be told apart");
                return Err(wrong("vpcs", problem));
            }
        }
        Ok(())
    }

    /// The VPC that an address is in.
    #[must_use]
    pub fn vpc_of(&self, address: IpAddr) -> Option<&Vpc> {
        self.vpcs.iter().find(|vpc| vpc.cidrs.iter().any(|range| range.contains(&address)))
    }

    /// The account of a VPC: the first one where nothing says so.
    #[must_use]
    pub fn owner(&self, vpc: &str) -> &str {
        let vpc = self.vpcs.iter().find(|known| known.id == vpc);
        let first = || self.accounts.first().map_or(account::IDS[0], |account| account.id.as_str());
        vpc.and_then(|vpc| vpc.account.as_deref()).unwrap_or_else(first)
    }

    /// Whether a VPC exists, as far as the surroundings know.
    #[must_use]
    pub fn has_vpc(&self, id: &str) -> bool {
        self.vpcs.is_empty() || self.vpcs.iter().any(|vpc| vpc.id == id)
    }
}

fn is_http(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|url| url.scheme_str() == Some("http") && url.host().is_some())
}

/// Refuses ARNs that do not begin so and hold that.
fn check_arns<'a>(
    of: &str,
    begin: &str,
    hold: &str,
    arns: impl Iterator<Item = &'a String>,
) -> Result<(), Error> {
    for (n, arn) in arns.enumerate() {
        if !arn.starts_with(begin) || !arn.contains(hold) {
            let problem = format!("{arn} is not an ARN like {begin}…{hold}NAME");
            return Err(wrong(format!("{of}[{n}].arn"), problem));
        }
    }
    Ok(())
}

/// Refuses what stands twice.
fn once<'a>(of: &str, what: &str, ids: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(wrong(of, format!("the {what} {id} stands there more than once")));
        }
    }
    Ok(())
}
