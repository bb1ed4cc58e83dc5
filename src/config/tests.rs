//! Bad files and what is said about them: one valid rollout, and a table of single changes to it.

use std::path::Path;

use super::codes;
use super::diagnostic::{Diagnostic, Severity};
use super::parameters::{Layer, overrides, resolve};
use super::{Failed, Loaded, dependencies, load};

const ROLLOUT: &str = "\
version: 1
name: demo
organization:
  id: o-exampleorg1
  homeRegion: us-east-1
accounts:
  hub: { id: \"222222222222\" }
protected:
  accounts: [\"999999999999\"]
  organizationalUnits: [Security/BreakGlass]
phases:
  - name: management
    components:
      - { kind: organizationAccess, name: access, policyTypes: [SERVICE_CONTROL_POLICY] }
      - kind: policy
        name: models
        type: SERVICE_CONTROL_POLICY
        document: policies/models.json
        attachTo: { environments: all }
        dependsOn: [access]
  - name: hub
    components:
      - kind: stack
        name: central
        account: hub
        template: templates/hub.yaml
        parameters: { OrganizationId: ${organization.id} }
  - name: members
    components:
      - kind: stackSet
        name: logging
        template: templates/member.yaml
        parameters:
          Destination: ${stack.central.outputs.Arn}
      - kind: invocationLogging
        name: switch
        s3: { bucket: \"logs-${account.id}-${region}\", keyPrefix: bedrock }
        dependsOn: [logging]
";

const BASE: &str = "\
regions: [us-east-1, eu-west-1]
parameters:
  Days: 30
  Models: [\"anthropic.*\"]
";

const DEV: &str = "\
environment: dev
extends: base
targets:
  organizationalUnits: [Workloads/Dev]
";

const PROD: &str = "\
environment: prod
extends: base
targets:
  organizationalUnits: [Workloads/Prod]
  exclude: { accounts: [\"444444444444\"] }
parameters:
  Days: 365
regionParameters:
  eu-west-1: { Days: 7 }
components:
  logging: { parameters: { Prefix: prod } }
accounts:
  \"555555555555\":
    parameters: { Prefix: special }
    regionParameters: { eu-west-1: { Days: 30 } }
delivery:
  after: [dev]
  waves:
    - { name: canary, accounts: 2, bake: 30m, gate: { alarm: errors } }
    - { name: rest, percent: 100, approval: required }
  maxConcurrent: 25%
  regionOrder: [eu-west-1, us-east-1]
";

const HUB: &str = "\
Parameters:
  OrganizationId: { Type: String, AllowedPattern: 'o-[a-z0-9]+' }
Resources:
  Key: { Type: AWS::KMS::Key }
Outputs:
  Arn: { Value: !GetAtt Key.Arn }
";

const MEMBER: &str = "\
Parameters:
  Destination: { Type: String }
  Days: { Type: Number, AllowedValues: [7, 30, 365] }
  Prefix: { Type: String, Default: none }
Resources:
  Logs: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: !Ref Days } }
";

const MODELS: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Deny",
    "Action": ["bedrock:InvokeModel"],
    "NotResource": ["arn:aws:bedrock:*::foundation-model/${parameters.Models}"]
  }]
}
"#;

const FILES: &[(&str, &str)] = &[
    ("rollout.yaml", ROLLOUT),
    ("environments/base.yaml", BASE),
    ("environments/dev.yaml", DEV),
    ("environments/prod.yaml", PROD),
    ("templates/hub.yaml", HUB),
    ("templates/member.yaml", MEMBER),
    ("policies/models.json", MODELS),
];

/// A change to one of the files: the first occurrence of a text becomes another.
type Edit<'e> = (&'e str, &'e str, &'e str);

fn load_with(edits: &[Edit]) -> Result<Loaded, Failed> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        let mut text = (*text).to_owned();
        for (file, from, to) in edits {
            if file == path {
                assert!(text.contains(from), "{from:?} is not in {path}");
                text = text.replacen(from, to, 1);
            }
        }
        write(folder.path(), path, &text);
    }
    load(folder.path(), "rollout.yaml")
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn shown(finding: &Diagnostic) -> String {
    let origin = finding
        .origin
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string);
    let kind = match finding.severity {
        Severity::Error => "",
        Severity::Warning => "warning ",
    };
    format!(
        "{kind}{} {origin}: {} ({})",
        finding.code,
        finding.message,
        finding.help.as_deref().unwrap_or("no help")
    )
}

