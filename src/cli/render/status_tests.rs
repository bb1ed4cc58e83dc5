//! How status and drift look, with and without colour, on narrow and on wide terminals.

use crate::ids::{AccountId, Region};
use crate::live::{Column, Finding, Found, Matrix, Repair, Row, Severity, State, Unchecked};
use crate::organization::AccountState;

use super::findings::Findings;
use super::words::Names;
use super::{drift_json, drift_markdown, drift_text, status_json, status_markdown, status_text};

fn account(n: usize) -> AccountId {
    format!("{n:012}").parse().unwrap()
}

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

/// Components as a rollout has them, two of them in two Regions.
fn columns() -> Vec<Column> {
    let one = |component: &str, name: Option<&str>| Column {
        component: component.to_owned(),
        region: name.map(region),
    };
    vec![
        one("approved-models", None),
        one("central-monitoring", Some("us-east-1")),
        one("invocation-logging", Some("eu-west-1")),
        one("invocation-logging", Some("us-east-1")),
        one("model-invocations", Some("eu-west-1")),
        one("model-invocations", Some("us-east-1")),
    ]
}

fn row(n: usize, name: &str, environment: Option<&str>, path: &str, cells: [State; 6]) -> Row {
    Row {
        account: account(n),
        name: name.to_owned(),
        path: path.to_owned(),
        environment: environment.map(str::to_owned),
        state: AccountState::Active,
        cells: cells.to_vec(),
    }
}

use State::{
    Current as C, Failed as F, Foreign as X, Missing as M, NotApplicable as N, Outdated as O,
    Unknown as U,
};

fn matrix(rows: Vec<Row>) -> Matrix {
    Matrix {
        rollout: "bedrock-governance".to_owned(),
        organization: "o-exampleorg1".to_owned(),
        columns: columns(),
        rows,
    }
}

fn small() -> Matrix {
    matrix(vec![
        row(1, "dev-1", Some("dev"), "Workloads/Dev", [C, N, C, C, C, C]),
        row(2, "dev-2", Some("dev"), "Workloads/Dev", [C, N, O, C, X, C]),
        row(
            3,
            "prod-1",
            Some("prod"),
            "Workloads/Prod",
            [C, N, C, C, C, C],
        ),
        row(
            4,
            "prod-2 \u{1b}[2J\u{202e}",
            Some("prod"),
            "Workloads/Prod/EU",
            [M, N, F, C, U, U],
        ),
        row(5, "ai-hub", None, "Infrastructure", [N, C, N, N, N, N]),
        row(6, "audit", None, "Security", [N, N, N, N, N, N]),
    ])
}

/// A large organization in which three accounts stand out.
fn large() -> Matrix {
    let rows = (0..3_000)
        .map(|n| {
            let cells = match n {
                17 => [C, N, O, O, C, C],
                400 | 2_401 => [C, N, F, C, M, C],
                _ => [C, N, C, C, C, C],
            };
            let (environment, path) = match n {
                0..500 => ("dev", "Workloads/Dev"),
                500..2_000 => ("prod", "Workloads/Prod/Retail"),
                _ => ("prod", "Workloads/Prod/Wholesale"),
            };
            row(
                n,
                &format!("account-{n:04}"),
                Some(environment),
                path,
                cells,
            )
        })
        .collect();
    matrix(rows)
}

