//! The calls that a command made, by service and operation.

use super::render::streams;
use crate::aws::Census;

/// Prints the counts on stderr, most called first.
pub fn print(census: &Census) {
    let mut rows: Vec<_> = census.iter().collect();
    rows.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let total: u64 = census.values().sum();
    streams::notice(&format!("{total} calls"));
    for ((service, operation), count) in rows {
        streams::notice(&format!("{count:>8}  {service} {operation}"));
    }
    if let Some(peak) = peak_memory() {
        streams::notice(&format!("peak memory {peak}"));
    }
}

/// The most memory that the process held at any time, where the system keeps count of it (Linux: VmHWM in
/// proc(5)).
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(format!("{} MB", kilobytes / 1_024))
}
