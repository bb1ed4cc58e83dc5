//! The Query protocol: forms in, XML out. Spoken by CloudFormation, IAM, STS and SQS.
//!
//! Lists are `Name.member.N`, maps are `Name.entry.N.key` and `Name.entry.N.value`
//! (Smithy's awsQuery protocol specification).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{cbor, percent, xml};
use crate::sandbox::world::{ApiError, time::iso};

/// A form's pairs before they become JSON.
#[derive(Default)]
struct Node {
    value: Option<String>,
    children: BTreeMap<String, Node>,
}

/// The operation and its input shape out of a form body or a query string.
pub fn parse(form: &str) -> (String, Value) {
    let mut root = Node::default();
    let mut action = String::new();
    for (name, value) in percent::pairs(form) {
        match name.as_str() {
            "Action" => action = value,
            "Version" => {}
            _ => {
                let mut node = &mut root;
                for part in name.split('.') {
                    node = node.children.entry(part.to_owned()).or_default();
                }
                node.value = Some(value);
            }
        }
    }
    (action, Value::Object(object(root)))
}

fn object(node: Node) -> Map<String, Value> {
    node.children
        .into_iter()
        .map(|(name, child)| (name, value(child)))
        .collect()
}

fn value(mut node: Node) -> Value {
    if let Some(members) = node.children.remove("member") {
        return Value::Array(in_order(members).into_iter().map(value).collect());
    }
    if let Some(entries) = node.children.remove("entry") {
        let pairs = in_order(entries).into_iter().filter_map(|mut entry| {
            let key = entry.children.remove("key")?.value?;
            let value_node = entry.children.remove("value")?;
            Some((key, value(value_node)))
        });
        return Value::Object(pairs.collect());
    }
    if node.children.is_empty() {
        return Value::String(node.value.unwrap_or_default());
    }
    if node.children.keys().all(|key| key.parse::<u32>().is_ok()) {
        // A flattened list, which some clients write.
        return Value::Array(in_order(node).into_iter().map(value).collect());
    }
    Value::Object(object(node))
}

/// Children by number: `10` comes after `9`.
fn in_order(node: Node) -> Vec<Node> {
    let mut numbered: Vec<(u32, Node)> = node
        .children
        .into_iter()
        .filter_map(|(name, child)| Some((name.parse().ok()?, child)))
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, child)| child).collect()
}

/// The XML of a success. `Value::Null` means that the operation has no result element.
pub fn success(namespace: &str, operation: &str, output: &Value, request_id: &str) -> String {
    let mut out = format!("<{operation}Response xmlns=\"{namespace}\">");
    if !output.is_null() {
        let output = with_times(output);
        xml::element(&mut out, &format!("{operation}Result"), &output);
    }
    out.push_str(&format!(
        "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    ));
    out
}

/// Times of services that speak other protocols too come as seconds since 1970.
fn with_times(output: &Value) -> Value {
    match output {
        Value::Array(items) => items.iter().map(with_times).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let at = value.as_f64().filter(|_| cbor::is_timestamp(name));
                let value = at.and_then(time_text).unwrap_or_else(|| with_times(value));
                (name.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

fn time_text(seconds: f64) -> Option<Value> {
    let since = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    Some(iso(jiff::Timestamp::from_duration(since).ok()?))
}

/// The XML of an error.
pub fn failure(namespace: &str, error: &ApiError, request_id: &str) -> String {
    let fault = if error.status >= 500 {
        "Receiver"
    } else {
        "Sender"
    };
    let mut out = format!("<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type>");
    xml::element(&mut out, "Code", &Value::from(error.code.clone()));
    xml::element(&mut out, "Message", &Value::from(error.message.clone()));
    for (name, member) in &error.members {
        xml::element(&mut out, name, &Value::from(member.clone()));
    }
    out.push_str(&format!(
        "</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_becomes_the_input_shape() {
        let form = "Action=CreateStack&Version=2010-05-15&StackName=a%2Bb+c\
            &Parameters.member.1.ParameterKey=K&Parameters.member.1.ParameterValue=V\
            &Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.10.Key=j\
            &Map.entry.1.key=x&Map.entry.1.value=y&Empty=";
        let (action, input) = parse(form);
        assert_eq!(action, "CreateStack");
        assert_eq!(
            input,
            json!({
                "StackName": "a+b c",
                "Parameters": [{"ParameterKey": "K", "ParameterValue": "V"}],
                "Tags": [{"Key": "a"}, {"Key": "b"}, {"Key": "j"}],
                "Map": {"x": "y"},
                "Empty": "",
            })
        );
    }

    #[test]
    fn an_output_becomes_xml_with_members() {
        let output = json!({"Tags": [{"Key": "a<b"}], "Flag": true, "None": null, "List": []});
        assert_eq!(
            success("urn:x", "Op", &output, "id"),
            "<OpResponse xmlns=\"urn:x\"><OpResult><Tags><member><Key>a&lt;b</Key></member></Tags>\
             <Flag>true</Flag><List></List></OpResult><ResponseMetadata><RequestId>id</RequestId>\
             </ResponseMetadata></OpResponse>"
        );
    }
}
