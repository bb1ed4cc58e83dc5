//! Whether logging is as declared in each account and Region, and whether what it depends on is still there.

use crate::aws::bedrock::LoggingConfig;
use crate::live::{Differs, Look, Of, Repair, Severity, State};

use super::desired::Desired;
use super::diff::{changes, is_ours, words};
use super::inspect::Inspected;
use super::key::{Uses, unfit};
use super::observe::Observed;
use super::spec::Foreign;

pub fn look(desired: &[Desired], observed: &Observed, look: &mut Look<'_>) {
    for desired in desired {
        let state = match observed.configs.get(&desired.place) {
            Some(Ok(live)) => {
                look.checked(1);
                configuration(desired, live.as_ref(), look)
            }
            Some(Err(error)) => {
                look.unreadable(of(desired), "configuration", error);
                State::Unknown
            }
            None => {
                look.not_checked(of(desired), "configuration", "nobody asked");
                State::Unknown
            }
        };
        let broken = observed
            .inspected
            .get(&desired.place)
            .is_some_and(|inspected| surroundings(desired, inspected, look));
        let state = if broken {
            state.max(State::Outdated)
        } else {
            state
        };
        let place = &desired.place;
        look.state(
            &desired.component,
            &place.account,
            Some(&place.region),
            state,
        );
    }
}

fn of(desired: &Desired) -> Of<'_> {
    Of {
        component: &desired.component,
        environment: desired.environment.as_deref(),
        account: Some(&desired.place.account),
        region: Some(&desired.place.region),
    }
}

fn configuration(desired: &Desired, live: Option<&LoggingConfig>, look: &mut Look<'_>) -> State {
    if live == desired.config.as_ref() {
        return State::Current;
    }
    let whole = |repair: Repair| Differs {
        path: "configuration".to_owned(),
        expected: desired.config.as_ref().map(words),
        actual: live.map(words),
        severity: Severity::Critical,
        repair,
    };
    let Some(config) = live else {
        look.found(of(desired), whole(Repair::Apply));
        return State::Missing;
    };
    if is_ours(config, desired) {
        let changes = changes(live, desired.config.as_ref());
        look.changes(of(desired), changes, |_| Severity::High);
        return State::Outdated;
    }
    let repair = match desired.foreign {
        Foreign::Adopt => return State::Current,
        Foreign::Replace => Repair::Apply,
        Foreign::Refuse => Repair::ByHand(
            "declare `foreign: replace` or `foreign: adopt` for the component, then apply"
                .to_owned(),
        ),
    };
    look.found(of(desired), whole(repair));
    State::Foreign
}

/// Whether records get lost although the configuration is right.
fn surroundings(desired: &Desired, inspected: &Inspected, look: &mut Look<'_>) -> bool {
    let broken = [
        key(desired, inspected, look),
        bucket(desired, inspected, look),
    ];
    if let Some(destination) = desired
        .config
        .as_ref()
        .and_then(|config| config.cloud_watch.as_ref())
    {
        let path = format!("destinations.logGroup.{}", destination.log_group);
        let why = "whether the log group and the role are still there is known to their stack's drift alone";
        look.not_checked(of(desired), &path, why);
    }
    broken.contains(&true)
}

fn key(desired: &Desired, inspected: &Inspected, look: &mut Look<'_>) -> bool {
    let (Some(alias), Some(config)) = (&desired.kms_alias, &desired.config) else {
        return false;
    };
    let key = match &inspected.key {
        None => return false,
        Some(Err(error)) => {
            look.unreadable(of(desired), "kms", error);
            return false;
        }
        Some(Ok(key)) => key,
    };
    look.checked(1);
    let Some(key) = key else {
        look.found(
            of(desired),
            Differs {
                path: "kms.alias".to_owned(),
                expected: Some(alias.clone()),
                actual: None,
                severity: Severity::Critical,
                repair: Repair::Run(format!(
                    "aws kms create-alias --alias-name {alias} --target-key-id KEY --region {}",
                    desired.place.region
                )),
            },
        );
        return true;
    };
    let uses = Uses {
        bucket: config.s3.is_some(),
        log_group: config.cloud_watch.is_some(),
    };
    let wrong = unfit(key, &desired.place.region, uses);
    let broken = !wrong.is_empty();
    for unfit in wrong {
        look.found(
            of(desired),
            Differs {
                path: unfit.path.to_owned(),
                expected: Some(unfit.expected),
                actual: Some(unfit.actual),
                severity: unfit.severity,
                repair: unfit.repair,
            },
        );
    }
    broken
}

fn bucket(desired: &Desired, inspected: &Inspected, look: &mut Look<'_>) -> bool {
    let mut broken = false;
    for (bucket, answer) in &inspected.buckets {
        let path = format!("destinations.bucket.{bucket}");
        match answer {
            Err(error) => look.unreadable(of(desired), &path, error),
            Ok(true) => look.checked(1),
            Ok(false) => {
                look.checked(1);
                broken = true;
                look.found(
                    of(desired),
                    Differs {
                        path,
                        expected: Some("a bucket of this account".to_owned()),
                        actual: None,
                        severity: Severity::Critical,
                        repair: Repair::Run(format!(
                            "aws s3api create-bucket --bucket {bucket} --region {}",
                            desired.place.region
                        )),
                    },
                );
            }
        }
    }
    broken
}
