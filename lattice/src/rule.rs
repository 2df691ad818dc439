//! Rules of a listener: what a request has to look like, and what becomes of it.

use std::fmt;

/// A rule that is not in Lattice yet, or the part of one that Lath decides. `G` names target groups: by what they are
/// for while they are only wanted, by ARN once they are there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule<G> {
    /// Which requests it is for.
    pub matching: Match,
    /// What becomes of them.
    pub action: Action<G>,
}

/// What a request has to look like. All of it has to hold; a match without conditions holds for every request.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// The method, exactly.
    pub method: Option<String>,
    /// The path.
    pub path: Option<PathMatch>,
    /// Headers, sorted by name and comparison, at most [`crate::limits::HEADERS_PER_RULE`].
    pub headers: Vec<HeaderMatch>,
}

/// How a path has to begin or to be, by characters and case-sensitively. The query does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathMatch {
    /// The whole path.
    Exact(String),
    /// Its first characters.
    Prefix(String),
}

/// What a header has to hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderMatch {
    /// Its name in lower case: names of headers have no case.
    pub name: String,
    /// How its value is compared, case-sensitively.
    pub comparison: Comparison,
    /// What with.
    pub value: String,
}

/// How a header's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// It is the text.
    Exact,
    /// It begins with the text.
    Prefix,
    /// It holds the text.
    Contains,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action<G> {
    /// Lattice answers with a status by itself: 404 or 500, the only ones that it supports.
    Fixed(u16),
    /// It goes to one of the groups, by weight. Sorted by group, each group once, at most
    /// [`crate::limits::GROUPS_PER_ACTION`].
    Forward(Vec<Weighted<G>>),
}

/// A share of the requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weighted<G> {
    /// Where they go.
    pub group: G,
    /// How many, relative to the others, 0 to 999.
    pub weight: u16,
}

impl<G> Action<G> {
    /// How requests are shared, if they go anywhere.
    #[must_use]
    pub fn shares(&self) -> &[Weighted<G>] {
        match self {
            Self::Fixed(_) => &[],
            Self::Forward(shares) => shares,
        }
    }

    /// The groups that requests go to.
    pub fn groups(&self) -> impl Iterator<Item = &G> {
        self.shares().iter().map(|share| &share.group)
    }

    /// The same with other names for the groups; `None` if one of them has none.
    pub fn try_map<H: Ord>(&self, mut name: impl FnMut(&G) -> Option<H>) -> Option<Action<H>> {
        match self {
            Self::Fixed(status) => Some(Action::Fixed(*status)),
            Self::Forward(shares) => {
                let mut named = shares
                    .iter()
                    .map(|share| Some(Weighted { group: name(&share.group)?, weight: share.weight }))
                    .collect::<Option<Vec<_>>>()?;
                named.sort();
                Some(Action::Forward(named))
            }
        }
    }
}

impl Match {
    /// Whether some request might match both. Never false where one does; true where it can't be told, as for two
    /// headers of which each holds some text.
    #[must_use]
    pub fn may_overlap(&self, other: &Self) -> bool {
        let methods = match (&self.method, &other.method) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        let paths = match (&self.path, &other.path) {
            (Some(one), Some(two)) => one.may_overlap(two),
            _ => true,
        };
        // A request may carry a header twice, so different values of one name exclude nothing.
        methods && paths
    }
}

impl PathMatch {
    /// The text that it compares with.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) => text,
        }
    }

    fn may_overlap(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(one), Self::Exact(two)) => one == two,
            (Self::Exact(path), Self::Prefix(prefix)) | (Self::Prefix(prefix), Self::Exact(path)) => {
                path.starts_with(prefix)
            }
            (Self::Prefix(one), Self::Prefix(two)) => one.starts_with(two) || two.starts_with(one),
        }
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.method.clone());
        match &self.path {
            Some(PathMatch::Exact(path)) => parts.push(path.clone()),
            Some(PathMatch::Prefix(path)) => parts.push(format!("{path}*")),
            None => parts.push("*".into()),
        }
        parts.extend(self.headers.iter().map(|header| {
            let value = &header.value;
            match header.comparison {
                Comparison::Exact => format!("{}={value}", header.name),
                Comparison::Prefix => format!("{}={value}*", header.name),
                Comparison::Contains => format!("{}=*{value}*", header.name),
            }
        }));
        f.write_str(&parts.join(" "))
    }
}
