//! A run as progress bars: one for each component and environment that is at work, one for the whole.
//!
//! The bars are a view of events and have no clock and no thread of their own. Lines that are to stay are
//! written past them, with the bars out of the way: indicatif drops what is printed through hidden bars.

use std::collections::BTreeMap;

use indicatif::style::TemplateError;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use unicode_width::UnicodeWidthStr;

use crate::apply::event::Event;

use super::output::Output;
use super::page::Line;
use super::run_lines::lasting;
use super::run_state::{Outline, RunState, Said, Unit, UnitKey};
use super::style::Label;
use super::words::{about, number, shortened};

/// More bars than this tell less, not more.
const MOST_BARS: usize = 8;
/// Columns of names; longer ones push their own bar only.
const NAME_COLUMN: usize = 40;
/// Columns that the text behind a bar should have.
const TEXT_COLUMNS: usize = 56;

pub struct Bars {
    state: RunState,
    all: MultiProgress,
    whole: ProgressBar,
    bars: BTreeMap<UnitKey, ProgressBar>,
    style: ProgressStyle,
    names: usize,
    coloured: bool,
}

impl Bars {
    /// # Errors
    ///
    /// When indicatif does not take the template: a mistake in this file.
    pub fn new(
        outline: Outline,
        target: ProgressDrawTarget,
        width: usize,
        coloured: bool,
    ) -> Result<Self, TemplateError> {
        let names = outline
            .widest_unit()
            .min(NAME_COLUMN)
            .max(phase_width(&outline))
            + 2;
        let room = width.saturating_sub(names + TEXT_COLUMNS).clamp(8, 30);
        let style =
            ProgressStyle::with_template(&format!("{{prefix}} [{{bar:{room}}}] {{wide_msg}}"))?
                .progress_chars("=> ");
        let all = MultiProgress::with_draw_target(target);
        let whole = all.add(ProgressBar::no_length().with_style(style.clone()));
        Ok(Self {
            state: RunState::new(outline),
            all,
            whole,
            bars: BTreeMap::new(),
            style,
            names,
            coloured,
        })
    }

    pub fn event(&mut self, event: &Event, to: &mut Output) {
        for said in self.state.take(event) {
            match &said {
                Said::UnitStarted(key) | Said::StepStarted { unit: key, .. } => self.start(key),
                Said::UnitMoved(key) => self.moved(key),
                Said::UnitFinished(key) => self.end(key),
                Said::RunStarted { .. }
                | Said::PhaseStarted { .. }
                | Said::Wave { .. }
                | Said::Gate { .. }
                | Said::Failed(..)
                | Said::MoreFailures(_)
                | Said::Detail(..)
                | Said::PhaseFinished { .. }
                | Said::RunFinished => {}
            }
            if let Some(line) = lasting(&said, &self.state) {
                self.past(|| to.line(&line));
            }
        }
        self.show_whole();
    }

    /// Writes with the bars out of the way.
    pub fn past(&self, write: impl FnOnce()) {
        self.all.suspend(write);
    }

