//! From the text of a policy to [`Policy`]. What is not understood is an error that names its place.

use std::collections::BTreeSet;

use super::caller::{Named, Principals};
use super::condition::{Condition, Operator};
use super::json::Node;
use super::pattern::{Reading, Template};
use super::{Effect, Listed, MOST_BYTES, Policy, Statement};

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Error {
    /// Where, such as `Statement[1].Condition.StringEquals`. `policy` for the whole of it.
    pub place: String,
    /// What is wrong.
    pub problem: String,
}

/// What a policy is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A user or role.
    Identity,
    /// A service or service network.
    Resource,
}

/// Longest excerpt of a policy in an error, in characters.
const EXCERPT: usize = 100;

fn error<T>(place: &str, problem: impl Into<String>) -> Result<T, Error> {
    let problem: String = problem.into();
    let bounded = |text: &str, most| text.chars().take(most).collect();
    Err(Error { place: bounded(place, 4 * EXCERPT), problem: bounded(&problem, 4 * EXCERPT) })
}

/// The longest part of a name or value that an error shows.
fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

/// Reads a policy.
pub(super) fn policy(text: &str, kind: Kind) -> Result<Policy, Error> {
    if text.len() > MOST_BYTES {
        return error("policy", format!("it has {} bytes, and at most {MOST_BYTES} are read", text.len()));
    }
    let root = match Node::parse(text) {
        Ok(Node::Object(members)) => members,
        Ok(_) => return error("policy", "it is not a JSON object"),
        Err(problem) => return error("policy", format!("it is not JSON: {problem}")),
    };
    let mut variables = false;
    let mut found = None;
    for (name, value) in &root {
        match name.as_str() {
            "Version" => match value {
                Node::Text(version) if version == "2012-10-17" => variables = true,
                Node::Text(version) if version == "2008-10-17" => {}
                _ => return error("Version", "it is neither \"2012-10-17\" nor \"2008-10-17\""),
            },
            "Id" => drop(one_text("Id", value)?),
            "Statement" => found = Some(value),
            other => return error(&excerpt(other), "there is no such element of a policy"),
        }
    }
    let reader = Reader { kind, variables };
    let statements = match found {
        None => return error("Statement", "it is missing"),
        Some(Node::List(list)) if list.is_empty() => return error("Statement", "it is empty"),
        Some(Node::List(list)) => {
            let numbered = list.iter().enumerate();
            numbered
                .map(|(index, node)| reader.statement(&format!("Statement[{index}]"), node))
                .collect::<Result<Vec<_>, _>>()?
        }
        Some(single) => vec![reader.statement("Statement", single)?],
    };
    let mut sids = BTreeSet::new();
    for (index, sid) in statements.iter().map(|statement| &statement.sid).enumerate() {
        if sid.as_ref().is_some_and(|sid| !sids.insert(sid)) {
            return error(&format!("Statement[{index}].Sid"), "another statement has the same");
        }
    }
    Ok(Policy { statements })
}

struct Reader {
    kind: Kind,
    /// Whether `${…}` is a variable: only by version 2012-10-17.
    variables: bool,
}

impl Reader {
    fn statement(&self, place: &str, node: &Node) -> Result<Statement, Error> {
        let Node::Object(members) = node else { return error(place, "it is not an object") };
        let (mut sid, mut effect, mut conditions) = (None, None, Vec::new());
        let (mut principals, mut actions, mut resources) = (None, None, None);
        for (name, value) in members {
            let at = format!("{place}.{}", excerpt(name));
            match name.as_str() {
                "Sid" => sid = Some(one_text(&at, value)?).filter(|sid| !sid.is_empty()),
                "Effect" => {
                    effect = match value {
                        Node::Text(text) if text == "Allow" => Some(Effect::Allow),
                        Node::Text(text) if text == "Deny" => Some(Effect::Deny),
                        _ => return error(&at, "it is neither \"Allow\" nor \"Deny\""),
                    }
                }
                "Principal" => once(&mut principals, &at, Listed::These(self.principals(&at, value)?))?,
                "NotPrincipal" => once(&mut principals, &at, Listed::AllBut(self.principals(&at, value)?))?,
                "Action" => once(&mut actions, &at, Listed::These(actions_of(&at, value)?))?,
                "NotAction" => once(&mut actions, &at, Listed::AllBut(actions_of(&at, value)?))?,
                "Resource" => once(&mut resources, &at, Listed::These(self.resources(&at, value)?))?,
                "NotResource" => once(&mut resources, &at, Listed::AllBut(self.resources(&at, value)?))?,
                "Condition" => conditions = self.conditions(&at, value)?,
                _ => return error(&at, "there is no such element of a statement"),
            }
        }
        let missing =
            |name: &str| Error { place: format!("{place}.{name}"), problem: "it is missing".into() };
        let effect = effect.ok_or_else(|| missing("Effect"))?;
        if self.kind == Kind::Resource && principals.is_none() {
            return Err(missing("Principal"));
        }
        if effect == Effect::Allow && matches!(principals, Some(Listed::AllBut(_))) {
            return error(&format!("{place}.NotPrincipal"), "IAM takes it with \"Effect\": \"Deny\" only");
        }
        Ok(Statement {
            sid,
            effect,
            principals,
            actions: actions.ok_or_else(|| missing("Action"))?,
            resources: resources.ok_or_else(|| missing("Resource"))?,
            conditions,
        })
    }

