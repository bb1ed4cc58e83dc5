//! Nothing that others named does anything in a report, in any of its forms (X5, SEC-33, SEC-35).

use std::collections::BTreeSet;

use scraper::{ElementRef, Html, Selector};

use super::model::{
    Bar, Count, Environment, Fact, Lane, Mark, Moment, Problem, Report, Row, Timeline, Unit,
};
use super::{html, junit, markdown};

/// Names as an account may have them, cleaned as every report's texts are.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "</style><style>*{display:none}</style>",
    "{{ report.organization }}{% for x in y %}",
    "]]></failure><failure>",
    "<!-- ",
    "[click](https://evil.example) @admin `x` | *b*",
    "=HYPERLINK(\"https://evil.example\")",
    "&lt;b&gt;&amp;",
    "\u{1b}[2J\u{202e}cba\u{0}",
];

fn report(name: &str) -> Report {
    let name = crate::text::sanitize::clean(name).into_owned();
    let row = |cells: Vec<Mark>| Row {
        account: "111122223333".to_owned(),
        name: name.clone(),
        remark: Some(name.clone()),
        cells,
    };
    Report {
        version: 1,
        title: format!("Run of {name}"),
        rollout: name.clone(),
        organization: name.clone(),
        tool: "0.1.0".to_owned(),
        made_at: "2026-11-21T12:00:00Z".parse().unwrap(),
        good: false,
        verdict: name.clone(),
        facts: vec![Fact {
            name: name.clone(),
            value: name.clone(),
        }],
        counts: vec![Count {
            mark: Mark::Failed,
            n: 1,
        }],
        problems: vec![Problem {
            rank: "retryable".to_owned(),
            component: name.clone(),
            environment: Some(name.clone()),
            account: Some("111122223333".to_owned()),
            account_name: Some(name.clone()),
            region: Some("eu-west-1".to_owned()),
            what: name.clone(),
            message: name.clone(),
            next: name.clone(),
        }],
        unchecked: vec![Fact {
            name: name.clone(),
            value: name.clone(),
        }],
        components: vec![name.clone(), "guardrail".to_owned()],
        environments: vec![Environment {
            name: name.clone(),
            accounts: 1,
            well: false,
            units: vec![Unit {
                path: name.clone(),
                well: false,
                rows: vec![row(vec![Mark::Failed, Mark::Well])],
            }],
        }],
        timeline: Some(Timeline {
            seconds: 60.0,
            lanes: vec![Lane {
                name: name.clone(),
                level: "phase",
                bars: vec![Bar {
                    from: 0.0,
                    to: 30.0,
                    mark: Mark::Failed,
                    title: name.clone(),
                }],
            }],
            throttled: vec![Moment { at: 15.0, calls: 3 }],
        }),
    }
}

fn select<'d>(document: &'d Html, selector: &str) -> Vec<ElementRef<'d>> {
    document
        .select(&Selector::parse(selector).unwrap())
        .collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect()
}

/// Elements with their attributes, as deep as they stand, texts left out.
fn shape(element: ElementRef<'_>, depth: usize, out: &mut String) {
    let value = element.value();
    let attributes: Vec<String> = value
        .attrs()
        .filter(|(name, _)| *name != "content")
        .map(|(name, _)| name.to_owned())
        .collect();
    out.push_str(&format!(
        "{}{} {}\n",
        " ".repeat(depth),
        value.name(),
        attributes.join(" ")
    ));
    for child in element.child_elements() {
        shape(child, depth + 1, out);
    }
}

fn tree(html: &str) -> String {
    let document = Html::parse_document(html);
    let mut out = String::new();
    shape(document.root_element(), 0, &mut out);
    out
}

#[test]
fn a_page_with_hostile_names_is_the_same_tree_as_one_with_honest_ones() {
    let honest = tree(&html(&report("payments")).unwrap());
    for name in HOSTILE {
        assert_eq!(tree(&html(&report(name)).unwrap()), honest, "{name}");
    }
}

