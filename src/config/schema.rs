//! JSON Schemas of the files, from the types that read them.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::environment::EnvironmentFile;
use super::file::rollout::RolloutFile;

/// For `rollout.yaml`.
pub fn rollout() -> Value {
    schema::<RolloutFile>("https://bedrail.dev/schema/rollout.json")
}

/// For `environments/*.yaml`.
pub fn environment() -> Value {
    schema::<EnvironmentFile>("https://bedrail.dev/schema/environment.json")
}

fn schema<T: schemars::JsonSchema>(_id: &str) -> Value {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show() {
        println!("{}", serde_json::to_string_pretty(&rollout()).unwrap());
        println!("{}", serde_json::to_string_pretty(&environment()).unwrap());
    }
}
