//! What a setting's value is, and those that are numbers or texts.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;

/// A setting's value: how it is read, written and described.
pub trait Setting: Sized {
    /// Reads the value, `None` if it is not allowed.
    fn parse(text: &str) -> Option<Self>;
    /// Writes the value so that [`Setting::parse`] reads it.
    fn text(&self) -> String;
    /// What is allowed, for people.
    fn allowed() -> String;
}

/// A time in seconds, at most a year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seconds(pub Duration);

impl Seconds {
    /// So many whole seconds.
    #[must_use]
    pub const fn new(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

const YEAR_SECONDS: f64 = 365.0 * 24.0 * 3600.0;

impl Setting for Seconds {
    fn parse(text: &str) -> Option<Self> {
        let seconds: f64 = text.parse().ok()?;
        (0.0..=YEAR_SECONDS).contains(&seconds).then(|| Self(Duration::from_secs_f64(seconds)))
    }

    fn text(&self) -> String {
        self.0.as_secs_f64().to_string()
    }

    fn allowed() -> String {
        "seconds from 0 to 31536000".to_owned()
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<const MIN: usize, const MAX: usize>(pub usize);

impl<const MIN: usize, const MAX: usize> Setting for Count<MIN, MAX> {
    fn parse(text: &str) -> Option<Self> {
        let count: usize = text.parse().ok()?;
        (MIN..=MAX).contains(&count).then_some(Self(count))
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn allowed() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

impl Setting for Switch {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "on" => Some(Self(true)),
            "off" => Some(Self(false)),
            _ => None,
        }
    }

    fn text(&self) -> String {
        if self.0 { "on" } else { "off" }.to_owned()
    }

    fn allowed() -> String {
        "on or off".to_owned()
    }
}

/// Where the wall clock begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockStart {
    /// At the machine's time.
    Now,
    /// At this time.
    At(Timestamp),
}

impl Setting for ClockStart {
    fn parse(text: &str) -> Option<Self> {
        if text == "now" { Some(Self::Now) } else { text.parse().ok().map(Self::At) }
    }

    fn text(&self) -> String {
        match self {
            Self::Now => "now".to_owned(),
            Self::At(time) => time.to_string(),
        }
    }

    fn allowed() -> String {
        "now, or a time like 2026-01-01T00:00:00Z".to_owned()
    }
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range(pub Option<IpNet>);

impl Range {
    pub(super) fn new(text: &str) -> Self {
        Self(text.parse().ok())
    }
}

impl Setting for Range {
    fn parse(text: &str) -> Option<Self> {
        if text == "off" { Some(Self(None)) } else { text.parse().ok().map(|range| Self(Some(range))) }
    }

    fn text(&self) -> String {
        self.0.map_or_else(|| "off".to_owned(), |range| range.to_string())
    }

    fn allowed() -> String {
        "a range of addresses like 10.0.0.0/24, or off".to_owned()
    }
}

/// Where something listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

impl Listen {
    pub(super) fn new(text: &str) -> Self {
        Self(text.parse().ok())
    }
}

impl Setting for Listen {
    fn parse(text: &str) -> Option<Self> {
        if text == "off" { Some(Self(None)) } else { text.parse().ok().map(|at| Self(Some(at))) }
    }

    fn text(&self) -> String {
        self.0.map_or_else(|| "off".to_owned(), |at| at.to_string())
    }

    fn allowed() -> String {
        "an address with a port like 127.0.0.1:5353, or off".to_owned()
    }
}

/// A status that an error is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpStatus(pub u16);

impl Setting for HttpStatus {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|status| (400..=599).contains(status)).map(Self)
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn allowed() -> String {
        "a status from 400 to 599".to_owned()
    }
}

/// A short text that stands in answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

impl Text {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Setting for Text {
    fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }

    fn allowed() -> String {
        "1 to 64 printable ASCII characters without blanks".to_owned()
    }
}

/// The name of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region(pub String);

impl Region {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Setting for Region {
    fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=32).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }

    fn allowed() -> String {
        "a region like us-west-2".to_owned()
    }
}

/// The name of a network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceName(pub String);

impl InterfaceName {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Setting for InterfaceName {
    fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b':';
        let fits = (1..=15).contains(&text.len()) && text.bytes().all(plain) && text != "." && text != "..";
        fits.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }

    fn allowed() -> String {
        "1 to 15 characters, none of them a blank, a slash or a colon; or none".to_owned()
    }
}

/// A rate of calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// No limit.
    Unlimited,
    /// So many per second, above 0.
    PerSecond(f64),
}

impl Setting for Rate {
    fn parse(text: &str) -> Option<Self> {
        if text == "unlimited" {
            return Some(Self::Unlimited);
        }
        let rate: f64 = text.parse().ok()?;
        (0.001..=1e6).contains(&rate).then_some(Self::PerSecond(rate))
    }

    fn text(&self) -> String {
        match self {
            Self::Unlimited => "unlimited".to_owned(),
            Self::PerSecond(rate) => rate.to_string(),
        }
    }

    fn allowed() -> String {
        "unlimited, or calls per second from 0.001 to 1000000".to_owned()
    }
}

/// The header Retry-After.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// No such header.
    Absent,
    /// So many seconds.
    Seconds(u32),
}

impl Setting for RetryAfter {
    fn parse(text: &str) -> Option<Self> {
        if text == "absent" {
            return Some(Self::Absent);
        }
        text.parse().ok().filter(|seconds| (1..=3600).contains(seconds)).map(Self::Seconds)
    }

    fn text(&self) -> String {
        match self {
            Self::Absent => "absent".to_owned(),
            Self::Seconds(seconds) => seconds.to_string(),
        }
    }

    fn allowed() -> String {
        "absent, or whole seconds from 1 to 3600".to_owned()
    }
}

/// When a new target passes its first health check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FirstCheck {
    /// At a time between 0 and the group's interval that the seed decides.
    Interval,
    /// After this time.
    After(Seconds),
}

impl Setting for FirstCheck {
    fn parse(text: &str) -> Option<Self> {
        if text == "interval" { Some(Self::Interval) } else { Seconds::parse(text).map(Self::After) }
    }

    fn text(&self) -> String {
        match self {
            Self::Interval => "interval".to_owned(),
            Self::After(delay) => delay.text(),
        }
    }

    fn allowed() -> String {
        format!("interval (between 0 and the health check's interval, by seed), or {}", Seconds::allowed())
    }
}