#[test]
fn names_are_shown_as_they_are_and_only_as_text() {
    for name in HOSTILE {
        let page = html(&report(name)).unwrap();
        let document = Html::parse_document(&page);
        let shown = crate::text::sanitize::clean(name).into_owned();
        let header = select(&document, "table.matrix tbody th");
        assert!(text(header[0]).starts_with(&shown), "{name}: {page}");
        assert_eq!(text(select(&document, "svg g.phase text.name")[0]), shown);
        assert_eq!(
            text(select(&document, "svg rect title")[0])
                .split(" (")
                .next(),
            shown.split(" (").next()
        );
        assert_eq!(text(select(&document, "h1")[0]), format!("Run of {shown}"));
    }
}

#[test]
fn a_page_has_no_script_nothing_from_elsewhere_and_a_policy_that_fits_its_style() {
    let page = html(&report("payments")).unwrap();
    let document = Html::parse_document(&page);
    for forbidden in [
        "script",
        "link",
        "iframe",
        "object",
        "embed",
        "img",
        "base",
        "form",
        "[src]",
        "[href]",
        "[style]",
        "[onload]",
        "[onclick]",
        "[onerror]",
    ] {
        assert!(select(&document, forbidden).is_empty(), "{forbidden}");
    }
    let meta = select(&document, "meta[http-equiv='Content-Security-Policy']");
    let policy = meta[0].value().attr("content").unwrap();
    let style = text(select(&document, "style")[0]);
    use base64::Engine;
    use sha2::Digest;
    let digest = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(&style));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        )
    );
    assert!(!style.contains("url(") && !style.contains("@import"));
    // The policy stands before what it governs.
    assert!(page.find("Content-Security-Policy") < page.find("<style>"));
    for needed in ["prefers-color-scheme: dark", "@media print", "color-scheme"] {
        assert!(style.contains(needed), "{needed}");
    }
}

#[test]
fn failures_come_before_everything_else() {
    let page = html(&report("payments")).unwrap();
    let sections: Vec<String> = select(&Html::parse_document(&page), "main > section")
        .iter()
        .filter_map(|section| section.value().attr("id").map(str::to_owned))
        .collect();
    assert_eq!(sections, ["problems", "timeline", "matrix", "unchecked"]);
}

#[test]
fn markdown_of_hostile_names_has_no_more_cells_links_and_tags_than_of_honest_ones() {
    let count =
        |text: &str| ["|", "<", "](", "`", "\n", "@"].map(|sign| text.matches(sign).count());
    let honest = count(&markdown(&report("payments")));
    for name in HOSTILE {
        assert_eq!(count(&markdown(&report(name))), honest, "{name}");
    }
}

#[test]
fn junit_of_hostile_names_is_well_formed_and_of_the_same_shape() {
    let shape = |name: &str| {
        let xml = junit(&report(name)).unwrap();
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut names = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(start) | quick_xml::events::Event::Empty(start) => {
                    for attribute in start.attributes() {
                        attribute.unwrap();
                    }
                    names.push(start.name().as_ref().to_owned());
                }
                _ => {}
            }
        }
        names
    };
    let honest = shape("payments");
    assert!(honest.contains(&"failure".to_owned()), "{honest:?}");
    for name in HOSTILE {
        assert_eq!(shape(name), honest, "{name}");
    }
}

#[test]
fn json_says_the_same_and_every_mark_has_a_word_and_a_sign_of_its_own() {
    let json = serde_json::to_value(report("payments")).unwrap();
    assert_eq!(
        json["environments"][0]["units"][0]["rows"][0]["cells"][0],
        "failed"
    );
    let signs: BTreeSet<char> = Mark::ALL.into_iter().map(Mark::sign).collect();
    let names: BTreeSet<&str> = Mark::ALL.into_iter().map(Mark::name).collect();
    assert_eq!(
        (signs.len(), names.len()),
        (Mark::ALL.len(), Mark::ALL.len())
    );
}
