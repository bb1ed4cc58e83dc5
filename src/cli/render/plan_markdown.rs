//! A plan for a pull request or a job summary: the sum on top, a foldable part for each phase.

use crate::plan::Plan;

use super::grouped::{Change, Component, Environment, Grouped, Notes, Phase};
use super::markdown::{escape, fence};
use super::page::Line;
use super::plan_text::{
    counts_words, environment_words, estimate_words, note_heading, note_words, nothing_to_do,
    short_digest, summary_words, unknown_count, unknown_words,
};
use super::sanitize::clean;
use super::values::{self, Limits};
use super::waves;
use super::words::{Names, counted, number};

/// GitHub refuses a comment of more than 65,536 characters ("Body is too long"); this leaves room for what
/// others put around it.
const LONGEST: usize = 60_000;
const MOST_ALIKE: usize = 20;
/// Columns of code blocks, which scroll.
const WIDTH: usize = 120;

const LIMITS: Limits = Limits {
    fields: 40,
    characters: 400,
    lines: 60,
    whole_documents: false,
};

pub fn plan_markdown(plan: &Plan) -> String {
    let grouped = Grouped::of(plan);
    let names = Names::new(plan.account_names.clone());
    let mut out = heading(plan, &grouped);
    let mut left_out = 0;
    let parts = grouped
        .phases
        .iter()
        .map(|phase| phase_part(plan, phase, &names))
        .chain(waves_part(plan, &names))
        .chain(notes_parts(&grouped.notes, &names));
    for part in parts {
        if out.len() + part.len() <= LONGEST {
            out.push_str(&part);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        out.push_str(&format!(
            "\n{} left out, because a comment can hold no more. `bedrail plan` shows everything.\n",
            counted(left_out, "part")
        ));
    }
    out
}

/// Cleaned before it is escaped: a job log shows Markdown on a terminal, too.
fn inline(text: &str) -> String {
    escape(&clean(text))
}

fn heading(plan: &Plan, grouped: &Grouped<'_>) -> String {
    let mut out = format!("### Bedrail plan for {}\n\n", inline(&plan.rollout));
    if plan.steps.is_empty() {
        out.push_str(&format!("**{}**\n\n", nothing_to_do(plan.summary)));
        out.push_str(&format!("Organization {}\n", plan.organization));
    } else {
        out.push_str(&format!("**{}**\n\n", summary_words(plan.summary)));
        out.push_str(&format!(
            "Organization {}, plan {}\n",
            plan.organization,
            inline(&short_digest(&plan.digest))
        ));
        if let Some(words) = estimate_words(plan) {
            out.push_str(&format!("\n{}\n", inline(&words)));
        }
    }
    let unknown = unknown_count(&grouped.notes);
    if unknown > 0 {
        out.push_str(&format!("\n**{}**\n", unknown_words(unknown)));
    }
    out
}

fn details(summary: &str, body: &str) -> String {
    format!("\n<details><summary>{summary}</summary>\n\n{body}\n</details>\n")
}

fn phase_part(plan: &Plan, phase: &Phase<'_>, names: &Names) -> String {
    let summary = format!(
        "Phase {} of {}, {}: {}",
        phase.number,
        plan.phases.len().max(phase.number),
        inline(phase.name),
        counts_words(phase.counts)
    );
    let body: String = phase
        .components
        .iter()
        .map(|component| component_part(plan, component, names))
        .collect();
    details(&summary, &body)
}

fn component_part(plan: &Plan, component: &Component<'_>, names: &Names) -> String {
    let mut out = String::new();
    for environment in &component.environments {
        out.push_str(&format!("#### {}", inline(component.name)));
        if let Some(words) = environment_words(&environment.names, plan) {
            out.push_str(&format!(", {}", inline(&words)));
        }
        out.push_str(&format!(" ({})\n\n", component.kind.name()));
        out.push_str(&environment_part(environment, names));
    }
    out
}

fn environment_part(environment: &Environment<'_>, names: &Names) -> String {
    let mut out = String::new();
    for change in environment.changes.iter().take(MOST_ALIKE) {
        out.push_str(&change_part(change, names));
    }
    let rest: Vec<&Change> = environment.changes.iter().skip(MOST_ALIKE).collect();
    if !rest.is_empty() {
        let targets: usize = rest.iter().map(|change| change.targets).sum();
        out.push_str(&format!(
            "and {} on {}\n\n",
            counted(rest.len(), "more change"),
            counted(targets, "target")
        ));
    }
    out
}

fn change_part(change: &Change, names: &Names) -> String {
    let mut out = format!("`{}` {}", change.action.symbol(), inline(&change.title));
    let phrases = change.scope.phrases(names);
    if !phrases.is_empty() {
        out.push_str(&format!(": {}", inline(&phrases.join(" and "))));
    }
    out.push('\n');
    if let Some(accounts) = change.scope.named_accounts(names, false) {
        out.push_str(&format!("<br>{}\n", inline(&accounts)));
    }
    if !change.reason.is_empty() {
        out.push_str(&format!("<br>Why: {}\n", inline(&change.reason)));
    }
    out.push('\n');
    let lines = values::lines(&change.fields, 0, WIDTH, LIMITS);
    if !lines.is_empty() {
        let text: Vec<String> = lines.iter().map(Line::indented).collect();
        out.push_str(&fence("diff", &text.join("\n")));
        out.push('\n');
    }
    out
}

fn waves_part(plan: &Plan, names: &Names) -> Option<String> {
    let deliveries = waves::deliveries(plan, names);
    if deliveries.is_empty() {
        return None;
    }
    let mut body = String::new();
    for delivery in &deliveries {
        body.push_str(&format!("#### {}\n\n", inline(&delivery.title)));
        for wave in &delivery.waves {
            body.push_str(&format!(
                "- **{}**: {}\n",
                inline(&wave.name),
                inline(&wave.what)
            ));
            if let Some(first) = &wave.first {
                body.push_str(&format!("  <br>begins when {}\n", inline(first)));
            }
            if let Some(then) = &wave.then {
                body.push_str(&format!("  <br>then {}\n", inline(then)));
            }
        }
        body.push('\n');
    }
    Some(details("Waves", &body))
}

fn notes_parts(notes: &[Notes<'_>], names: &Names) -> Vec<String> {
    notes
        .chunk_by(|a, b| a.kind == b.kind)
        .filter_map(|alike| {
            let kind = alike.first()?.kind;
            let count: usize = alike.iter().map(|note| note.count).sum();
            let mut body = String::new();
            for note in alike.iter().take(MOST_ALIKE) {
                body.push_str(&format!("- {}\n", inline(&note_words(note, names))));
                if let Some(accounts) = note.scope.named_accounts(names, false) {
                    body.push_str(&format!("  <br>{}\n", inline(&accounts)));
                }
            }
            if alike.len() > MOST_ALIKE {
                let rest = number(alike.len() - MOST_ALIKE);
                body.push_str(&format!("- and {rest} more\n"));
            }
            let summary = format!("{} ({})", note_heading(kind), number(count));
            Some(details(&summary, &body))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::*;
    use super::*;
    use crate::plan::{Action, NoteKind};
    use crate::resources::Kind;

    #[test]
    fn a_first_plan_is_folded_by_phase() {
        insta::assert_snapshot!(plan_markdown(&first_plan()));
    }

    #[test]
    fn an_empty_plan_is_two_lines() {
        insta::assert_snapshot!(plan_markdown(&PlanBuilder::new(0).unchanged(1).build()));
    }

    #[test]
    fn waves_are_a_part_of_their_own() {
        insta::assert_snapshot!(plan_markdown(&waves_plan()));
    }

    #[test]
    fn hostile_names_stay_text() {
        let plan = PlanBuilder::new(0)
            .name(
                account(0),
                "<img src=x onerror=alert(1)>|`x`[y](https://z)@admin",
            )
            .name(account(1), "\u{1b}[2J\n# heading\n</details>")
            .step(
                step(
                    "members/x/dev",
                    Kind::StackSet,
                    Action::Update,
                    "update <b>@all</b>",
                )
                .reaching(targets(0..2, &[EAST]))
                .why("```\n@all")
                .with(vec![field(
                    "a",
                    text("x\n```\n<script>"),
                    text("x\n````\n@all"),
                )]),
            )
            .note(NoteKind::Foreign, Some(0), "[click](javascript:alert(1))")
            .build();
        let markdown = plan_markdown(&plan);
        insta::assert_snapshot!(markdown);
        let mut fenced: Option<String> = None;
        for line in markdown.lines() {
            let ticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fenced {
                Some(open) if ticks == *open => fenced = None,
                Some(_) => {}
                None if ticks.len() >= 3 => fenced = Some(ticks),
                None => {
                    let ours = line
                        .replace("<br>", "")
                        .replace("<details><summary>", "")
                        .replace("</summary>", "")
                        .replace("</details>", "")
                        .replace("`~`", "");
                    assert!(!ours.contains(['<', '>', '@', '`', '|', '[']), "{line}");
                }
            }
        }
        assert_eq!(fenced, None);
    }

    #[test]
    fn a_comment_never_grows_too_long() {
        let steps = (0..2000).map(|n| {
            step(
                &format!("members/c{n:04}/dev"),
                Kind::StackSet,
                Action::Create,
                "create",
            )
            .with(vec![field("x", None, text(&"x".repeat(1000)))])
        });
        let plan = PlanBuilder::new(0).steps(steps).build();
        let markdown = plan_markdown(&plan);
        assert!(markdown.len() < 65_536);
        assert!(markdown.contains("1 part left out"), "{markdown}");
    }
}
