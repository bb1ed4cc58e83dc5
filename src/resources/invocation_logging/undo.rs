//! Puts the configuration back that was there before.

use crate::aws::bedrock::LoggingConfig;
use crate::plan::undo::{Opposite, Touched, Undo};
use crate::plan::{Action, Step};
use crate::resources;

use super::change::{Before, Change};

/// Key of the pre-image: the configuration, or null.
pub const CONFIG: &str = "config";

pub fn undo(step: &Step, change: &Change, memory: &Touched, into: &mut Undo<'_>) {
    let Some(previous) = memory.preimage::<Option<LoggingConfig>>(CONFIG) else {
        return into.stays(
            step,
            "what was configured before is not known; invocation logging stays as it is".to_owned(),
        );
    };
    if previous == change.config {
        return;
    }
    let (action, title) = match &previous {
        None => (Action::Delete, "switch invocation logging off"),
        Some(_) => (Action::Update, "put the earlier configuration back"),
    };
    into.step(
        step,
        Opposite {
            action,
            title: title.to_owned(),
            targets: Vec::new(),
            changes: Vec::new(),
            follows: false,
            change: resources::Change::InvocationLogging(Change {
                config: previous,
                // Restored only where ours is what is there.
                before: Before::Read(change.config.clone()),
                kms_alias: None,
                replace_foreign: false,
            }),
        },
    );
}
