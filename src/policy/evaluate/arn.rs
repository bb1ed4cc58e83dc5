//! ARNs in conditions are compared part by part, so that no wildcard reaches over one of the first five colons
//! (IAM User Guide, "Condition operators", Amazon Resource Name condition operators).

use super::wildcard::{self, Token};

/// `None` when the pattern has not the six parts of an ARN.
pub fn matches(pattern: &[Token], value: &str) -> Option<bool> {
    let parts: Vec<&[Token]> = pattern
        .splitn(6, |token| *token == Token::Char(':'))
        .collect();
    if parts.len() < 6 {
        return None;
    }
    let values: Vec<&str> = value.splitn(6, ':').collect();
    Some(
        values.len() == parts.len()
            && parts
                .iter()
                .zip(&values)
                .all(|(part, value)| wildcard::matches(part, value)),
    )
}
