//! Resources of types that no service here models.
use serde::{Deserialize, Serialize};
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Generic {
    /// The ARN that it would have on AWS.
    pub arn: String,
}
