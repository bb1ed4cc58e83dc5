//! Where logging must be switched on, changed or off, and where somebody else's configuration stands in the way.

use std::collections::BTreeMap;

use crate::aws::Place;
use crate::aws::bedrock::LoggingConfig;
use crate::config::codes;
use crate::plan::{Action, Draft, FieldChange, Note, NoteKind, Shown, StepDraft, preimage};
use crate::resources;

use super::change::{Before, Change};
use super::desired::Desired;
use super::observe::Observed;
use super::spec::Foreign;

pub fn diff(desired: &[Desired], observed: &Observed, draft: &mut Draft<'_>) {
    let off: BTreeMap<&Place, &str> = desired
        .iter()
        .filter(|desired| desired.config.is_none())
        .map(|desired| (&desired.place, desired.component.as_str()))
        .collect();
    for desired in desired {
        if let Some(other) = off.get(&desired.place).filter(|_| desired.config.is_some()) {
            draft.refuse(
                codes::CLAIMED_TWICE,
                Some(&desired.origin),
                format!(
                    "`{}` would switch logging on in {} of account {}, where `{other}` keeps it off: what others send through it is theirs",
                    desired.component, desired.place.region, desired.place.account
                ),
                "take the account out of the environment or of the component's accounts; records belong to the accounts that call",
            );
            continue;
        }
        let before = match observed.configs.get(&desired.place) {
            Some(Ok(live)) => Before::Read(live.clone()),
            Some(Err(error)) => {
                let text = format!("logging could not be read: {}", error.message);
                draft.unread(about(desired, NoteKind::Unknown, text));
                Before::Unread
            }
            None => Before::Unread,
        };
        one(desired, before, draft);
    }
}

fn one(desired: &Desired, before: Before, draft: &mut Draft<'_>) {
    let live = match &before {
        Before::Read(live) => live.as_ref(),
        Before::Unread => None,
    };
    let read = before != Before::Unread;
    if read && live == desired.config.as_ref() {
        draft.unchanged(1);
        return;
    }
    if let Some(live) = live
        && !is_ours(live, desired)
    {
        match desired.foreign {
            Foreign::Refuse if mutant!(ForeignReplaced) => {}
            Foreign::Refuse => {
                note(
                    desired,
                    NoteKind::Foreign,
                    format!("a foreign configuration is in place: {}", words(live)),
                    draft,
                );
                return;
            }
            Foreign::Adopt => {
                note(
                    desired,
                    NoteKind::Advice,
                    format!("adopted as it is: {}", words(live)),
                    draft,
                );
                draft.unchanged(1);
                return;
            }
            Foreign::Replace => {}
        }
    }
    let (name, action, title) = match (&desired.config, live) {
        (None, _) => ("off", Action::Delete, "switch invocation logging off"),
        (Some(_), None) => ("on", Action::Create, "switch invocation logging on"),
        (Some(_), Some(_)) => ("change", Action::Update, "change invocation logging"),
    };
    if !read && desired.config.is_none() {
        // Off is the state of an account that nobody touched; it is verified when it can be read.
        return;
    }
    let reason = if read {
        "differs from the declaration"
    } else {
        "its account cannot be read yet"
    };
    let wave = draft
        .waves_of(desired.environment.as_deref())
        .and_then(|waves| waves.of(&desired.place.account))
        .map(|wave| wave.name.clone());
    draft.step(StepDraft {
        phase: &desired.phase,
        component: &desired.component,
        environment: desired.environment.as_deref(),
        wave: wave.as_deref(),
        account: Some(desired.place.account.clone()),
        region: Some(desired.place.region.clone()),
        name: name.to_owned(),
        action,
        title: title.to_owned(),
        reason: reason.to_owned(),
        after: Vec::new(),
        targets: Vec::new(),
        changes: changes(live, desired.config.as_ref()),
        lock: None,
        preimage: preimage(&before),
        change: resources::Change::InvocationLogging(Change {
            config: desired.config.clone(),
            before,
            kms_alias: desired.kms_alias.clone(),
            replace_foreign: desired.foreign == Foreign::Replace,
        }),
    });
}

