//! What comes of looking at a gate, or of asking for an approval.

use crate::apply::event::{Check, Failure, FailureClass, GateState, Pause, What};
use crate::apply::gates::Verdict;
use crate::apply::waves::Hurdle;

use super::Schedule;

impl Schedule<'_> {
    /// Takes in what came of looking at a gate or asking for an approval.
    pub fn looked(&mut self, hurdle: Hurdle, verdict: Verdict, run: &str, emit: &dyn Fn(What)) {
        let Some((phase, environment, wave)) = self.book.place(hurdle) else {
            return;
        };
        let (phase, environment) = (phase.to_owned(), environment.to_owned());
        let say = |check, state, message: String| {
            emit(What::Gate {
                phase: phase.clone(),
                environment: environment.clone(),
                wave: wave.name.clone(),
                check,
                state,
                message: Some(message),
            });
        };
        let gate = matches!(hurdle, Hurdle::Gate { .. });
        match verdict {
            Verdict::Passed => {
                if gate {
                    let (failed, tolerance) = self.book.failures(hurdle);
                    let words = match failed {
                        0 => "nothing failed".to_owned(),
                        n => format!("{n} failed, and {tolerance} may in each Region"),
                    };
                    say(Check::Gate, GateState::Passed, words);
                }
                self.book.passed(hurdle, emit);
            }
            Verdict::Failed(check, message) => {
                say(check, GateState::Failed, message.clone());
                let (code, what, next) = match check {
                    Check::Approval => (
                        "NotApproved",
                        format!("wave {} was not approved: {message}", wave.name),
                        "plan again when it may be done",
                    ),
                    Check::Gate | Check::Bake | Check::Alarm | Check::Command => (
                        "GateFailed",
                        format!("the gate after wave {} failed: {message}", wave.name),
                        "mend the cause, then run `bedrail apply` again: the gate is looked at before anything else \
                         is changed",
                    ),
                };
                self.failures.push(Failure {
                    account: None,
                    region: None,
                    component: format!("wave {}", wave.name),
                    environment: Some(environment.clone()),
                    code: code.to_owned(),
                    message: message.clone(),
                    class: FailureClass::NeedsAction,
                    next: next.to_owned(),
                });
                self.book.failed(hurdle, what, emit);
            }
            Verdict::Inconclusive(check, message) => {
                say(check, GateState::Inconclusive, message.clone());
                let next = match check {
                    Check::Approval => format!(
                        "`bedrail approve {run} {environment}/{}`, then `bedrail resume`",
                        wave.name
                    ),
                    Check::Gate | Check::Bake | Check::Alarm | Check::Command => {
                        "`bedrail resume` looks at it again".to_owned()
                    }
                };
                self.paused.push(Pause {
                    environment: environment.clone(),
                    wave: wave.name.clone(),
                    check,
                    message,
                    next,
                });
                self.book.left(hurdle);
            }
            Verdict::Abandoned => self.book.left(hurdle),
        }
    }
}
