//! Template text → JSON value, with CloudFormation's short tags written out as `Fn::…` objects.
//!
//! CloudFormation reads JSON and YAML 1.1 and supports neither aliases nor hash merges
//! (user guide, "CloudFormation template formats"). Duplicate keys are refused and depth is bounded.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::TemplateError;

/// Deeper documents than this are no templates; the bound keeps recursion over values safe.
const MAX_DEPTH: usize = 100;

/// Reads a template body.
///
/// # Errors
/// `Template format error: …` for text that is neither JSON nor YAML as CloudFormation reads it.
pub fn read(body: &str) -> Result<Value, TemplateError> {
    let value = if body.trim_start().starts_with('{') {
        read_json(body)?
    } else {
        read_yaml(body)?
    };
    if !value.is_object() {
        return Err(TemplateError::format("unsupported structure."));
    }
    refuse_null(&value, &mut String::new())?;
    Ok(value)
}

fn refuse_null(value: &Value, path: &mut String) -> Result<(), TemplateError> {
    let length = path.len();
    match value {
        Value::Null => {
            return Err(TemplateError::format(format_args!(
                "[{path}] 'null' values are not allowed in templates"
            )));
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push_str(&format!("/{at}"));
                refuse_null(item, path)?;
                path.truncate(length);
            }
        }
        Value::Object(members) => {
            for (key, item) in members {
                path.push('/');
                path.push_str(key);
                refuse_null(item, path)?;
                path.truncate(length);
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

/// A JSON value whose objects name each key once.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Strict;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
                Ok(Strict(Value::Bool(value)))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
                Ok(Strict(Value::from(value)))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
                Ok(Strict(Value::from(value)))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
                Ok(Strict(Value::from(value)))
            }
            fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
                Ok(Strict(Value::String(value.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Strict, E> {
                Ok(Strict(Value::Null))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Strict, A::Error> {
                let mut items = Vec::new();
                while let Some(Strict(item)) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Strict(Value::Array(items)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
                let mut members = Map::new();
                while let Some(key) = map.next_key::<String>()? {
                    let Strict(value) = map.next_value()?;
                    if members.contains_key(&key) {
                        return Err(A::Error::custom("duplicate key"));
                    }
                    members.insert(key, value);
                }
                Ok(Strict(Value::Object(members)))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

fn read_json(body: &str) -> Result<Value, TemplateError> {
    serde_json::from_str::<Strict>(body)
        .map(|Strict(value)| value)
        .map_err(|e| {
            TemplateError::format(format_args!(
                "JSON not well-formed. (line {}, column {})",
                e.line(),
                e.column()
            ))
        })
}

/// A collection that is not closed yet.
enum Open {
    Sequence(Vec<Value>, Option<String>),
    Mapping(Map<String, Value>, Option<String>, Option<String>),
}

fn malformed(at: Marker) -> TemplateError {
    TemplateError::format(format_args!(
        "YAML not well-formed. (line {}, column {})",
        at.line(),
        at.col() + 1
    ))
}

fn read_yaml(body: &str) -> Result<Value, TemplateError> {
    let mut open: Vec<Open> = Vec::new();
    let mut document: Option<Value> = None;
    for event in Parser::new_from_str(body) {
        let (event, span) = event.map_err(|e| malformed(*e.marker()))?;
        let done = match event {
            Event::Scalar(text, style, _, tag) => match open.last_mut() {
                Some(Open::Mapping(members, key @ None, _)) => {
                    if text == "<<" || members.contains_key(text.as_ref()) {
                        return Err(malformed(span.start));
                    }
                    *key = Some(text.into_owned());
                    continue;
                }
                _ => scalar(&text, style, tag.as_deref()),
            },
            Event::SequenceStart(_, tag) | Event::MappingStart(_, tag)
                if open.len() >= MAX_DEPTH
                    || tag
                        .as_deref()
                        .is_some_and(|t| short(t).is_none() && !core(t)) =>
            {
                return Err(malformed(span.start));
            }
            Event::SequenceStart(_, tag) => {
                not_as_key(&open, span.start)?;
                open.push(Open::Sequence(Vec::new(), tag.as_deref().and_then(short)));
                continue;
            }
            Event::MappingStart(_, tag) => {
                not_as_key(&open, span.start)?;
                open.push(Open::Mapping(
                    Map::new(),
                    None,
                    tag.as_deref().and_then(short),
                ));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::Sequence(items, tag)) => Ok(wrap(tag, Value::Array(items))),
                Some(Open::Mapping(members, _, tag)) => Ok(wrap(tag, Value::Object(members))),
                None => Err(()),
            },
            Event::Alias(_) => Err(()),
            Event::DocumentStart(_) if document.is_some() => Err(()),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => continue,
        };
        let value = done.map_err(|()| malformed(span.start))?;
        match open.last_mut() {
            Some(Open::Sequence(items, _)) => items.push(value),
            Some(Open::Mapping(members, key, _)) => match key.take() {
                Some(key) => {
                    members.insert(key, value);
                }
                None => return Err(malformed(span.start)),
            },
            None => document = Some(value),
        }
    }
    document.ok_or_else(|| TemplateError::format("unsupported structure."))
}

fn not_as_key(open: &[Open], at: Marker) -> Result<(), TemplateError> {
    match open.last() {
        Some(Open::Mapping(_, None, _)) => Err(malformed(at)),
        Some(Open::Mapping(_, Some(_), _) | Open::Sequence(..)) | None => Ok(()),
    }
}

fn core(tag: &Tag) -> bool {
    tag.is_yaml_core_schema()
}

/// The full name of a function that has a short form, if `tag` is one.
fn short(tag: &Tag) -> Option<String> {
    if tag.handle != "!" {
        return None;
    }
    match tag.suffix.as_str() {
        "Ref" | "Condition" => Some(tag.suffix.clone()),
        "Sub" | "GetAtt" | "If" | "Join" | "Select" | "Split" | "FindInMap" | "ImportValue"
        | "Equals" | "And" | "Or" | "Not" | "Base64" | "Cidr" | "GetAZs" | "Transform"
        | "Length" | "ToJsonString" => Some(format!("Fn::{}", tag.suffix)),
        _ => None,
    }
}

fn wrap(function: Option<String>, value: Value) -> Value {
    match function {
        Some(function) => {
            let mut members = Map::new();
            members.insert(function, value);
            Value::Object(members)
        }
        None => value,
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, ()> {
    match tag {
        Some(tag) if core(tag) => match tag.suffix.as_str() {
            "str" => Ok(Value::String(text.to_owned())),
            "int" | "float" | "bool" | "null" => Ok(plain(text)),
            _ => Err(()),
        },
        Some(tag) => {
            let function = short(tag).ok_or(())?;
            let argument = if function == "Fn::GetAtt" {
                let (resource, attribute) = text.split_once('.').ok_or(())?;
                Value::Array(vec![resource.into(), attribute.into()])
            } else {
                Value::String(text.to_owned())
            };
            Ok(wrap(Some(function), argument))
        }
        None if matches!(style, ScalarStyle::Plain) => Ok(plain(text)),
        None => Ok(Value::String(text.to_owned())),
    }
}

/// What an unquoted scalar means. A number whose digits would not survive (leading zeros, exponents)
/// stays a text, so that account ids and versions come out as they were written.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return Value::from(number);
    }
    if let Ok(number) = text.parse::<f64>()
        && let Some(number) = Number::from_f64(number)
        && number.to_string() == text
    {
        return Value::Number(number);
    }
    Value::String(text.to_owned())
}
