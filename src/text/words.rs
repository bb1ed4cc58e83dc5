//! Numbers, lists, durations and account names as people read them.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::ids::{AccountId, Region};

/// `1048576` as `1,048,576`.
pub fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 account`, `12 accounts`. Only for words whose plural is made with an s.
pub fn counted(n: usize, word: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {word}{s}", number(n))
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The first items and how many more there are: `a, b, c and 287 more`. One more item is named rather
/// than counted.
pub fn folded(items: &[String], most: usize) -> String {
    let rest = items.len().saturating_sub(most);
    if rest <= 1 {
        return listed(items);
    }
    let first: Vec<&str> = items.iter().take(most).map(String::as_str).collect();
    format!("{} and {} more", first.join(", "), number(rest))
}

/// `4 s`, `2 min 10 s`, `1 h 05 min`.
pub fn duration(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 if seconds % 60 == 0 => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// What is left, without a precision that nobody has: `less than a minute`, `about 3 min`.
pub fn about(time: SignedDuration) -> String {
    let minutes = (time.as_secs().max(0) + 30) / 60;
    match minutes {
        0 => "less than a minute".to_owned(),
        1..60 => format!("about {minutes} min"),
        _ => format!("about {} h {:02} min", minutes / 60, minutes % 60),
    }
}

/// Names of accounts, to show beside their ids.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<AccountId, String>);

impl Names {
    pub fn new(names: BTreeMap<AccountId, String>) -> Self {
        Self(names)
    }

    /// `payments (111122223333)`, or the id alone when the name is not known.
    pub fn of(&self, account: &AccountId) -> String {
        match self.name(account) {
            Some(name) => format!("{name} ({account})"),
            None => account.to_string(),
        }
    }

    /// Without the id; shortened, since AWS lets a name be as long as it likes in some answers.
    pub fn name(&self, account: &AccountId) -> Option<String> {
        let name = self.0.get(account)?.trim();
        (!name.is_empty()).then(|| shortened(name, 64))
    }

    /// Where something is done: `payments (111122223333), eu-west-1`.
    pub fn place(&self, account: Option<&AccountId>, region: Option<&Region>) -> Option<String> {
        match (account, region) {
            (Some(account), Some(region)) => Some(format!("{}, {region}", self.of(account))),
            (Some(account), None) => Some(self.of(account)),
            (None, Some(region)) => Some(region.to_string()),
            (None, None) => None,
        }
    }
}

/// At most `most` characters, with `…` for the rest.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            format!("{kept}…")
        }
    }
}

/// A component in an environment: `invocation-logging, prod`.
pub fn unit(component: &str, environment: Option<&str>) -> String {
    match environment {
        Some(environment) => format!("{component}, {environment}"),
        None => component.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_048_576, "1,048,576"),
        ] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn lists_are_folded_only_when_that_saves_something() {
        let items: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        assert_eq!(folded(&items, 3), "a, b, c and 2 more");
        assert_eq!(folded(&items, 4), "a, b, c, d and e");
        assert_eq!(folded(&items[..1], 3), "a");
        assert_eq!(folded(&[], 3), "");
    }

    #[test]
    fn durations_are_short_and_never_negative() {
        for (seconds, text) in [
            (-5, "0 s"),
            (4, "4 s"),
            (120, "2 min"),
            (130, "2 min 10 s"),
            (3900, "1 h 05 min"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), text);
        }
        for (seconds, text) in [
            (10, "less than a minute"),
            (100, "about 2 min"),
            (5400, "about 1 h 30 min"),
        ] {
            assert_eq!(about(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn an_account_without_a_known_name_is_shown_by_its_id() {
        let id: AccountId = "111122223333".parse().unwrap();
        let other: AccountId = "444455556666".parse().unwrap();
        let names = Names::new(BTreeMap::from([(id.clone(), "payments".to_owned())]));
        assert_eq!(names.of(&id), "payments (111122223333)");
        assert_eq!(names.of(&other), "444455556666");
    }
}
