//! A template's text → [`Template`], with every finding.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::long_form::{self, FUNCTIONS};
use super::{
    BODY_LIMIT, Capability, ParameterDeclaration, ParameterType, Resource, Template, uses,
};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Located, Origin, suggestion};
use crate::config::node::{Node, NodeKind};
use crate::config::pattern::is_pattern;
use crate::config::project::hex;
use crate::config::{json, yaml};

/// Limits of CloudFormation (its quotas page, November 2026).
const MAX_RESOURCES: usize = 500;
const MAX_PARAMETERS: usize = 200;
const MAX_OUTPUTS: usize = 200;
const MAX_MAPPINGS: usize = 200;

const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Globals",
    "Hooks",
    "Resources",
    "Outputs",
];

const DECLARATION_KEYS: &[&str] = &[
    "Type",
    "Default",
    "AllowedValues",
    "AllowedPattern",
    "ConstraintDescription",
    "Description",
    "MinLength",
    "MaxLength",
    "MinValue",
    "MaxValue",
    "NoEcho",
];

/// Reads YAML or JSON.
pub(super) fn tree(path: &Arc<str>, text: &str) -> Result<Node, Vec<Diagnostic>> {
    if text.trim_start().starts_with('{') {
        return json::parse(path, text);
    }
    yaml::parse(path, text, yaml::Dialect::Template)?.ok_or_else(|| {
        vec![
            Diagnostic::error(codes::EMPTY_FILE, format!("the template `{path}` is empty"))
                .at(&start_of(path))
                .help("a template needs at least the section Resources"),
        ]
    })
}

fn start_of(path: &Arc<str>) -> Origin {
    Origin {
        file: path.clone(),
        line: 1,
        column: 1,
        length: 0,
    }
}

impl Template {
    /// Reads a template. All findings are returned, not only the first.
    pub fn parse(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let path: Arc<str> = path.into();
        let root = tree(&path, text)?;
        let mut findings = Vec::new();
        unknown_functions(&root, &mut findings);
        sections(&root, &mut findings);
        let parameters: BTreeMap<String, ParameterDeclaration> = section(&root, "Parameters")
            .map(|(name, origin, node)| {
                (
                    name.to_owned(),
                    declaration(name, origin, node, &mut findings),
                )
            })
            .collect();
        let resources: BTreeMap<String, Resource> = section(&root, "Resources")
            .filter_map(|(name, origin, node)| {
                Some((
                    name.to_owned(),
                    resource(name, origin, node, &mut findings)?,
                ))
            })
            .collect();
        let outputs: BTreeSet<String> = section(&root, "Outputs")
            .map(|(name, _, _)| name.to_owned())
            .collect();
        for (what, count, limit) in [
            ("Resources", resources.len(), MAX_RESOURCES),
            ("Parameters", parameters.len(), MAX_PARAMETERS),
            ("Outputs", outputs.len(), MAX_OUTPUTS),
            ("Mappings", section(&root, "Mappings").count(), MAX_MAPPINGS),
        ] {
            if count > limit {
                let origin = root
                    .entry(what)
                    .map_or(&root.origin, |entry| &entry.key.origin);
                findings.push(
                    Diagnostic::error(
                        codes::TEMPLATE_LIMIT,
                        format!(
                            "the template has {count} {what}; CloudFormation takes {limit} at most"
                        ),
                    )
                    .at(origin)
                    .help("split it into several components"),
                );
            }
        }
        for parameter in parameters.values() {
            if let Some(default) = &parameter.default
                && let Err(reason) = parameter.check(default)
            {
                findings.push(
                    Diagnostic::error(
                        codes::PARAMETER_DECLARATION,
                        format!(
                            "the default of `{}` is not allowed by its own declaration: {reason}",
                            parameter.name
                        ),
                    )
                    .at(&parameter.origin)
                    .help("change the default or the constraint"),
                );
            }
        }
        if findings.iter().any(Diagnostic::is_error) {
            return Err(findings);
        }
        let exports = section(&root, "Outputs")
            .filter_map(|(_, _, node)| uses::written(node.at(&["Export", "Name"])?))
            .map(str::to_owned)
            .collect();
        let mut imports = Vec::new();
        uses::find_imports(&root, &mut imports);
        let imports = imports
            .into_iter()
            .filter_map(|node| {
                let name = uses::written(node)?.to_owned();
                Some(Located::new(name, node.origin.clone()))
            })
            .collect();
        let conditions = section(&root, "Conditions")
            .map(|(name, _, node)| (name.to_owned(), node.clone()))
            .collect();
        let transforms = transforms(&root);
        let body = body(&root, text);
        Ok(Self {
            digest: hex(&Sha256::digest(body.as_bytes())),
            body,
            description: root
                .get("Description")
                .and_then(Node::text)
                .map(str::to_owned),
            capabilities: capabilities(&root, &resources, &transforms),
            path,
            parameters,
            resources,
            conditions,
            outputs,
            exports,
            imports,
            transforms,
        })
    }
}

