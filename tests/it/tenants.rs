//! Tenants: what they run in their own accounts, and what the operations account gives them.

use std::time::Duration;

use serde_json::Value;

use crate::support::process::run;
use crate::support::project::Project;
use crate::support::python::Python;

#[test]
fn the_callback_package_records_calls_and_never_breaks_them() {
    Python::langchain().pytest("tenants", &[]);
}

#[test]
fn the_example_is_rolled_out_and_its_generated_templates_have_nothing_that_cfn_lint_finds() {
    let project = Project::empty();
    project.expect(0, ["init", "--example", "tenants"]);
    project.expect(0, ["validate"]);
    project.expect(0, ["plan", "--sandbox", "-o", "plan.json"]);
    let plan: Value = serde_json::from_str(&project.read("plan.json")).expect("a plan");
    let generated: Vec<String> = texts(&plan)
        .into_iter()
        .filter(|text| text.contains("AWSTemplateFormatVersion") && text.contains("tenant-roles:"))
        .collect();
    assert_eq!(generated.len(), 4, "what they share, and three shards");
    let mut command = Python::get().command();
    command
        .args(["-c", "from cfnlint.runner import main; main()"])
        .args([
            "--regions",
            "eu-west-1",
            "--include-checks",
            "W",
            "--template",
        ]);
    for (number, template) in generated.iter().enumerate() {
        let file = format!("generated-{number}.json");
        project.write(&file, template);
        command.arg(project.path().join(file));
    }
    run(command, Duration::from_secs(120)).expect_code(0);
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
}

/// All texts in a document, wherever they stand.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
