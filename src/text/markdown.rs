//! Text of others in Markdown: nothing in it becomes a link, a mention, a table cell or a tag.

/// Shows the text as it is, in running Markdown, in a table cell and inside HTML tags alike. Character
/// references can do that everywhere: Markdown never takes them for its own signs.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        match c {
            // A reference alone would still notify: GitHub looks for mentions after decoding it. A blank of no
            // width keeps the sign and the name apart.
            '@' => out.push_str("&#64;&#8203;"),
            '&' | '<' | '>' | '"' | '|' | '`' | '[' | ']' | '*' | '~' | '\\' | '$' => {
                reference(&mut out, c);
            }
            '_' if !before.is_alphanumeric() || !after.is_alphanumeric() => reference(&mut out, c),
            // `https://` and `www.` become links by themselves.
            ':' if after == '/' => reference(&mut out, c),
            '.' if before.eq_ignore_ascii_case(&'w') => reference(&mut out, c),
            '#' | '!' => reference(&mut out, c),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        before = c;
    }
    out
}

fn reference(out: &mut String, c: char) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

/// A fence that the text cannot close.
pub fn fence(language: &str, text: &str) -> String {
    let mut longest = 2;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let ticks = "`".repeat(longest + 1);
    format!("{ticks}{language}\n{}\n{ticks}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_with_a_meaning_is_left_of_any_text(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '|', '`', '[', ']', '@', '*', '\n']));
            prop_assert!(!escaped.contains("://") && !escaped.contains("www."));
        }

        #[test]
        fn no_text_closes_its_fence(text in any::<String>()) {
            let fenced = fence("", &text);
            let ticks: String = fenced.chars().take_while(|c| *c == '`').collect();
            let body = fenced.trim_end().strip_prefix(&ticks).unwrap().strip_suffix(&ticks).unwrap();
            prop_assert!(!body.contains(&ticks));
        }
    }

    #[test]
    fn signs_of_markdown_and_html_lose_their_meaning() {
        for (text, expected) in [
            ("payments-001", "payments-001"),
            ("log_group", "log_group"),
            ("_a_", "&#95;a&#95;"),
            ("a|b", "a&#124;b"),
            ("<img src=x>", "&#60;img src=x&#62;"),
            ("`x`", "&#96;x&#96;"),
            ("[y](z)", "&#91;y&#93;(z)"),
            ("@admin", "&#64;&#8203;admin"),
            ("https://evil.example", "https&#58;//evil.example"),
            ("www.evil.example", "www&#46;evil.example"),
            ("a\nb", "a b"),
            ("&amp;", "&#38;amp;"),
        ] {
            assert_eq!(escape(text), expected);
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fence("diff", "a"), "```diff\na\n```\n");
        assert_eq!(fence("", "````\n<b>"), "`````\n````\n<b>\n`````\n");
    }
}
