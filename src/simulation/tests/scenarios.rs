//! Named scenarios of the reliability requirements (b4), by their numbers.

use crate::sandbox::faults::{Fault, Rule, What, When};
use crate::simulation::draw::{Broken, Crash, Interference, Options, Point, Sleep, Start, Then};
use crate::simulation::record::Call;
use crate::simulation::run::Outcome;
use crate::simulation::shape::{Amount, account_id};
use crate::simulation::{fleet, run, sweep};

/// Plays it where there is room on the stack, and expects that nothing breaks.
fn plays(options: &Options) -> Outcome {
    let outcome = std::sync::Mutex::new(None);
    fleet::on_threads(1, || {
        *outcome.lock().unwrap() = Some(run::run(options).unwrap());
    });
    let outcome = outcome.into_inner().unwrap().expect("it was played");
    assert!(outcome.breach().is_none(), "{:#?}", outcome.breach());
    outcome
}

fn changes(calls: &[Call], process: usize) -> Vec<&Call> {
    calls
        .iter()
        .filter(|call| call.process == process && call.is_mutating())
        .collect()
}

/// The number of the first change of this kind that the first process makes.
fn nth(start: Start, operation: &str) -> usize {
    let outcome = plays(&sweep::quiet(start));
    let at = changes(&outcome.calls, 1)
        .iter()
        .position(|call| call.operation == operation);
    1 + at.unwrap_or_else(|| panic!("there is no {operation}"))
}

fn always(service: &str, operation: Option<&str>, when: When, what: What) -> Rule {
    Rule::from(Fault {
        service: Some(service.to_owned()),
        operation: operation.map(str::to_owned),
        account: None,
        region: None,
        when,
        what,
    })
}

#[test]
fn b4_01_killed_after_aws_accepted_and_somebody_else_goes_on() {
    let options = Options {
        crashes: vec![Crash {
            nth: nth(Start::Nothing, "CreateStackInstances"),
            point: Point::After,
            power: false,
            then: Then::Resume,
        }],
        ..sweep::quiet(Start::Nothing)
    };
    let outcome = plays(&options);
    let ids: std::collections::BTreeSet<&str> = outcome
        .calls
        .iter()
        .filter(|call| call.operation == "CreateStackInstances")
        .filter(|call| call.text("StackSetName") == Some("bedrail-sim-base-dev"))
        .filter_map(|call| call.text("OperationId"))
        .collect();
    assert_eq!(ids.len(), 1, "one operation, adopted: {ids:?}");
}

#[test]
fn b4_04_a_discovery_that_breaks_off_deletes_nothing() {
    let mut options = sweep::quiet(Start::RolledOut);
    options.aws.page_size = Some(2);
    options.faults = vec![always(
        "organizations",
        Some("ListAccounts"),
        When::Nth(2),
        What::AccessDenied,
    )];
    let outcome = plays(&options);
    assert!(changes(&outcome.calls, 1).is_empty(), "no plan, no change");
}

#[test]
fn b4_09_an_account_that_moved_is_left_alone() {
    let account = account_id(1, 1);
    let mut options = sweep::quiet(Start::Nothing);
    options.interference = vec![Interference::Move {
        account: account.clone(),
    }];
    // Where it went to it is out of scope: the runs after this one are about another organization.
    let outcome = std::sync::Mutex::new(None);
    fleet::on_threads(1, || {
        *outcome.lock().unwrap() = Some(run::run(&options).unwrap());
    });
    let outcome = outcome.into_inner().unwrap().unwrap();
    for call in changes(&outcome.calls, 1) {
        let inside = call.account.as_ref().is_some_and(|id| id.0 == account);
        assert!(!inside, "{}", call.line());
    }
}

#[test]
fn b4_10_success_with_a_failed_row_that_shows_late_is_no_success() {
    let mut options = sweep::quiet(Start::RolledOut);
    options.aws.list_lag_seconds = 90;
    for environment in &mut options.shape.environments {
        environment.delivery.tolerance = Amount::Count(1);
    }
    options.broken = vec![Broken {
        account: account_id(0, 1),
        resource: Some("Group"),
        times: 1,
    }];
    let outcome = plays(&options);
    let near = outcome.findings.tallies.get("R1").copied();
    assert!(near.is_some_and(|tally| tally.near_misses > 0), "{near:?}");
}

/// S21: the first process sleeps in the middle of its run; the second one takes its place, and when the first one wakes it
/// changes nothing any more.
#[test]
fn b4_12_who_slept_for_two_hours_makes_no_more_calls() {
    let options = Options {
        sleep: Some(Sleep {
            nth: 2,
            seconds: 7_200,
        }),
        second_operator: Some(1_800),
        ..sweep::quiet(Start::RolledOut)
    };
    let outcome = plays(&options);
    let calls: Vec<&Call> = outcome
        .calls
        .iter()
        .filter(|call| call.is_mutating())
        .collect();
    let taken_over = calls.iter().position(|call| call.process == 2);
    let lines: Vec<String> = calls.iter().map(|call| call.line()).collect();
    let taken_over =
        taken_over.unwrap_or_else(|| panic!("the second operator does nothing: {lines:#?}"));
    assert!(calls[taken_over..].iter().all(|call| call.process != 1));
    assert_eq!(calls[..taken_over].len(), 2);
}

/// S5: at whatever write the disk is full, nothing is sent that is not in the journal.
#[test]
fn b4_13_a_full_disk_stops_the_run_before_the_next_change() {
    for step in [9, 25, 60, 90] {
        plays(&Options {
            disk_full_at: Some(step),
            ..sweep::quiet(Start::RolledOut)
        });
    }
}

#[test]
fn b4_14_foreign_logging_stays_and_everything_else_is_done() {
    let options = Options {
        interference: vec![
            Interference::Logging {
                account: account_id(0, 1),
                region: "us-east-1",
            },
            Interference::Logging {
                account: account_id(1, 2),
                region: "eu-west-1",
            },
        ],
        ..sweep::quiet(Start::Nothing)
    };
    let outcome = plays(&options);
    let near = outcome.findings.tallies.get("S16").copied();
    assert!(near.is_some_and(|tally| tally.near_misses > 0), "{near:?}");
}

#[test]
fn b4_17_a_rollback_restores_what_was_touched() {
    let mut options = sweep::quiet(Start::RolledOut);
    options.rollback = true;
    options.broken = vec![Broken {
        account: account_id(1, 1),
        resource: Some("Group"),
        times: 1,
    }];
    plays(&options);
}

#[test]
fn b4_22_the_control_plane_of_organizations_is_down() {
    let mut options = sweep::quiet(Start::RolledOut);
    options.faults = vec![always(
        "organizations",
        None,
        When::Always,
        What::BreakBefore,
    )];
    let outcome = plays(&options);
    assert!(changes(&outcome.calls, 1).is_empty());
}