fn options(width: usize) -> status_text::Options {
    status_text::Options {
        width,
        verbose: false,
        failed_only: false,
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_small_organization_is_shown_account_by_account() {
    insta::assert_snapshot!(
        "status_80",
        plain(&status_text::status_text(&small(), options(80)))
    );
    insta::assert_snapshot!(
        "status_160",
        plain(&status_text::status_text(&small(), options(160)))
    );
    insta::assert_snapshot!(
        "status_coloured",
        status_text::status_text(&small(), options(80))
    );
}

#[test]
fn a_large_one_is_folded_and_what_stands_out_is_not() {
    let text = plain(&status_text::status_text(&large(), options(80)));
    assert!(text.lines().count() < 40, "{text}");
    assert!(
        text.contains("account-0017") && text.contains("account-2401"),
        "{text}"
    );
    insta::assert_snapshot!("status_large_80", text);
    let failed = status_text::Options {
        failed_only: true,
        ..options(160)
    };
    insta::assert_snapshot!(
        "status_failed_160",
        plain(&status_text::status_text(&large(), failed))
    );
}

#[test]
fn scripts_get_every_account_in_the_words_of_the_contract() {
    let matrix = small();
    let text: String =
        status_json::status_json(&matrix, status_json::chosen(&matrix, false)).collect();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["accounts"].as_array().unwrap().len(), 6);
    assert_eq!(
        json["accounts"][1]["components"]["invocation-logging"],
        serde_json::json!({"eu-west-1": "outdated", "us-east-1": "current"})
    );
    assert_eq!(
        json["accounts"][0]["components"]["approved-models"]["global"],
        "current"
    );
    assert_eq!(json["accounts"][0]["state"], "ACTIVE");
    let few: String =
        status_json::status_json(&matrix, status_json::chosen(&matrix, true)).collect();
    let few: serde_json::Value = serde_json::from_str(&few).unwrap();
    assert_eq!(few["accounts"].as_array().unwrap().len(), 2);
}

#[test]
fn a_job_summary_has_one_row_for_each_look() {
    insta::assert_snapshot!(
        "status_markdown",
        status_markdown::status_markdown(&large(), false)
    );
}

fn finding(severity: Severity, n: Option<usize>, path: &str, actual: Option<&str>) -> Finding {
    Finding {
        severity,
        component: "model-invocations".to_owned(),
        environment: Some("prod".to_owned()),
        path: path.to_owned(),
        expected: Some("on".to_owned()),
        actual: actual.map(str::to_owned),
        account: n.map(account),
        region: n.map(|_| region("eu-west-1")),
        repair: Repair::Apply,
    }
}

fn found() -> Found {
    let mut findings: Vec<Finding> = (1..=7)
        .map(|n| finding(Severity::Critical, Some(n), "configuration", None))
        .collect();
    findings.push(finding(
        Severity::Medium,
        Some(3),
        "kms.rotation",
        Some("off"),
    ));
    findings.push(finding(
        Severity::Low,
        None,
        "description",
        Some("<b>\u{1b}[2J|\u{202e} [x](https://evil.example)"),
    ));
    Found {
        matrix: small(),
        findings,
        unchecked: vec![Unchecked {
            component: "invocation-logging".to_owned(),
            environment: Some("dev".to_owned()),
            path: "overrides".to_owned(),
            why: "they are in no list".to_owned(),
            account: None,
            region: None,
        }],
        checked: 1_234,
    }
}

fn findings(found: &Found) -> Findings<'_> {
    Findings {
        found,
        repairs: found
            .findings
            .iter()
            .map(|_| "bedrail apply --only model-invocations -e prod".to_owned())
            .collect(),
        names: Names::new(
            (1..=7)
                .map(|n| (account(n), format!("payments-{n}")))
                .collect(),
        ),
        rollout: "bedrock-governance",
        organization: "o-exampleorg1".to_owned(),
    }
}

#[test]
fn findings_are_folded_by_what_they_say_and_the_worst_comes_first() {
    let found = found();
    let findings = findings(&found);
    for width in [80, 160] {
        let options = drift_text::Options {
            width,
            verbose: false,
        };
        let text = drift_text::drift_text(&findings, options);
        insta::assert_snapshot!(format!("drift_{width}"), plain(&text));
        if width == 80 {
            insta::assert_snapshot!("drift_coloured", text);
        }
    }
    insta::assert_snapshot!("drift_markdown", drift_markdown::drift_markdown(&findings));
}

#[test]
fn scripts_get_each_finding_by_itself() {
    let found = found();
    let json = drift_json::drift_json(&findings(&found));
    assert_eq!(json["drifted"], 9);
    assert_eq!(json["checked"], 1_234);
    for key in [
        "account",
        "region",
        "component",
        "path",
        "expected",
        "actual",
        "severity",
    ] {
        assert!(json["findings"][0].get(key).is_some(), "{key}");
    }
    assert_eq!(json["findings"][0]["actual"], serde_json::Value::Null);
    assert_eq!(json["findings"][0]["severity"], "critical");
    assert_eq!(json["notChecked"][0]["path"], "overrides");
}

#[test]
fn an_organization_in_order_says_so_in_its_last_line() {
    let found = Found {
        findings: Vec::new(),
        unchecked: Vec::new(),
        ..found()
    };
    let options = drift_text::Options {
        width: 80,
        verbose: false,
    };
    let text = plain(&drift_text::drift_text(&findings(&found), options));
    assert!(
        text.ends_with("No drift. 1,234 things checked.\n"),
        "{text}"
    );
}
