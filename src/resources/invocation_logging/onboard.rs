//! Logging for accounts that have arrived: as declared where their neighbours have it as declared, else as their
//! neighbours have it.

use crate::aws::bedrock::LoggingConfig;
use crate::ids::AccountId;
use crate::onboard::arrivals::Arrivals;
use crate::plan::{Draft, Note, NoteKind};

use super::desired::Desired;
use super::diff::diff;
use super::observe::Observed;

pub fn onboard(
    desired: &[Desired],
    observed: &Observed,
    arrivals: &Arrivals,
    draft: &mut Draft<'_>,
) {
    let mut wanted: Vec<Desired> = Vec::new();
    for one in desired {
        if one.environment.is_none() || !arrivals.has(&one.place.account) {
            continue;
        }
        match promoted(one, desired, observed, arrivals) {
            Promoted::Declared => wanted.push(one.clone()),
            Promoted::Neighbours(config) => {
                note(
                    one,
                    "gets the configuration that its neighbours have, which is not what the files say by now",
                    draft,
                );
                wanted.push(Desired {
                    config: Some(config),
                    ..one.clone()
                });
            }
            Promoted::Not => {
                note(
                    one,
                    "waits, since its neighbours do not log as the files say: `bedrail apply` brings all of them there",
                    draft,
                );
            }
        }
    }
    diff(&wanted, observed, draft);
}

/// What the environment was last brought to.
enum Promoted {
    Declared,
    Neighbours(LoggingConfig),
    Not,
}

/// A neighbour's configuration names its own account; with the other account's id in its place it is the same one.
fn promoted(
    one: &Desired,
    desired: &[Desired],
    observed: &Observed,
    arrivals: &Arrivals,
) -> Promoted {
    let neighbours = one
        .environment
        .as_ref()
        .and_then(|environment| arrivals.neighbours.get(environment))
        .map(Vec::as_slice)
        .unwrap_or_default();
    for neighbour in neighbours {
        let there = desired.iter().find(|other| {
            other.component == one.component
                && other.place.account == *neighbour
                && other.place.region == one.place.region
        });
        let Some(there) = there else { continue };
        let Some(Ok(live)) = observed.configs.get(&there.place) else {
            continue;
        };
        if *live == there.config {
            return Promoted::Declared;
        }
        return match live {
            Some(live) => Promoted::Neighbours(moved_to(live, neighbour, &one.place.account)),
            None => Promoted::Not,
        };
    }
    // Nobody can be asked: what is declared is all that there is.
    Promoted::Declared
}

fn moved_to(config: &LoggingConfig, from: &AccountId, to: &AccountId) -> LoggingConfig {
    let swap = |text: &mut String| *text = text.replace(from.as_str(), to.as_str());
    let mut config = config.clone();
    if let Some(s3) = &mut config.s3 {
        swap(&mut s3.bucket);
        s3.key_prefix.as_mut().into_iter().for_each(swap);
    }
    if let Some(logs) = &mut config.cloud_watch {
        swap(&mut logs.log_group);
        swap(&mut logs.role_arn);
        if let Some(large) = &mut logs.large_data {
            swap(&mut large.bucket);
            large.key_prefix.as_mut().into_iter().for_each(swap);
        }
    }
    config
}

fn note(one: &Desired, text: &str, draft: &mut Draft<'_>) {
    draft.note(Note {
        kind: NoteKind::Advice,
        component: Some(one.component.clone()),
        environment: one.environment.clone(),
        account: Some(one.place.account.clone()),
        region: Some(one.place.region.clone()),
        text: text.to_owned(),
    });
}