fn section<'n>(
    root: &'n Node,
    name: &str,
) -> impl Iterator<Item = (&'n str, &'n Origin, &'n Node)> {
    root.get(name)
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .map(|entry| (entry.key.text.as_str(), &entry.key.origin, &entry.value))
}

fn unknown_functions(node: &Node, findings: &mut Vec<Diagnostic>) {
    if let Some(tag) = &node.tag
        && !FUNCTIONS.contains(&tag.as_str())
    {
        findings.push(
            Diagnostic::error(
                codes::TEMPLATE_SHAPE,
                format!("`!{tag}` is no function of CloudFormation"),
            )
            .at(&node.origin)
            .help(suggestion(tag, FUNCTIONS.iter().copied())),
        );
    }
    match &node.kind {
        NodeKind::Scalar(_) => {}
        NodeKind::Sequence(items) => items
            .iter()
            .for_each(|item| unknown_functions(item, findings)),
        NodeKind::Mapping(entries) => entries
            .iter()
            .for_each(|entry| unknown_functions(&entry.value, findings)),
    }
}

fn sections(root: &Node, findings: &mut Vec<Diagnostic>) {
    if !matches!(root.kind, NodeKind::Mapping(_)) {
        findings.push(
            Diagnostic::error(
                codes::TEMPLATE_SHAPE,
                format!("a template must be a map, not {}", root.describe()),
            )
            .at(&root.origin)
            .help("a template needs at least the section Resources"),
        );
        return;
    }
    for entry in root.entries() {
        let name = entry.key.text.as_str();
        if !SECTIONS.contains(&name) {
            findings.push(
                Diagnostic::error(
                    codes::TEMPLATE_SHAPE,
                    format!("templates have no section `{name}`"),
                )
                .at(&entry.key.origin)
                .label("unknown section")
                .help(suggestion(name, SECTIONS.iter().copied())),
            );
        }
    }
    for name in [
        "Parameters",
        "Resources",
        "Outputs",
        "Mappings",
        "Conditions",
    ] {
        if let Some(entry) = root.entry(name)
            && !matches!(entry.value.kind, NodeKind::Mapping(_))
        {
            findings.push(
                Diagnostic::error(
                    codes::TEMPLATE_SHAPE,
                    format!(
                        "the section {name} must be a map, not {}",
                        entry.value.describe()
                    ),
                )
                .at(&entry.key.origin)
                .help("remove the section, or give it entries"),
            );
        }
    }
    if root
        .get("Resources")
        .is_none_or(|node| node.entries().is_empty())
    {
        findings.push(
            Diagnostic::error(codes::TEMPLATE_SHAPE, "the template has no Resources")
                .at(&root.origin)
                .help("add the section Resources with at least one resource"),
        );
    }
}

