//! The step `patch` as written.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::json;

use crate::recipe::{Data, Spanned, Text};

/// Edits a JSON or YAML file, by JSON Patch operations (RFC 6902) or by a merge patch (RFC 7386): exactly one of `ops` and
/// `merge` is given. What is not edited stays as it was, byte for byte.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["ops"]}, {"required": ["merge"]}]))]
#[schemars(example = json!({"path": "etc/daemon.json", "ops": [{"op": "remove", "path": "/mirror-registries"}]}))]
#[schemars(example = json!({
    "path": "etc/custom-resources.yaml",
    "document": {"kind": "Installation", "name": "default"},
    "merge": {"spec": {"registry": "sea.hub:5000"}},
}))]
pub struct Patch {
    /// The file in the context.
    #[schemars(example = &"etc/daemon.json")]
    pub path: Text,
    /// Which of several YAML documents is meant.
    #[serde(default)]
    #[schemars(example = json!({"kind": "Installation", "name": "default"}))]
    pub document: Option<Spanned<DocumentChoice>>,
    /// The operations, in order.
    #[serde(default)]
    #[schemars(length(min = 1), example = json!([{"op": "remove", "path": "/mirror-registries"}]))]
    pub ops: Option<Spanned<Vec<Spanned<Operation>>>>,
    /// What the document shall hold: maps are merged key by key, `null` removes its key, everything else (lists, too) takes
    /// the place of what is there. Templates work in its strings.
    #[serde(default)]
    #[schemars(extend("type" = "object", "minProperties" = 1), example = json!({"log-opts": {"max-size": "100m"}, "mirror-registries": null}))]
    pub merge: Option<Data>,
    /// It is fine if the file is not there, and if there is nothing to remove.
    #[serde(default)]
    pub optional: bool,
}

/// Which of several YAML documents is meant: the one that all given fields fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct DocumentChoice {
    /// The document's `kind`.
    #[serde(default)]
    #[schemars(example = &"Installation")]
    pub kind: Option<Text>,
    /// The document's `metadata.name`.
    #[serde(default)]
    #[schemars(example = &"default")]
    pub name: Option<Text>,
    /// The document's `metadata.namespace`.
    #[serde(default)]
    #[schemars(example = &"kube-system")]
    pub namespace: Option<Text>,
    /// The document's number from 0.
    #[serde(default)]
    #[schemars(example = 0)]
    pub index: Option<Spanned<u32>>,
}

/// One operation of JSON Patch (RFC 6902).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = needs_of_operations)]
pub struct Operation {
    /// What is done.
    #[schemars(example = &"add")]
    pub op: Spanned<OperationName>,
    /// Where, as a JSON Pointer (RFC 6901): `/spec/registry`.
    #[schemars(example = &"/spec/registry")]
    pub path: Text,
    /// The value of `add`, `replace` and `test`; templates work in its strings.
    #[serde(default)]
    #[schemars(example = &"{{ values.hub }}")]
    pub value: Option<Data>,
    /// Where `move` and `copy` take the value from, as a JSON Pointer.
    #[serde(default)]
    #[schemars(example = &"/spec/old")]
    pub from: Option<Text>,
}

/// Which operation needs which field.
fn needs_of_operations(schema: &mut Schema) {
    schema.insert(
        "oneOf".to_owned(),
        json!([
            {"properties": {"op": {"enum": ["add", "replace", "test"]}, "from": false}, "required": ["value"]},
            {"properties": {"op": {"enum": ["move", "copy"]}, "value": false}, "required": ["from"]},
            {"properties": {"op": {"const": "remove"}, "from": false, "value": false}},
        ]),
    );
}

/// The operations of JSON Patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OperationName {
    /// Adds a key or an element, or replaces a key's value.
    Add,
    /// Removes a key or an element.
    Remove,
    /// Replaces a value that is there.
    Replace,
    /// Removes a value and adds it elsewhere.
    Move,
    /// Adds a value that stands elsewhere.
    Copy,
    /// Fails unless a value is the given one.
    Test,
}

impl OperationName {
    /// The name as RFC 6902 writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
            Self::Move => "move",
            Self::Copy => "copy",
            Self::Test => "test",
        }
    }
}
