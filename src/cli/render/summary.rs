//! The end of a run: first what failed and what to do about it, then the counts, then how to go on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use unicode_width::UnicodeWidthStr;

use crate::apply::event::{Check, Failure, FailureClass, Pause, RunOutcome, RunSummary};
use crate::ids::{AccountId, Region};

use super::cause;
use super::page::{Line, Page};
use super::style::Label;
use super::words::{Names, counted, duration, folded, listed, number, shortened, unit};

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    pub rollout: &'a str,
    pub outcome: RunOutcome,
    pub summary: RunSummary,
    pub failures: &'a [Failure],
    pub paused: &'a [Pause],
    pub elapsed: SignedDuration,
    /// What to type to go on, with the options of this run: `bedrail apply --sandbox`.
    pub go_on: &'a str,
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub width: usize,
    pub verbose: bool,
}

/// Accounts with a row of their own; the others are named in a list. None is left out: a run is not made
/// again to see which accounts it missed.
const MOST_ROWS: usize = 20;
/// Characters of a cause or of an advice.
const LONGEST: usize = 1_500;
/// Columns of names; longer ones push their own row only.
const NAME_COLUMN: usize = 32;

pub fn summary_text(ending: Ending<'_>, names: &Names, options: Options) -> String {
    let mut text = SummaryText {
        page: Page::new(options.width),
        names,
        verbose: options.verbose,
    };
    text.failures(&causes(ending.failures));
    text.pauses(ending.paused);
    text.outcome(&ending);
    text.page.finish()
}

/// Failures with the same cause and the same remedy.
#[derive(Debug)]
struct Cause<'a> {
    units: Vec<String>,
    code: &'a str,
    message: String,
    next: String,
    class: FailureClass,
    /// Regions by account; no account: it concerns the organization.
    places: BTreeMap<Option<&'a AccountId>, Vec<&'a Region>>,
    count: usize,
}

fn causes(failures: &[Failure]) -> Vec<Cause<'_>> {
    let mut alike: BTreeMap<(FailureRank, &str, String, String), Vec<&Failure>> = BTreeMap::new();
    for failure in failures {
        let key = (
            FailureRank::of(failure.class),
            failure.code.as_str(),
            cause::cause(failure),
            cause::remedy(failure),
        );
        alike.entry(key).or_default().push(failure);
    }
    let mut causes: Vec<(FailureRank, Cause<'_>)> = alike
        .into_iter()
        .filter_map(|((rank, code, message, next), failures)| {
            Some((rank, grouped(code, message, next, &failures)?))
        })
        .collect();
    causes.sort_by_key(|(rank, cause)| (*rank, usize::MAX - cause.count));
    causes.into_iter().map(|(_, cause)| cause).collect()
}

fn grouped<'a>(
    code: &'a str,
    message: String,
    next: String,
    failures: &[&'a Failure],
) -> Option<Cause<'a>> {
    let first = failures.first()?;
    let mut units: Vec<String> = Vec::new();
    let mut places: BTreeMap<Option<&AccountId>, Vec<&Region>> = BTreeMap::new();
    for failure in failures {
        let unit = unit(&failure.component, failure.environment.as_deref());
        if !units.contains(&unit) {
            units.push(unit);
        }
        let regions = places.entry(failure.account.as_ref()).or_default();
        if let Some(region) = &failure.region
            && !regions.contains(&region)
        {
            regions.push(region);
        }
    }
    // Where there is one only, its id says more than a placeholder.
    let regions: BTreeSet<&Region> = places.values().flatten().copied().collect();
    let one_account = first.account.as_ref().filter(|_| places.len() == 1);
    let one_region = regions.first().filter(|_| regions.len() == 1);
    let named = |text: String| {
        let account = one_account.map_or("<account>", |account| account.as_str());
        let region = one_region.map_or("<Region>", |region| region.as_str());
        text.replace("${account.id}", account)
            .replace("${region}", region)
    };
    let (message, next) = if one_account.is_some() && regions.len() <= 1 {
        (first.message.clone(), first.next.clone())
    } else {
        (named(message), named(next))
    };
    Some(Cause {
        units,
        code,
        message,
        next,
        class: first.class,
        places,
        count: failures.len(),
    })
}

