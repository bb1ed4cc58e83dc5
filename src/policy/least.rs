//! The least that each role of the tool needs for a phase, made from the one table of operations. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::aws::permissions::{Grant, TABLE, Use, Who};
use crate::config::model::{JournalPlace, Phase, Rollout};
use crate::resources::{Kind, Spec};

/// What stands for `{…}` in the table. A value may be a list, which then gives one resource each.
#[derive(Debug, Clone, Default)]
pub struct Setting(BTreeMap<&'static str, Vec<String>>);

impl Setting {
    /// Names as far as the files say them, `*` for what only AWS knows.
    pub fn of(rollout: &Rollout) -> Self {
        let organization = rollout
            .organization
            .id
            .as_ref()
            .map_or_else(|| "*".to_owned(), |id| id.value.to_string());
        let mut setting = Self::default();
        let mut set = |name: &'static str, values: Vec<String>| {
            setting.0.insert(name, values);
        };
        set("partition", vec!["aws".to_owned()]);
        set("account", vec!["*".to_owned()]);
        set("administrator", vec!["*".to_owned()]);
        set("management", vec!["*".to_owned()]);
        set("organization", vec![organization]);
        set("rollout", vec![rollout.name.clone()]);
        set(
            "homeRegion",
            vec![rollout.organization.home_region.to_string()],
        );
        set(
            "deployer",
            vec![rollout.organization.deployer_role.name.clone()],
        );
        let (bucket, prefix) = match &rollout.journal {
            JournalPlace::Folder => (Vec::new(), String::new()),
            JournalPlace::Bucket(location) => {
                (vec![location.bucket.clone()], location.prefix.clone())
            }
        };
        set("journalBucket", bucket);
        set("journalPrefix", vec![prefix]);
        set(
            "templateBucket",
            rollout
                .organization
                .template_bucket
                .iter()
                .cloned()
                .collect(),
        );
        let mut roles = BTreeSet::new();
        let mut buckets = BTreeSet::new();
        let mut aliases = BTreeSet::new();
        for component in rollout.components() {
            let Spec::InvocationLogging(spec) = &component.spec else {
                continue;
            };
            roles.extend(spec.cloud_watch.iter().map(|logs| pattern(&logs.role)));
            let large = spec.cloud_watch.iter().flat_map(|logs| &logs.large_data);
            buckets.extend(spec.s3.iter().chain(large).map(|s3| pattern(&s3.bucket)));
            aliases.extend(spec.kms_alias.iter().map(|alias| pattern(alias)));
        }
        set("loggingRoles", roles.into_iter().collect());
        set("logBuckets", buckets.into_iter().collect());
        set("keyAliases", aliases.into_iter().collect());
        setting
    }

    /// The same where the caller's account and organization are known.
    pub fn at(rollout: &Rollout, account: &str, management: &str, organization: &str) -> Self {
        let mut setting = Self::of(rollout);
        for (name, text) in [
            ("account", account),
            ("administrator", account),
            ("management", management),
            ("organization", organization),
        ] {
            setting.0.insert(name, vec![text.to_owned()]);
        }
        setting
    }

    /// The same with CloudFormation's own words for what only the account knows.
    pub fn for_templates(rollout: &Rollout) -> Self {
        let mut setting = Self::of(rollout);
        for (name, text) in [
            ("partition", "${AWS::Partition}"),
            ("account", "${AWS::AccountId}"),
            ("administrator", "${AWS::AccountId}"),
            ("organization", "${OrganizationId}"),
            ("management", "${ManagementAccountId}"),
        ] {
            setting.0.insert(name, vec![text.to_owned()]);
        }
        setting
    }

    /// Every way to fill a text in; none where a value is not there at all.
    fn fill(&self, text: &str) -> Vec<String> {
        let mut filled = vec![text.to_owned()];
        for (name, values) in &self.0 {
            let hole = format!("{{{name}}}");
            if !text.contains(&hole) {
                continue;
            }
            filled = filled
                .iter()
                .flat_map(|text| values.iter().map(|value| text.replace(&hole, value)))
                .collect();
        }
        filled
    }
}

