//! A CloudFormation template as far as a rollout must know it: parameters, capabilities, outputs,
//! resource types, size, content hash, minified body.

pub mod diff;
mod long_form;
mod parse;
pub mod regions;
pub mod uses;
mod value;

pub use long_form::to_json;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::diagnostic::{Located, Origin};
use crate::config::node::Node;

/// A CloudFormation template.
#[derive(Debug, Clone)]
pub struct Template {
    /// As components name it, with forward slashes.
    pub path: Arc<str>,
    /// What is sent to AWS: the author's bytes, or the same as minified JSON when those are over
    /// [`BODY_LIMIT`].
    pub body: Arc<str>,
    /// SHA-256 of [`Self::body`], hex.
    pub digest: String,
    pub description: Option<String>,
    pub parameters: BTreeMap<String, ParameterDeclaration>,
    /// By logical id.
    pub resources: BTreeMap<String, Resource>,
    /// By name.
    pub conditions: BTreeMap<String, Node>,
    /// Names of the outputs.
    pub outputs: BTreeSet<String>,
    /// Names under which outputs are exported, as they are written.
    pub exports: BTreeSet<String>,
    /// Names that are imported, as they are written.
    pub imports: Vec<Located<String>>,
    /// What must be acknowledged, sorted.
    pub capabilities: Vec<Capability>,
    /// Macros, such as `AWS::Serverless-2016-10-31`.
    pub transforms: Vec<String>,
}

/// Bytes of a template that may be sent in the request itself (CloudFormation quotas).
pub const BODY_LIMIT: usize = 51_200;

/// A parameter as the template declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterDeclaration {
    pub name: String,
    pub parameter_type: ParameterType,
    pub default: Option<String>,
    pub allowed_values: Vec<String>,
    pub allowed_pattern: Option<String>,
    pub constraint_description: Option<String>,
    /// Characters.
    pub min_length: Option<u64>,
    /// Characters.
    pub max_length: Option<u64>,
    /// As written; numbers may have decimals.
    pub min_value: Option<String>,
    /// As written; numbers may have decimals.
    pub max_value: Option<String>,
    /// The value is a secret and never shown.
    pub no_echo: bool,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterType {
    String,
    Number,
    ListOfNumber,
    CommaDelimitedList,
    /// `AWS::EC2::Image::Id` and the like.
    Aws(String),
    /// `List<AWS::EC2::Subnet::Id>` and the like.
    ListOfAws(String),
    /// `AWS::SSM::Parameter::…`: the value is the name of an SSM parameter.
    Ssm(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    pub resource_type: String,
    pub condition: Option<String>,
    pub deletion_policy: Option<String>,
    pub update_replace_policy: Option<String>,
    pub properties: Option<Node>,
    pub origin: Origin,
}

/// What CloudFormation wants acknowledged before it accepts a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    Iam,
    NamedIam,
    AutoExpand,
}

impl Capability {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "CAPABILITY_IAM",
            Self::NamedIam => "CAPABILITY_NAMED_IAM",
            Self::AutoExpand => "CAPABILITY_AUTO_EXPAND",
        }
    }
}

impl Template {
    pub fn resource_types(&self) -> BTreeSet<&str> {
        self.resources
            .values()
            .map(|resource| resource.resource_type.as_str())
            .collect()
    }
}

/// Logical ids of the resources that outlive their stack.
pub fn retained(template: &str) -> BTreeSet<String> {
    let Ok(template) = Template::parse("template", template) else {
        return BTreeSet::new();
    };
    template
        .resources
        .into_iter()
        .filter(|(_, resource)| {
            matches!(
                resource.deletion_policy.as_deref(),
                Some("Retain" | "RetainExceptOnCreate" | "Snapshot")
            )
        })
        .map(|(id, _)| id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_template_keeps_is_known_by_its_deletion_policies() {
        let text = "Resources:\n  Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: RetainExceptOnCreate}\n  Key: {Type: AWS::KMS::Key, DeletionPolicy: Retain}\n  Role: {Type: AWS::IAM::Role, Properties: {}}\n";
        let ids: Vec<String> = retained(text).into_iter().collect();
        assert_eq!(ids, ["Bucket", "Key"]);
        assert!(retained("no template").is_empty());
    }
}
