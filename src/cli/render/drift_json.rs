//! Findings for scripts.

use serde_json::{Value, json};

use super::findings::Findings;

pub fn drift_json(findings: &Findings<'_>) -> Value {
    json!({
        "drifted": findings.found.findings.len(),
        "checked": findings.found.checked,
        "findings": findings.each().map(|(finding, repair)| json!({
            "account": finding.account,
            "region": finding.region,
            "component": finding.component,
            "environment": finding.environment,
            "path": finding.path,
            "expected": finding.expected,
            "actual": finding.actual,
            "severity": finding.severity,
            "repair": repair,
        })).collect::<Vec<_>>(),
        "notChecked": findings.found.unchecked.iter().map(|row| json!({
            "account": row.account,
            "region": row.region,
            "component": row.component,
            "environment": row.environment,
            "path": row.path,
            "reason": row.why,
        })).collect::<Vec<_>>(),
    })
}
