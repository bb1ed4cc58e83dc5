//! Smithy RPC v2 CBOR: the operation in the path, its shapes as maps (Smithy specification, "Smithy RPC
//! v2 CBOR protocol"). Spoken by CloudWatch.

use aws_smithy_cbor::{Decoder, Encoder, data::Type};
use aws_smithy_types::DateTime;
use serde_json::{Map, Number, Value};

use crate::sandbox::world::ApiError;

/// What a request of this protocol says of itself, and its answer too.
pub const HEADER: (&str, &str) = ("smithy-protocol", "rpc-v2-cbor");

/// Deepest nesting of lists and maps that is read.
const DEEPEST: usize = 32;

/// `/service/SERVICE/operation/OPERATION`.
pub fn operation(path: &str) -> Option<&str> {
    path.split_once("/operation/")
        .map(|(_, operation)| operation)
        .filter(|operation| !operation.is_empty())
}

/// A body as JSON; an empty one, and one that is no CBOR, is an empty shape.
pub fn parse(body: &[u8]) -> Value {
    read(&mut Decoder::new(body), DEEPEST)
        .filter(Value::is_object)
        .unwrap_or_else(|| Value::Object(Map::new()))
}

fn read(from: &mut Decoder<'_>, depth: usize) -> Option<Value> {
    let deeper = depth.checked_sub(1)?;
    match from.datatype().ok()? {
        Type::Bool => from.boolean().ok().map(Value::Bool),
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64
        | Type::Int => from.long().ok().map(Value::from),
        Type::F16 | Type::F32 | Type::F64 => {
            Some(Number::from_f64(from.double().ok()?).map_or(Value::Null, Value::Number))
        }
        Type::String | Type::StringIndef => from.string().ok().map(Value::String),
        Type::Tag => {
            let at = from.timestamp().ok()?;
            Number::from_f64(at.as_secs_f64()).map(Value::Number)
        }
        Type::Array | Type::ArrayIndef => {
            let mut items = Vec::new();
            let mut left = from.list().ok()?;
            while goes_on(from, &mut left)? {
                items.push(read(from, deeper)?);
            }
            Some(Value::Array(items))
        }
        Type::Map | Type::MapIndef => {
            let mut members = Map::new();
            let mut left = from.map().ok()?;
            while goes_on(from, &mut left)? {
                let name = from.string().ok()?;
                members.insert(name, read(from, deeper)?);
            }
            Some(Value::Object(members))
        }
        _ => {
            from.skip().ok()?;
            Some(Value::Null)
        }
    }
}

/// Whether a list or map has one more element; a definite one counts them, an indefinite one ends with a
/// break.
fn goes_on(from: &mut Decoder<'_>, left: &mut Option<u64>) -> Option<bool> {
    match left {
        Some(0) => Some(false),
        Some(count) => {
            *count -= 1;
            Some(true)
        }
        None if from.datatype().ok()? == Type::Break => {
            from.skip().ok()?;
            Some(false)
        }
        None => Some(true),
    }
}

/// A success. An operation without output has an empty body.
pub fn success(output: &Value) -> Vec<u8> {
    if output.is_null() {
        return Vec::new();
    }
    let mut to = Encoder::new(Vec::new());
    write(&mut to, output, false);
    to.into_writer()
}

pub fn failure(shape: &str, error: &ApiError) -> Vec<u8> {
    let mut to = Encoder::new(Vec::new());
    to.begin_map();
    to.str("__type").str(shape);
    to.str("message").str(&error.message);
    for (name, value) in &error.members {
        to.str(name).str(value);
    }
    to.end();
    to.into_writer()
}

/// Numbers in members whose names end in `Timestamp` are times, tagged as such.
fn write(to: &mut Encoder, value: &Value, is_time: bool) {
    match value {
        Value::Null => {
            to.null();
        }
        Value::Bool(flag) => {
            to.boolean(*flag);
        }
        Value::Number(number) if is_time => {
            to.timestamp(&DateTime::from_secs_f64(
                number.as_f64().unwrap_or_default(),
            ));
        }
        Value::Number(number) => match number.as_i64() {
            Some(whole) => {
                to.long(whole);
            }
            None => {
                to.double(number.as_f64().unwrap_or_default());
            }
        },
        Value::String(text) => {
            to.str(text);
        }
        Value::Array(items) => {
            to.array(items.len());
            for item in items {
                write(to, item, is_time);
            }
        }
        Value::Object(members) => {
            to.begin_map();
            for (name, member) in members.iter().filter(|(_, member)| !member.is_null()) {
                to.str(name);
                write(to, member, is_timestamp(name));
            }
            to.end();
        }
    }
}

/// Whether a member of this name is a time.
pub fn is_timestamp(name: &str) -> bool {
    name.ends_with("Timestamp")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_shape_goes_through_cbor_and_back() {
        let shape = json!({
            "Names": ["a", "b"], "Most": 100, "Threshold": 1.5, "Whole": 5.0, "On": true,
            "Nested": {"At": -3}, "StateUpdatedTimestamp": 1_767_225_600.5,
        });
        assert_eq!(parse(&success(&shape)), shape);
        assert_eq!(parse(&[]), json!({}));
        assert_eq!(parse(b"\xff\xff"), json!({}));
        assert!(success(&Value::Null).is_empty());
    }

    #[test]
    fn nesting_without_end_is_not_read() {
        assert_eq!(parse(&vec![0x81; 100_000]), json!({}));
    }

    #[test]
    fn the_operation_is_in_the_path() {
        let path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
        assert_eq!(operation(path), Some("DescribeAlarms"));
        assert_eq!(operation("/"), None);
    }
}
