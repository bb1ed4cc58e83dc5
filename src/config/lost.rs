//! What could not be read of a document. Checks ask it before they say that something is missing: it may
//! have been written, only wrongly, and that was said already.

use std::collections::BTreeSet;

/// Paths of keys, positions in lists as numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lost(BTreeSet<Vec<String>>);

/// Sections whose values are parameters, at any depth.
const PARAMETERS: &str = "parameters";
const REGION_PARAMETERS: &str = "regionParameters";

impl Lost {
    pub fn insert(&mut self, path: Vec<String>) {
        self.0.insert(path);
    }

    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    pub fn paths(&self) -> impl Iterator<Item = &[String]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// Is something lost at this path, above it or below it?
    pub fn touches(&self, path: &[&str]) -> bool {
        self.0
            .iter()
            .any(|lost| lost.iter().zip(path).all(|(lost, key)| lost == key))
    }

    /// May a value of this parameter be among what is lost?
    pub fn hides_parameter(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|path| parameter(path).is_some_and(|lost| lost.is_none_or(|lost| lost == name)))
    }
}

/// The parameter that a path leads to: none when it leads to nothing of the kind, an unknown one when it
/// leads to a whole section of them.
fn parameter(path: &[String]) -> Option<Option<&str>> {
    let after = |section: &str, skip: usize| {
        path.iter()
            .position(|key| key == section)
            .map(|position| path.get(position + 1 + skip).map(String::as_str))
    };
    if let Some(found) = after(PARAMETERS, 0).or_else(|| after(REGION_PARAMETERS, 1)) {
        return Some(found);
    }
    match path {
        [] => Some(None),
        // Overrides of a component or an account, as a whole.
        [section] | [section, _] if section == "components" || section == "accounts" => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(path: &[&str]) -> Lost {
        let mut lost = Lost::default();
        lost.insert(path.iter().map(|key| (*key).to_owned()).collect());
        lost
    }

    #[test]
    fn a_loss_touches_what_is_above_and_below_it() {
        let lost = lost(&["targets", "exclude"]);
        assert!(lost.touches(&["targets"]));
        assert!(lost.touches(&["targets", "exclude", "accounts"]));
        assert!(!lost.touches(&["targets", "accounts"]));
        assert!(!Lost::default().touches(&["targets"]));
    }

    #[test]
    fn a_lost_section_hides_every_parameter_and_a_lost_value_only_its_own() {
        for (path, days, other) in [
            (&["parameters"][..], true, true),
            (&["parameters", "Days"], true, false),
            (&["parameters", "Days", "0"], true, false),
            (&["regionParameters", "eu-west-1"], true, true),
            (&["regionParameters", "eu-west-1", "Days"], true, false),
            (&["accounts", "111111111111"], true, true),
            (
                &["components", "logging", "parameters", "Days"],
                true,
                false,
            ),
            (&["components", "logging", "enabled"], false, false),
            (&["targets", "accounts"], false, false),
        ] {
            let lost = lost(path);
            assert_eq!(lost.hides_parameter("Days"), days, "{path:?}");
            assert_eq!(lost.hides_parameter("Other"), other, "{path:?}");
        }
    }
}
