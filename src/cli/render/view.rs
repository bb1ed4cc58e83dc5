//! How a run is shown: chosen once, then fed with events.

use std::io;
use std::io::IsTerminal;

use indicatif::ProgressDrawTarget;
use jiff::Timestamp;

use crate::apply::event::{Event, RunOutcome, What};
use crate::plan::Plan;

use super::json_lines::json_line;
use super::output::Output;
use super::page::Line;
use super::plain::Plain;
use super::progress::Bars;
use super::run_state::Outline;
use super::style::{self, Label};
use super::summary::{self, Ending, summary_text};
use super::words::Names;

/// What `apply` feeds with events.
pub trait View {
    fn event(&mut self, event: &Event);

    /// Says something on standard error, past the progress bars.
    fn notice(&mut self, text: &str);

    /// Shows the end.
    ///
    /// # Errors
    ///
    /// The first error of standard output or standard error, for example a pipe that was closed. The view
    /// goes on without it: what is shown never decides what is done.
    fn finish(&mut self) -> io::Result<()>;
}

/// What the command line says about showing a run.
#[derive(Debug, Clone)]
pub struct Showing {
    /// `--format json`
    pub json: bool,
    /// `--no-progress`
    pub no_progress: bool,
    /// `-v`
    pub verbose: bool,
    /// What to type to go on with an unfinished run, with the options of this one.
    pub go_on: String,
    /// What to type to try again what did not succeed.
    pub retry: String,
    /// What to type to plan anew.
    pub again: String,
}

/// The view for this terminal, or for the files and pipes in its place.
pub fn view(plan: &Plan, showing: Showing) -> Box<dyn View> {
    let width = style::width();
    let stdout = Output::new(Box::new(style::stdout()), width);
    let stderr = Output::new(Box::new(style::stderr()), width);
    if showing.json {
        return Box::new(Json { stdout, stderr });
    }
    let outline = Outline::of(plan);
    let shape = bars(&outline, &showing, width)
        .map_or_else(|| Shape::Plain(Plain::new(outline.clone())), Shape::Bars);
    Box::new(Human {
        names: outline.names,
        shape,
        stderr,
        stdout,
        rollout: plan.rollout.clone(),
        verbose: showing.verbose,
        go_on: showing.go_on,
        retry: showing.retry,
        again: showing.again,
        started: None,
        summary: None,
    })
}

/// Bars where somebody can see them move.
fn bars(outline: &Outline, showing: &Showing, width: usize) -> Option<Bars> {
    let target = ProgressDrawTarget::stderr();
    if showing.no_progress || !io::stderr().is_terminal() || target.is_hidden() {
        return None;
    }
    Bars::new(outline.clone(), target, width, style::stderr_has_colour()).ok()
}

enum Shape {
    Bars(Bars),
    Plain(Plain),
}

/// Progress on standard error, the summary on standard output.
struct Human {
    shape: Shape,
    stderr: Output,
    stdout: Output,
    names: Names,
    rollout: String,
    verbose: bool,
    go_on: String,
    retry: String,
    again: String,
    started: Option<Timestamp>,
    summary: Option<String>,
}

impl View for Human {
    fn event(&mut self, event: &Event) {
        match &mut self.shape {
            Shape::Bars(bars) => bars.event(event, &mut self.stderr),
            Shape::Plain(plain) => plain.event(event, &mut self.stderr),
        }
        match &event.what {
            What::RunStarted { .. } => self.started = Some(event.at),
            What::RunFinished {
                outcome,
                summary,
                failures,
                paused,
            } => {
                let started = self.started.unwrap_or(event.at);
                let ending = Ending {
                    rollout: &self.rollout,
                    outcome: *outcome,
                    summary: *summary,
                    failures,
                    paused,
                    elapsed: event.at.duration_since(started),
                    go_on: match outcome {
                        RunOutcome::Converged | RunOutcome::Interrupted => &self.go_on,
                        RunOutcome::Partial => &self.retry,
                        RunOutcome::Refused => &self.again,
                    },
                };
                let options = summary::Options {
                    width: self.stdout.width(),
                    verbose: self.verbose,
                };
                self.summary = Some(summary_text(ending, &self.names, options));
            }
            What::PhaseStarted { .. }
            | What::WaveStarted { .. }
            | What::Gate { .. }
            | What::WaveFinished { .. }
            | What::StepStarted { .. }
            | What::StepProgress { .. }
            | What::StepFinished { .. }
            | What::PhaseFinished { .. } => {}
        }
    }

    fn notice(&mut self, text: &str) {
        let line = Line::at(0).put(Label::Warning, text);
        match &self.shape {
            Shape::Bars(bars) => bars.past(|| self.stderr.line(&line)),
            Shape::Plain(_) => self.stderr.line(&line),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Shape::Bars(bars) = &mut self.shape {
            bars.clear();
        }
        if let Some(summary) = self.summary.take() {
            self.stderr.line(&Line::at(0));
            self.stdout.text(&summary);
        }
        self.stdout.result().and(self.stderr.result())
    }
}

/// One event on each line of standard output, and nothing else.
#[derive(Debug)]
struct Json {
    stdout: Output,
    stderr: Output,
}

impl View for Json {
    fn event(&mut self, event: &Event) {
        match json_line(event) {
            Ok(line) => self.stdout.text(&line),
            Err(error) => self.stdout.fail(error.into()),
        }
    }

    fn notice(&mut self, text: &str) {
        self.stderr.line(&Line::at(0).text(text));
    }

    fn finish(&mut self) -> io::Result<()> {
        self.stdout.result().and(self.stderr.result())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;
    use std::rc::Rc;

    use super::super::fixtures::*;
    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Rc<RefCell<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn human(stdout: Box<dyn Write>, stderr: Box<dyn Write>) -> Human {
        let plan = partial_plan();
        let outline = Outline::of(&plan);
        Human {
            names: outline.names.clone(),
            shape: Shape::Plain(Plain::new(outline)),
            stderr: Output::new(stderr, 80),
            stdout: Output::new(stdout, 80),
            rollout: plan.rollout,
            verbose: false,
            go_on: "bedrail resume".to_owned(),
            retry: "bedrail retry".to_owned(),
            again: "bedrail apply".to_owned(),
            started: None,
            summary: None,
        }
    }

    #[test]
    fn standard_output_carries_the_summary_and_nothing_else() {
        let (stdout, stderr) = (Buffer::default(), Buffer::default());
        let mut view = human(Box::new(stdout.clone()), Box::new(stderr.clone()));
        for event in partial_run() {
            view.event(&event);
        }
        assert!(stdout.0.borrow().is_empty());
        view.finish().unwrap();
        let text = |buffer: &Buffer| {
            let text = String::from_utf8(buffer.0.borrow().clone()).unwrap();
            anstream::adapter::strip_str(&text).to_string()
        };
        assert!(text(&stdout).starts_with("Failures: 13 targets"));
        assert!(text(&stderr).starts_with("Rollout bedrock-governance"));
    }

    #[test]
    fn a_closed_pipe_is_told_once_and_stops_nothing() {
        let stderr = Buffer::default();
        let mut view = human(Box::new(Closed), Box::new(stderr.clone()));
        for event in partial_run() {
            view.event(&event);
        }
        let error = view.finish().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(!stderr.0.borrow().is_empty());
        assert!(view.finish().is_ok());
    }
}
