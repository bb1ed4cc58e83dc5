//! Does a statement speak of a request?

use super::condition;
use super::document::{Choice, Statement};
use super::request::Request;
use super::truth::Truth;
use super::variables::{Expanded, expand};
use super::wildcard;

impl Statement {
    /// Action, resource and every condition; who the principal is stands aside.
    pub(super) fn applies(&self, request: &Request) -> Truth {
        let action = invert(
            &self.actions,
            Truth::any(
                self.actions
                    .patterns
                    .iter()
                    .map(|pattern| action_matches(pattern, request.action()).into()),
            ),
        );
        // Most statements speak of other actions, and the rest costs more.
        if action == Truth::False {
            return Truth::False;
        }
        let resource = match &self.resources {
            None => Truth::True,
            Some(choice) => invert(
                choice,
                Truth::any(
                    choice
                        .patterns
                        .iter()
                        .map(|pattern| self.resource_matches(pattern, request)),
                ),
            ),
        };
        if resource == Truth::False {
            return Truth::False;
        }
        let conditions = Truth::all(
            self.conditions
                .iter()
                .map(|one| condition::holds(one, self.variables, request)),
        );
        action.and(resource).and(conditions)
    }

    /// A wildcard may reach over colons (IAM User Guide, "IAM JSON policy elements: Resource").
    fn resource_matches(&self, pattern: &str, request: &Request) -> Truth {
        if pattern == "*" {
            return Truth::True;
        }
        let expanded = if self.variables {
            expand(pattern, request)
        } else {
            Ok(Expanded::plain(pattern))
        };
        match expanded {
            Err(doubt) => doubt.into(),
            Ok(expanded) => expanded
                .pattern()
                .is_some_and(|pattern| wildcard::matches(&pattern, request.resource()))
                .into(),
        }
    }
}

fn invert(choice: &Choice, hit: Truth) -> Truth {
    if choice.inverted { hit.not() } else { hit }
}

/// Services and actions know no case.
fn action_matches(pattern: &str, action: &str) -> bool {
    let Some((before, _)) = pattern.split_once(['*', '?']) else {
        return pattern.eq_ignore_ascii_case(action);
    };
    let starts_alike = action
        .get(..before.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(before));
    if !starts_alike {
        return false;
    }
    let pattern: Vec<_> = wildcard::tokens(&pattern.to_ascii_lowercase()).collect();
    wildcard::matches(&pattern, &action.to_ascii_lowercase())
}