    fn principals(&self, place: &str, node: &Node) -> Result<Principals, Error> {
        if self.kind == Kind::Identity {
            return error(place, "a policy attached to a user or role names no principals");
        }
        let members = match node {
            Node::Text(text) if text == "*" => return Ok(Principals(vec![Named::Everyone])),
            Node::Object(members) if !members.is_empty() => members,
            _ => {
                return error(place, "it is neither \"*\" nor an object such as {\"AWS\": \"123456789012\"}");
            }
        };
        let mut named = Vec::new();
        for (name, value) in members {
            let at = format!("{place}.{}", excerpt(name));
            for text in texts(&at, value)? {
                named.push(match name.as_str() {
                    "AWS" => Named::aws(text).or_else(|problem| error(&at, problem))?,
                    "Service" | "Federated" | "CanonicalUser" => Named::Nobody,
                    _ => return error(&at, "there is no such kind of principal"),
                });
            }
        }
        Ok(Principals(named))
    }

    fn resources(&self, place: &str, node: &Node) -> Result<Vec<Template>, Error> {
        let reading = Reading { wildcards: true, variables: self.variables };
        let mut resources = Vec::new();
        for text in texts(place, node)? {
            if text.is_empty() {
                return error(place, "it names an empty resource");
            }
            resources.push(Template::parse(text, reading).or_else(|problem| error(place, problem))?);
        }
        Ok(resources)
    }

    fn conditions(&self, place: &str, node: &Node) -> Result<Vec<Condition>, Error> {
        let Node::Object(operators) = node else { return error(place, "it is not an object") };
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let at = format!("{place}.{}", excerpt(name));
            let Some(operator) = Operator::parse(name) else {
                return error(&at, "there is no such operator, or it is not supported");
            };
            let Node::Object(keys) = keys else { return error(&at, "it is not an object") };
            for (key, values) in keys {
                let at = format!("{at}.{}", excerpt(key));
                if key.is_empty() {
                    return error(&at, "a condition key has no name");
                }
                let values = condition_values(&at, values)?;
                let condition = operator.on(key, &values, self.variables);
                conditions.push(condition.or_else(|problem| error(&at, problem))?);
            }
        }
        Ok(conditions)
    }
}

/// Fills an element that a statement has once, in the one form or its complement.
fn once<T>(slot: &mut Option<T>, place: &str, value: T) -> Result<(), Error> {
    if slot.replace(value).is_some() {
        return error(place, "the statement has the element and its complement");
    }
    Ok(())
}

/// Actions in lower case, since their case does not matter.
fn actions_of(place: &str, node: &Node) -> Result<Vec<Template>, Error> {
    let mut actions = Vec::new();
    for text in texts(place, node)? {
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_*?".contains(&b))
        };
        let well_formed =
            text == "*" || text.split_once(':').is_some_and(|(service, name)| word(service) && word(name));
        if !well_formed {
            let problem = format!("{:?} is not an action such as vpc-lattice-svcs:Invoke", excerpt(text));
            return error(place, problem);
        }
        let reading = Reading { wildcards: true, variables: false };
        let action = Template::parse(&text.to_ascii_lowercase(), reading);
        actions.push(action.or_else(|problem| error(place, problem))?);
    }
    Ok(actions)
}

fn one_text(place: &str, node: &Node) -> Result<String, Error> {
    match node {
        Node::Text(text) => Ok(text.clone()),
        _ => error(place, "it is not a text"),
    }
}

/// A text, or a list of at least one.
fn texts<'a>(place: &str, node: &'a Node) -> Result<Vec<&'a str>, Error> {
    let nodes = match node {
        Node::List(list) if list.is_empty() => return error(place, "it is empty"),
        Node::List(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    let one = |node: &'a Node| match node {
        Node::Text(text) => Ok(text.as_str()),
        _ => error(place, "it is neither a text nor a list of texts"),
    };
    nodes.iter().map(one).collect()
}

/// The values of a condition key: texts, numbers or booleans, one or a list. An empty list matches
/// nothing.
fn condition_values(place: &str, node: &Node) -> Result<Vec<String>, Error> {
    let nodes = match node {
        Node::List(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    let one = |node: &Node| match node {
        Node::Text(text) | Node::Number(text) => Ok(text.clone()),
        Node::Bool(flag) => Ok(flag.to_string()),
        _ => error(place, "a value is neither a text nor a number nor a boolean"),
    };
    nodes.iter().map(one).collect()
}
