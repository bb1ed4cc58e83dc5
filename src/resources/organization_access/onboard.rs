//! What the organization allows does not depend on who has arrived.

use crate::onboard::arrivals::Arrivals;
use crate::plan::Draft;

use super::desired::Desired;
use super::observe::Observed;

pub fn onboard(_: &[Desired], _: &Observed, _: &Arrivals, _: &mut Draft<'_>) {}
