//! The stacks' templates.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::tenant::Tenant;

/// Characters of a role's trust policy that IAM takes without an increase (IAM quotas).
pub const TRUST_LIMIT: usize = 2_048;
/// Characters of all inline policies of a role (IAM quotas).
pub const INLINE_LIMIT: usize = 10_240;
/// Name of the policy that bounds every tenant's role.
pub const BOUNDARY: &str = "bedrail-tenant-boundary";
/// What names of secrets with external ids start with.
pub const SECRETS: &str = "bedrail/tenants/";
/// Session tags that a tenant may set; the first one is its own id, which it must.
const SESSION_TAGS: [&str; 3] = ["tenant", "application", "user"];

const INVOKE: [&str; 2] = [
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
];

/// What all tenants share: the most that any of their roles can ever do.
pub fn shared(component: &str) -> String {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("{component}: what bounds the roles of all tenants; in one Region, since IAM is global"),
        "Resources": {
            "Boundary": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "ManagedPolicyName": BOUNDARY,
                    "Description": "Tenants invoke models and do nothing else",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [{
                            "Sid": "InvokeOnly",
                            "Effect": "Allow",
                            "Action": INVOKE,
                            "Resource": [
                                sub("arn:${AWS::Partition}:bedrock:*::foundation-model/*"),
                                sub("arn:${AWS::Partition}:bedrock:*:${AWS::AccountId}:inference-profile/*"),
                            ],
                        }],
                    },
                },
            },
        },
    })
    .to_string()
}

/// The roles and external ids of one shard's tenants, and the key that these are encrypted with.
pub fn roles(component: &str, shard: u16, tenants: &[&Tenant]) -> String {
    let mut resources = Map::new();
    resources.insert("Key".to_owned(), key(tenants));
    for tenant in tenants {
        let id = logical(&tenant.id);
        resources.insert(format!("Secret{id}"), secret(tenant));
        resources.insert(format!("SecretPolicy{id}"), secret_policy(tenant, &id));
        resources.insert(format!("Role{id}"), role(tenant, &id));
    }
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("{component}: roles of tenants, shard {shard}; in one Region, since IAM is global"),
        "Resources": resources,
    })
    .to_string()
}

/// Logical ids take letters and digits only. Ids of tenants have no capital letters, so a Z is a hyphen and nothing else.
fn logical(id: &str) -> String {
    id.chars()
        .enumerate()
        .map(|(position, character)| match character {
            '-' => 'Z',
            first if position == 0 => first.to_ascii_uppercase(),
            other => other,
        })
        .collect()
}

fn sub(text: impl Into<String>) -> Value {
    json!({ "Fn::Sub": text.into() })
}

/// Where a tenant calls from.
fn callers(tenant: &Tenant) -> Vec<Value> {
    tenant
        .accounts
        .iter()
        .map(|account| {
            sub(format!(
                "arn:${{AWS::Partition}}:iam::{account}:role/{}",
                tenant.caller()
            ))
        })
        .collect()
}

fn accounts(tenants: &[&Tenant]) -> Vec<Value> {
    let accounts: BTreeSet<_> = tenants.iter().flat_map(|tenant| &tenant.accounts).collect();
    accounts
        .into_iter()
        .map(|account| sub(format!("arn:${{AWS::Partition}}:iam::{account}:root")))
        .collect()
}

/// A customer can read a secret of another account only when a key of that account lets it (Secrets Manager, access
/// from other accounts). The secret's own policy says whose it is.
fn key(tenants: &[&Tenant]) -> Value {
    json!({
        "Type": "AWS::KMS::Key",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "Description": "External ids of tenants",
            "EnableKeyRotation": true,
            "KeyPolicy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Account",
                        "Effect": "Allow",
                        "Principal": { "AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root") },
                        "Action": "kms:*",
                        "Resource": "*",
                    },
                    {
                        "Sid": "Tenants",
                        "Effect": "Allow",
                        "Principal": { "AWS": accounts(tenants) },
                        "Action": "kms:Decrypt",
                        "Resource": "*",
                        "Condition": {
                            "StringEquals": { "kms:ViaService": sub("secretsmanager.${AWS::Region}.amazonaws.com") },
                        },
                    },
                ],
            },
        },
    })
}

/// CloudFormation draws the value: nobody has seen it, and no template, plan or journal holds it.
fn secret(tenant: &Tenant) -> Value {
    json!({
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {
            "Name": format!("{SECRETS}{}", tenant.id),
            "Description": format!("External id of the tenant {}", tenant.id),
            "KmsKeyId": { "Fn::GetAtt": ["Key", "Arn"] },
            "GenerateSecretString": { "PasswordLength": 40, "ExcludePunctuation": true },
        },
    })
}

