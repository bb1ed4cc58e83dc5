//! Which capabilities a template demands.
//! Rule: API reference, CreateStack, `Capabilities`.

use super::shape::Template;

/// Types that demand CAPABILITY_IAM or CAPABILITY_NAMED_IAM, and the property that names the resource.
const IAM_TYPES: [(&str, &str); 8] = [
    ("AWS::IAM::AccessKey", ""),
    ("AWS::IAM::Group", "GroupName"),
    ("AWS::IAM::InstanceProfile", "InstanceProfileName"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
    ("AWS::IAM::Policy", ""),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::IAM::User", "UserName"),
    ("AWS::IAM::UserToGroupAddition", ""),
];

/// What the caller has to acknowledge, and because of which types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// `CAPABILITY_…`; the named form stands for both.
    pub capabilities: Vec<&'static str>,
    /// Resource types that ask for them.
    pub kinds: Vec<String>,
}

impl Demand {
    pub fn of(template: &Template) -> Self {
        let mut demand = Self::default();
        let mut named = false;
        for resource in &template.resources {
            let Some((kind, name)) = IAM_TYPES.iter().find(|(k, _)| **k == *resource.kind) else {
                continue;
            };
            if !demand.kinds.iter().any(|k| k == kind) {
                demand.kinds.push((*kind).to_owned());
            }
            named |= !name.is_empty() && resource.properties.get(name).is_some();
        }
        if named {
            demand.capabilities.push("CAPABILITY_NAMED_IAM");
        } else if !demand.kinds.is_empty() {
            demand.capabilities.push("CAPABILITY_IAM");
        }
        if !template.transforms.is_empty()
            || template
                .resources
                .iter()
                .any(|r| r.kind.ends_with("::MODULE"))
        {
            demand.capabilities.push("CAPABILITY_AUTO_EXPAND");
        }
        demand
    }

    /// The demanded capabilities that `given` does not cover.
    pub fn missing(&self, given: &[String]) -> Vec<&'static str> {
        let has = |name: &str| given.iter().any(|g| g == name);
        self.capabilities
            .iter()
            .copied()
            .filter(|wanted| {
                let covered = *wanted == "CAPABILITY_IAM" && has("CAPABILITY_NAMED_IAM");
                !has(wanted) && !covered
            })
            .collect()
    }

    /// `CapabilitiesReason` of ValidateTemplate.
    pub fn reason(&self) -> Option<String> {
        if self.kinds.is_empty() {
            None
        } else {
            Some(format!(
                "The following resource(s) require capabilities: [{}]",
                self.kinds.join(", ")
            ))
        }
    }
}