fn resource(
    name: &str,
    origin: &Origin,
    node: &Node,
    findings: &mut Vec<Diagnostic>,
) -> Option<Resource> {
    // A loop of the LanguageExtensions transform stands where a resource would.
    if name.starts_with("Fn::ForEach") {
        return None;
    }
    let Some(resource_type) = node.get("Type").and_then(Node::text) else {
        findings.push(
            Diagnostic::error(
                codes::TEMPLATE_SHAPE,
                format!("the resource `{name}` has no Type"),
            )
            .at(origin)
            .help("add `Type: AWS::Service::Thing`"),
        );
        return None;
    };
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    Some(Resource {
        resource_type: resource_type.to_owned(),
        condition: text("Condition"),
        deletion_policy: text("DeletionPolicy"),
        update_replace_policy: text("UpdateReplacePolicy"),
        properties: node.get("Properties").cloned(),
        origin: origin.clone(),
    })
}

fn declaration(
    name: &str,
    origin: &Origin,
    node: &Node,
    findings: &mut Vec<Diagnostic>,
) -> ParameterDeclaration {
    let mut problem = |origin: &Origin, message: String, help: String| {
        findings.push(
            Diagnostic::error(codes::PARAMETER_DECLARATION, message)
                .at(origin)
                .help(help),
        );
    };
    for entry in node.entries() {
        let key = entry.key.text.as_str();
        if !DECLARATION_KEYS.contains(&key) {
            problem(
                &entry.key.origin,
                format!("the parameter `{name}` has an unknown key `{key}`"),
                suggestion(key, DECLARATION_KEYS.iter().copied()),
            );
        }
    }
    let parameter_type = match node.get("Type").and_then(Node::text) {
        Some(text) => ParameterType::read(text).unwrap_or_else(|| {
            problem(
                node.get("Type").map_or(origin, |node| &node.origin),
                format!("`{text}` is no type of a parameter"),
                "use String, Number, CommaDelimitedList, List<Number> or a type of AWS".to_owned(),
            );
            ParameterType::String
        }),
        None => {
            problem(
                origin,
                format!("the parameter `{name}` has no Type"),
                "add `Type: String`".to_owned(),
            );
            ParameterType::String
        }
    };
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let mut number = |key: &str| {
        let value = node.get(key)?;
        let parsed = value.text().and_then(|text| text.parse::<u64>().ok());
        if parsed.is_none() {
            problem(
                &value.origin,
                format!("{key} of `{name}` must be a whole number"),
                "write a number".to_owned(),
            );
        }
        parsed
    };
    let (min_length, max_length) = (number("MinLength"), number("MaxLength"));
    if let Some(pattern) = node.get("AllowedPattern")
        && pattern.text().is_none_or(|text| !is_pattern(text))
    {
        problem(
            &pattern.origin,
            format!("the AllowedPattern of `{name}` is no regular expression"),
            "correct the pattern".to_owned(),
        );
    }
    ParameterDeclaration {
        name: name.to_owned(),
        parameter_type,
        default: node.get("Default").map(default_text),
        allowed_values: node
            .get("AllowedValues")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::text)
            .map(str::to_owned)
            .collect(),
        allowed_pattern: text("AllowedPattern"),
        constraint_description: text("ConstraintDescription"),
        min_length,
        max_length,
        min_value: text("MinValue"),
        max_value: text("MaxValue"),
        no_echo: text("NoEcho").is_some_and(|text| text.eq_ignore_ascii_case("true")),
        origin: origin.clone(),
    }
}

/// A default may be written as a list for list types; CloudFormation joins it with commas.
fn default_text(node: &Node) -> String {
    match &node.kind {
        NodeKind::Scalar(scalar) => scalar.text.clone(),
        NodeKind::Sequence(items) => items
            .iter()
            .filter_map(Node::text)
            .collect::<Vec<_>>()
            .join(","),
        NodeKind::Mapping(_) => String::new(),
    }
}

