//! How the demo shows what it sees: a live table on a terminal, plain lines elsewhere.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use tokio::time::Instant;

use super::observe::{Row, Seen};
use crate::load::Outcome;

/// Rows that the table shows at most; the oldest that are gone are left out first.
const MOST_ROWS: usize = 18;

/// Writes to standard output.
pub(super) struct View {
    started: Instant,
    /// Lines of the table on the screen, to be drawn over. `None`: no terminal, so there is no table.
    drawn: Option<usize>,
    told: BTreeMap<String, String>,
}

impl View {
    /// A view of whatever standard output is.
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            drawn: std::io::stdout().is_terminal().then_some(0),
            told: BTreeMap::new(),
        }
    }

    /// Says what happens now. The table, if there is one, goes on below it.
    pub(super) fn say(&mut self, text: &str) {
        let mut out = self.erased();
        let elapsed = self.started.elapsed();
        let bold = if self.drawn.is_some() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        line(&mut out, format_args!("{:>7}  {}{text}{}", seconds(elapsed), bold.0, bold.1));
        print(&out);
    }

    /// Shows what is seen, and what has become of the requests, if there are any.
    pub(super) fn show(&mut self, seen: &Seen, load: Option<&Outcome>) {
        if self.drawn.is_some() {
            let mut out = self.erased();
            let mut table = table(seen, width());
            if let Some(load) = load {
                line(&mut table, format_args!("  requests {}   lost {}", load.requests(), load.failures));
            }
            self.drawn = Some(table.lines().count());
            out.push_str(&table);
            print(&out);
        } else {
            self.tell_changes(seen);
        }
    }

    /// Leaves the table where it is; what is said next comes below.
    pub(super) fn settle(&mut self) {
        if self.drawn.is_some() {
            self.drawn = Some(0);
        }
    }

    /// What takes the table off the screen.
    fn erased(&mut self) -> String {
        match &mut self.drawn {
            Some(lines) if *lines > 0 => format!("\x1b[{}A\x1b[J", std::mem::take(lines)),
            _ => String::new(),
        }
    }

    /// One line for each pod whose state is another than before.
    fn tell_changes(&mut self, seen: &Seen) {
        let mut out = String::new();
        for uid in &seen.order {
            let Some(row) = seen.pods.get(uid) else { continue };
            let now = format!("{:<11} {}", state(row), target(row));
            if self.told.get(uid) != Some(&now) {
                line(
                    &mut out,
                    format_args!(
                        "{:>7}    {:<24} {:<8} {now} {}",
                        seconds(self.started.elapsed()),
                        row.name,
                        row.node,
                        latency(row)
                    ),
                );
                self.told.insert(uid.clone(), now);
            }
        }
        print(&out);
    }
}

/// Columns of the terminal, or as many as every terminal has.
fn width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(80, |size| usize::from(size.ws_col).max(80))
}

/// The table, no line of it wider than `width`: a line that wraps could not be drawn over.
fn table(seen: &Seen, width: usize) -> String {
    let mut out = String::new();
    let mut row_of = |dim: bool, cells: [&str; 6]| {
        let [pod, node, is, target, lattice, latency] = cells;
        let text = format!("  {pod:<22} {node:<7} {is:<9} {target:<14} {lattice:<11} {latency}");
        let text: String = text.chars().take(width - 1).collect();
        if dim {
            line(&mut out, format_args!("\x1b[2m{text}\x1b[0m"));
        } else {
            line(&mut out, format_args!("{text}"));
        }
    };
    row_of(false, [""; 6]);
    row_of(true, ["POD", "NODE", "IS", "ADDRESS", "AT LATTICE", "READY TO CALL"]);
    let rows: Vec<&Row> = seen.order.iter().filter_map(|uid| seen.pods.get(uid)).collect();
    let gone = rows.iter().filter(|row| row.gone).count();
    let mut left_out = rows.len().saturating_sub(MOST_ROWS).min(gone);
    for row in rows {
        if row.gone && left_out > 0 {
            left_out -= 1;
            continue;
        }
        row_of(row.gone, [&row.name, &row.node, state(row), &row.address, target(row), &latency(row)]);
    }
    row_of(false, [""; 6]);
    let calls = ["RegisterTargets", "DeregisterTargets", "ListTargets"]
        .map(|operation| format!("{operation} {}", seen.calls.get(operation).copied().unwrap_or_default()));
    line(&mut out, format_args!("  {}", calls.join("   ")));
    out
}

/// A pod's state in one word.
fn state(row: &Row) -> &'static str {
    match row {
        Row { gone: true, .. } => "gone",
        Row { leaving: true, .. } => "leaving",
        Row { ready: true, .. } => "ready",
        Row { phase, .. } if phase == "Running" => "starting",
        _ => "pending",
    }
}

fn target(row: &Row) -> &str {
    if row.target.is_empty() { "-" } else { &row.target }
}

fn latency(row: &Row) -> String {
    row.latency_ms().map_or(String::new(), |ms| format!("{ms:.1} ms"))
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string can't fail.
    let _infallible = writeln!(out, "{text}");
}

fn print(text: &str) {
    let mut stdout = std::io::stdout();
    // Nobody is left to be told when the terminal is gone.
    let _closed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
