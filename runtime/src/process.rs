//! The process itself as metrics: CPU time and memory, read from `/proc` when scraped.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

/// Names and meaning are Prometheus' own convention for processes.
#[derive(Debug)]
pub struct Process;

/// Clock ticks in a second, which Linux fixes at 100 for everything it shows in `/proc`.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds and resident bytes of this process; `None` where `/proc` can't be read.
#[must_use]
pub fn usage() -> Option<(f64, u64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the command in parentheses and may hold anything, so fields are counted from its end.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = resident.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((ticks as f64 / TICKS_PER_SECOND, kilobytes * 1024))
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some((cpu, resident)) = usage() else {
            return Ok(());
        };
        let cpu = ConstCounter::new(cpu);
        cpu.encode(encoder.encode_descriptor(
            "process_cpu",
            "CPU time used by this process",
            Some(&Unit::Seconds),
            cpu.metric_type(),
        )?)?;
        let resident = ConstGauge::new(i64::try_from(resident).unwrap_or(i64::MAX));
        resident.encode(encoder.encode_descriptor(
            "process_resident_memory",
            "Memory of this process that is in RAM",
            Some(&Unit::Bytes),
            resident.metric_type(),
        )?)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_memory() {
        let (cpu, resident) = super::usage().unwrap();
        assert!(cpu >= 0.0);
        assert!(resident > 100_000, "{resident}");
    }
}