impl ParameterType {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "String" => Self::String,
            "Number" => Self::Number,
            "List<Number>" => Self::ListOfNumber,
            "CommaDelimitedList" => Self::CommaDelimitedList,
            _ if text.starts_with("AWS::SSM::Parameter::") => Self::Ssm(text.to_owned()),
            _ if text.starts_with("AWS::") => Self::Aws(text.to_owned()),
            _ => Self::ListOfAws(
                text.strip_prefix("List<")
                    .and_then(|inner| inner.strip_suffix('>'))
                    .filter(|inner| inner.starts_with("AWS::") || *inner == "String")?
                    .to_owned(),
            ),
        })
    }

    /// The name as templates write it.
    pub fn name(&self) -> String {
        match self {
            Self::String => "String".to_owned(),
            Self::Number => "Number".to_owned(),
            Self::ListOfNumber => "List<Number>".to_owned(),
            Self::CommaDelimitedList => "CommaDelimitedList".to_owned(),
            Self::Aws(name) | Self::Ssm(name) => name.clone(),
            Self::ListOfAws(name) => format!("List<{name}>"),
        }
    }

    pub fn is_list(&self) -> bool {
        match self {
            Self::ListOfNumber | Self::CommaDelimitedList | Self::ListOfAws(_) => true,
            Self::Ssm(name) => name.contains("List<"),
            Self::String | Self::Number | Self::Aws(_) => false,
        }
    }
}

fn transforms(root: &Node) -> Vec<String> {
    match root.get("Transform") {
        Some(node) => match &node.kind {
            NodeKind::Scalar(scalar) => vec![scalar.text.clone()],
            NodeKind::Sequence(items) => items
                .iter()
                .filter_map(Node::text)
                .map(str::to_owned)
                .collect(),
            NodeKind::Mapping(_) => node
                .get("Name")
                .and_then(Node::text)
                .map(str::to_owned)
                .into_iter()
                .collect(),
        },
        None => Vec::new(),
    }
}

