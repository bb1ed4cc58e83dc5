//! A report as one HTML file: no script, nothing from elsewhere, and a content security policy that allows neither.

use base64::Engine;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::build::moment;
use super::model::{Mark, Report, Timeline};
use crate::text::words::{duration, number};

const PAGE: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");

/// Accounts of a unit that are shown unfolded.
const OPEN: usize = 60;

/// Columns of the drawing; its lanes begin after the names.
const WIDTH: f64 = 1000.0;
const NAMES: f64 = 240.0;
const LANE: f64 = 18.0;
const HEAD: f64 = 22.0;
/// Narrower bars could not be seen.
const LEAST: f64 = 1.5;
const TICKS: u32 = 6;

#[derive(Serialize)]
struct Drawing {
    width: f64,
    height: f64,
    names: f64,
    lanes: Vec<DrawnLane>,
    ticks: Vec<Tick>,
    throttled: Vec<Drawn>,
}

#[derive(Serialize)]
struct DrawnLane {
    name: String,
    level: &'static str,
    y: f64,
    bars: Vec<Drawn>,
}

#[derive(Serialize)]
struct Drawn {
    x: f64,
    width: f64,
    class: &'static str,
    title: String,
}

#[derive(Serialize)]
struct Tick {
    x: f64,
    text: String,
}

fn seconds(seconds: f64) -> String {
    duration(jiff::SignedDuration::from_secs_f64(seconds.min(1e9)))
}

fn drawing(timeline: &Timeline) -> Drawing {
    let span = timeline.seconds.max(0.001);
    let x = |at: f64| round(NAMES + (WIDTH - NAMES) * (at / span).clamp(0.0, 1.0));
    let bar = |from: f64, to: f64, class: &'static str, title: String| Drawn {
        x: x(from),
        width: round((x(to) - x(from)).max(LEAST)),
        class,
        title,
    };
    let mut lanes = Vec::new();
    let mut y = HEAD;
    for lane in &timeline.lanes {
        lanes.push(DrawnLane {
            name: lane.name.clone(),
            level: lane.level,
            y,
            bars: lane
                .bars
                .iter()
                .map(|one| {
                    let title = format!(
                        "{} ({}, from {} to {})",
                        one.title,
                        one.mark.words(),
                        seconds(one.from),
                        seconds(one.to)
                    );
                    bar(one.from, one.to, one.mark.name(), title)
                })
                .collect(),
        });
        y += LANE;
    }
    Drawing {
        width: WIDTH,
        height: y + LANE + 4.0,
        names: NAMES,
        lanes,
        ticks: (0..=TICKS)
            .map(|tick| {
                let at = span * f64::from(tick) / f64::from(TICKS);
                Tick {
                    x: x(at),
                    text: seconds(at),
                }
            })
            .collect(),
        throttled: timeline
            .throttled
            .iter()
            .map(|moment| {
                let title = format!("{} calls throttled at {}", moment.calls, seconds(moment.at));
                bar(moment.at, moment.at, "throttled", title)
            })
            .collect(),
    }
}

/// A tenth of a pixel is enough, and keeps the file small.
fn round(n: f64) -> f64 {
    (n * 10.0).round() / 10.0
}

/// The whole file.
///
/// # Errors
/// The template does not fit the report, which a test rules out.
pub fn html(report: &Report) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("sign", |name: String| sign(&name));
    environment.add_filter("words", |name: String| words(&name));
    environment.add_filter("number", number);
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    );
    environment.render_str(
        PAGE,
        context! {
            // The one thing that is not escaped: it is a file of this program.
            style => Value::from_safe_string(STYLE.to_owned()),
            policy => policy,
            report => Value::from(Serde(report)),
            open => OPEN,
            made_at => moment(report.made_at),
            drawing => report.timeline.as_ref().map(|timeline| Value::from(Serde(drawing(timeline)))),
            marks => Mark::ALL.map(Mark::name),
        },
    )
}

fn of_name(name: &str) -> Mark {
    Mark::ALL
        .into_iter()
        .find(|mark| mark.name() == name)
        .unwrap_or(Mark::Nothing)
}

fn sign(name: &str) -> String {
    of_name(name).sign().to_string()
}

fn words(name: &str) -> String {
    of_name(name).words().to_owned()
}
