//! A run as plain lines, for logs: few enough to read, and one at least every half minute of a unit's
//! events, so that nobody thinks that it hangs.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::apply::event::Event;

use super::output::Output;
use super::run_lines::{lasting, passing, standing};
use super::run_state::{Outline, RunState, Said, UnitKey};

/// A unit is mentioned again after so much time.
const SILENCE: SignedDuration = SignedDuration::from_secs(30);
/// Or after this part of its targets: a tenth.
const PARTS: usize = 10;
/// A unit with fewer targets has no progress worth a line of its own, unless it takes long.
const SMALL: usize = 20;

#[derive(Debug)]
pub struct Plain {
    state: RunState,
    mentioned: BTreeMap<UnitKey, (Option<Timestamp>, usize)>,
}

impl Plain {
    pub fn new(outline: Outline) -> Self {
        Self {
            state: RunState::new(outline),
            mentioned: BTreeMap::new(),
        }
    }

    pub fn event(&mut self, event: &Event, to: &mut Output) {
        for said in self.state.take(event) {
            match &said {
                Said::UnitStarted(key) | Said::StepStarted { unit: key, .. } => self.mention(key),
                Said::UnitMoved(key) => {
                    if self.is_due(key) {
                        self.mention(key);
                        if let Some(unit) = self.state.units.get(key) {
                            to.line(&standing(key, unit));
                        }
                    }
                }
                Said::RunStarted { .. }
                | Said::PhaseStarted { .. }
                | Said::Wave { .. }
                | Said::Gate { .. }
                | Said::Failed(..)
                | Said::MoreFailures(_)
                | Said::Detail(..)
                | Said::UnitFinished(_)
                | Said::PhaseFinished { .. }
                | Said::RunFinished => {}
            }
            let line = passing(&said, &self.state).or_else(|| lasting(&said, &self.state));
            if let Some(line) = line {
                to.line(&line);
            }
        }
    }

    fn mention(&mut self, key: &UnitKey) {
        let done = self.state.units.get(key).map(|unit| unit.done());
        let mention = (self.state.now(), done.unwrap_or_default());
        self.mentioned.insert(key.clone(), mention);
    }

    fn is_due(&self, key: &UnitKey) -> bool {
        let Some(unit) = self.state.units.get(key) else {
            return false;
        };
        let (time, done) = self.mentioned.get(key).copied().unwrap_or_default();
        let more = unit.done().saturating_sub(done);
        let silent = self.state.since(time) >= SILENCE;
        silent || (unit.size.targets >= SMALL && more * PARTS >= unit.size.targets)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::{self, Write};
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

    fn lines(events: &[Event], width: usize) -> String {
        let buffer = Buffer::default();
        let mut output = Output::new(Box::new(buffer.clone()), width);
        let mut plain = Plain::new(Outline::of(&partial_plan()));
        for event in events {
            plain.event(event, &mut output);
        }
        let text = String::from_utf8(buffer.0.borrow().clone()).unwrap();
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn six_hundred_steps_give_a_log_that_can_be_read() {
        let text = lines(&partial_run(), 160);
        assert!(text.lines().count() < 50, "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn lost_and_late_progress_changes_nothing_in_the_counts() {
        let all = partial_run();
        let without: Vec<Event> = all
            .iter()
            .filter(|event| !matches!(event.what, crate::apply::event::What::StepProgress { .. }))
            .cloned()
            .collect();
        let mut late = without.clone();
        late.splice(
            late.len() - 1..late.len() - 1,
            all.iter()
                .filter(|event| {
                    matches!(event.what, crate::apply::event::What::StepProgress { .. })
                })
                .cloned(),
        );
        let done = |events: &[Event]| {
            let mut state = RunState::new(Outline::of(&partial_plan()));
            for event in events {
                state.take(event);
            }
            (state.done(), state.failing())
        };
        assert_eq!(done(&all), (625, 13));
        assert_eq!(done(&without), (625, 13));
        assert_eq!(done(&late), (625, 13));
    }
}
