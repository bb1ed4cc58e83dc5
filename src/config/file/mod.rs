//! The files as people write them: serde types that give the JSON Schemas and read the checked text.

pub mod environment;
pub mod guard;
pub mod rollout;
pub mod scalar;
