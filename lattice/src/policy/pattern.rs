//! Wildcards and policy variables in the texts of a policy.

use super::context::Context;

/// Longest text that variables may expand to, in characters. A longer one has no value, so that a request's long header
/// named in many variables does not cost much memory.
const MOST_EXPANDED: usize = 16 * 1024;

/// A text of a policy: what it says literally, its wildcards, its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Atom(Atom),
    /// The value of a condition key, whose name is in lower case.
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Atom {
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none.
    Any,
}

/// How a text is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reading {
    /// Whether `*` and `?` are wildcards.
    pub(super) wildcards: bool,
    /// Whether `${key}` is a variable.
    pub(super) variables: bool,
}

impl Template {
    /// Reads a text; the error says what is wrong with a variable in it.
    pub(super) fn parse(text: &str, reading: Reading) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(inner) = rest.strip_prefix("${").filter(|_| reading.variables) {
                let (piece, after) = variable(inner)?;
                pieces.push(piece);
                rest = after;
                continue;
            }
            pieces.push(Piece::Atom(match first {
                '*' if reading.wildcards => Atom::Any,
                '?' if reading.wildcards => Atom::One,
                other => Atom::Char(other),
            }));
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        Ok(Self(pieces))
    }

    /// The pattern with every variable replaced by its value, which is taken literally.
    ///
    /// `None` when a variable has no value: the request lacks the key, or the key has several values.
    pub(super) fn expand(&self, context: &Context) -> Option<Pattern> {
        let mut atoms = Vec::with_capacity(self.0.len());
        for piece in &self.0 {
            match piece {
                Piece::Atom(atom) => atoms.push(*atom),
                Piece::Variable { key, default } => {
                    let value = match context.get(key) {
                        Some([only]) => only,
                        None | Some([]) => default.as_ref()?,
                        Some(_) => return None,
                    };
                    atoms.extend(value.chars().map(Atom::Char));
                }
            }
            if atoms.len() > MOST_EXPANDED {
                return None;
            }
        }
        Some(Pattern(atoms))
    }
}

/// Reads a variable behind its `${`, and returns what follows it.
fn variable(inner: &str) -> Result<(Piece, &str), String> {
    let open = || "a variable `${` has no end `}`".to_owned();
    let end = inner.find(['}', ',']).ok_or_else(open)?;
    let (key, rest) = inner.split_at(end);
    let key = key.trim();
    if let Some(after) = rest.strip_prefix('}') {
        let literal = match key {
            "*" => Some('*'),
            "?" => Some('?'),
            "$" => Some('$'),
            _ => None,
        };
        if let Some(literal) = literal {
            return Ok((Piece::Atom(Atom::Char(literal)), after));
        }
        return Ok((Piece::Variable { key: name(key)?, default: None }, after));
    }
    let quoted = rest.trim_start_matches(',').trim_start().strip_prefix('\'');
    let quoted =
        quoted.ok_or_else(|| format!("the default of the variable {key:?} is not in single quotes"))?;
    let (default, after) = quoted.split_once('\'').ok_or_else(open)?;
    let after = after.trim_start().strip_prefix('}').ok_or_else(open)?;
    Ok((Piece::Variable { key: name(key)?, default: Some(default.to_owned()) }, after))
}

fn name(key: &str) -> Result<String, String> {
    if key.is_empty() || key.contains(['$', '{', '\'', '*', '?']) {
        return Err(format!("{key:?} is not the name of a variable"));
    }
    Ok(key.to_lowercase())
}

/// Whether one of `templates`, once expanded, is what `test` looks for. `None`: none is, but one has no value.
pub(super) fn any_matches(
    templates: &[Template],
    context: &Context,
    test: impl Fn(&Pattern) -> bool,
) -> Option<bool> {
    let mut known = Some(false);
    for template in templates {
        match template.expand(context) {
            Some(pattern) if test(&pattern) => return Some(true),
            Some(_) => {}
            None => known = None,
        }
    }
    known
}

/// A pattern of wildcards and literal characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Atom>);