/// A configuration carries no mark. It counts as ours when it delivers to a place of ours: the bucket or the
/// log group and role that the declaration names, which this rollout's own stacks made.
pub(super) fn is_ours(live: &LoggingConfig, desired: &Desired) -> bool {
    desired
        .config
        .as_ref()
        .is_some_and(|wanted| delivers_to_same(live, wanted))
}

/// Whether two configurations deliver to the same bucket, or to the same log group by the same role.
pub fn delivers_to_same(live: &LoggingConfig, wanted: &LoggingConfig) -> bool {
    let bucket = |config: &LoggingConfig| config.s3.as_ref().map(|s3| s3.bucket.clone());
    let group = |config: &LoggingConfig| {
        config
            .cloud_watch
            .as_ref()
            .map(|destination| (destination.log_group.clone(), destination.role_arn.clone()))
    };
    (bucket(live).is_some() && bucket(live) == bucket(wanted))
        || (group(live).is_some() && group(live) == group(wanted))
}

fn note(desired: &Desired, kind: NoteKind, text: String, draft: &mut Draft<'_>) {
    draft.note(about(desired, kind, text));
}

fn about(desired: &Desired, kind: NoteKind, text: String) -> Note {
    Note {
        kind,
        component: Some(desired.component.clone()),
        environment: desired.environment.clone(),
        account: Some(desired.place.account.clone()),
        region: Some(desired.place.region.clone()),
        text,
    }
}

/// Where a configuration delivers to, in a few words.
pub(super) fn words(config: &LoggingConfig) -> String {
    let mut parts = Vec::new();
    if let Some(s3) = &config.s3 {
        parts.push(format!("bucket {}", s3.bucket));
    }
    if let Some(destination) = &config.cloud_watch {
        parts.push(format!(
            "log group {} by {}",
            destination.log_group, destination.role_arn
        ));
    }
    if parts.is_empty() {
        "no destination".to_owned()
    } else {
        parts.join(" and ")
    }
}

pub(super) fn changes(
    before: Option<&LoggingConfig>,
    after: Option<&LoggingConfig>,
) -> Vec<FieldChange> {
    let (before, after) = (fields(before), fields(after));
    before
        .iter()
        .zip(&after)
        .filter(|((_, before), (_, after))| before != after)
        .map(|((path, before), (_, after))| FieldChange {
            path: (*path).to_owned(),
            before: before.clone().map(Shown::Text),
            after: after.clone().map(Shown::Text),
        })
        .collect()
}

/// Always the same fields in the same order.
fn fields(config: Option<&LoggingConfig>) -> Vec<(&'static str, Option<String>)> {
    let s3 = config.and_then(|config| config.s3.as_ref());
    let logs = config.and_then(|config| config.cloud_watch.as_ref());
    let large = logs.and_then(|logs| logs.large_data.as_ref());
    let flag = |of: fn(&LoggingConfig) -> bool| config.map(|config| of(config).to_string());
    vec![
        ("s3.bucket", s3.map(|s3| s3.bucket.clone())),
        ("s3.keyPrefix", s3.and_then(|s3| s3.key_prefix.clone())),
        (
            "cloudWatch.logGroup",
            logs.map(|logs| logs.log_group.clone()),
        ),
        ("cloudWatch.role", logs.map(|logs| logs.role_arn.clone())),
        (
            "cloudWatch.largeData.bucket",
            large.map(|s3| s3.bucket.clone()),
        ),
        (
            "cloudWatch.largeData.keyPrefix",
            large.and_then(|s3| s3.key_prefix.clone()),
        ),
        ("deliver.text", flag(|config| config.text)),
        ("deliver.image", flag(|config| config.image)),
        ("deliver.embedding", flag(|config| config.embedding)),
        ("deliver.video", flag(|config| config.video)),
        ("deliver.audio", flag(|config| config.audio)),
    ]
}
