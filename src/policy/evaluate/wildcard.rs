//! `*` stands for any run of characters and `?` for one (IAM User Guide, "IAM JSON policy elements:
//! Resource").

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Char(char),
    One,
    Any,
}

/// Reads a text in which `*` and `?` are wildcards.
pub fn tokens(text: &str) -> impl Iterator<Item = Token> + '_ {
    text.chars().map(|character| match character {
        '*' => Token::Any,
        '?' => Token::One,
        other => Token::Char(other),
    })
}

/// Reads a text in which every character stands for itself.
pub fn literal(text: &str) -> impl Iterator<Item = Token> + '_ {
    text.chars().map(Token::Char)
}

/// Does the pattern cover the whole text?
pub fn matches(pattern: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut reached) = (0, 0);
    // The last `*` and how far its run has grown: no earlier one ever needs to grow again.
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(reached) {
        let fits = match pattern.get(at) {
            Some(Token::Any) => {
                star = Some((at, reached));
                at += 1;
                continue;
            }
            Some(Token::One) => true,
            Some(Token::Char(wanted)) => wanted == character,
            None => false,
        };
        if fits {
            at += 1;
            reached += 1;
            continue;
        }
        let Some((position, grown)) = star else {
            return false;
        };
        star = Some((position, grown + 1));
        at = position + 1;
        reached = grown + 1;
    }
    pattern
        .iter()
        .skip(at)
        .all(|token| matches!(token, Token::Any))
}
