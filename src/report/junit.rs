//! A report for CI systems that know test results: a component is a suite, an account a test.

use std::collections::BTreeMap;
use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::model::{Mark, Problem, Report, Row};

/// The whole file.
///
/// # Errors
/// None in practice: it is written into memory.
pub fn junit(report: &Report) -> io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
    let failures = report
        .environments
        .iter()
        .flat_map(|environment| &environment.units)
        .flat_map(|unit| &unit.rows)
        .flat_map(|row| &row.cells)
        .filter(|mark| failed(**mark))
        .count();
    let problems = problems(report);
    writer
        .create_element("testsuites")
        .with_attribute(("name", xml(&report.title).as_str()))
        .with_attribute(("failures", failures.to_string().as_str()))
        .write_inner_content(|writer| {
            for (at, component) in report.components.iter().enumerate() {
                suite(writer, report, at, component, &problems)?;
            }
            Ok(())
        })?;
    let body = String::from_utf8(writer.into_inner())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}\n"
    ))
}

/// By component and account; no account stands for the organization.
type Problems<'r> = BTreeMap<(&'r str, &'r str), Vec<&'r Problem>>;

fn problems(report: &Report) -> Problems<'_> {
    let mut problems = Problems::new();
    for problem in &report.problems {
        let account = problem.account.as_deref().unwrap_or_default();
        problems
            .entry((&problem.component, account))
            .or_default()
            .push(problem);
    }
    problems
}

fn failed(mark: Mark) -> bool {
    match mark {
        Mark::Outdated | Mark::Missing | Mark::Foreign | Mark::Failed => true,
        Mark::Nothing | Mark::Well | Mark::Skipped | Mark::NotAttempted | Mark::Unknown => false,
    }
}

fn skipped(mark: Mark) -> bool {
    matches!(mark, Mark::Skipped | Mark::NotAttempted | Mark::Unknown)
}

fn suite(
    writer: &mut Writer<Vec<u8>>,
    report: &Report,
    at: usize,
    component: &str,
    problems: &Problems<'_>,
) -> io::Result<()> {
    let cases: Vec<(&str, &Row, Mark)> = report
        .environments
        .iter()
        .flat_map(|environment| {
            let rows = environment.units.iter().flat_map(|unit| &unit.rows);
            rows.map(move |row| (environment.name.as_str(), row))
        })
        .filter_map(|(environment, row)| Some((environment, row, *row.cells.get(at)?)))
        .filter(|(_, _, mark)| *mark != Mark::Nothing)
        .collect();
    let count = |of: fn(Mark) -> bool| cases.iter().filter(|(_, _, mark)| of(*mark)).count();
    // Of a StackSet's definition or a policy, in no account.
    let own = problems
        .get(&(component, ""))
        .filter(|_| !cases.iter().any(|(_, row, _)| row.account.is_empty()));
    let own_failures = usize::from(own.is_some());
    writer
        .create_element("testsuite")
        .with_attribute(("name", xml(component).as_str()))
        .with_attribute(("tests", (cases.len() + own_failures).to_string().as_str()))
        .with_attribute((
            "failures",
            (count(failed) + own_failures).to_string().as_str(),
        ))
        .with_attribute(("skipped", count(skipped).to_string().as_str()))
        .write_inner_content(|writer| {
            if let Some(problems) = own {
                case(
                    writer,
                    component,
                    "the organization",
                    "",
                    Mark::Failed,
                    problems,
                )?;
            }
            for (environment, row, mark) in &cases {
                let problems = problems
                    .get(&(component, row.account.as_str()))
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                case(writer, component, environment, &name(row), *mark, problems)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn name(row: &Row) -> String {
    if row.account.is_empty() {
        row.name.clone()
    } else {
        format!("{} ({})", row.name, row.account)
    }
}

fn case(
    writer: &mut Writer<Vec<u8>>,
    component: &str,
    environment: &str,
    name: &str,
    mark: Mark,
    problems: &[&Problem],
) -> io::Result<()> {
    let class = format!("{component}.{environment}");
    let name = if name.is_empty() { environment } else { name };
    let element = writer
        .create_element("testcase")
        .with_attribute(("classname", xml(&class).as_str()))
        .with_attribute(("name", xml(name).as_str()));
    if !failed(mark) && !skipped(mark) {
        element.write_empty()?;
        return Ok(());
    }
    let what = if failed(mark) { "failure" } else { "skipped" };
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| {
            let region = problem.region.as_deref().unwrap_or_default();
            xml(&format!(
                "{} {region} {}: {}\nnext: {}",
                problem.rank, problem.what, problem.message, problem.next
            ))
        })
        .collect();
    element.write_inner_content(|writer| {
        writer
            .create_element(what)
            .with_attribute(("message", mark.words()))
            .write_text_content(BytesText::new(&lines.join("\n")))?;
        Ok(())
    })?;
    Ok(())
}

/// Characters that XML 1.0 has no way to write, not even as references (section 2.2).
fn xml(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}' => c,
            _ => '\u{fffd}',
        })
        .collect()
}
