//! The filter before the terminal: names and reasons from files and from AWS may hold anything, escape
//! sequences and direction changes included (account names allow every character).

use std::borrow::Cow;

/// What is shown of one text at most, in characters.
const MAX_CHARACTERS: usize = 4_096;

/// One line without characters that act on a terminal.
pub fn clean(text: &str) -> Cow<'_, str> {
    filter(text, false)
}

/// The same, with line breaks kept.
pub fn lines(text: &str) -> Cow<'_, str> {
    filter(text, true)
}

fn filter(text: &str, keep_lines: bool) -> Cow<'_, str> {
    let harmless = |c: char| !acts(c) || (keep_lines && c == '\n');
    if text.len() <= MAX_CHARACTERS && text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len().min(MAX_CHARACTERS * 4));
    let mut characters = text.chars();
    for c in characters.by_ref().take(MAX_CHARACTERS) {
        match c {
            c if harmless(c) => cleaned.push(c),
            '\n' | '\r' | '\t' => cleaned.push(' '),
            _ => cleaned.push('\u{fffd}'),
        }
    }
    if characters.next().is_some() {
        cleaned.push('…');
    }
    Cow::Owned(cleaned)
}

/// Control characters (C0, DEL, C1), direction marks, zero-width and other invisible characters.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00ad}'
                | '\u{034f}'
                | '\u{061c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_lose_their_power_and_honest_ones_stay() {
        for (text, expected) in [
            ("ai-hub", "ai-hub"),
            ("Büro 日本", "Büro 日本"),
            (
                "\u{1b}[2J\u{1b}[1;1Happrove? [y/N]",
                "\u{fffd}[2J\u{fffd}[1;1Happrove? [y/N]",
            ),
            ("abc\u{202e}cba", "abc\u{fffd}cba"),
            ("two\nlines\t.", "two lines ."),
            ("\u{9b}31m", "\u{fffd}31m"),
        ] {
            assert_eq!(clean(text), expected);
        }
        assert_eq!(lines("two\nlines\u{7}"), "two\nlines\u{fffd}");
        assert!(clean(&"x".repeat(1_000_000)).chars().count() <= MAX_CHARACTERS + 1);
    }

    proptest! {
        #[test]
        fn nothing_that_acts_on_a_terminal_comes_out(text in any::<String>()) {
            prop_assert!(!clean(&text).chars().any(acts));
            prop_assert!(!lines(&text).chars().any(|c| acts(c) && c != '\n'));
        }

        #[test]
        fn cleaning_twice_changes_nothing_more(text in any::<String>()) {
            let once = clean(&text).into_owned();
            prop_assert_eq!(clean(&once), once.as_str());
        }
    }
}
