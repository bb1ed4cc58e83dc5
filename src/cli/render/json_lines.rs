//! A run as JSON lines: one event each, for other programs.

use crate::apply::event::Event;

use super::json;

/// The event as one line, with its line end.
///
/// # Errors
///
/// None that is known of: every key is a text.
pub fn json_line(event: &Event) -> serde_json::Result<String> {
    let mut line = json::compact(event)?;
    line.push('\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::*;
    use super::*;

    #[test]
    fn each_event_is_one_line_that_reads_back() {
        let events = partial_run();
        let lines: Vec<String> = events.iter().map(|e| json_line(e).unwrap()).collect();
        for (event, line) in events.iter().zip(&lines) {
            assert_eq!(line.matches('\n').count(), 1);
            assert!(!line.trim_end().contains(char::is_control));
            let back: Event = serde_json::from_str(line).unwrap();
            assert_eq!(&back, event);
        }
    }

    #[test]
    fn the_end_of_a_run_has_the_keys_of_the_contract() {
        let last = json_line(partial_run().last().unwrap()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&last).unwrap();
        assert_eq!(json["event"], "runFinished");
        assert_eq!(json["outcome"], "partial");
        for key in ["succeeded", "failed", "skipped", "notAttempted"] {
            assert!(json["summary"][key].is_u64(), "{key}");
        }
        for failure in json["failures"].as_array().unwrap() {
            for key in [
                "account",
                "region",
                "component",
                "code",
                "message",
                "class",
                "next",
            ] {
                assert!(failure.get(key).is_some(), "{key}");
            }
        }
    }
}
