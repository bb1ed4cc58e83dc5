//! Regular expressions, each compiled once per thread: templates repeat theirs, and a bounded repetition
//! such as `{1,512}` takes milliseconds to compile.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fancy_regex::Regex;

thread_local! {
    static COMPILED: RefCell<BTreeMap<String, Option<Rc<Regex>>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Does the pattern match somewhere in the text? `None`: it is no regular expression, or too costly to
/// decide.
pub fn matches(pattern: &str, text: &str) -> Option<bool> {
    compiled(pattern)?.is_match(text).ok()
}

/// Does the pattern match the whole text, as CloudFormation wants it?
pub fn matches_whole(pattern: &str, text: &str) -> Option<bool> {
    matches(&whole(pattern), text)
}

/// Is it a regular expression?
pub fn is_pattern(pattern: &str) -> bool {
    compiled(&whole(pattern)).is_some()
}

fn whole(pattern: &str) -> String {
    format!(r"\A(?:{pattern})\z")
}

fn compiled(pattern: &str) -> Option<Rc<Regex>> {
    COMPILED.with_borrow_mut(|known| {
        if let Some(regex) = known.get(pattern) {
            return regex.clone();
        }
        let regex = Regex::new(pattern).ok().map(Rc::new);
        known.insert(pattern.to_owned(), regex.clone());
        regex
    })
}
