//! The section `waves` of a delivery → the model.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Located, Origin};
use crate::config::file::environment as file;
use crate::config::model::{Approval, ApprovalRules, Gate, Wave, WaveSize};
use crate::config::node::Node;

use super::environment::at_least_one;

/// How long a gate's command may take when the file says nothing.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(300);

pub fn waves(
    sections: Vec<file::WaveSection>,
    node: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Wave> {
    let nodes = node.map(Node::items).unwrap_or_default();
    let last = sections.len().saturating_sub(1);
    let mut names = BTreeSet::new();
    let mut reached = 0;
    let mut waves = Vec::new();
    for (index, (section, node)) in sections.into_iter().zip(nodes).enumerate() {
        let name = section.name.clone();
        let place = |key: &str| node.get(key).map_or(&node.origin, |node| &node.origin);
        if !names.insert(name.clone()) {
            problem(
                findings,
                place("name"),
                format!("there are two waves of the name `{name}`"),
                "rename one of the two",
            );
        }
        if let Some(percent) = section.percent {
            if percent <= reached {
                problem(
                    findings,
                    place("percent"),
                    format!(
                        "wave `{name}` reaches {percent}%, and the one before it {reached}% already"
                    ),
                    "percentages count all accounts reached so far, so they must grow",
                );
            }
            reached = reached.max(percent);
        }
        if index == last {
            for key in ["bake", "gate"] {
                if let Some(entry) = node.entry(key) {
                    findings.push(
                        Diagnostic::warning(
                            codes::MEANINGLESS,
                            format!(
                                "`{key}` of `{name}` is never waited for, since no wave follows"
                            ),
                        )
                        .at(&entry.key.origin)
                        .help("remove it, or give it to the wave before"),
                    );
                }
            }
        }
        let max_concurrent = section.max_concurrent.map(|amount| amount.0);
        if let Some(amount) = max_concurrent {
            at_least_one(amount, node.get("maxConcurrent"), findings);
        }
        let approval = section.approval.as_ref().map(approval);
        let failure_tolerance = section.failure_tolerance.map(|amount| amount.0);
        let bake = section.bake.map(|span| span.0);
        let gate = section
            .gate
            .clone()
            .and_then(|section| gate(section, &name, node.get("gate"), findings));
        let Some(size) = size(section, node, findings) else {
            continue;
        };
        waves.push(Wave {
            name,
            size,
            max_concurrent,
            failure_tolerance,
            bake,
            gate,
            approval,
        });
    }
    if let (Some(last), Some(node)) = (waves.last(), nodes.last())
        && last.size != WaveSize::Percent(100)
    {
        problem(
            findings,
            &node.origin,
            format!(
                "the last wave, `{}`, does not reach all accounts",
                last.name
            ),
            "end with a wave of percent: 100",
        );
    }
    waves
}

fn problem(findings: &mut Vec<Diagnostic>, origin: &Origin, message: String, help: &str) {
    findings.push(
        Diagnostic::error(codes::WAVES, message)
            .at(origin)
            .help(help),
    );
}

fn size(
    section: file::WaveSection,
    node: &Node,
    findings: &mut Vec<Diagnostic>,
) -> Option<WaveSize> {
    let name = section.name;
    let tags = (!section.tags.is_empty()).then_some(WaveSize::Tags(section.tags));
    let accounts = section.accounts.map(|accounts| match accounts {
        file::WaveAccounts::Count(count) => WaveSize::Accounts(count),
        file::WaveAccounts::Named(ids) => WaveSize::Named(ids.into_iter().collect()),
    });
    let mut sizes: Vec<WaveSize> = [accounts, section.percent.map(WaveSize::Percent), tags]
        .into_iter()
        .flatten()
        .collect();
    if sizes.len() > 1 {
        problem(
            findings,
            &node.origin,
            format!("wave `{name}` has more than one size"),
            "give one of accounts, percent and tags",
        );
    }
    let size = sizes.pop();
    if size.is_none() {
        problem(
            findings,
            &node.origin,
            format!("wave `{name}` has no size"),
            "give one of accounts, percent and tags",
        );
    }
    size
}

fn approval(section: &file::ApprovalSection) -> Approval {
    match section {
        file::ApprovalSection::Always(file::Approval::Required) => Approval::Required,
        file::ApprovalSection::Whenever(file::ConditionalApproval { whenever }) => {
            Approval::Whenever(ApprovalRules {
                deletes: whenever.deletes,
                policies: whenever.policies,
                accounts_above: whenever.accounts_above,
            })
        }
    }
}

fn gate(
    section: file::GateSection,
    wave: &str,
    node: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> Option<Gate> {
    let node = node?;
    let mut without_meaning = |key: &str, of: &str| {
        if let Some(entry) = node.entry(key) {
            problem(
                findings,
                &entry.key.origin,
                format!("`{key}` of the gate of wave `{wave}` has no meaning without `{of}`"),
                "give a gate either alarm, in and region, or command and timeout",
            );
        }
    };
    match (section.alarm, section.command) {
        (Some(name), None) => {
            without_meaning("timeout", "command");
            let origin = node.get("in").map(|node| node.origin.clone());
            Some(Gate::Alarm {
                name,
                place: section
                    .place
                    .zip(origin)
                    .map(|(place, origin)| Located::new(place, origin)),
                region: section.region,
            })
        }
        (None, Some(program)) => {
            without_meaning("in", "alarm");
            without_meaning("region", "alarm");
            if program.first().is_none_or(|first| first.trim().is_empty()) {
                problem(
                    findings,
                    node.get("command")
                        .map_or(&node.origin, |node| &node.origin),
                    format!("the gate of wave `{wave}` names no program"),
                    "write the program and its arguments as a list: [check-canary, --strict]",
                );
                return None;
            }
            Some(Gate::Command {
                program,
                timeout: section.timeout.map_or(COMMAND_TIMEOUT, |span| span.0),
            })
        }
        (Some(_), Some(_)) => {
            problem(
                findings,
                &node.origin,
                format!("the gate of wave `{wave}` has both an alarm and a command"),
                "give one of the two",
            );
            None
        }
        (None, None) => {
            problem(
                findings,
                &node.origin,
                format!("the gate of wave `{wave}` has neither an alarm nor a command"),
                "give one of the two",
            );
            None
        }
    }
}
