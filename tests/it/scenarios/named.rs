//! Named scenarios of the reliability requirements (b4), by their numbers: those that need an organization as people
//! have it. The others are among the tests of the simulation.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bedrail::apply::Interrupt;
use bedrail::apply::event::{RunOutcome, What};
use bedrail::cli::render::plan_markdown::plan_markdown;
use bedrail::cli::render::plan_text::{self, plan_text};
use bedrail::cli::render::summary::{self, Ending, summary_text};
use bedrail::cli::render::words::Names;
use bedrail::journal::entry::Command;
use bedrail::journal::medium::disk::Disk;
use bedrail::plan::undo::undo;
use bedrail::runs::Trouble;
use bedrail::sandbox::faults::catalogue::CANARY;
use bedrail::sandbox::faults::mishap::HOSTILE;
use bedrail::sandbox::faults::{What as Fate, When};
use bedrail::sandbox::world::AccountId;
use bedrail::sandbox::world::cloudformation::faults::{Deed, Fault as ResourceFault};
use bedrail::sandbox::world::organizations::State;
use jiff::{SignedDuration, Timestamp};

use super::stage::{HOME, Stage, organization, place};
use crate::support::small;

const PRODUCTION: &str = r#"environment: prod
targets: { organizationalUnits: [Workloads/Prod] }
regions: [us-east-1, eu-west-1]
parameters: { Days: 30 }
delivery: { maxConcurrent: 100%, failureTolerance: 0 }
"#;

const SET: &str = "bedrail-small-notes-prod";

fn small() -> Stage {
    let project = small::project(PRODUCTION);
    let morning: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
    Stage::of(project, organization(morning))
}

async fn rolled_out() -> Stage {
    let stage = small();
    stage.apply().await.converged();
    stage.later(Duration::from_secs(3600)).await;
    stage
}

fn id(stage: &Stage, name: &str) -> AccountId {
    stage.account(name).id.clone()
}

fn breaks(stage: &Stage, account: &str, deed: Deed, times: u32, reason: &str) {
    let fault = ResourceFault {
        account: Some(id(stage, account)),
        deed: Some(deed),
        reason: reason.to_owned(),
        times: Some(times),
        ..ResourceFault::default()
    };
    stage.change(|world| world.cloudformation.faults.inject(fault));
}

/// b4 6: four accounts that fail in four ways are four rows with four remedies, and hold nobody else up.
#[tokio::test(start_paused = true)]
async fn b4_06_four_ways_to_fail_are_four_sentences() {
    let stage = small();
    stage.project.replace(
        "environments/prod.yaml",
        "failureTolerance: 0",
        "failureTolerance: 3, concurrencyMode: soft",
    );
    stage.project.replace(
        "environments/prod.yaml",
        "targets: { organizationalUnits: [Workloads/Prod] }",
        "targets: { organizationalUnits: [Workloads/Prod, Workloads/Staging] }",
    );
    let suspended = id(&stage, "prod-1");
    let region_off = id(&stage, "prod-3");
    stage.change(|world| {
        let organizations = &mut world.organizations;
        organizations.accounts.get_mut(&suspended).unwrap().state = State::Suspended;
        let account = world.accounts.entry(region_off).or_default();
        account.switched_off.insert(place("", "eu-west-1").region);
    });
    breaks(
        &stage,
        "prod-2",
        Deed::Enter,
        9,
        "Account should have 'AWSCloudFormationStackSetExecutionRole' role with trust relationship to Role 'x'.",
    );
    breaks(
        &stage,
        "prod-4",
        Deed::Create,
        9,
        "Resource of type 'AWS::Logs::LogGroup' with identifier '/notes' already exists.",
    );
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let remedies = [
        ("prod-2", "check the roles of StackSets"),
        ("prod-3", "enable the Region"),
        ("prod-4", "rename or remove what is left over"),
    ];
    for (name, remedy) in remedies {
        let account = stage.account(name);
        let mut rows = run
            .first_causes()
            .into_iter()
            .filter(|row| row.account.as_ref().map(|id| id.as_str()) == Some(account.id()));
        let row = rows
            .next()
            .unwrap_or_else(|| panic!("{name}\n{}", run.rows()));
        assert!(row.next.contains(remedy), "{name}: {}", row.next);
    }
    let text = format!("{:?} {}", run.plan.notes, run.rows());
    assert!(text.contains("suspended"), "{text}");
    for name in ["staging-1", "staging-2"] {
        let account = stage.account(name);
        assert_eq!(
            account.log_group_retention(HOME, "/notes"),
            Some(30),
            "{name}"
        );
    }
}