fn secret_policy(tenant: &Tenant, id: &str) -> Value {
    json!({
        "Type": "AWS::SecretsManager::ResourcePolicy",
        "Properties": {
            "SecretId": { "Ref": format!("Secret{id}") },
            "BlockPublicPolicy": true,
            "ResourcePolicy": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Sid": "Tenant",
                    "Effect": "Allow",
                    "Principal": { "AWS": accounts(&[tenant]) },
                    "Action": "secretsmanager:GetSecretValue",
                    "Resource": "*",
                    "Condition": { "ArnEquals": { "aws:PrincipalArn": callers(tenant) } },
                }],
            },
        },
    })
}

fn role(tenant: &Tenant, id: &str) -> Value {
    let tags: Vec<Value> = std::iter::once(("tenant", tenant.id.as_str()))
        .chain(
            tenant
                .tags
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
        )
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    json!({
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": tenant.role_name(),
            "Description": format!("The tenant {} invokes models", tenant.id),
            "PermissionsBoundary": sub(format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{BOUNDARY}")),
            "AssumeRolePolicyDocument": trust(
                tenant,
                &sub(format!("{{{{resolve:secretsmanager:${{Secret{id}}}:SecretString}}}}")),
            ),
            "Policies": [{ "PolicyName": "models", "PolicyDocument": permissions(tenant) }],
            "Tags": tags,
        },
    })
}

/// Who may take a tenant's role.
///
/// The exact role is a condition beside its account. As the principal itself, it would have to exist beforehand, or IAM
/// refuses the role, with CloudFormation taking back a whole shard; and it would lose its access for good, unseen, when
/// the customer makes it anew (IAM keeps such a principal as the role's unique id).
pub fn trust(tenant: &Tenant, external_id: &Value) -> Value {
    let principal = json!({ "AWS": accounts(&[tenant]) });
    let callers = callers(tenant);
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Assume",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "sts:AssumeRole",
                "Condition": {
                    "ArnEquals": { "aws:PrincipalArn": callers },
                    "StringEquals": { "sts:ExternalId": external_id, "aws:RequestTag/tenant": tenant.id },
                },
            },
            {
                "Sid": "Tag",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "sts:TagSession",
                "Condition": {
                    "ArnEquals": { "aws:PrincipalArn": callers },
                    "StringEquals": { "aws:RequestTag/tenant": tenant.id },
                    "ForAllValues:StringEquals": { "aws:TagKeys": SESSION_TAGS },
                    "Null": { "aws:TagKeys": "false" },
                },
            },
        ],
    })
}

/// What a tenant's role may do: its models in its Regions, directly and through its profiles.
pub fn permissions(tenant: &Tenant) -> Value {
    let mut statements = Vec::new();
    if !tenant.models.is_empty() {
        let models: Vec<Value> = tenant
            .regions
            .iter()
            .flat_map(|region| {
                tenant.models.iter().map(move |model| {
                    sub(format!(
                        "arn:${{AWS::Partition}}:bedrock:{region}::foundation-model/{}",
                        model.0
                    ))
                })
            })
            .collect();
        statements.push(
            json!({ "Sid": "Models", "Effect": "Allow", "Action": INVOKE, "Resource": models }),
        );
    }
    if !tenant.profiles.is_empty() {
        let profiles: Vec<Value> = tenant
            .regions
            .iter()
            .flat_map(|region| {
                tenant.profiles.iter().map(move |profile| {
                    sub(format!(
                        "arn:${{AWS::Partition}}:bedrock:{region}:${{AWS::AccountId}}:inference-profile/{}",
                        profile.0
                    ))
                })
            })
            .collect();
        statements.push(
            json!({ "Sid": "Profiles", "Effect": "Allow", "Action": INVOKE, "Resource": profiles }),
        );
        // A profile leads to other Regions, and the call is checked for the model there too; only on this way.
        let behind: BTreeSet<&str> = tenant
            .profiles
            .iter()
            .map(super::tenant::ProfileId::model)
            .collect();
        let behind: Vec<Value> = behind
            .into_iter()
            .map(|model| {
                sub(format!(
                    "arn:${{AWS::Partition}}:bedrock:*::foundation-model/{model}"
                ))
            })
            .collect();
        statements.push(json!({
            "Sid": "BehindProfiles",
            "Effect": "Allow",
            "Action": INVOKE,
            "Resource": behind,
            "Condition": { "ArnEquals": { "bedrock:InferenceProfileArn": profiles } },
        }));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// A document's length as IAM counts it, near enough from above: with the references in it.
pub fn length(document: &Value) -> usize {
    fn plain(value: &Value) -> Value {
        match value {
            Value::Object(map) if map.len() == 1 && map.contains_key("Fn::Sub") => {
                map.get("Fn::Sub").cloned().unwrap_or_default()
            }
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), plain(value)))
                .collect::<Map<_, _>>()
                .into(),
            Value::Array(items) => items.iter().map(plain).collect(),
            other => other.clone(),
        }
    }
    plain(document).to_string().chars().count()
}
