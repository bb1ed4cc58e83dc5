//! What invocation logging was before a rollout came, as its journals remember it.

use std::collections::BTreeMap;

use crate::aws::Place;
use crate::aws::bedrock::LoggingConfig;
use crate::journal::entry::Command;
use crate::resources::Change;
use crate::resources::invocation_logging::{diff::delivers_to_same, undo::CONFIG};
use crate::runs::{Records, Trouble};

/// Runs that are looked back at.
const REMEMBERED: usize = 100;

/// By place; null where logging was off. Journals that are lost or cannot be read tell nothing: what nobody remembers
/// is switched off.
///
/// # Errors
/// The list of runs cannot be read.
pub async fn logging(records: &Records) -> Result<BTreeMap<Place, Option<LoggingConfig>>, Trouble> {
    let mut earlier = BTreeMap::new();
    for run in records.medium.runs().await?.into_iter().take(REMEMBERED) {
        let Ok(kept) = records.kept(Some(run.as_str())).await else {
            continue;
        };
        if matches!(
            kept.command(),
            Some(Command::Rollback | Command::Destroy | Command::Offboard)
        ) {
            continue;
        }
        for step in &kept.plan.steps {
            let (Change::InvocationLogging(change), Some(account), Some(region)) =
                (&step.change, &step.account, &step.region)
            else {
                continue;
            };
            let (Some(ours), Some(touched)) = (&change.config, kept.recalled.touched.get(&step.id))
            else {
                continue;
            };
            let Some(before) = touched.preimage::<Option<LoggingConfig>>(CONFIG) else {
                continue;
            };
            // Ours before it was ours again tells nothing: an older run does.
            if before
                .as_ref()
                .is_none_or(|before| !delivers_to_same(before, ours))
            {
                earlier.entry(Place::new(account, region)).or_insert(before);
            }
        }
    }
    Ok(earlier)
}
