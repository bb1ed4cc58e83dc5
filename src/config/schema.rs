//! JSON Schemas of the files, from the types that read them.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::environment::EnvironmentFile;
use super::file::rollout::RolloutFile;
use crate::resources::tenant_access::tenant::TenantsFile;

/// Keys that may stand without a value: what is left when somebody deletes the last entry below them.
pub const LEFT_EMPTY: &[&str] = &["components", "parameters", "tags"];

/// For `rollout.yaml`.
pub fn rollout() -> Value {
    schema::<RolloutFile>()
}

/// For `environments/*.yaml`.
pub fn environment() -> Value {
    schema::<EnvironmentFile>()
}

/// For files of tenants.
pub fn tenants() -> Value {
    schema::<TenantsFile>()
}

fn schema<T: schemars::JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    allow_empty(&mut schema);
    schema
}

fn allow_empty(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(allow_empty),
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                for key in LEFT_EMPTY {
                    if let Some(kind) = properties
                        .get_mut(*key)
                        .and_then(|property| property.get_mut("type"))
                        && kind.is_string()
                    {
                        *kind = Value::Array(vec![kind.clone(), Value::from("null")]);
                    }
                }
            }
            map.values_mut().for_each(allow_empty);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::config::structure;
    use crate::config::yaml::{Dialect, parse};

    fn typed(node: &crate::config::node::Node) -> Value {
        use crate::config::node::{NodeKind, ScalarType};
        match &node.kind {
            NodeKind::Scalar(scalar) => match scalar.scalar_type() {
                ScalarType::Null => Value::Null,
                ScalarType::Bool => Value::Bool(scalar.text.eq_ignore_ascii_case("true")),
                ScalarType::Integer | ScalarType::Float => {
                    serde_json::from_str(&scalar.text).unwrap_or(Value::Null)
                }
                ScalarType::Text => Value::String(scalar.text.clone()),
            },
            NodeKind::Sequence(items) => items.iter().map(typed).collect(),
            NodeKind::Mapping(entries) => entries
                .iter()
                .map(|entry| (entry.key.text.clone(), typed(&entry.value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// What the published schema says, and what our own walk says.
    fn verdicts(schema: &Value, text: &str) -> (bool, bool) {
        let node = parse(&Arc::from("f"), text, Dialect::Rollout)
            .unwrap()
            .unwrap();
        let validator = jsonschema::validator_for(schema).unwrap();
        (
            validator.is_valid(&typed(&node)),
            structure::check(&node, schema).is_empty(),
        )
    }

    #[test]
    fn the_shipped_files_fit_their_schemas() {
        let read = |path: &str| {
            std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
        };
        assert_eq!(verdicts(&rollout(), &read("rollout.yaml")), (true, true));
        for name in ["base", "dev", "staging", "prod"] {
            let text = read(&format!("environments/{name}.yaml"));
            assert_eq!(verdicts(&environment(), &text), (true, true), "{name}");
        }
    }

    /// The second example of the interface, in full.
    const ENVIRONMENT: &str = r#"
environment: prod
extends: base
targets:
  organizationalUnits: [Workloads/Prod]
  accounts: []
  tags: { bedrock: "enabled" }
  exclude: { accounts: ["444444444444"], tags: { rollout: frozen } }
regions: [us-east-1, eu-west-1]
parameters:
  LogRetentionDays: 2557
components:
  invocation-logging: { parameters: { KeyRotationDays: 365 } }
accounts:
  "555555555555": { parameters: { LogRetentionDays: 3653 } }
delivery:
  after: [staging]
  waves:
    - { name: canary, accounts: 2, bake: 30m, gate: { alarm: bedrail-canary-errors } }
    - { name: early,  percent: 25, bake: 10m, approval: { whenever: { accountsAbove: 50 } } }
    - { name: named,  accounts: ["555555555555"], maxConcurrent: 1, failureTolerance: 0, gate: { command: [check, it], timeout: 5m } }
    - { name: rest,   percent: 100, approval: required }
  maxConcurrent: 25%
  failureTolerance: 1
  regionOrder: [us-east-1, eu-west-1]
  onFailure: stop
"#;

    const ROLLOUT: &str = r#"
version: 1
name: bedrock-governance
organization:
  id: o-exampleorg1
  homeRegion: us-east-1
  callAs: DELEGATED_ADMIN
  deployerRole: { name: bedrail-deployer, externalId: abcdef, sessionDuration: 45m }
accounts:
  hub: { id: "222222222222" }
  operations: { name: ai-operations }
  network: { tag: { key: role, value: network } }
protected:
  accounts: ["999999999999"]
  organizationalUnits: [Security/BreakGlass]
phases:
  - name: management
    components:
      - { kind: organizationAccess, name: access, policyTypes: [SERVICE_CONTROL_POLICY] }
      - { kind: policy, name: a, type: SERVICE_CONTROL_POLICY, document: d.json, attachTo: { environments: all } }
      - { kind: policy, name: b, type: SERVICE_CONTROL_POLICY, document: d.json, attachTo: { organizationalUnits: [X], accounts: ["111111111111", hub], root: true } }
      - { kind: stack, name: c, account: hub, regions: [us-east-1], template: t.yaml, parameters: { OrganizationId: ${organization.id} } }
      - { kind: stackSet, name: d, template: t.yaml, environments: [dev], parameters: { L: [1, x] }, autoDeployment: true }
      - kind: invocationLogging
        name: e
        s3:         { bucket: "logs-model-invocation-${account.id}-${region}", keyPrefix: bedrock }
        cloudWatch: { logGroup: /aws/bedrock/model-invocation-logs, role: bedrail-bedrock-logging-${region} }
        kmsAlias: alias/bedrail-bedrock-${region}
        deliver: { text: true, image: true, embedding: true, video: true, audio: true }
        foreign: refuse
"#;

    #[test]
    fn the_examples_of_the_interface_fit_their_schemas() {
        assert_eq!(verdicts(&environment(), ENVIRONMENT), (true, true));
        assert_eq!(verdicts(&rollout(), ROLLOUT), (true, true));
    }

    #[test]
    fn schema_and_walk_refuse_the_same_mistakes() {
        for (schema, text, rows) in [
            (
                environment(),
                ENVIRONMENT,
                &[
                    ("extends: base", "extend: base"),
                    ("extends: base", "extends: 5"),
                    ("\"444444444444\"", "444444444444"),
                    ("\"555555555555\":", "\"55555555555\":"),
                    ("us-east-1, eu", "us-east, eu"),
                    ("accounts: 2", "accounts: 0"),
                    ("percent: 25", "percent: 101"),
                    ("bake: 30m", "bake: 30"),
                    ("25%", "125%"),
                    ("stop", "stopp"),
                    ("required", "true"),
                    ("LogRetentionDays: 2557", "LogRetentionDays: {a: 1}"),
                    ("LogRetentionDays: 2557", "LogRetentionDays: null"),
                    ("{ alarm: bedrail-canary-errors }", "{}"),
                    ("command: [check, it]", "command: []"),
                    ("accountsAbove: 50", "accountsAbove: many"),
                    ("{ accountsAbove: 50 }", "{}"),
                    ("{ name: early,  ", "{ "),
                ][..],
            ),
            (
                rollout(),
                ROLLOUT,
                &[
                    ("version: 1", "version: \"1\""),
                    ("o-exampleorg1", "o-short"),
                    ("callAs: DELEGATED_ADMIN", "callAs: OTHER"),
                    ("name: bedrail-deployer, ext", "name: a/b, ext"),
                    ("{ id: \"222222222222\" }", "{}"),
                    (
                        "{ id: \"222222222222\" }",
                        "{ id: \"222222222222\", name: x }",
                    ),
                    ("kind: stack,", "kind: stacks,"),
                    ("environments: all", "environments: some"),
                    ("autoDeployment: true", "autoDeployment: \"true\""),
                    ("root: true", "root: yes"),
                    ("foreign: refuse", "foreign: ignore"),
                    ("template: t.yaml, environments", "environments"),
                    ("phases:", "phase:"),
                ][..],
            ),
        ] {
            for (from, to) in rows {
                assert!(text.contains(from), "{from}");
                assert_eq!(
                    verdicts(&schema, &text.replacen(from, to, 1)),
                    (false, false),
                    "{from} → {to}"
                );
            }
        }
    }

    proptest! {
        /// Cuts and joins of a real file: the two never disagree, but for numbers that look like account
        /// ids, where ours is stricter on purpose.
        #[test]
        fn schema_and_walk_agree_on_damaged_files(line in 1usize..25, other in 1usize..25) {
            let mut lines: Vec<&str> = ENVIRONMENT.lines().collect();
            lines.swap(line, other);
            if let Ok(Some(node)) = parse(&Arc::from("f"), &lines.join("\n"), Dialect::Rollout) {
                let schema = environment();
                let validator = jsonschema::validator_for(&schema).unwrap();
                prop_assert_eq!(validator.is_valid(&typed(&node)), structure::check(&node, &schema).is_empty());
            }
        }
    }
}
