//! A plan as text for people: what changes where, by phase, component and environment; what was left
//! alone; the sum in the last lines, where it is still seen when the rest has scrolled away.

use crate::plan::{Action, Estimate, NoteKind, Plan, Summary};

use super::grouped::{Change, Component, Environment, Grouped, Notes, Phase};
use super::page::{Line, Page};
use super::style::Label;
use super::values::{self, Limits};
use super::waves;
use super::words::{Names, counted, listed, number, unit};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns.
    pub width: usize,
    /// Everything, instead of the first few of each list.
    pub verbose: bool,
}

/// Changes of one component in one environment, and notes of one kind, before the rest is counted.
const MOST_ALIKE: usize = 8;
/// Characters of a digest that tell two plans apart at a glance.
const SHORT_DIGEST: usize = 12;

/// The plan, with ANSI codes for [`super::style::stdout`] to keep or take out.
pub fn plan_text(plan: &Plan, options: Options) -> String {
    let grouped = Grouped::of(plan);
    let mut text = PlanText {
        page: Page::new(options.width),
        width: options.width,
        plan,
        names: Names::new(plan.account_names.clone()),
        verbose: options.verbose,
    };
    text.heading();
    for phase in &grouped.phases {
        text.phase(phase);
    }
    text.waves();
    text.notes(&grouped.notes);
    text.summary(&grouped.notes);
    text.page.finish()
}

/// `24 to create, 3 to update, 1 to delete, 310 unchanged`.
pub fn summary_words(summary: Summary) -> String {
    let Summary {
        create,
        update,
        delete,
        unchanged,
    } = summary;
    format!(
        "{} to create, {} to update, {} to delete, {} unchanged",
        number(create),
        number(update),
        number(delete),
        number(unchanged)
    )
}

/// Only what there is: `48 to create, 2 to delete`.
pub fn counts_words(summary: Summary) -> String {
    let parts = [
        (summary.create, "to create"),
        (summary.update, "to update"),
        (summary.delete, "to delete"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} {what}", number(n)))
        .collect();
    parts.join(", ")
}

/// What the notes of a kind have in common.
pub fn note_heading(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::OutOfScope => "Out of scope, nothing is done there",
        NoteKind::Protected => "Protected, never touched",
        NoteKind::Foreign => "Not ours, left as it is",
        NoteKind::Blocked => "Must be mended by hand first",
        NoteKind::Unknown => "Could not be read; unknown is not absent",
        NoteKind::Advice => "Good to know",
    }
}

/// A note with what and whom it is about.
pub fn note_words(note: &Notes<'_>, names: &Names) -> String {
    let mut out = String::new();
    if let Some(component) = note.component {
        out.push_str(&unit(component, note.environment));
        out.push_str(": ");
    } else if let Some(environment) = note.environment {
        out.push_str(environment);
        out.push_str(": ");
    }
    let places = listed(&note.scope.phrases(names));
    if !places.is_empty() {
        out.push_str(&places);
        out.push_str(match (note.continues, note.count) {
            (true, 1) => " ",
            (true, _) => ": each ",
            (false, _) => ": ",
        });
    }
    out.push_str(&note.text);
    out
}