/// What somebody must act on comes first; what only follows from it comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FailureRank {
    NeedsAction,
    Conflict,
    Retryable,
    OutOfScope,
    NotAttempted,
}

impl FailureRank {
    fn of(class: FailureClass) -> Self {
        match class {
            FailureClass::NeedsAction => Self::NeedsAction,
            FailureClass::Conflict => Self::Conflict,
            FailureClass::Retryable => Self::Retryable,
            FailureClass::OutOfScope => Self::OutOfScope,
            FailureClass::NotAttempted => Self::NotAttempted,
        }
    }
}

/// `None` where the heading has said it.
fn class_words(class: FailureClass) -> Option<&'static str> {
    match class {
        FailureClass::NeedsAction => Some("needs action"),
        FailureClass::Conflict => Some("conflict"),
        FailureClass::Retryable => Some("may succeed next time"),
        FailureClass::OutOfScope => Some("out of scope"),
        FailureClass::NotAttempted => None,
    }
}

struct SummaryText<'a> {
    page: Page,
    names: &'a Names,
    verbose: bool,
}

impl SummaryText<'_> {
    fn failures(&mut self, causes: &[Cause<'_>]) {
        let (follow, real): (Vec<&Cause<'_>>, Vec<&Cause<'_>>) = causes
            .iter()
            .partition(|cause| cause.class == FailureClass::NotAttempted);
        if !real.is_empty() {
            let count: usize = real.iter().map(|cause| cause.count).sum();
            let text = format!("Failures: {}", counted(count, "target"));
            self.page.line(&Line::at(0).put(Label::Error, text));
        }
        self.some_causes(&real);
        if !follow.is_empty() {
            let count: usize = follow.iter().map(|cause| cause.count).sum();
            let text = format!("Not attempted: {}", counted(count, "target"));
            self.page.line(&Line::at(0).put(Label::Warning, text));
        }
        self.some_causes(&follow);
    }

    fn some_causes(&mut self, causes: &[&Cause<'_>]) {
        for cause in causes {
            self.page.blank();
            self.cause(cause);
        }
        if !causes.is_empty() {
            self.page.blank();
        }
    }

    fn cause(&mut self, cause: &Cause<'_>) {
        let units = folded(&cause.units, 3);
        let mut head = Line::at(2).hang(4).put(Label::Component, units);
        if let Some(words) = class_words(cause.class) {
            head = head.text(": ").put(Label::Error, cause.code);
            head.push(Label::Muted, &format!(" ({words})"));
        }
        self.page.line(&head);
        self.places(cause);
        if !cause.message.is_empty() {
            let line = Line::at(4).hang(11).put(Label::Muted, "Cause:").text(" ");
            self.page
                .line(&line.text(shortened(&cause.message, LONGEST)));
        }
        if !cause.next.is_empty() {
            let line = Line::at(4).hang(11).put(Label::Muted, "Next: ").text(" ");
            self.page.line(&line.text(shortened(&cause.next, LONGEST)));
        }
    }

    fn pauses(&mut self, paused: &[Pause]) {
        for pause in paused {
            let Pause {
                environment, wave, ..
            } = pause;
            let what = match pause.check {
                Check::Approval => format!("{environment} waits before wave {wave}"),
                Check::Gate | Check::Bake | Check::Alarm | Check::Command => {
                    format!("{environment} waits after wave {wave}")
                }
            };
            let line = Line::at(0).hang(2).put(Label::Warning, what).text(": ");
            self.page
                .line(&line.text(shortened(&pause.message, LONGEST)));
            let line = Line::at(2).hang(8).put(Label::Muted, "Next:").text(" ");
            self.page.line(&line.text(shortened(&pause.next, LONGEST)));
        }
        if !paused.is_empty() {
            self.page.blank();
        }
    }

    /// A row for each account: name, id, Regions.
    fn places(&mut self, cause: &Cause<'_>) {
        let most = if self.verbose { usize::MAX } else { MOST_ROWS };
        let rows: Vec<(String, &AccountId, String)> = cause
            .places
            .iter()
            .filter_map(|(account, regions)| {
                let account = (*account)?;
                let regions: Vec<String> = regions.iter().map(|r| r.to_string()).collect();
                let name = self.names.name(account).unwrap_or_default();
                Some((name, account, listed(&regions)))
            })
            .collect();
        let shown = || rows.iter().take(most);
        let widths = shown().map(|(name, _, _)| name.width());
        let column = widths
            .filter(|w| *w <= NAME_COLUMN)
            .max()
            .unwrap_or_default();
        for (name, account, regions) in shown() {
            let mut line = Line::at(4).hang(6);
            if column > 0 {
                line = line.put(Label::Account, name).column(4 + column + 2);
            }
            line = line.put(Label::Account, account.as_str());
            if !regions.is_empty() {
                line = line.text("  ").text(regions);
            }
            self.page.line(&line);
        }
        let rest: Vec<String> = rows
            .iter()
            .skip(most)
            .map(|(_, account, _)| self.names.of(account))
            .collect();
        if !rest.is_empty() {
            let text = format!("and {}: ", counted(rest.len(), "more account"));
            let line = Line::at(4).hang(6).put(Label::Muted, text);
            self.page.line(&line.text(listed(&rest)));
        }
    }

    fn outcome(&mut self, ending: &Ending<'_>) {
        let RunSummary {
            succeeded,
            failed,
            skipped,
            not_attempted,
        } = ending.summary;
        let nothing_done = succeeded == 0 && failed == 0;
        let (label, words) = match ending.outcome {
            RunOutcome::Converged => (Label::Success, "Done."),
            RunOutcome::Partial if succeeded == 0 => (Label::Error, "Nothing succeeded."),
            RunOutcome::Partial => (Label::Error, "Done in part."),
            RunOutcome::Refused if nothing_done => (Label::Error, "Refused, nothing was changed."),
            RunOutcome::Refused => (Label::Error, "Refused to go on."),
            RunOutcome::Interrupted if !ending.paused.is_empty() => (Label::Warning, "Paused."),
            RunOutcome::Interrupted => (Label::Warning, "Interrupted."),
        };
        let counts: Vec<String> = [
            (succeeded, "succeeded", true),
            (failed, "failed", false),
            (skipped, "skipped", false),
            (not_attempted, "not attempted", false),
        ]
        .into_iter()
        .filter(|(n, _, always)| *always || *n > 0)
        .map(|(n, word, _)| format!("{} {word}", number(n)))
        .collect();
        let line = Line::at(0)
            .put(Label::Component, ending.rollout)
            .text(": ")
            .put(label, words)
            .text(format!(
                " {} in {}.",
                counts.join(", "),
                duration(ending.elapsed)
            ));
        self.page.line(&line);
        if let Some(text) = self::go_on(ending.outcome) {
            let line = Line::at(0).text(text).text(" ");
            self.page.line(&line.put(Label::Command, ending.go_on));
        }
    }
}

/// What leads to the command that goes on.
fn go_on(outcome: RunOutcome) -> Option<&'static str> {
    match outcome {
        RunOutcome::Converged => None,
        RunOutcome::Partial => Some("When the causes are removed, go on with what is left:"),
        RunOutcome::Refused => Some("To plan again from what is live now:"),
        RunOutcome::Interrupted => Some("To go on with what is left:"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::*;
    use super::*;
    use crate::apply::event::What;

    fn coloured(ending: Ending<'_>, width: usize, verbose: bool) -> String {
        let names = (0..40)
            .map(|n| (account(n), format!("app-{n:03}")))
            .collect();
        summary_text(ending, &Names::new(names), Options { width, verbose })
    }

    fn shown(ending: Ending<'_>, width: usize, verbose: bool) -> String {
        anstream::adapter::strip_str(&coloured(ending, width, verbose)).to_string()
    }

    fn ending(outcome: RunOutcome, summary: [usize; 4], failures: &[Failure]) -> Ending<'_> {
        let [succeeded, failed, skipped, not_attempted] = summary;
        Ending {
            rollout: "bedrock-governance",
            outcome,
            summary: RunSummary {
                succeeded,
                failed,
                skipped,
                not_attempted,
            },
            failures,
            paused: &[],
            elapsed: SignedDuration::from_secs(724),
            go_on: "bedrail apply --sandbox",
        }
    }

    #[test]
    fn a_partial_run_names_each_cause_once() {
        let events = partial_run();
        let Some(What::RunFinished { failures, .. }) = events.last().map(|event| &event.what)
        else {
            panic!("the last event ends the run");
        };
        let ending = ending(RunOutcome::Partial, [583, 17, 0, 24], failures);
        insta::assert_snapshot!("partial_80", shown(ending, 80, false));
        insta::assert_snapshot!("partial_160", shown(ending, 160, false));
        insta::assert_snapshot!(
            "partial_coloured",
            coloured(ending, 160, false).replace('\u{1b}', "␛")
        );
        for n in (0..6).chain([11]) {
            assert!(shown(ending, 80, true).contains(account(n).as_str()), "{n}");
        }
    }

    #[test]
    fn hundreds_of_accounts_with_one_cause_are_all_named_in_little_room() {
        let failures: Vec<Failure> = (0..300)
            .map(|n| {
                failure(
                    n,
                    EAST,
                    "x",
                    "AlreadyExists",
                    "the log group exists",
                    "adopt it",
                )
            })
            .collect();
        let text = shown(
            ending(RunOutcome::Partial, [0, 300, 0, 0], &failures),
            100,
            false,
        );
        assert!(text.lines().count() < 110, "{text}");
        for n in 0..300 {
            assert!(text.contains(account(n).as_str()), "{n}");
        }
    }

    #[test]
    fn each_outcome_says_how_to_go_on() {
        let all: Vec<String> = [
            (RunOutcome::Converged, [624, 0, 2, 0]),
            (RunOutcome::Partial, [0, 3, 0, 0]),
            (RunOutcome::Refused, [0, 0, 0, 624]),
            (RunOutcome::Refused, [24, 0, 0, 600]),
            (RunOutcome::Interrupted, [24, 0, 0, 600]),
        ]
        .into_iter()
        .map(|(outcome, summary)| shown(ending(outcome, summary, &[]), 80, false))
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn a_paused_run_says_what_it_waits_for_and_how_it_goes_on() {
        let pause = |wave: &str, check, message: &str, next: &str| Pause {
            environment: "prod".to_owned(),
            wave: wave.to_owned(),
            check,
            message: message.to_owned(),
            next: next.to_owned(),
        };
        let paused = [
            pause(
                "rest",
                Check::Approval,
                "it needs an approval: the plan reaches 300 accounts, over 50",
                "`bedrail approve r1 prod/rest`, then `bedrail resume`",
            ),
            pause(
                "canary",
                Check::Alarm,
                "alarm errors in 100000000900 (us-east-1) has not enough data",
                "`bedrail resume` looks at it again",
            ),
        ];
        let ending = Ending {
            paused: &paused,
            ..ending(RunOutcome::Interrupted, [75, 0, 0, 225], &[])
        };
        insta::assert_snapshot!(shown(ending, 80, false));
    }

    #[test]
    fn a_cause_with_escape_codes_or_without_end_is_tamed() {
        let mut failure = failure(0, EAST, "x", "AccessDenied", "\u{1b}[2J", "do\u{202e}");
        failure.message.push_str(&"x".repeat(1024 * 1024));
        let failures = [failure];
        let text = shown(
            ending(RunOutcome::Partial, [0, 1, 0, 0], &failures),
            80,
            true,
        );
        assert!(text.len() < 4_000);
        assert!(!text.contains(['\u{1b}', '\u{202e}']));
    }
}
