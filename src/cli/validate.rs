//! `bedrail validate`

use serde_json::json;

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::{diagnostics, streams};
use crate::config::diagnostic::Diagnostic;
use crate::config::model::Rollout;
use crate::config::project::Sources;
use crate::config::{Failed, load};

pub fn run(common: &Common) -> Exit {
    match load(&common.directory, &common.file) {
        Ok(loaded) => {
            report(&loaded.warnings, &loaded.sources, common.format);
            let summary = summary(&loaded.rollout);
            match common.format {
                Format::Json => streams::result_line(
                    &json!({
                        "valid": true,
                        "rollout": loaded.rollout.name,
                        "digest": loaded.rollout.digest,
                        "diagnostics": diagnostics::json(&loaded.warnings),
                    })
                    .to_string(),
                ),
                Format::Text | Format::Markdown => streams::result_line(&summary),
            }
            Exit::Done
        }
        Err(failed) => {
            invalid(&failed, common.format);
            Exit::Error
        }
    }
}

/// Reports files with errors; other commands use it before they do anything.
pub fn invalid(failed: &Failed, format: Format) {
    report(&failed.diagnostics, &failed.sources, format);
    let errors = failed
        .diagnostics
        .iter()
        .filter(|finding| finding.is_error())
        .count();
    let warnings = failed.diagnostics.len() - errors;
    if format == Format::Json {
        streams::result_line(
            &json!({ "valid": false, "diagnostics": diagnostics::json(&failed.diagnostics) })
                .to_string(),
        );
        return;
    }
    let mut counts = vec![counted(errors, "error")];
    if warnings > 0 {
        counts.push(counted(warnings, "warning"));
    }
    streams::error(
        &format!("the rollout is not valid: {}", counts.join(", ")),
        "",
    );
}

fn report(findings: &[Diagnostic], sources: &Sources, format: Format) {
    if !findings.is_empty() && format != Format::Json {
        streams::notice(&format!("{}\n", diagnostics::text(findings, sources, true)));
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

fn summary(rollout: &Rollout) -> String {
    let environments: Vec<&str> = rollout.environments.keys().map(String::as_str).collect();
    format!(
        "{} is valid: {}, {}, {} ({}), {}, {}",
        rollout.name,
        counted(rollout.phases.len(), "phase"),
        counted(rollout.components().count(), "component"),
        counted(environments.len(), "environment"),
        environments.join(", "),
        counted(rollout.templates.len(), "template"),
        counted(rollout.documents.len(), "policy document"),
    )
}
