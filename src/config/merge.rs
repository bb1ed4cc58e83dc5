//! Inheritance between environment files, on trees: maps merge, everything else is replaced, the nearer
//! file wins, and each value keeps the place where it was written.

use super::node::{Entry, Node, NodeKind};

/// Lays the nearer document over the one it extends.
pub fn merge(far: &Node, near: Node) -> Node {
    let NodeKind::Mapping(far_entries) = &far.kind else {
        return near;
    };
    let NodeKind::Mapping(near_entries) = near.kind else {
        return near;
    };
    let mut own: Vec<Entry> = near_entries;
    let mut entries = Vec::with_capacity(far_entries.len() + own.len());
    for inherited in far_entries {
        let position = own
            .iter()
            .position(|entry| entry.key.text == inherited.key.text);
        match position {
            Some(position) => {
                let entry = own.remove(position);
                entries.push(Entry {
                    key: entry.key,
                    value: merge(&inherited.value, entry.value),
                });
            }
            None => entries.push(inherited.clone()),
        }
    }
    entries.append(&mut own);
    Node {
        kind: NodeKind::Mapping(entries),
        tag: near.tag,
        origin: near.origin,
    }
}

/// Drops what belongs to one file only: its name and what it extends.
pub fn inheritable(mut document: Node) -> Node {
    if let NodeKind::Mapping(entries) = &mut document.kind {
        entries.retain(|entry| !matches!(entry.key.text.as_str(), "environment" | "extends"));
    }
    document
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::config::json::to_value;
    use crate::config::yaml::{Dialect, parse};

    fn read(file: &str, text: &str) -> Node {
        parse(&Arc::from(file), text, Dialect::Rollout)
            .unwrap()
            .unwrap()
    }

    #[test]
    fn maps_merge_lists_replace_and_origins_stay() {
        let base = read("base.yaml", "a: {x: 1, y: 2}\nl: [1, 2]\nonly: base\n");
        let near = read("prod.yaml", "a: {y: 3}\nl: [9]\n");
        let merged = merge(&base, near);
        assert_eq!(
            to_value(&merged),
            serde_json::json!({"a": {"x": 1, "y": 3}, "l": [9], "only": "base"})
        );
        assert_eq!(&*merged.at(&["a", "x"]).unwrap().origin.file, "base.yaml");
        assert_eq!(&*merged.at(&["a", "y"]).unwrap().origin.file, "prod.yaml");
    }

    fn document() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<u8>().prop_map(serde_json::Value::from),
            "[a-c]{1,2}".prop_map(serde_json::Value::from)
        ];
        let tree = leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        });
        prop::collection::btree_map("[a-d]", tree, 1..4)
            .prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
    }

    fn node(value: &serde_json::Value) -> Node {
        crate::config::json::parse(&Arc::from("f"), &value.to_string()).unwrap()
    }

    proptest! {
        #[test]
        fn merging_a_file_with_itself_changes_nothing(value in document()) {
            prop_assert_eq!(to_value(&merge(&node(&value), node(&value))), value);
        }

        #[test]
        fn the_nearer_file_is_always_readable_in_the_result(far in document(), near in document()) {
            let merged = to_value(&merge(&node(&far), node(&near)));
            prop_assert!(holds(&merged, &near));
        }
    }

    fn holds(merged: &serde_json::Value, near: &serde_json::Value) -> bool {
        match (merged, near) {
            (serde_json::Value::Object(merged), serde_json::Value::Object(near)) => near
                .iter()
                .all(|(key, value)| merged.get(key).is_some_and(|merged| holds(merged, value))),
            _ => merged == near,
        }
    }
}
