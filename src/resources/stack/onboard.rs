//! Stacks stand in accounts that were there before. What they put out is known to those that refer to it.

use crate::onboard::arrivals::Arrivals;
use crate::plan::Draft;

use super::desired::Desired;
use super::diff::produce;
use super::observe::Observed;

pub fn onboard(desired: &[Desired], observed: &Observed, _: &Arrivals, draft: &mut Draft<'_>) {
    for desired in desired {
        let key = (desired.place.clone(), desired.stack.clone());
        if let Some(live) = observed.stacks.get(&key) {
            produce(desired, Some(live.stack.outputs.clone()), draft);
        }
    }
}
