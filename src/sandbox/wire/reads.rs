//! Which operations change nothing, so that a kept world need not remember them.

use super::service::Service;

const READ_PREFIXES: &[&str] = &[
    "Describe", "Estimate", "Filter", "Get", "Head", "List", "Lookup", "Simulate", "Test",
    "Validate",
];

/// Operations whose names read like reads though they issue something.
const CHANGE_ALL_THE_SAME: &[&str] = &["GetFederationToken", "GetSessionToken"];

/// Whether the operation leaves the world as it was.
pub fn is_read(_service: Service, operation: &str) -> bool {
    !CHANGE_ALL_THE_SAME.contains(&operation)
        && READ_PREFIXES
            .iter()
            .any(|prefix| operation.starts_with(prefix))
}