impl Pattern {
    /// Whether the whole of `text` matches. Cost: at most the product of both lengths, whatever the wildcards.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        matches(&self.0, &text)
    }

    /// Whether `text` has these characters, but for upper and lower case. Wildcards match nothing here.
    pub(super) fn equals_ignoring_case(&self, text: &str) -> bool {
        let mut ours = Vec::with_capacity(self.0.len());
        for atom in &self.0 {
            let Atom::Char(c) = atom else { return false };
            ours.extend(c.to_lowercase());
        }
        ours.into_iter().eq(text.chars().flat_map(char::to_lowercase))
    }

    /// Whether `text` is an ARN whose six parts match this pattern's, each on its own. A lone `*` matches every ARN.
    pub(super) fn matches_arn(&self, text: &str) -> bool {
        let value: Vec<&str> = text.splitn(6, ':').collect();
        if value.len() != 6 || value.first() != Some(&"arn") {
            return false;
        }
        if self.0 == [Atom::Any] {
            return true;
        }
        let parts: Vec<&[Atom]> = self.0.splitn(6, |atom| *atom == Atom::Char(':')).collect();
        parts.len() == 6
            && parts.iter().zip(value).all(|(pattern, text)| {
                let text: Vec<char> = text.chars().collect();
                matches(pattern, &text)
            })
    }
}

/// Matches greedily and returns only to the last `*`: what an earlier one took never needs to change, since the pieces
/// between stars are found at their first possible place.
fn matches(pattern: &[Atom], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some(Atom::Any) => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(Atom::One) => {}
            Some(Atom::Char(expected)) if expected == c => {}
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                t = from + 1;
                continue;
            }
        }
        p += 1;
        t += 1;
    }
    pattern.iter().skip(p).all(|atom| *atom == Atom::Any)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        let reading = Reading { wildcards: true, variables: true };
        Template::parse(text, reading).unwrap().expand(&Context::default()).unwrap()
    }

    /// The definition, in exponential time.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), None) => slow(rest, text),
            (Some(('*', rest)), Some((_, tail))) => slow(rest, text) || slow(pattern, tail),
            (Some(('?', rest)), Some((_, tail))) => slow(rest, tail),
            (Some((p, rest)), Some((t, tail))) => p == t && slow(rest, tail),
            _ => false,
        }
    }

    #[test]
    fn what_patterns_match() {
        for (text, value, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("?", "é", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*/rates", "arn:aws:vpc-lattice:r:1:service/svc-1/rates", true),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "aab", false),
            ("${*}", "*", true),
            ("${*}", "x", false),
            ("a${?}${$}", "a?$", true),
            ("${aws:none, 'a*'}", "a*", true),
            ("${aws:none, 'a*'}", "ab", false),
            ("$x{", "$x{", true),
        ] {
            assert_eq!(pattern(text).matches(value), expected, "{text:?} {value:?}");
        }
        for text in
            ["${", "${aws:x", "${}", "${ , 'a'}", "${a, b}", "${a, 'b}", "${a, 'b'", "${a$b}", "${aws:*}"]
        {
            assert!(Template::parse(text, Reading { wildcards: true, variables: true }).is_err(), "{text:?}");
            assert!(Template::parse(text, Reading::default()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn many_stars_cost_little() {
        let text = "a".repeat(8_000);
        assert!(!pattern(&"*a".repeat(500)).matches(&format!("{text}b")));
        assert!(!pattern(&format!("{}b", "a*".repeat(500))).matches(&text));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn matching_is_what_the_definition_says(p in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let (chars, value): (Vec<char>, Vec<char>) = (p.chars().collect(), text.chars().collect());
            prop_assert_eq!(pattern(&p).matches(&text), slow(&chars, &value), "{} {}", p, text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*", dollars in "[${},'* ?a:]{0,12}") {
            for text in [text, dollars] {
                if let Ok(template) = Template::parse(&text, Reading { wildcards: true, variables: true }) {
                    template.expand(&Context::default());
                }
            }
        }
    }
}