fn findings(edits: &[Edit]) -> Vec<String> {
    match load_with(edits) {
        Ok(loaded) => loaded.warnings.iter().map(shown).collect(),
        Err(failed) => failed.diagnostics.iter().map(shown).collect(),
    }
}

#[test]
fn the_valid_rollout_has_no_findings() {
    assert_eq!(findings(&[]), Vec::<String>::new());
}

#[test]
fn the_shipped_rollout_is_valid() {
    let loaded = load(Path::new(env!("CARGO_MANIFEST_DIR")), "rollout.yaml").unwrap();
    assert_eq!(
        loaded.warnings.iter().map(shown).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}

/// Each row is one change with all that must be said about it.
#[test]
fn every_mistake_is_said_where_it_stands_with_its_remedy() {
    let rows: &[(Edit, &[&str])] = include!("tests/rows.rs");
    let mut wrong = String::new();
    for (edit, expected) in rows {
        let found = findings(&[*edit]);
        if found != *expected {
            wrong.push_str(&format!("{edit:?}\n"));
            for line in found {
                wrong.push_str(&format!("        {line:?},\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "differences:\n{wrong}");
}

/// Exports are seen in their own account and Region only.
#[test]
fn what_only_another_account_exports_cannot_be_imported() {
    let export = (
        "templates/hub.yaml",
        "!GetAtt Key.Arn }",
        "!GetAtt Key.Arn, Export: { Name: !Sub 'key-${AWS::Region}' } }",
    );
    let import = (
        "templates/member.yaml",
        "!Ref Days",
        "!ImportValue { 'Fn::Sub': 'key-${AWS::Region}' }",
    );
    assert_eq!(
        findings(&[export, import]),
        [
            "E0707 templates/member.yaml:6:69: `logging` imports `key-${AWS::Region}`, which `central` exports in another account (exports are seen in their own account and Region only; make it a parameter with the value ${stack.central.outputs.…})"
        ]
    );
    let own = (
        "templates/hub.yaml",
        "Key: { Type: AWS::KMS::Key }",
        "Key: { Type: AWS::KMS::Key, Properties: { Description: !ImportValue key } }",
    );
    let export = (
        "templates/hub.yaml",
        "!GetAtt Key.Arn }",
        "!GetAtt Key.Arn, Export: { Name: key } }",
    );
    assert_eq!(findings(&[export, own]), Vec::<String>::new());
}

/// Mistakes of form and of meaning in one project: the complete list, and nothing that only follows.
#[test]
fn mistakes_of_form_hide_no_mistakes_of_meaning() {
    let rows: &[(&[Edit], &[&str])] = include!("tests/several.rs");
    let mut wrong = String::new();
    for (edits, expected) in rows {
        let found = findings(edits);
        if found != *expected {
            wrong.push_str(&format!("{edits:?}\n"));
            for line in found {
                wrong.push_str(&format!("        {line:?},\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "differences:\n{wrong}");
}

/// Every row of the table with an unknown key in another file: what the row finds, and the key.
#[test]
fn an_unknown_key_elsewhere_changes_nothing_else() {
    let rows: &[(Edit, &[&str])] = include!("tests/rows.rs");
    let mut wrong = String::new();
    for (edit, expected) in rows {
        for file in [
            "rollout.yaml",
            "environments/dev.yaml",
            "environments/prod.yaml",
        ] {
            if file == edit.0 {
                continue;
            }
            // Below every other place, so that no line moves.
            let whole = FILES.iter().find(|(path, _)| *path == file).unwrap().1;
            let longer = format!("{whole}zebra: 1\n");
            let found = findings(&[*edit, (file, whole, &longer)]);
            let key = format!("E0201 {file}:{}:1: ", whole.lines().count() + 1);
            let (keys, others): (Vec<String>, Vec<String>) =
                found.into_iter().partition(|line| line.starts_with(&key));
            if keys.len() != 1 || others != *expected {
                wrong.push_str(&format!(
                    "{edit:?} and {file}\n  {keys:#?}\n  {others:#?}\n"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "differences:\n{wrong}");
}

#[test]
fn everything_wrong_is_said_in_one_run() {
    let found = findings(&[
        ("rollout.yaml", "name: access", "nam: access"),
        ("environments/base.yaml", "regions", "region"),
        ("environments/dev.yaml", "targets", "target"),
        ("environments/prod.yaml", "\"555555555555\"", "555555555555"),
    ]);
    let codes: Vec<&str> = found
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        codes,
        [
            codes::UNKNOWN_KEY,
            codes::UNKNOWN_KEY,
            codes::UNQUOTED_ID,
            codes::MISSING_KEY,
            codes::UNKNOWN_KEY,
        ],
        "{found:#?}"
    );
}

#[test]
fn the_nearest_layer_wins_and_the_history_is_kept() {
    let loaded = load_with(&[]).unwrap();
    let rollout = &loaded.rollout;
    let component = rollout.component("logging").unwrap();
    let account = "555555555555".parse().unwrap();
    let other = "666666666666".parse().unwrap();
    let (us, eu) = ("us-east-1".parse().unwrap(), "eu-west-1".parse().unwrap());
    let value = |environment: &str, account, region, name: &str| {
        let environment = rollout.environments.get(environment);
        let resolved = resolve(rollout, component, environment, account, region)[name].clone();
        (resolved.value.to_string(), resolved.layer)
    };
    assert_eq!(value("dev", None, None, "Days"), ("30".into(), Layer::Base));
    assert_eq!(
        value("dev", None, None, "Prefix"),
        ("none".into(), Layer::TemplateDefault)
    );
    assert_eq!(
        value("prod", None, None, "Days"),
        ("365".into(), Layer::Environment)
    );
    assert_eq!(
        value("prod", None, None, "Prefix"),
        ("prod".into(), Layer::EnvironmentComponent)
    );
    assert_eq!(
        value("prod", Some(&other), Some(&eu), "Days"),
        ("7".into(), Layer::EnvironmentRegion)
    );
    assert_eq!(
        value("prod", Some(&account), Some(&eu), "Days"),
        ("30".into(), Layer::AccountRegion)
    );
    assert_eq!(
        value("prod", Some(&account), Some(&us), "Prefix"),
        ("special".into(), Layer::Account)
    );
    assert_eq!(
        value("prod", None, None, "Destination"),
        ("${stack.central.outputs.Arn}".into(), Layer::Component)
    );
    let prod = rollout.environments.get("prod");
    let days = resolve(rollout, component, prod, Some(&account), Some(&eu))["Days"].clone();
    assert_eq!(
        days.origin.unwrap().to_string(),
        "environments/prod.yaml:15:44"
    );
    let layers: Vec<Layer> = days.shadowed.iter().map(|(layer, _, _)| *layer).collect();
    assert_eq!(
        layers,
        [Layer::Base, Layer::Environment, Layer::EnvironmentRegion]
    );

    let different = |account, region| -> Vec<String> {
        overrides(rollout, component, prod, account, region)
            .into_keys()
            .collect()
    };
    assert_eq!(different(&other, &us), Vec::<String>::new());
    assert_eq!(different(&other, &eu), ["Days"]);
    assert_eq!(different(&account, &us), ["Prefix"]);
    assert_eq!(different(&account, &eu), ["Days", "Prefix"]);
}

#[test]
fn parameters_are_made_of_others_and_lists_stay_lists() {
    let loaded = load_with(&[
        (
            "environments/base.yaml",
            "Models: [\"anthropic.*\"]",
            "Models: [\"${parameters.Families}\", x]\n  Families: [a, b]",
        ),
        (
            "environments/prod.yaml",
            "Prefix: prod",
            "Prefix: \"${environment}-${parameters.Days}\"",
        ),
    ])
    .unwrap();
    let rollout = &loaded.rollout;
    let prod = rollout.environments.get("prod");
    let policy = rollout.component("models").unwrap();
    assert_eq!(
        resolve(rollout, policy, prod, None, None)["Models"]
            .value
            .to_string(),
        "[a, b, x]"
    );
    let logging = rollout.component("logging").unwrap();
    assert_eq!(
        resolve(rollout, logging, prod, None, None)["Prefix"]
            .value
            .to_string(),
        "${environment}-365"
    );
}

#[test]
fn dependencies_come_from_references_and_from_names() {
    let loaded = load_with(&[]).unwrap();
    let of = |name: &str| -> Vec<String> {
        dependencies(&loaded.rollout, loaded.rollout.component(name).unwrap())
            .into_iter()
            .collect()
    };
    assert_eq!(of("logging"), ["central"]);
    assert_eq!(of("switch"), ["logging"]);
    assert_eq!(of("models"), ["access"]);
}

#[test]
fn delivery_is_read_as_written_and_has_documented_defaults() {
    use super::model::{
        Amount, Approval, ConcurrencyMode, FirstInstallation, Gate, OnFailure, WaveSize,
    };
    let loaded = load_with(&[]).unwrap();
    let prod = &loaded.rollout.environments["prod"].delivery;
    assert_eq!(prod.max_concurrent, Amount::Percent(25));
    assert_eq!(prod.waves[0].size, WaveSize::Accounts(2));
    assert_eq!(prod.waves[0].bake.unwrap().as_secs(), 1800);
    assert_eq!(
        prod.waves[0].gate,
        Some(Gate::Alarm {
            name: "errors".into(),
            place: None,
            region: None
        })
    );
    assert_eq!(prod.waves[1].approval, Some(Approval::Required));
    assert_eq!(prod.waves[1].max_concurrent, None);
    assert_eq!(prod.first_installation, FirstInstallation::Waves);
    let dev = &loaded.rollout.environments["dev"].delivery;
    assert_eq!(dev.max_concurrent, Amount::Percent(10));
    assert_eq!(dev.failure_tolerance, Amount::Count(0));
    assert_eq!(dev.concurrency_mode, ConcurrencyMode::Strict);
    assert_eq!(dev.on_failure, OnFailure::Stop);
}

#[test]
fn a_region_must_have_the_types_of_the_template() {
    let found = findings(&[
        (
            "templates/member.yaml",
            "AWS::Logs::LogGroup",
            "AWS::Budgets::Budget",
        ),
        (
            "environments/base.yaml",
            "eu-west-1]",
            "eu-north-1, eu-west-1]",
        ),
    ]);
    assert_eq!(
        found,
        [
            "E0602 environments/base.yaml:1:22: the Region eu-north-1 lacks AWS::Budgets::Budget, which `logging` needs (narrow `logging` with `regions:` to Regions that have it)",
            "E0705 templates/member.yaml:6:3: `logging` would make this AWS::Budgets::Budget in 3 Regions of each account, and budgets are global (give `logging` one Region: `regions: [us-east-1]`)",
        ]
    );
}

#[test]
fn a_policy_that_is_too_long_in_one_environment_is_found_before_it_is_sent() {
    let models: Vec<String> = (0..200)
        .map(|n| format!("\"some-quite-long-model-name-{n}\""))
        .collect();
    let long = format!("Days: 365\n  Models: [{}]", models.join(", "));
    let found = findings(&[("environments/prod.yaml", "Days: 365", &long)]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("E0802 policies/models.json:1:1"),
        "{found:#?}"
    );
    assert!(
        found[0].contains(" in prod; AWS takes 10240 at most"),
        "{found:#?}"
    );
}

#[test]
fn a_missing_rollout_file_is_one_finding() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rollout.yml"), "x").unwrap();
    let failed = load(folder.path(), "rollout.yaml").unwrap_err();
    assert_eq!(
        failed.diagnostics.iter().map(shown).collect::<Vec<_>>(),
        [
            "E0101 -: `rollout.yaml` cannot be read: there is no such file (did you mean `rollout.yml`?)"
        ]
    );
}

#[test]
fn a_rollout_without_environments_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in FILES
        .iter()
        .filter(|(path, _)| !path.starts_with("environments"))
    {
        write(folder.path(), path, text);
    }
    let loaded = load(folder.path(), "rollout.yaml").unwrap();
    assert_eq!(
        loaded.warnings.iter().map(shown).collect::<Vec<_>>(),
        [
            "warning E0312 rollout.yaml:16:15: there are no environments, so `models` is made nowhere (add files with the key `environment` to the folder environments)"
        ]
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
    /// Whatever is done to a file, the answer is a rollout or findings with places inside the files.
    #[test]
    fn no_damage_makes_the_loader_panic(file in 0usize..7, at in 0usize..1000, cut in 0usize..40, insert in "[-a:{}\\[\\]\"'$\n ,&*!#0.]{0,6}") {
        let folder = tempfile::tempdir().unwrap();
        for (position, (path, text)) in FILES.iter().enumerate() {
            let mut text = (*text).to_owned();
            if position == file {
                let at = at % text.len();
                let end = (at + cut).min(text.len());
                if text.is_char_boundary(at) && text.is_char_boundary(end) {
                    text.replace_range(at..end, &insert);
                }
            }
            write(folder.path(), path, &text);
        }
        if let Err(failed) = load(folder.path(), "rollout.yaml") {
            proptest::prop_assert!(failed.diagnostics.iter().any(Diagnostic::is_error));
            for finding in &failed.diagnostics {
                proptest::prop_assert!(finding.help.is_some(), "{finding:?}");
                if let Some(origin) = &finding.origin {
                    proptest::prop_assert!(failed.sources.contains_key(&origin.file), "{finding:?}");
                }
                proptest::prop_assert!(finding.code != codes::UNREADABLE, "{finding:?}");
            }
        }
    }
}