    /// Takes the bars away.
    pub fn clear(&mut self) {
        for bar in std::mem::take(&mut self.bars).into_values() {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        self.whole.finish_and_clear();
        // A terminal that is gone has nothing to clear.
        let _ = self.all.clear();
    }

    fn start(&mut self, key: &UnitKey) {
        if self.bars.len() < MOST_BARS && !self.bars.contains_key(key) {
            let bar = ProgressBar::no_length().with_style(self.style.clone());
            let bar = self.all.insert_before(&self.whole, bar);
            bar.set_prefix(self.name(&key.words(), 2));
            self.bars.insert(key.clone(), bar);
        }
        self.moved(key);
    }

    fn moved(&mut self, key: &UnitKey) {
        if let (Some(bar), Some(unit)) = (self.bars.get(key), self.state.units.get(key)) {
            bar.set_length(length(unit.size.targets));
            bar.set_message(self.text(&unit_words(unit)));
            bar.set_position(length(unit.done()));
        }
    }

    fn end(&mut self, key: &UnitKey) {
        if let Some(bar) = self.bars.remove(key) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        // A place became free for one that had none.
        let waiting = self.state.units.iter().find(|(key, unit)| {
            unit.started.is_some() && !unit.is_finished() && !self.bars.contains_key(*key)
        });
        if let Some(key) = waiting.map(|(key, _)| key.clone()) {
            self.start(&key);
        }
    }

    fn show_whole(&mut self) {
        let phases = &self.state.outline().phases;
        let phase = self.state.phase.checked_sub(1).and_then(|n| phases.get(n));
        if let Some(phase) = phase {
            let words = phase_words(self.state.phase, phases.len(), phase);
            self.whole.set_prefix(self.name(&words, 0));
        }
        self.whole.set_length(length(self.state.targets));
        self.whole.set_message(self.text(&self.whole_words()));
        self.whole.set_position(length(self.state.done()));
    }

    fn whole_words(&self) -> Line {
        let state = &self.state;
        let mut line = Line::at(0).text(format!(
            "{} of {}",
            number(state.done()),
            number(state.targets)
        ));
        if state.failing() > 0 {
            let text = format!("{} failed", number(state.failing()));
            line = line.text(", ").put(Label::Error, text);
        }
        if let Some(left) = state.left() {
            line = line.text(format!(", {} left", about(left)));
        }
        if let Some(rate) = state.rate() {
            line = line.text(format!(", {}", rate_words(rate)));
        }
        let running = state
            .units
            .values()
            .filter(|u| u.started.is_some() && !u.is_finished());
        let hidden = running.count().saturating_sub(self.bars.len());
        match hidden {
            0 => line,
            n => line.text(format!(", {} more at work", number(n))),
        }
    }

    fn name(&self, words: &str, indent: usize) -> String {
        let mut line = Line::at(0).text(" ".repeat(indent)).text(words);
        let gap = self.names.saturating_sub(line.width());
        line.push(Label::Plain, &" ".repeat(gap));
        line.plain()
    }

    fn text(&self, line: &Line) -> String {
        if self.coloured {
            line.styled()
        } else {
            line.plain()
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.clear();
    }
}

fn unit_words(unit: &Unit) -> Line {
    let mut line = Line::at(0).text(format!(
        "{} of {}",
        number(unit.done()),
        number(unit.size.targets)
    ));
    if unit.failing() > 0 {
        let text = format!("{} failed", number(unit.failing()));
        line = line.text(", ").put(Label::Error, text);
    }
    match &unit.message {
        Some(message) => line.text(", ").put(Label::Muted, shortened(message, 200)),
        None => line,
    }
}

fn rate_words(rate: f64) -> String {
    if rate >= 0.1 {
        format!("{rate:.1}/s")
    } else {
        format!("{:.1}/min", rate * 60.0)
    }
}

fn phase_words(number: usize, of: usize, phase: &str) -> String {
    format!("Phase {number} of {of}, {}", shortened(phase, NAME_COLUMN))
}

fn phase_width(outline: &Outline) -> usize {
    let count = outline.phases.len();
    let widths = outline
        .phases
        .iter()
        .map(|phase| phase_words(count, count, phase).width());
    widths.max().unwrap_or_default().min(NAME_COLUMN)
}

fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::super::fixtures::*;
    use super::*;
    use crate::plan::{Action, Plan};
    use crate::resources::Kind;

    /// Keeps what is drawn, one entry for each frame.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<Vec<String>>>);

    impl Screen {
        fn add(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().last_mut().unwrap().push_str(text);
            Ok(())
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            100
        }
        fn height(&self) -> u16 {
            30
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.add(text)?;
            self.add("\n")
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.add(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            self.0.lock().unwrap().push(String::new());
            Ok(())
        }
    }

    fn frames(plan: &Plan, events: &[Event]) -> Vec<String> {
        let screen = Screen::default();
        screen.0.lock().unwrap().push(String::new());
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let mut output = Output::new(Box::new(io::sink()), 100);
        let mut bars = Bars::new(Outline::of(plan), target, 100, false).unwrap();
        for event in events {
            bars.event(event, &mut output);
        }
        drop(bars);
        let frames = screen.0.lock().unwrap().clone();
        // indicatif fills each line up to the width instead of ending it.
        let tidy = |frame: &String| {
            let columns: Vec<char> = frame.chars().filter(|c| *c != '\r').collect();
            let lines: Vec<String> = columns
                .chunks(100)
                .map(|line| line.iter().collect::<String>().trim_end().to_owned())
                .collect();
            lines.join("\n")
        };
        frames.iter().map(tidy).collect()
    }

    #[test]
    fn six_hundred_steps_are_one_bar_and_the_whole_another() {
        let events = partial_run();
        let frames = frames(&partial_plan(), &events);
        let bars = |frame: &String| frame.lines().filter(|line| line.contains('[')).count();
        assert_eq!(frames.iter().map(bars).max(), Some(2));
        let far = frames
            .iter()
            .rfind(|frame| frame.contains("400 of 600"))
            .unwrap();
        insta::assert_snapshot!(far);
        assert!(
            !frames.last().unwrap().contains('['),
            "the bars are gone at the end"
        );
    }

    #[test]
    fn hundreds_of_units_at_once_give_no_more_than_a_handful_of_bars() {
        let steps = (0..200).map(|n| {
            step(
                &format!("members/component-{n:03}/dev"),
                Kind::StackSet,
                Action::Create,
                "create",
            )
        });
        let plan = PlanBuilder::new(0).steps(steps).build();
        let mut events = vec![start_of(&plan)];
        events.extend(plan.steps.iter().map(started));
        let shown = frames(&plan, &events);
        let bars = |frame: &String| frame.lines().filter(|line| line.contains('[')).count();
        assert_eq!(shown.iter().map(bars).max(), Some(MOST_BARS + 1));
        assert!(shown.iter().any(|frame| frame.contains("192 more at work")));
    }
}