/// Places that could not be read.
pub fn unknown_count(notes: &[Notes<'_>]) -> usize {
    let unknown = notes.iter().filter(|note| note.kind == NoteKind::Unknown);
    unknown.map(|note| note.count).sum()
}

/// Said after the sum of a plan that does not know everything.
pub fn unknown_words(unknown: usize) -> String {
    let verb = if unknown == 1 { "was" } else { "were" };
    format!(
        "{} could not be read and {verb} left out: this plan is not complete.",
        counted(unknown, "place")
    )
}

/// How long it takes, where anything is known of it.
pub fn estimate_words(plan: &Plan) -> Option<String> {
    let approvals = plan
        .environments
        .values()
        .flat_map(|order| &order.waves)
        .any(|wave| wave.approval.is_some());
    let apart = if approvals { ", approvals apart" } else { "" };
    (plan.estimate != Estimate::default())
        .then(|| format!("It takes {}{apart}.", waves::time(plan.estimate)))
}

/// The sentence that a plan without steps ends with.
pub fn nothing_to_do(summary: Summary) -> String {
    match summary.unchanged {
        0 => "No changes. There is nothing to do.".to_owned(),
        1 => "No changes. The only target is as declared.".to_owned(),
        n => format!("No changes. All {} are as declared.", counted(n, "target")),
    }
}

/// `4f0c2d1e9ab3`, the start of a digest.
pub fn short_digest(digest: &str) -> String {
    digest.chars().take(SHORT_DIGEST).collect()
}

/// `prod, after dev and staging`, or `dev, staging and prod`.
pub fn environment_words(names: &[&str], plan: &Plan) -> Option<String> {
    match names {
        [] => None,
        [name] => {
            let order = plan.environments.get(*name);
            let after = order
                .map(|order| order.after.as_slice())
                .unwrap_or_default();
            Some(match after {
                [] => (*name).to_owned(),
                after => format!("{name}, after {}", listed(after)),
            })
        }
        names => {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Some(listed(&names))
        }
    }
}

pub fn action_label(action: Action) -> Label {
    match action {
        Action::Create => Label::Create,
        Action::Update => Label::Update,
        Action::Delete => Label::Delete,
    }
}

struct PlanText<'a> {
    page: Page,
    width: usize,
    plan: &'a Plan,
    names: Names,
    verbose: bool,
}