/// A text of the files with `*` for each of its references.
fn pattern(source: &str) -> String {
    let mut out = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push('*');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

/// What a phase is made of, in the table's words. Every phase discovers, and is recorded.
pub fn uses(rollout: &Rollout, phase: &Phase) -> BTreeSet<Use> {
    let mut uses: BTreeSet<Use> = phase
        .components
        .iter()
        .map(|component| match component.spec.kind() {
            Kind::OrganizationAccess => Use::OrganizationAccess,
            Kind::Stack => Use::Stack,
            Kind::StackSet => Use::StackSet,
            Kind::Policy => Use::Policy,
            Kind::InvocationLogging => Use::InvocationLogging,
        })
        .collect();
    if uses.contains(&Use::StackSet) {
        uses.insert(Use::Outputs);
    }
    if uses.contains(&Use::Stack) || uses.contains(&Use::StackSet) {
        uses.insert(Use::Templates);
    }
    if rollout.environments.values().any(|environment| {
        environment
            .delivery
            .waves
            .iter()
            .any(|wave| matches!(wave.gate, Some(crate::config::model::Gate::Alarm { .. })))
    }) {
        uses.insert(Use::Gate);
    }
    uses.extend([Use::Discovery, Use::Journal]);
    uses
}

/// What to ask of an action: on which resources, with which condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ask {
    pub resources: Vec<String>,
    /// Key and value.
    pub known: Option<(String, String)>,
    pub actions: BTreeSet<&'static str>,
}

/// The questions whose answers tell whether a role may do everything that some uses need, each about one resource that is
/// like those it will meet.
pub fn asks(who: Who, uses: &BTreeSet<Use>, setting: &Setting) -> Vec<Ask> {
    type Key = (String, Option<(String, String)>);
    let mut asks: BTreeMap<Key, BTreeSet<&'static str>> = BTreeMap::new();
    let entries = TABLE.iter().filter(|entry| {
        entry.who.contains(&who) && entry.uses.iter().any(|use_| uses.contains(use_))
    });
    for grant in entries.flat_map(|entry| entry.grants) {
        let known = grant.only_if.map(|(_, key, value)| {
            let value = setting.fill(value).into_iter().next().unwrap_or_default();
            (key.to_owned(), value.replace('*', "example"))
        });
        for resource in resources(grant, setting) {
            let resource = match resource.as_str() {
                "*" => resource,
                pattern => pattern.replace('*', "example"),
            };
            asks.entry((resource, known.clone()))
                .or_default()
                .insert(grant.action);
        }
    }
    asks.into_iter()
        .map(|((resource, known), actions)| Ask {
            resources: vec![resource],
            known,
            actions,
        })
        .collect()
}

/// The policy of one role for some uses; `None` where it has nothing to do. `writes`: also what changes something.
pub fn policy(who: Who, uses: &BTreeSet<Use>, writes: bool, setting: &Setting) -> Option<Value> {
    // Statements of the same resources and condition are one.
    type Key = (Vec<String>, Option<(String, String, String)>);
    let mut statements: BTreeMap<Key, BTreeSet<&str>> = BTreeMap::new();
    let entries = TABLE.iter().filter(|entry| {
        entry.who.contains(&who)
            && (writes || !entry.writes)
            && entry.uses.iter().any(|use_| uses.contains(use_))
    });
    for grant in entries.flat_map(|entry| entry.grants) {
        let resources = resources(grant, setting);
        if resources.is_empty() {
            continue;
        }
        let condition = grant.only_if.map(|(operator, key, value)| {
            let value = setting.fill(value).into_iter().next().unwrap_or_default();
            (operator.to_owned(), key.to_owned(), value)
        });
        // A condition on an organization that nobody named would hold for none.
        let condition = condition.filter(|(_, _, value)| value != "*");
        statements
            .entry((resources, condition))
            .or_default()
            .insert(grant.action);
    }
    if statements.is_empty() {
        return None;
    }
    let statements: Vec<Value> = statements
        .into_iter()
        .map(|((resources, condition), actions)| {
            let mut statement = Map::new();
            statement.insert("Effect".to_owned(), json!("Allow"));
            statement.insert("Action".to_owned(), json!(actions));
            statement.insert("Resource".to_owned(), one_or_many(resources));
            if let Some((operator, key, value)) = condition {
                let mut inner = Map::new();
                inner.insert(key, Value::from(value));
                let mut outer = Map::new();
                outer.insert(operator, Value::Object(inner));
                statement.insert("Condition".to_owned(), Value::Object(outer));
            }
            Value::Object(statement)
        })
        .collect();
    Some(json!({ "Version": "2012-10-17", "Statement": statements }))
}