/// b4 11: the operator's session ends at minute 47 of the run, and again later: each time the run pauses, says that
/// somebody has to log in, and goes on; in the end everything is as it would have been.
#[tokio::test(start_paused = true)]
async fn b4_11_a_session_that_ends_twice_costs_two_commands_and_nothing_else() {
    let stage = rolled_out().await;
    stage
        .project
        .replace("environments/prod.yaml", "Days: 30", "Days: 90");
    stage.project.replace(
        "environments/prod.yaml",
        "failureTolerance: 0",
        "waves: [{ name: one, accounts: 1, bake: 60m }, { name: two, accounts: 2, bake: 60m }, { name: rest, percent: 100 }]",
    );
    let expired = bedrail::sandbox::faults::Fault {
        service: None,
        operation: None,
        account: None,
        region: None,
        when: When::Always,
        what: Fate::ExpiredToken,
    };
    let begun = stage.apply_until_expired(&expired, 47).await;
    begun.ended(RunOutcome::Interrupted);
    stage.all_is_well_again();
    let again = stage.go_on_until_expired(&expired, 48).await;
    // Its last step was begun, so that there is nothing to go on with: apply finds what AWS has done meanwhile.
    again.ended(RunOutcome::Partial);
    assert!(again.rows().contains("log in again"), "{}", again.rows());
    stage.all_is_well_again();
    stage.later(Duration::from_secs(3600)).await;
    stage.apply().await.converged();
    let operations = stage.operations(SET);
    let updates = operations.iter().filter(|o| o.action.as_str() == "UPDATE");
    assert_eq!(updates.count(), 3, "one for each wave");
    assert!(stage.plan().await.is_empty());
}

/// b4 15: an update fails in the canary, and going back fails too. The stack is neither deleted nor made anew, and
/// whoever meets it again is told the call that frees it (F67).
#[tokio::test(start_paused = true)]
async fn b4_15_a_stack_that_could_not_go_back_is_kept_and_its_repair_is_named() {
    let stage = rolled_out().await;
    let waves = "delivery:\n  waves: [{ name: canary, accounts: 1 }, { name: rest, percent: 100 }]\n  maxConcurrent: 100%\n  failureTolerance: 0\n";
    let (head, _) = PRODUCTION.split_once("delivery:").unwrap();
    stage.project.write(
        "environments/prod.yaml",
        &format!("{}{waves}", head.replace("30", "90")),
    );
    let plan = stage.plan().await;
    let canary = plan.environments["prod"].waves[0].accounts[0].clone();
    let fault = ResourceFault {
        account: Some(AccountId(canary.to_string())),
        deed: Some(Deed::Update),
        reason: "the log group is busy".to_owned(),
        times: Some(2),
        ..ResourceFault::default()
    };
    stage.change(|world| world.cloudformation.faults.inject(fault));
    let failed = stage.apply().await;
    failed.ended(RunOutcome::Partial);
    let touched = failed
        .report
        .failures
        .iter()
        .filter(|row| row.code == "FAILED");
    assert!(touched.clone().count() > 0);
    for row in touched {
        assert_eq!(row.account.as_ref(), Some(&canary));
    }
    let again = stage.apply().await;
    again.ended(RunOutcome::Partial);
    let row = again
        .report
        .failures
        .iter()
        .find(|row| row.message.contains("UPDATE_ROLLBACK_FAILED"))
        .expect("the stack's state is said");
    assert!(
        row.next.contains("continue-update-rollback"),
        "{}",
        row.next
    );
    let deleted = stage.writes().iter().any(|line| line.contains("Delete"));
    assert!(!deleted);
}

/// b4 16: a first rollout is taken back where an account was suspended since: what is left is listed, and a second
/// time nothing is changed (S25).
#[tokio::test(start_paused = true)]
async fn b4_16_what_cannot_be_taken_away_is_listed_and_a_second_time_changes_nothing() {
    let stage = small();
    stage.apply().await.converged();
    let suspended = id(&stage, "prod-1");
    stage.change(|world| {
        let organizations = &mut world.organizations;
        organizations.accounts.get_mut(&suspended).unwrap().state = State::Suspended;
    });
    breaks(
        &stage,
        "prod-2",
        Deed::Delete,
        99,
        "The bucket you tried to delete is not empty (Service: Amazon S3; Status Code: 409; Error Code: BucketNotEmpty)",
    );
    let first = stage.take_back().await;
    first.ended(RunOutcome::Partial);
    let rows = first.rows();
    assert!(rows.contains("BucketNotEmpty"), "{rows}");
    assert!(rows.contains(stage.account("prod-2").id()), "{rows}");
    assert_eq!(stage.account("prod-2").stacks(HOME).len(), 1);
    let records = stage.records("operator");
    let kept = records.kept(None).await.unwrap();
    assert_eq!(kept.command(), Some(Command::Rollback));
    assert!(
        !kept.is_open(),
        "a second rollback has nothing to take back"
    );
}

