//! The section `guard` of `environments/*.yaml`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::environment::ParameterSection;
use super::scalar::ParameterValue;

/// What organization policies must decide in every account of the environment. A plan that changes such
/// policies is refused where a case would not hold when it is done.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuardSection {
    /// Requests that no policy may deny. What cannot be decided counts as denied.
    #[serde(default)]
    pub must_allow: Vec<CaseSection>,
    /// Requests that some policy must deny for certain.
    #[serde(default)]
    pub must_deny: Vec<CaseSection>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaseSection {
    /// How the case is called when it does not hold.
    #[serde(default)]
    pub name: Option<String>,
    /// Name of a role of the account (with its path, if it has one), `root`, or an ARN.
    pub principal: String,
    /// One action or several, such as `bedrock:InvokeModel`; without wildcards.
    pub action: ParameterValue,
    /// ARN; `*` by default, for actions that know no resources.
    #[serde(default)]
    pub resource: Option<String>,
    /// Values of condition keys; an empty list for a key that the request does not have. Nothing is known of
    /// keys that are not given.
    #[serde(default)]
    pub context: ParameterSection,
}
