//! How one component is in one account and Region.

use serde::Serialize;

/// In the order in which one hides another when several are shown as one sign: the later is the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Not declared for this account or Region.
    #[default]
    NotApplicable,
    /// As declared.
    Current,
    /// There, and not as declared.
    Outdated,
    /// Could not be read; unknown is not absent.
    Unknown,
    Missing,
    /// Somebody else's stands in its place.
    Foreign,
    /// AWS says that it failed.
    Failed,
}

impl State {
    pub const ALL: [State; 7] = [
        State::Current,
        State::Outdated,
        State::Missing,
        State::Failed,
        State::Foreign,
        State::Unknown,
        State::NotApplicable,
    ];

    /// As JSON has it (interface, `status --format json`).
    pub fn name(self) -> &'static str {
        match self {
            State::NotApplicable => "notApplicable",
            State::Current => "current",
            State::Outdated => "outdated",
            State::Unknown => "unknown",
            State::Missing => "missing",
            State::Foreign => "foreign",
            State::Failed => "failed",
        }
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            State::NotApplicable => "not applicable",
            other => other.name(),
        }
    }

    /// One column wide, and different from every other without colour.
    pub fn symbol(self) -> char {
        match self {
            State::NotApplicable => '·',
            State::Current => '✓',
            State::Outdated => '~',
            State::Unknown => '?',
            State::Missing => '-',
            State::Foreign => '!',
            State::Failed => '✗',
        }
    }

    /// Whether there is something to look at.
    pub fn is_well(self) -> bool {
        match self {
            State::NotApplicable | State::Current => true,
            State::Outdated | State::Unknown | State::Missing | State::Foreign | State::Failed => {
                false
            }
        }
    }
}

/// How many there are of each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([usize; 7]);

impl Counts {
    pub fn add(&mut self, state: State, n: usize) {
        if let Some(count) = self.0.get_mut(state as usize) {
            *count += n;
        }
    }

    pub fn of(&self, state: State) -> usize {
        self.0.get(state as usize).copied().unwrap_or_default()
    }

    pub fn join(&mut self, other: &Counts) {
        for state in State::ALL {
            self.add(state, other.of(state));
        }
    }

    /// Everything that is declared.
    pub fn total(&self) -> usize {
        State::ALL
            .into_iter()
            .filter(|state| *state != State::NotApplicable)
            .map(|state| self.of(state))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_names_tell_all_states_apart() {
        let signs: std::collections::BTreeSet<char> =
            State::ALL.into_iter().map(State::symbol).collect();
        assert_eq!(signs.len(), State::ALL.len());
        for state in State::ALL {
            assert_eq!(
                serde_json::to_value(state).unwrap(),
                serde_json::json!(state.name())
            );
        }
    }
}
