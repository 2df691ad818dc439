//! Figures: what was measured, as a table or as JSON.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Report {
    series: Vec<Series>,
    facts: Vec<(String, String, Value)>,
    calls: Vec<(String, BTreeMap<String, u64>)>,
}

/// Delays of one kind in one case.
#[derive(Debug)]
struct Series {
    case: String,
    what: &'static str,
    /// Milliseconds, sorted.
    delays: Vec<f64>,
}

impl Report {
    /// Adds delays in milliseconds.
    pub(super) fn delays(&mut self, case: &str, what: &'static str, mut delays: Vec<f64>) {
        delays.sort_by(f64::total_cmp);
        self.series.push(Series { case: case.into(), what, delays });
    }

    /// Adds a single figure, and how people should read it.
    pub(super) fn fact(&mut self, name: &str, text: String, value: Value) {
        self.facts.push((name.into(), text, value));
    }

    /// Adds the calls that a case took.
    pub(super) fn calls(&mut self, case: &str, calls: BTreeMap<String, u64>) {
        self.calls.push((case.into(), calls));
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |arguments: std::fmt::Arguments<'_>| {
            // Writing into a string can't fail.
            let _infallible = writeln!(text, "{arguments}");
        };
        line(format_args!(
            "{:<34} {:<30} {:>4} {:>8} {:>8} {:>8} {:>8}",
            "CASE", "MILLISECONDS FROM IT TO", "N", "P50", "P90", "P99", "MAX"
        ));
        for series in &self.series {
            let at = |percent| percentile(&series.delays, percent);
            line(format_args!(
                "{:<34} {:<30} {:>4} {:>8.1} {:>8.1} {:>8.1} {:>8.1}",
                series.case,
                series.what,
                series.delays.len(),
                at(50),
                at(90),
                at(99),
                at(100)
            ));
        }
        line(format_args!("\n{:<34} CALLS", "CASE"));
        for (case, calls) in &self.calls {
            let calls: Vec<String> =
                calls.iter().map(|(operation, count)| format!("{operation} {count}")).collect();
            line(format_args!("{case:<34} {}", calls.join("  ")));
        }
        line(format_args!(""));
        for (name, text, _) in &self.facts {
            line(format_args!("{name:<34} {text}"));
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let series: Vec<Value> = self
            .series
            .iter()
            .map(|series| {
                let at = |percent| percentile(&series.delays, percent);
                json!({
                    "case": series.case, "to": series.what, "n": series.delays.len(),
                    "p50_ms": at(50), "p90_ms": at(90), "p99_ms": at(99), "max_ms": at(100)
                })
            })
            .collect();
        let calls: BTreeMap<&str, &BTreeMap<String, u64>> =
            self.calls.iter().map(|(case, calls)| (case.as_str(), calls)).collect();
        let facts: BTreeMap<&str, &Value> =
            self.facts.iter().map(|(name, _, value)| (name.as_str(), value)).collect();
        json!({ "delays": series, "calls": calls, "facts": facts })
    }
}

/// The value at or below which `percent` of the sorted values are; not a number where there are none.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
