//! The roles that Bedrail works as, as CloudFormation templates: for the account that it runs in, and for every account
//! that it works in. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::aws::permissions::{Use, Who};
use crate::config::model::{Phase, Rollout};

use super::least::{Setting, deployer_trust, policy, uses};

/// The role that people and CI take to run Bedrail, and one that can only look. One managed policy for each phase, so that
/// each can be given or taken away by itself.
pub fn management(rollout: &Rollout, phases: &[&Phase]) -> Value {
    let setting = Setting::for_templates(rollout);
    let mut resources = Map::new();
    let mut attached = Vec::new();
    for phase in phases {
        let uses = uses(rollout, phase);
        if let Some(policy) = policy(Who::Operator, &uses, true, &setting) {
            let id = format!("Phase{}", camel(&phase.name));
            attached.push(json!({ "Ref": id }));
            let description = format!("What Bedrail sends in phase {}", phase.name);
            resources.insert(id, managed(&description, &policy));
        }
    }
    let mut all: BTreeSet<Use> = phases
        .iter()
        .flat_map(|phase| uses(rollout, phase))
        .collect();
    all.insert(Use::Doctor);
    if let Some(policy) = policy(Who::Operator, &all, false, &setting) {
        let description = "What Bedrail sends for plan, status, drift, report and doctor";
        resources.insert("ReadOnly".to_owned(), managed(description, &policy));
    }
    let role = |name: Value, policies: Value| {
        json!({
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": name,
                "MaxSessionDuration": 3600,
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Principal": { "AWS": { "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root" } },
                        "Action": "sts:AssumeRole",
                        "Condition": {
                            "ArnLike": { "aws:PrincipalArn": { "Ref": "TrustedPrincipalArn" } },
                            "StringEquals": { "aws:PrincipalOrgID": { "Ref": "OrganizationId" } }
                        }
                    }]
                },
                "ManagedPolicyArns": policies
            }
        })
    };
    resources.insert(
        "Operator".to_owned(),
        role(json!({ "Ref": "OperatorRoleName" }), Value::from(attached)),
    );
    if resources.contains_key("ReadOnly") {
        resources.insert(
            "Viewer".to_owned(),
            role(
                json!({ "Fn::Sub": "${OperatorRoleName}-read-only" }),
                json!([{ "Ref": "ReadOnly" }]),
            ),
        );
    }
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Bedrail: the roles that it runs as for rollout {}, with what it sends and no more", rollout.name),
        "Parameters": {
            "OrganizationId": { "Type": "String", "AllowedPattern": "o-[a-z0-9]{10,32}" },
            "ManagementAccountId": { "Type": "String", "AllowedPattern": "[0-9]{12}" },
            "OperatorRoleName": { "Type": "String", "Default": "bedrail-operator" },
            "TrustedPrincipalArn": {
                "Type": "String",
                "Description": "The principal of this account that may take the roles, such as a role of IAM Identity Center or of your CI"
            }
        },
        "Resources": resources,
        "Outputs": { "OperatorRoleArn": { "Value": { "Fn::GetAtt": ["Operator", "Arn"] } } }
    })
}

/// The role that is assumed in other accounts. What the stacks of a component create there comes on top.
pub fn member(rollout: &Rollout, phases: &[&Phase]) -> Value {
    let setting = Setting::for_templates(rollout);
    let all: BTreeSet<Use> = phases
        .iter()
        .flat_map(|phase| uses(rollout, phase))
        .collect();
    let mut trust = deployer_trust(rollout, "${OperatorPrincipalArn}", &setting);
    let mut parameters = Map::new();
    for (name, pattern) in [
        ("OrganizationId", "o-[a-z0-9]{10,32}"),
        ("ManagementAccountId", "[0-9]{12}"),
        (
            "OperatorPrincipalArn",
            "arn:aws[a-z-]*:iam::[0-9]{12}:role/.+",
        ),
    ] {
        parameters.insert(
            name.to_owned(),
            json!({ "Type": "String", "AllowedPattern": pattern }),
        );
    }
    if let Some(id) = trust.pointer_mut("/Statement/0/Condition/StringEquals/sts:ExternalId") {
        *id = Value::from("${ExternalId}");
        parameters.insert(
            "ExternalId".to_owned(),
            json!({ "Type": "String", "NoEcho": true }),
        );
    }
    let policies: Vec<Value> = policy(Who::Deployer, &all, true, &setting)
        .map(|policy| json!({ "PolicyName": "bedrail", "PolicyDocument": substituted(&policy) }))
        .into_iter()
        .collect();
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Bedrail: the role that it assumes in an account for rollout {}, with what it sends and no more", rollout.name),
        "Parameters": parameters,
        "Resources": {
            "Deployer": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": rollout.organization.deployer_role.name,
                    "MaxSessionDuration": 3600,
                    "AssumeRolePolicyDocument": substituted(&trust),
                    "Policies": policies
                }
            }
        },
        "Outputs": { "RoleArn": { "Value": { "Fn::GetAtt": ["Deployer", "Arn"] } } }
    })
}

fn managed(description: &str, policy: &Value) -> Value {
    json!({
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": { "Description": description, "PolicyDocument": substituted(policy) }
    })
}

/// Every text with a hole in it becomes one that CloudFormation fills.
fn substituted(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("${") => json!({ "Fn::Sub": text }),
        Value::Array(items) => items.iter().map(substituted).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), substituted(value)))
            .collect(),
        other => other.clone(),
    }
}

/// `first-rollout` as `FirstRollout`, since logical ids are letters and digits alone.
fn camel(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .flat_map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map(|c| c.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Characters of a managed policy, white space not counted (IAM quotas).
    const MANAGED_POLICY: usize = 6_144;

    #[test]
    fn every_policy_fits_what_iam_allows_and_every_hole_has_a_parameter() {
        let rollout = crate::config::load(Path::new(env!("CARGO_MANIFEST_DIR")), "rollout.yaml")
            .unwrap()
            .rollout;
        let phases: Vec<&Phase> = rollout.phases.iter().collect();
        for template in [management(&rollout, &phases), member(&rollout, &phases)] {
            let parameters = template["Parameters"].as_object().unwrap();
            for resource in template["Resources"].as_object().unwrap().values() {
                let document = &resource["Properties"]["PolicyDocument"];
                assert!(document.to_string().len() <= MANAGED_POLICY);
            }
            let text = template["Resources"].to_string();
            for hole in text.split("${").skip(1) {
                let name = hole.split('}').next().unwrap();
                assert!(
                    name.starts_with("AWS::") || parameters.contains_key(name),
                    "{name}"
                );
            }
            assert!(!text.contains("{account}") && !text.contains("{organization}"));
        }
        assert_eq!(camel("first-rollout"), "FirstRollout");
    }
}
