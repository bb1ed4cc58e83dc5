//! Tables of the interpreter.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Scope, Template, TemplateError, capabilities::Demand, parameters};
use crate::sandbox::world::{AccountId, Place, Region};

/// A template whose one resource has `property` as written, beside some things to refer to.
fn around(property: &str) -> String {
    format!(
        "
Parameters:
  Env: {{ Type: String, Default: prod }}
  Zones: {{ Type: CommaDelimitedList, Default: 'a, b,c' }}
  Number: {{ Type: Number, Default: 7 }}
Mappings:
  Days: {{ prod: {{ keep: 2557, list: [x, y] }}, dev: {{ keep: 30, list: [] }} }}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsDev: !Not [!Condition IsProd]
  Both: !And [!Condition IsProd, !Equals [!Ref Number, '7']]
  Any: !Or [!Condition IsDev, !Condition Both]
Resources:
  Other: {{ Type: AWS::Logs::LogGroup }}
  Thing:
    Type: AWS::Logs::LogGroup
    Properties:
      P: {property}
"
    )
}

fn resolved(body: &str) -> Result<Value, TemplateError> {
    let template = Template::parse(body)?;
    let place = Place {
        account: AccountId("111122223333".to_owned()),
        region: Region("eu-west-1".to_owned()),
    };
    let values = parameters::settle(&template.parameters, &BTreeMap::new())?;
    let scope = Scope {
        template: &template,
        parameters: &values,
        place: &place,
        stack_name: "hub",
        stack_id: "arn:stack",
        resource: &|name, attribute| {
            Ok(Value::from(match attribute {
                Some(attribute) => format!("{name}#{attribute}"),
                None => format!("{name}-id"),
            }))
        },
        export: &|name| (name == "known").then(|| "value".to_owned()),
    };
    let conditions = scope.conditions()?;
    let thing = template.resource("Thing").unwrap();
    Ok(scope.value(&thing.properties, &conditions)?["P"].clone())
}

