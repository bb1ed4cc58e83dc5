//! A CloudFormation template as far as a rollout must know it: parameters, capabilities, outputs,
//! resource types, size, content hash, minified body.

/// A CloudFormation template.
#[derive(Debug, Clone)]
pub struct Template {}
