//! JSON Schemas of the files, from the types that read them.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::environment::EnvironmentFile;
use super::file::rollout::RolloutFile;

/// For `rollout.yaml`.
pub fn rollout() -> Value {
    schema::<RolloutFile>()
}

/// For `environments/*.yaml`.
pub fn environment() -> Value {
    schema::<EnvironmentFile>()
}

fn schema<T: schemars::JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