/// b4 19, X1, X5: names and reasons that attack whoever prints them come out as harmless text, in every form.
#[tokio::test(start_paused = true)]
async fn b4_19_hostile_names_and_reasons_are_harmless_text() {
    let stage = small();
    stage.change(|world| {
        let members = world.organizations.accounts.values_mut();
        for (member, text) in members.zip(HOSTILE.iter().cycle()) {
            member.name = format!("{} {text}", member.name);
        }
    });
    let reason = format!("{} {CANARY}", HOSTILE.join(" "));
    let fault = ResourceFault {
        deed: Some(Deed::Create),
        reason,
        ..ResourceFault::default()
    };
    stage.change(|world| world.cloudformation.faults.inject(fault));
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let names = Names::new(run.plan.account_names.clone());
    let width = 100;
    let ending = Ending {
        rollout: &run.plan.rollout,
        outcome: run.report.outcome,
        summary: run.report.summary,
        failures: &run.report.failures,
        paused: &run.report.paused,
        elapsed: SignedDuration::ZERO,
        go_on: "bedrail apply",
    };
    let verbose = true;
    let shown = [
        plan_text(&run.plan, plan_text::Options { width, verbose }),
        plan_markdown(&run.plan),
        summary_text(ending, &names, summary::Options { width, verbose }),
    ];
    for text in shown {
        assert!(!text.contains("\u{1b}[2J"), "{text:?}");
        for c in ['\u{9b}', '\u{202e}', '\u{2066}', '\u{0}', '\r', '\u{7f}'] {
            assert!(!text.contains(c), "{c:?} in {text:?}");
        }
    }
    let markdown = plan_markdown(&run.plan);
    assert!(!markdown.contains("<img"), "{markdown}");
}

/// b4 20, S20: a journal that is cut after any of its records is gone on with, or refused in words; never begun anew.
#[tokio::test(start_paused = true)]
async fn b4_20_a_journal_cut_at_any_record_is_gone_on_with_or_refused() {
    let stage = rolled_out().await;
    stage
        .project
        .replace("environments/prod.yaml", "Days: 30", "Days: 90");
    stage.apply().await.converged();
    let newest = stage.records("operator").kept(None).await.unwrap().id;
    let path = PathBuf::from("/records/runs")
        .join(newest.as_str())
        .join("journal.jsonl");
    let whole = stage.disk.read(&path).unwrap();
    let ends: Vec<usize> = whole
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    assert!(ends.len() > 8, "{} records", ends.len());
    let operations = stage.operations(SET).len();
    let mut gone_on = 0;
    for end in ends {
        put(&stage, &path, &whole[..end]);
        let records = stage.records("operator");
        match records.kept(Some(newest.as_str())).await {
            Ok(kept) if kept.is_open() => {
                let session = stage.session().await.unwrap();
                let before = stage.calls().len();
                let run = records.go_on(kept, &|_, _| {}).await.unwrap();
                let mut nothing = |_: &What| {};
                let run = stage
                    .execute(&session, run, &Interrupt::default(), &mut nothing, before)
                    .await;
                run.converged();
                let now = stage.operations(SET).len();
                assert_eq!(now, operations, "nothing is done twice");
                gone_on += 1;
            }
            Ok(kept) => assert_eq!(kept.recalled.outcome, Some(RunOutcome::Converged)),
            Err(Trouble::Journal(error)) => {
                assert!(error.never_began(), "{error}");
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(gone_on > 5, "{gone_on}");
    let newer = String::from_utf8(whole)
        .unwrap()
        .replacen("\"version\":1", "\"version\":2", 1);
    put(&stage, &path, newer.as_bytes());
    let refused = stage.records("operator").kept(Some(newest.as_str())).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("format 2"), "{text}");
}

fn put(stage: &Stage, path: &Path, bytes: &[u8]) {
    stage.disk.remove(path).unwrap();
    stage.disk.create(path, bytes).unwrap();
}

impl Stage {
    /// Applies, and some minutes later every session has ended.
    async fn apply_until_expired(
        &self,
        fault: &bedrail::sandbox::faults::Fault,
        minutes: u64,
    ) -> super::stage::Run {
        let interrupt = Interrupt::default();
        let (run, ()) = tokio::join!(
            self.apply_with(&interrupt, |_| {}),
            self.expires(fault, minutes)
        );
        run
    }

    async fn go_on_until_expired(
        &self,
        fault: &bedrail::sandbox::faults::Fault,
        minutes: u64,
    ) -> super::stage::Run {
        let (run, ()) = tokio::join!(self.go_on(), self.expires(fault, minutes));
        run
    }

    async fn expires(&self, fault: &bedrail::sandbox::faults::Fault, minutes: u64) {
        self.later(Duration::from_secs(minutes * 60)).await;
        self.mishap(fault.clone());
    }

    async fn go_on(&self) -> super::stage::Run {
        let records = self.records("operator");
        let kept = records.kept(None).await.unwrap();
        let session = self.session().await.unwrap();
        let before = self.calls().len();
        let run = records.go_on(kept, &|_, _| {}).await.unwrap();
        self.execute(&session, run, &Interrupt::default(), &mut |_| {}, before)
            .await
    }

    async fn take_back(&self) -> super::stage::Run {
        let records = self.records("operator");
        let kept = records.kept(None).await.unwrap();
        let back = undo(&kept.plan, &kept.recalled.touched);
        let session = self.session().await.unwrap();
        let before = self.calls().len();
        let run = records
            .begin(Command::Rollback, back, &|_, _| {})
            .await
            .unwrap();
        self.execute(&session, run, &Interrupt::default(), &mut |_| {}, before)
            .await
    }
}