impl PlanText<'_> {
    fn heading(&mut self) {
        let plan = self.plan;
        let line = Line::at(0)
            .text("Rollout ")
            .put(Label::Component, &plan.rollout)
            .text(format!(" in organization {}", plan.organization));
        self.page.line(&line);
        if !plan.steps.is_empty() {
            let text = format!("Plan {}", short_digest(&plan.digest));
            self.page.line(&Line::at(0).put(Label::Muted, text));
        }
    }

    fn phase(&mut self, phase: &Phase<'_>) {
        self.page.blank();
        let title = format!(
            "Phase {} of {}, {}",
            phase.number,
            self.plan.phases.len().max(phase.number),
            phase.name
        );
        let line = Line::at(0)
            .put(Label::Heading, title)
            .text(format!(": {}", counts_words(phase.counts)));
        self.page.line(&line);
        for component in &phase.components {
            self.component(component);
        }
    }

    fn component(&mut self, component: &Component<'_>) {
        self.page.blank();
        let line = Line::at(2)
            .put(Label::Component, component.name)
            .put(Label::Muted, format!(" ({})", component.kind.name()));
        self.page.line(&line);
        for environment in &component.environments {
            self.environment(environment);
        }
    }

    fn environment(&mut self, environment: &Environment<'_>) {
        let mut indent = 4;
        if let Some(words) = environment_words(&environment.names, self.plan) {
            let line = Line::at(indent).put(Label::Environment, words);
            self.page.line(&line);
            indent += 2;
        }
        let most = if self.verbose { usize::MAX } else { MOST_ALIKE };
        let mut reason = "";
        for change in environment.changes.iter().take(most) {
            self.change(change, indent, &mut reason);
        }
        let rest: Vec<&Change> = environment.changes.iter().skip(most).collect();
        if !rest.is_empty() {
            let targets: usize = rest.iter().map(|change| change.targets).sum();
            let text = format!(
                "and {} on {} (all with -v)",
                counted(rest.len(), "more change"),
                counted(targets, "target")
            );
            self.page
                .line(&Line::at(indent + 2).put(Label::Muted, text));
        }
    }

    fn change<'c>(&mut self, change: &'c Change, indent: usize, last_reason: &mut &'c str) {
        let inner = indent + 4;
        let label = action_label(change.action);
        let mut line = Line::at(indent)
            .hang(inner)
            .put(label, change.action.symbol().to_string())
            .text(" ")
            .text(&change.title);
        let phrases = change.scope.phrases(&self.names);
        if let Some(first) = phrases.first() {
            line = line.put(Label::Muted, ":").text(" ");
            line.push(Label::Account, first);
        }
        self.page.line(&line);
        for phrase in phrases.iter().skip(1) {
            let line = Line::at(inner).text("and ").put(Label::Account, phrase);
            self.page.line(&line.hang(inner + 4));
        }
        if let Some(accounts) = change.scope.named_accounts(&self.names, self.verbose) {
            self.page.line(&Line::at(inner).put(Label::Muted, accounts));
        }
        if !change.reason.is_empty() && *last_reason != change.reason {
            let text = format!("Why: {}", change.reason);
            let line = Line::at(inner).hang(inner + 5).put(Label::Muted, text);
            self.page.line(&line);
        }
        *last_reason = &change.reason;
        for line in values::lines(&change.fields, inner, self.width, Limits::of(self.verbose)) {
            self.page.line(&line);
        }
    }

    fn waves(&mut self) {
        let deliveries = waves::deliveries(self.plan, &self.names);
        if deliveries.is_empty() {
            return;
        }
        self.page.blank();
        self.page.line(&Line::at(0).put(Label::Heading, "Waves"));
        for delivery in &deliveries {
            let line = Line::at(2).hang(4).put(Label::Environment, &delivery.title);
            self.page.line(&line);
            for wave in &delivery.waves {
                let line = Line::at(4).hang(6).put(Label::Component, &wave.name);
                self.page.line(&line.text(": ").text(&wave.what));
                if let Some(first) = &wave.first {
                    let line = Line::at(6).hang(8).put(Label::Warning, "begins when ");
                    self.page.line(&line.text(first));
                }
                if let Some(then) = &wave.then {
                    let line = Line::at(6)
                        .hang(8)
                        .put(Label::Muted, format!("then {then}"));
                    self.page.line(&line);
                }
            }
        }
    }

    fn notes(&mut self, notes: &[Notes<'_>]) {
        let most = if self.verbose { usize::MAX } else { MOST_ALIKE };
        for alike in notes.chunk_by(|a, b| a.kind == b.kind) {
            let Some(kind) = alike.first().map(|note| note.kind) else {
                continue;
            };
            let label = match kind {
                NoteKind::Unknown | NoteKind::Foreign | NoteKind::Blocked => Label::Warning,
                NoteKind::OutOfScope | NoteKind::Protected | NoteKind::Advice => Label::Component,
            };
            self.page.blank();
            self.page.line(&Line::at(0).put(label, note_heading(kind)));
            for note in alike.iter().take(most) {
                let line = Line::at(2).hang(4).text(note_words(note, &self.names));
                self.page.line(&line);
                if let Some(accounts) = note.scope.named_accounts(&self.names, self.verbose) {
                    self.page.line(&Line::at(4).put(Label::Muted, accounts));
                }
            }
            if alike.len() > most {
                let text = format!("and {} (all with -v)", number(alike.len() - most) + " more");
                self.page.line(&Line::at(2).put(Label::Muted, text));
            }
        }
    }

    fn summary(&mut self, notes: &[Notes<'_>]) {
        self.page.blank();
        if self.plan.steps.is_empty() {
            let text = nothing_to_do(self.plan.summary);
            self.page.line(&Line::at(0).put(Label::Success, text));
        } else {
            let text = format!(" {}.", summary_words(self.plan.summary));
            let line = Line::at(0).put(Label::Component, "Plan:").text(text);
            self.page.line(&line);
            if let Some(words) = estimate_words(self.plan) {
                self.page.line(&Line::at(0).text(words));
            }
        }
        let unknown = unknown_count(notes);
        if unknown > 0 {
            let line = Line::at(0).put(Label::Warning, unknown_words(unknown));
            self.page.line(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::*;
    use super::*;
    use crate::resources::Kind;

    fn coloured(plan: &Plan, width: usize, verbose: bool) -> String {
        plan_text(plan, Options { width, verbose })
    }

    fn shown(plan: &Plan, width: usize, verbose: bool) -> String {
        anstream::adapter::strip_str(&coloured(plan, width, verbose)).to_string()
    }

    fn large_plan() -> Plan {
        let mut changed = vec![field(
            "parameters.LogRetentionDays",
            text("365"),
            text("2557"),
        )];
        let step_of = |accounts: Vec<usize>, changes| {
            step(
                "members/invocation-logging/prod",
                Kind::StackSet,
                Action::Update,
                "update the instances",
            )
            .reaching(targets(accounts, &[EAST, WEST]))
            .why("parameters differ from the declaration")
            .with(changes)
        };
        let mut plan = PlanBuilder::new(304)
            .environment("prod", 300, &["staging"])
            .unchanged(310);
        plan = plan.step(step_of((0..297).collect(), changed.clone()));
        changed.push(field("parameters.KeyRotationDays", None, text("365")));
        plan = plan.step(step_of(vec![297, 298], changed));
        let mut mixed = targets(0..12, &[EAST, WEST]);
        mixed.extend(targets(12..14, &[EAST]));
        plan = plan.step(
            step(
                "members/deployer-role/prod",
                Kind::StackSet,
                Action::Create,
                "create instances",
            )
            .reaching(mixed)
            .why("14 accounts have none yet"),
        );
        plan = plan.steps(logging_steps("prod", 0..300));
        let own = logging_steps("prod", 300..302).into_iter().map(|step| {
            let changes = vec![field(
                "s3.bucket",
                text("somebody-elses-bucket"),
                text("logs"),
            )];
            let mut step = step.with(changes).why("declared to be replaced");
            step.action = Action::Update;
            step
        });
        plan = plan.steps(own);
        for n in 0..20 {
            plan = plan.note(
                NoteKind::OutOfScope,
                Some(n),
                &format!("app-{n:03} is suspended"),
            );
        }
        plan.note(NoteKind::Protected, Some(303), "app-303 is protected")
            .note(
                NoteKind::Foreign,
                Some(302),
                "the logging configuration is not ours, and neither adopt nor replace is declared",
            )
            .note(NoteKind::Unknown, Some(301), "sts:AssumeRole was denied")
            .build()
    }

    fn changed_plan() -> Plan {
        let policy = POLICY.replace("anthropic.*", "amazon.nova-*");
        PlanBuilder::new(3)
            .environment("dev", 3, &[])
            .unchanged(7)
            .step(
                step(
                    "management/approved-models/dev",
                    Kind::Policy,
                    Action::Update,
                    "update the policy",
                )
                .why("the document differs")
                .with(vec![
                    field(
                        "description",
                        text("Approved models"),
                        text("Approved models of dev"),
                    ),
                    field("content", text(POLICY), text(&policy)),
                ]),
            )
            .step(
                step(
                    "members/invocation-logging/dev",
                    Kind::StackSet,
                    Action::Update,
                    "update the StackSet",
                )
                .reaching(targets(0..3, &[EAST]))
                .with(vec![
                    field("parameters.LogRetentionDays", text("30"), text("90")),
                    field(
                        "parameters.LogDestinationArn",
                        text("arn:aws:logs:us-east-1:100000000900:destination:bedrail"),
                        later("central-monitoring"),
                    ),
                    field("parameters.Token", Some(Shown::Hidden), Some(Shown::Hidden)),
                    field("parameters.OldName", text("x"), None),
                ]),
            )
            .build()
    }

    use crate::plan::{Action, NoteKind, Shown};

    #[test]
    fn an_empty_plan_says_that_nothing_is_to_be_done() {
        let plan = PlanBuilder::new(0).unchanged(310).build();
        insta::assert_snapshot!(shown(&plan, 80, false));
    }

    #[test]
    fn a_first_plan_reads_phase_by_phase() {
        insta::assert_snapshot!("first_80", shown(&first_plan(), 80, false));
        insta::assert_snapshot!("first_160", shown(&first_plan(), 160, false));
        insta::assert_snapshot!(
            "first_coloured",
            coloured(&first_plan(), 80, false).replace('\u{1b}', "␛")
        );
    }

    #[test]
    fn three_hundred_accounts_fit_on_a_screen_and_exceptions_are_named() {
        let text = shown(&large_plan(), 80, false);
        assert!(text.lines().count() < 60, "{text}");
        insta::assert_snapshot!("large_80", text);
        insta::assert_snapshot!("large_160", shown(&large_plan(), 160, false));
    }

    #[test]
    fn the_verbose_plan_names_every_account() {
        let text = shown(&large_plan(), 160, true);
        for n in 0..304 {
            assert!(text.contains(account(n).as_str()), "{n}");
        }
    }

    #[test]
    fn an_update_shows_old_and_new_values() {
        insta::assert_snapshot!("changed_80", shown(&changed_plan(), 80, false));
        insta::assert_snapshot!(
            "changed_coloured",
            coloured(&changed_plan(), 160, false).replace('\u{1b}', "␛")
        );
    }

    #[test]
    fn deletes_are_marked_without_colour_too() {
        let plan = PlanBuilder::new(1)
            .environment("dev", 1, &[])
            .step(
                step(
                    "seal/protect-invocation-logging/dev",
                    Kind::Policy,
                    Action::Delete,
                    "detach from Workloads/Dev",
                )
                .why("no longer declared"),
            )
            .step(
                step(
                    "seal/protect-invocation-logging/dev",
                    Kind::Policy,
                    Action::Delete,
                    "delete the policy",
                )
                .why("no longer declared")
                .with(vec![field("content", text(POLICY), None)]),
            )
            .build();
        insta::assert_snapshot!(shown(&plan, 80, false));
    }

    /// An update over three waves of 300 accounts.
    #[test]
    fn waves_say_who_comes_when_and_what_is_waited_for() {
        let plan = waves_plan();
        let text = shown(&plan, 80, false);
        assert!(text.lines().count() < 40, "{text}");
        insta::assert_snapshot!("waves_80", text);
        insta::assert_snapshot!("waves_160", shown(&plan, 160, false));
    }

    fn hostile_plan() -> Plan {
        PlanBuilder::new(0)
            .environment("dev", 9, &[])
            .name(account(0), "\u{1b}[2J\u{1b}[31mroot\u{1b}[0m")
            .name(account(1), "pay\u{202e}stnem\u{202c}")
            .name(
                account(2),
                "<img src=x onerror=alert(1)> | `x` [y](z) @admin\nPlan: 0 to create",
            )
            .step(
                step(
                    "members/x/dev",
                    Kind::StackSet,
                    Action::Create,
                    "create\u{9b}31m",
                )
                .reaching(targets(0..3, &[EAST]))
                .why("a\r\nb")
                .with(vec![field(
                    "p\u{200b}ath",
                    text("\u{7}bell"),
                    text(&"x".repeat(1024 * 1024)),
                )]),
            )
            .note(
                NoteKind::Unknown,
                Some(0),
                "access denied\u{1b}]0;title\u{7}",
            )
            .build()
    }

    #[test]
    fn hostile_names_are_shown_and_do_nothing() {
        let plan = hostile_plan();
        insta::assert_snapshot!(shown(&plan, 80, false));
        for verbose in [false, true] {
            let text = shown(&plan, 80, verbose);
            assert!(text.len() < 10_000, "{}", text.len());
            let unsafe_character = |c: char| {
                (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}')
            };
            assert!(!text.contains(unsafe_character), "{text:?}");
        }
    }

    #[test]
    fn the_same_plan_gives_the_same_text() {
        let plan = large_plan();
        let json = serde_json::to_string(&plan).unwrap();
        let again: Plan = serde_json::from_str(&json).unwrap();
        assert_eq!(coloured(&plan, 100, true), coloured(&again, 100, true));
    }
}