#[test]
fn functions_give_what_the_user_guide_says() {
    for (property, expected) in [
        ("plain", json!("plain")),
        ("012345678901", json!("012345678901")),
        ("2557", json!(2557)),
        ("yes", json!("yes")),
        ("true", json!(true)),
        ("'true'", json!("true")),
        ("1.50", json!("1.50")),
        ("2010-09-09", json!("2010-09-09")),
        ("!Ref Env", json!("prod")),
        ("!Ref Zones", json!(["a", "b", "c"])),
        ("!Ref AWS::Region", json!("eu-west-1")),
        ("!Ref AWS::Partition", json!("aws")),
        ("!Ref AWS::URLSuffix", json!("amazonaws.com")),
        ("!Ref Other", json!("Other-id")),
        ("!GetAtt Other.Arn", json!("Other#Arn")),
        ("!GetAtt [Other, Outputs.X]", json!("Other#Outputs.X")),
        ("{ 'Fn::GetAtt': [Other, Arn] }", json!("Other#Arn")),
        (
            "!Sub '${AWS::AccountId}/${Env}/${Other}/${Other.Arn}'",
            json!("111122223333/prod/Other-id/Other#Arn"),
        ),
        ("!Sub 'arn:${!aws:username}'", json!("arn:${aws:username}")),
        ("!Sub ['${A}-${Env}', { A: !Ref Number }]", json!("7-prod")),
        ("!Join ['-', [a, !Ref Env, 7]]", json!("a-prod-7")),
        ("!Join ['', !Ref Zones]", json!("abc")),
        ("!Split [',', 'a,b']", json!(["a", "b"])),
        ("!Select [1, !Split [':', 'x:y:z']]", json!("y")),
        ("!Select ['2', !Ref Zones]", json!("c")),
        ("!FindInMap [Days, !Ref Env, keep]", json!(2557)),
        ("!FindInMap [Days, prod, list]", json!(["x", "y"])),
        ("!If [IsProd, 1, 2]", json!(1)),
        ("!If [IsDev, 1, 2]", json!(2)),
        ("!If [Any, 1, 2]", json!(1)),
        ("[a, !If [IsDev, b, !Ref AWS::NoValue]]", json!(["a"])),
        ("{ a: !Ref AWS::NoValue, b: 1 }", json!({"b": 1})),
        ("!Base64 abc", json!("YWJj")),
        ("!ImportValue known", json!("value")),
        (
            "!GetAZs ''",
            json!(["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ),
        (
            "!Cidr ['10.0.0.0/16', 2, 8]",
            json!(["10.0.0.0/24", "10.0.1.0/24"]),
        ),
        (
            "{ Condition: { StringEquals: { a: b } } }",
            json!({"Condition": {"StringEquals": {"a": "b"}}}),
        ),
    ] {
        assert_eq!(resolved(&around(property)), Ok(expected), "{property}");
    }
}

#[test]
fn mistakes_in_functions_are_named_as_aws_names_them() {
    for (property, text) in [
        (
            "!Ref Nothing",
            "Template format error: Unresolved resource dependencies [Nothing] in the Resources block of the template",
        ),
        (
            "!Sub '${Nothing}'",
            "Template format error: Unresolved resource dependencies [Nothing] in the Resources block of the template",
        ),
        (
            "!GetAtt Nothing.Arn",
            "Template error: instance of Fn::GetAtt references undefined resource Nothing",
        ),
        (
            "!If [Nothing, 1, 2]",
            "Template error: unresolved condition dependency Nothing in Fn::If",
        ),
        (
            "!FindInMap [Days, test, keep]",
            "Template error: Unable to get mapping for Days::test::keep",
        ),
        (
            "!Select [3, !Ref Zones]",
            "Template error: Fn::Select cannot select nonexistent value at index 3",
        ),
        ("!ImportValue unknown", "No export named unknown found."),
        (
            "!Sub '${a-b}'",
            "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons",
        ),
        (
            "!Ref Thing",
            "Circular dependency between resources: [Thing]",
        ),
        (
            "~",
            "Template format error: [/Resources/Thing/Properties/P] 'null' values are not allowed in templates",
        ),
    ] {
        assert_eq!(
            resolved(&around(property)),
            Err(TemplateError::new(text)),
            "{property}"
        );
    }
}

#[test]
fn mistakes_in_the_form_are_named_as_aws_names_them() {
    let deep = format!("Resources: {}x{}", "[".repeat(200), "]".repeat(200));
    for (body, text) in [
        ("", "Template format error: unsupported structure."),
        ("text", "Template format error: unsupported structure."),
        (
            "{ \"Resources\": ",
            "Template format error: JSON not well-formed. (line 1, column 15)",
        ),
        (
            "{ \"A\": 1, \"A\": 2 }",
            "Template format error: JSON not well-formed. (line 1, column 18)",
        ),
        (
            "a: 1\na: 2",
            "Template format error: YAML not well-formed. (line 2, column 1)",
        ),
        (
            "a: &x 1\nb: *x",
            "Template format error: YAML not well-formed. (line 2, column 4)",
        ),
        (
            "a: !Unknown 1",
            "Template format error: YAML not well-formed. (line 1, column 4)",
        ),
        (
            "Foo: {}\nResources: {}",
            "Invalid template property or properties [Foo]",
        ),
        (
            "Description: x",
            "Template format error: At least one Resources member must be defined.",
        ),
        (
            "Resources: { A: {} }",
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        (
            "Resources: { A: { Type: AWS::Logs::LogGroup, Foo: 1 } }",
            "Invalid template resource property 'Foo'",
        ),
        (
            "Resources: { A: { Type: AWS::Logs::LogGroup, DependsOn: B } }",
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
        (
            "Resources: { A: { Type: AWS::Logs::LogGroup, DependsOn: B }, B: { Type: AWS::Logs::LogGroup, DependsOn: A } }",
            "Circular dependency between resources: [A, B]",
        ),
        (
            "Resources: { A: { Type: AWS::Logs::LogGroup } }\nOutputs: { O: { Value: !Ref B } }",
            "Template format error: Unresolved resource dependencies [B] in the Outputs block of the template",
        ),
        (
            "Resources: { A: { Type: AWS::Logs::LogGroup } }\nConditions: { C: !Equals [!Ref A, 1] }",
            "Template format error: Unresolved dependencies [A]. Cannot reference resources in the Conditions block of the template",
        ),
        (
            "Parameters: { P: {} }\nResources: {}",
            "Template format error: Every Parameters object must contain a Type member.",
        ),
        (deep.as_str(), ""),
    ] {
        let error = Template::parse(body).unwrap_err().0;
        if text.is_empty() {
            assert!(error.starts_with("Template format error: YAML not well-formed."));
        } else {
            assert_eq!(error, text, "{body}");
        }
    }
}

#[test]
fn values_are_checked_against_their_declaration() {
    let settle = |declaration: &str, value: &str| {
        let body = format!(
            "Parameters: {{ P: {declaration} }}\nResources: {{ A: {{ Type: AWS::Logs::LogGroup }} }}"
        );
        let template = Template::parse(&body).unwrap();
        let given = BTreeMap::from([("P".to_owned(), value.to_owned())]);
        parameters::settle(&template.parameters, &given)
            .err()
            .map(|e| e.0)
    };
    for (declaration, value, text) in [
        ("{ Type: String }", "x", None),
        ("{ Type: Number }", "7", None),
        (
            "{ Type: Number, MinValue: 8 }",
            "7",
            Some("Parameter 'P' must be a number not less than 8"),
        ),
        ("{ Type: Number, AllowedValues: [1, 7] }", "7", None),
        (
            "{ Type: String, AllowedValues: [a] }",
            "b",
            Some("Parameter 'P' must be one of AllowedValues"),
        ),
        (
            "{ Type: String, AllowedPattern: '[a-z]+' }",
            "ab1",
            Some("Parameter 'P' must match pattern [a-z]+"),
        ),
        (
            "{ Type: String, AllowedPattern: '^(?!aws).*$' }",
            "awsome",
            Some("Parameter 'P' must match pattern ^(?!aws).*$"),
        ),
        (
            "{ Type: String, AllowedPattern: a, ConstraintDescription: only a }",
            "b",
            Some("Parameter P failed to satisfy constraint: only a"),
        ),
        (
            "{ Type: String, MinLength: 2 }",
            "b",
            Some("Parameter 'P' must contain at least 2 characters"),
        ),
        (
            "{ Type: String, MaxLength: 2 }",
            "bbb",
            Some("Parameter 'P' must contain at most 2 characters"),
        ),
        (
            "{ Type: CommaDelimitedList, AllowedPattern: '[a-z]' }",
            "a, b",
            None,
        ),
        (
            "{ Type: List<Number>, MaxValue: 5 }",
            "1,6",
            Some("Parameter 'P' must be a number not greater than 5"),
        ),
        (
            "{ Type: 'AWS::SSM::Parameter::Value<String>' }",
            "/name",
            None,
        ),
    ] {
        assert_eq!(
            settle(declaration, value).as_deref(),
            text,
            "{declaration} {value}"
        );
    }
}

#[test]
fn capabilities_follow_from_the_types() {
    let demand = |resource: &str| {
        let body = format!("Resources: {{ A: {resource} }}");
        Demand::of(&Template::parse(&body).unwrap()).capabilities
    };
    assert!(demand("{ Type: AWS::Logs::LogGroup }").is_empty());
    assert_eq!(demand("{ Type: AWS::IAM::Role }"), ["CAPABILITY_IAM"]);
    assert_eq!(
        demand("{ Type: AWS::IAM::Role, Properties: { RoleName: r } }"),
        ["CAPABILITY_NAMED_IAM"]
    );
    assert_eq!(
        demand("{ Type: AWS::IAM::Policy, Properties: { PolicyName: p } }"),
        ["CAPABILITY_IAM"]
    );
    let named = Demand {
        capabilities: vec!["CAPABILITY_IAM"],
        kinds: Vec::new(),
    };
    assert!(
        named
            .missing(&["CAPABILITY_NAMED_IAM".to_owned()])
            .is_empty()
    );
}

#[test]
fn json_and_yaml_of_one_template_mean_the_same() {
    let yaml = "Resources: { Thing: { Type: AWS::Logs::LogGroup, Properties: { P: !Sub '${AWS::Region}' } } }";
    let json = r#"{"Resources": {"Thing": {"Type": "AWS::Logs::LogGroup", "Properties": {"P": {"Fn::Sub": "${AWS::Region}"}}}}}"#;
    assert_eq!(resolved(yaml), resolved(json));
}
