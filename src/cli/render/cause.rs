//! What equal failures have in common.

use crate::apply::event::Failure;

use super::grouped::general;

/// The message without what is different each time: the account, the Region, the id of the request.
pub fn cause(failure: &Failure) -> String {
    common(&failure.message, failure)
}

/// What to do next, likewise.
pub fn remedy(failure: &Failure) -> String {
    common(&failure.next, failure)
}

fn common(text: &str, failure: &Failure) -> String {
    let text = general(text, failure.account.as_ref(), failure.region.as_ref());
    without_uuids(&text)
}

/// AWS puts the id of the request into many of its messages, as a UUID.
fn without_uuids(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '-' {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
        }
    }
    flush(&mut word, &mut out);
    out
}

fn flush(word: &mut String, out: &mut String) {
    out.push_str(if is_uuid(word) { "…" } else { word });
    word.clear();
}

fn is_uuid(word: &str) -> bool {
    word.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{EAST, failure};
    use super::*;

    #[test]
    fn ids_of_requests_and_accounts_do_not_make_a_cause_another() {
        let message = |n: usize, id: &str| {
            format!("key of 10000000000{n} is pending deletion (Service: Kms, Request ID: {id})")
        };
        let one = message(1, "0b7c9c5e-3a54-4a0e-9a7e-0c8f6a3d2b11");
        let two = message(2, "5d1f8a20-77aa-4a0e-8b7e-9c8f6a3d2b99");
        let cause = |n, message: &str| cause(&failure(n, EAST, "x", "E", message, ""));
        assert_eq!(cause(1, &one), cause(2, &two));
        assert_eq!(
            cause(1, &one),
            "key of ${account.id} is pending deletion (Service: Kms, Request ID: …)"
        );
        assert_eq!(cause(1, "us-west-2-bucket"), "us-west-2-bucket");
    }
}
