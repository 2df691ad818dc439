//! Query strings, taken apart for signing.

use percent_encoding::percent_decode_str;

use super::Refused;
use super::read::text;

/// The pairs of a query, decoded, in the order they were sent.
#[derive(Debug)]
pub(super) struct Query(Vec<(Vec<u8>, Vec<u8>)>);

impl Query {
    /// Takes a query apart as forms are: `+` is a space, a name without `=` has an empty value.
    ///
    /// Bytes stay bytes: a replacement for what is not UTF-8 would let one such byte pass for another.
    pub(super) fn parse(query: &str) -> Self {
        let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).collect();
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        };
        Self(query.split('&').filter(|text| !text.is_empty()).map(pair).collect())
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// The value of a parameter of signing, which may stand there once.
    pub(super) fn only(&self, name: &str) -> Result<Option<String>, Refused> {
        let mut values = self.pairs().filter(|(known, _)| *known == name.as_bytes()).map(|(_, value)| value);
        let value = values.next();
        if values.next().is_some() {
            return Err(Refused::Malformed(format!("Query-string parameter '{name}' is not unique.")));
        }
        value.map(|value| text(name, value)).transpose()
    }
}
