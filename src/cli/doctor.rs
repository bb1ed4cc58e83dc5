//! `bedrail doctor`

use serde_json::{Value, json};

use super::embedded::Embedded;
use super::exit::Exit;
use super::options::{Common, Format};
use super::render::markdown::escape;
use super::render::page::{Line, Page};
use super::render::sanitize::clean;
use super::render::streams;
use super::render::style::{self, Label};
use super::running;
use super::session::{Session, Stop};
use crate::config::load;
use crate::doctor::{self, Check, Verdict};

/// Variables that turn calls elsewhere, or that say whose they are.
const ROUTES: &[&str] = &[
    "AWS_ENDPOINT_URL",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "AWS_CA_BUNDLE",
];

pub async fn run(common: &Common) -> Exit {
    let mut checks = vec![
        Check::new(
            "version",
            Verdict::Good,
            format!("bedrail {}", env!("CARGO_PKG_VERSION")),
            "",
        ),
        environment(std::env::vars()),
    ];
    let stop = examine(common, &mut checks).await.err();
    show(common, &checks);
    let bad = checks.iter().any(|check| check.verdict == Verdict::Bad);
    match stop {
        Some(stop) => stop.report(common.format),
        None if bad => Exit::Error,
        None => Exit::Done,
    }
}

/// As far as it gets: what it cannot get past is the error that it ends with.
async fn examine(common: &Common, checks: &mut Vec<Check>) -> Result<(), Stop> {
    let loaded = load(&common.directory, &common.file)?;
    checks.push(Check::new(
        "files",
        Verdict::Good,
        format!(
            "rollout {} with {} environments",
            loaded.rollout.name,
            loaded.rollout.environments.len()
        ),
        "",
    ));
    if common.sandbox {
        // Made where there is none, so that what follows has something to look at.
        Embedded::open(&common.directory)?.close()?;
    }
    let session = Session::open(common).await?;
    checks.push(doctor::identity(&session.aws));
    checks.push(doctor::clock(&session.aws));
    checks.extend(doctor::examine(&session).await);
    checks.push(runs(common, &session).await);
    session.close()
}

/// Whether somebody works on the rollout, and whether this version can go on with what was left.
async fn runs(common: &Common, session: &Session) -> Check {
    let records = running::records(common, session);
    let name = "runs";
    if let Err(error) = records.nobody_at_work().await {
        return Check::new(name, Verdict::Warning, error.to_string(), "");
    }
    match records.newest().await {
        Ok(None) => Check::new(name, Verdict::Good, "there was none yet", ""),
        Ok(Some(kept)) if kept.is_open() && kept.plan.tool != env!("CARGO_PKG_VERSION") => {
            Check::new(
                name,
                Verdict::Warning,
                format!("run {} was begun by version {}", kept.id, kept.plan.tool),
                "go on with it by that version",
            )
        }
        Ok(Some(kept)) if kept.is_open() => Check::new(
            name,
            Verdict::Warning,
            running::about(&kept),
            format!("go on with `{}`", running::command(common, "resume", &[])),
        ),
        Ok(Some(kept)) => Check::new(name, Verdict::Good, running::about(&kept), ""),
        Err(trouble) => Check::new(name, Verdict::Bad, trouble.to_string(), ""),
    }
}

fn environment(variables: impl Iterator<Item = (String, String)>) -> Check {
    let mut found: Vec<String> = Vec::new();
    let mut long_lived = false;
    for (name, value) in variables {
        if ROUTES.contains(&name.as_str()) || name.starts_with("AWS_ENDPOINT_URL_") {
            found.push(format!("{name}={}", without_password(&value)));
        }
        long_lived |= name == "AWS_ACCESS_KEY_ID" && value.starts_with("AKIA");
    }
    found.sort();
    let name = "environment";
    if long_lived {
        return Check::new(
            name,
            Verdict::Warning,
            "AWS_ACCESS_KEY_ID holds a key that lives long",
            "use a profile with single sign-on, or a role",
        );
    }
    if found.is_empty() {
        return Check::new(name, Verdict::Good, "calls go straight to AWS", "");
    }
    Check::new(
        name,
        Verdict::Warning,
        format!("calls may be turned elsewhere: {}", found.join(", ")),
        "unset what you did not mean",
    )
}

/// A proxy's address may hold a password.
fn without_password(value: &str) -> String {
    match (value.split_once("://"), value.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        (None, Some((_, host))) => format!("…@{host}"),
        _ => value.to_owned(),
    }
}

fn sign(verdict: Verdict) -> (char, Label, &'static str) {
    match verdict {
        Verdict::Good => ('✓', Label::Create, "good"),
        Verdict::Unknown => ('?', Label::Muted, "unknown"),
        Verdict::Warning => ('!', Label::Warning, "warning"),
        Verdict::Bad => ('✗', Label::Error, "bad"),
    }
}

fn show(common: &Common, checks: &[Check]) {
    match common.format {
        Format::Json => {
            let rows: Vec<Value> = checks
                .iter()
                .map(|check| {
                    json!({
                        "name": check.name,
                        "verdict": sign(check.verdict).2,
                        "found": check.found,
                        "help": check.help,
                    })
                })
                .collect();
            streams::result_line(&json!({ "checks": rows }).to_string());
        }
        Format::Markdown => {
            let inline = |text: &str| escape(&clean(text));
            streams::result("| check | | found | help |\n|---|---|---|---|\n");
            for check in checks {
                streams::result_line(&format!(
                    "| {} | {} | {} | {} |",
                    inline(&check.name),
                    sign(check.verdict).2,
                    inline(&check.found),
                    inline(&check.help)
                ));
            }
        }
        Format::Text => streams::result(&text(checks, style::width())),
    }
}

fn text(checks: &[Check], width: usize) -> String {
    let mut page = Page::new(width);
    for check in checks {
        let (sign, label, _) = sign(check.verdict);
        page.line(
            &Line::at(0)
                .hang(4)
                .put(label, sign.to_string())
                .text(" ")
                .put(Label::Component, &check.name)
                .text(format!(": {}", check.found)),
        );
        if !check.help.is_empty() {
            page.line(&Line::at(4).hang(4).put(Label::Command, &check.help));
        }
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(variables: &[(&str, &str)]) -> Check {
        environment(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    /// SEC-32, SEC-06: what turns calls elsewhere is named, without its password.
    #[test]
    fn proxies_custom_endpoints_and_long_lived_keys_are_named() {
        assert_eq!(checked(&[("HOME", "/x")]).verdict, Verdict::Good);
        let proxy = checked(&[("HTTPS_PROXY", "http://me:secret@proxy:3128")]);
        assert_eq!(proxy.verdict, Verdict::Warning);
        assert!(proxy.found.contains("proxy:3128") && !proxy.found.contains("secret"));
        let endpoint = checked(&[("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")]);
        assert!(endpoint.found.contains("AWS_ENDPOINT_URL_STS"));
        let key = checked(&[("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")]);
        assert!(!key.found.contains("AKIAIOSFODNN7EXAMPLE"));
        assert_eq!(key.verdict, Verdict::Warning);
    }
}
