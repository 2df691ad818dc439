//! Which binary of this machine an image stands for.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Patterns of image names and the binaries that they mean.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    rules: Vec<(String, PathBuf)>,
}

impl Images {
    /// Lets images that match `pattern` mean `binary`, before other patterns of its kind.
    ///
    /// A pattern is compared with the last part of the image's name, without tag and digest; `*` stands for any
    /// number of characters.
    pub fn prefer(&mut self, pattern: &str, binary: PathBuf) {
        self.rules.insert(0, (pattern.to_owned(), binary));
    }

    /// The binary for an image. A pattern that names it whole goes before one with `*`: who lets `*` mean a workload
    /// does not mean the agents.
    #[must_use]
    pub fn find(&self, image: &str) -> Option<&Path> {
        let name = short_name(image);
        let exact = self.rules.iter().find(|(pattern, _)| pattern == name);
        let rule = exact.or_else(|| self.rules.iter().find(|(pattern, _)| matches(pattern, name)));
        rule.map(|(_, binary)| binary.as_path())
    }

    /// The patterns, for messages.
    #[must_use]
    pub fn patterns(&self) -> String {
        self.rules.iter().map(|(pattern, _)| pattern.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// `registry:5000/team/echo:v1@sha256:…` → `echo`.
pub(super) fn short_name(image: &str) -> &str {
    let without_digest = image.split('@').next().unwrap_or(image);
    let last = without_digest.rsplit('/').next().unwrap_or(without_digest);
    last.split(':').next().unwrap_or(last)
}

fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_matched_by_its_short_name() {
        for (pattern, image, found) in [
            ("lath-agent", "lath-agent", true),
            ("lath-agent", "public.ecr.aws/lath/lath-agent:0.1", true),
            ("lath-agent", "localhost:5000/lath-agent@sha256:abc", true),
            ("lath-agent", "lath-agent-debug", false),
            ("lath-*", "lath-agent:1", true),
            ("*", "anything/at:all", true),
            ("*echo*server", "gateway/echo-basic-server:v1", true),
            ("*echo*server", "gateway/echo-basic", false),
            ("a*a", "a", false),
        ] {
            let mut images = Images::default();
            images.prefer(pattern, "/bin/true".into());
            assert_eq!(images.find(image).is_some(), found, "{pattern} against {image}");
        }
    }

    #[test]
    fn a_whole_name_goes_before_a_pattern_and_what_was_said_last_before_the_rest() {
        let mut images = Images::default();
        images.prefer("lath-agent", "/built/lath-agent".into());
        images.prefer("*", "/first".into());
        images.prefer("*", "/second".into());
        assert_eq!(images.find("team/lath-agent:1"), Some(Path::new("/built/lath-agent")));
        assert_eq!(images.find("echo"), Some(Path::new("/second")));
        images.prefer("lath-agent", "/mine".into());
        assert_eq!(images.find("lath-agent"), Some(Path::new("/mine")));
    }
}