/// Properties that give an IAM resource a name of its own (CloudFormation, CAPABILITY_NAMED_IAM).
const IAM_NAMES: &[(&str, &str)] = &[
    ("AWS::IAM::Group", "GroupName"),
    ("AWS::IAM::InstanceProfile", "InstanceProfileName"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::IAM::User", "UserName"),
];

fn capabilities(
    root: &Node,
    resources: &BTreeMap<String, Resource>,
    transforms: &[String],
) -> Vec<Capability> {
    let named = resources.values().any(|resource| {
        IAM_NAMES.iter().any(|(resource_type, property)| {
            resource.resource_type == *resource_type
                && resource
                    .properties
                    .as_ref()
                    .is_some_and(|node| node.get(property).is_some())
        })
    });
    let iam = resources
        .values()
        .any(|resource| resource.resource_type.starts_with("AWS::IAM::"))
        || transforms
            .iter()
            .any(|name| name.starts_with("AWS::Serverless"));
    let mut needed = Vec::new();
    if named {
        needed.push(Capability::NamedIam);
    } else if iam {
        needed.push(Capability::Iam);
    }
    if !transforms.is_empty() || uses_transform(root) {
        needed.push(Capability::AutoExpand);
    }
    needed
}

fn uses_transform(node: &Node) -> bool {
    node.tag.as_deref() == Some("Transform")
        || node.entry("Fn::Transform").is_some()
        || node.items().iter().any(uses_transform)
        || node
            .entries()
            .iter()
            .any(|entry| uses_transform(&entry.value))
}

/// What is sent: the author's bytes, or less of them when they are too many for a request.
fn body(root: &Node, text: &str) -> Arc<str> {
    if text.len() > BODY_LIMIT && !long_form::is_ambiguous(root) {
        let minified = long_form::to_json(root).to_string();
        if minified.len() < text.len() {
            return minified.into();
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "\
Parameters:
  Days: {Type: Number, Default: 365, AllowedValues: [30, 365]}
  Secret: {Type: String, NoEcho: true, MinLength: 2}
Resources:
  Key: {Type: AWS::KMS::Key, DeletionPolicy: Retain}
  Role:
    Type: AWS::IAM::Role
    Properties: {RoleName: !Sub 'r-${AWS::Region}', AssumeRolePolicyDocument: {Version: 2012-10-17}}
Outputs:
  Arn: {Value: !GetAtt Key.Arn}
";

    #[test]
    fn a_template_tells_what_a_rollout_must_know() {
        let template = Template::parse("t.yaml", SMALL).unwrap();
        assert_eq!(template.capabilities, [Capability::NamedIam]);
        assert_eq!(template.parameters["Days"].default.as_deref(), Some("365"));
        assert!(template.parameters["Secret"].no_echo);
        assert_eq!(template.parameters["Secret"].origin.line, 3);
        assert_eq!(
            template.resource_types().into_iter().collect::<Vec<_>>(),
            ["AWS::IAM::Role", "AWS::KMS::Key"]
        );
        assert_eq!(
            template.resources["Key"].deletion_policy.as_deref(),
            Some("Retain")
        );
        assert!(template.outputs.contains("Arn"));
        assert_eq!(&*template.body, SMALL);
        assert_eq!(template.digest.len(), 64);
    }

    #[test]
    fn capabilities_follow_from_what_is_in_the_template() {
        for (resources, transform, expected) in [
            ("A: {Type: AWS::S3::Bucket}", "", vec![]),
            (
                "A: {Type: AWS::IAM::Policy, Properties: {PolicyName: p}}",
                "",
                vec![Capability::Iam],
            ),
            (
                "A: {Type: AWS::IAM::Role, Properties: {RoleName: p}}",
                "",
                vec![Capability::NamedIam],
            ),
            (
                "A: {Type: AWS::S3::Bucket}",
                "Transform: AWS::LanguageExtensions\n",
                vec![Capability::AutoExpand],
            ),
            (
                "A: {Type: AWS::Serverless::Function}",
                "Transform: [AWS::Serverless-2016-10-31]\n",
                vec![Capability::Iam, Capability::AutoExpand],
            ),
            (
                "A: {Type: AWS::S3::Bucket, Properties: !Transform {Name: AWS::Include}}",
                "",
                vec![Capability::AutoExpand],
            ),
        ] {
            let text = format!("{transform}Resources:\n  {resources}\n");
            assert_eq!(
                Template::parse("t", &text).unwrap().capabilities,
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_body_that_is_too_long_is_sent_as_minified_json_unless_that_could_change_its_meaning() {
        let padding = "# a comment that nobody needs to send\n".repeat(1500);
        let template = Template::parse("t.yaml", &format!("{SMALL}{padding}")).unwrap();
        let sent: serde_json::Value = serde_json::from_str(&template.body).unwrap();
        assert_eq!(
            sent["Outputs"]["Arn"]["Value"],
            serde_json::json!({"Fn::GetAtt": ["Key", "Arn"]})
        );
        assert_eq!(
            sent["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Version"],
            "2012-10-17"
        );
        let ambiguous = format!("{SMALL}Metadata: {{flag: no}}\n{padding}");
        assert_eq!(
            &*Template::parse("t.yaml", &ambiguous).unwrap().body,
            ambiguous
        );
    }

    #[test]
    fn what_is_wrong_with_a_template_is_said_all_at_once() {
        let text = "\
Resorces: {}
Parameters:
  A: {Type: Strng}
  B: {Type: String, Defualt: x}
  C: {Type: String, Default: x, AllowedValues: [y]}
  D: {Type: String, AllowedPattern: '['}
Resources:
  R: {Properties: {X: !Subb y}}
";
        let found: Vec<_> = Template::parse("t", text)
            .unwrap_err()
            .into_iter()
            .map(|finding| (finding.code, finding.origin.unwrap().line))
            .collect();
        assert_eq!(
            found,
            [
                (codes::TEMPLATE_SHAPE, 8),
                (codes::TEMPLATE_SHAPE, 1),
                (codes::PARAMETER_DECLARATION, 3),
                (codes::PARAMETER_DECLARATION, 4),
                (codes::PARAMETER_DECLARATION, 6),
                (codes::TEMPLATE_SHAPE, 8),
                (codes::PARAMETER_DECLARATION, 5),
            ]
        );
    }

    #[test]
    fn json_templates_are_read_as_well() {
        let text = r#"{"Resources": {"B": {"Type": "AWS::S3::Bucket", "Condition": "C"}}}"#;
        let template = Template::parse("t.json", text).unwrap();
        assert_eq!(template.resources["B"].condition.as_deref(), Some("C"));
    }
}
