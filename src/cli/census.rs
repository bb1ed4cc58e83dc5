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
}