fn resources(grant: &Grant, setting: &Setting) -> Vec<String> {
    let resources: BTreeSet<String> = grant.on.iter().flat_map(|on| setting.fill(on)).collect();
    resources.into_iter().collect()
}

fn one_or_many(mut values: Vec<String>) -> Value {
    match values.pop() {
        Some(one) if values.is_empty() => Value::from(one),
        Some(last) => {
            values.push(last);
            Value::from(values)
        }
        None => Value::Null,
    }
}

/// Who may take the deployer's role: exactly the operator's role, in this organization, with a source identity, and with
/// the external id where the files have one (SEC-03).
pub fn deployer_trust(rollout: &Rollout, operator: &str, setting: &Setting) -> Value {
    let fill = |text: &str| setting.fill(text).into_iter().next().unwrap_or_default();
    let mut equal = Map::new();
    equal.insert(
        "aws:PrincipalOrgID".to_owned(),
        Value::from(fill("{organization}")),
    );
    let mut assume = equal.clone();
    if rollout.organization.deployer_role.external_id.is_some() {
        assume.insert(
            "sts:ExternalId".to_owned(),
            json!("(organization.deployerRole.externalId)"),
        );
    }
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": { "AWS": fill("arn:{partition}:iam::{management}:root") },
                "Action": "sts:AssumeRole",
                "Condition": {
                    "ArnEquals": { "aws:PrincipalArn": operator },
                    "StringEquals": assume,
                    "Null": { "sts:SourceIdentity": "false" }
                }
            },
            {
                "Effect": "Allow",
                "Principal": { "AWS": fill("arn:{partition}:iam::{management}:root") },
                "Action": "sts:SetSourceIdentity",
                "Condition": {
                    "ArnEquals": { "aws:PrincipalArn": operator },
                    "StringEquals": equal
                }
            }
        ]
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn shipped() -> Rollout {
        crate::config::load(Path::new(env!("CARGO_MANIFEST_DIR")), "rollout.yaml")
            .unwrap()
            .rollout
    }

    fn actions(policy: &Value) -> BTreeSet<String> {
        policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect()
    }

    fn phase<'r>(rollout: &'r Rollout, name: &str) -> &'r Phase {
        rollout
            .phases
            .iter()
            .find(|phase| phase.name == name)
            .unwrap()
    }

    #[test]
    fn a_phase_gets_what_its_kinds_need_and_no_more() {
        let rollout = shipped();
        let setting = Setting::of(&rollout);
        let logging = uses(&rollout, phase(&rollout, "logging"));
        let deployer = actions(&policy(Who::Deployer, &logging, true, &setting).unwrap());
        assert!(deployer.contains("bedrock:PutModelInvocationLoggingConfiguration"));
        assert!(deployer.contains("iam:PassRole"));
        assert!(
            !deployer
                .iter()
                .any(|action| action.starts_with("cloudformation:"))
        );
        let operator = actions(&policy(Who::Operator, &logging, true, &setting).unwrap());
        assert!(operator.contains("sts:AssumeRole"));
        assert!(!operator.contains("organizations:AttachPolicy"));
        let read_only = actions(
            &policy(
                Who::Operator,
                &Use::ALL.iter().copied().collect(),
                false,
                &setting,
            )
            .unwrap(),
        );
        assert!(
            !read_only.contains("organizations:AttachPolicy"),
            "{read_only:?}"
        );
        assert!(
            !read_only.contains("cloudformation:CreateStackSet"),
            "{read_only:?}"
        );
    }

    #[test]
    fn names_of_the_rollout_narrow_the_resources() {
        let rollout = shipped();
        let text = policy(
            Who::Operator,
            &BTreeSet::from([Use::StackSet]),
            true,
            &Setting::of(&rollout),
        )
        .unwrap()
        .to_string();
        assert!(
            text.contains("stackset/bedrail-bedrock-governance-*:*"),
            "{text}"
        );
        assert!(!text.contains('{') || !text.contains("{rollout}"), "{text}");
        assert_eq!(pattern("logs-${account.id}-${region}"), "logs-*-*");
    }
}
