//! Times as the protocols write them.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

/// Query protocol: `2026-01-01T00:00:00.123Z`.
pub fn iso(at: Timestamp) -> Value {
    Value::String(format!("{:.3}", at))
}

/// Query protocol of IAM and STS, whole seconds: `2026-01-01T00:00:00Z`.
pub fn iso_seconds(at: Timestamp) -> Value {
    Value::String(format!("{:.0}", at))
}

/// JSON protocols: seconds since 1970 with milliseconds.
pub fn epoch_seconds(at: Timestamp) -> Value {
    let millis = at.as_millisecond();
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit into 53 bits for the next 280,000 years"
    )]
    let seconds = millis as f64 / 1000.0;
    Value::from(seconds)
}

/// Whole seconds since 1970.
pub fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}

/// CloudWatch Logs counts milliseconds since 1970.
pub fn epoch_millis(at: Timestamp) -> Value {
    Value::from(at.as_millisecond())
}

/// HTTP headers: `Thu, 01 Jan 2026 00:00:00 GMT`.
pub fn http_date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}
