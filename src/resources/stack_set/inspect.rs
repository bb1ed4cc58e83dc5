//! Nothing more: what a plan reads is all that there is to know.

use crate::aws::Aws;
use crate::live::Depth;
use crate::resources::scope::Scope;

use super::desired::Desired;
use super::observe::Observed;

pub async fn inspect(_: &Aws, _: &Scope<'_>, _: &[Desired], _: &mut Observed, _: Depth) {}
