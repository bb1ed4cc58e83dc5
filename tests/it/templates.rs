//! The linters that security teams use, over every template and policy.

use std::time::Duration;

use crate::support::process::run;
use crate::support::project::repository;
use crate::support::python::Python;

#[test]
fn linters_find_nothing_in_the_shipped_templates_and_policies() {
    let linters = Python::linters().programs();
    Python::get().pytest(
        "templates",
        &[("BEDRAIL_LINTERS", &linters.to_string_lossy())],
    );
}

#[test]
fn cfn_lint_finds_nothing_in_the_templates_of_the_tests() {
    let mut command = Python::get().command();
    command
        .args(["-c", "from cfnlint.runner import main; main()"])
        .arg(repository().join("tests/moto/templates/hub/*.yaml"))
        .arg(repository().join("tests/moto/templates/members/*.yaml"));
    run(command, Duration::from_secs(120)).expect_code(0);
}
