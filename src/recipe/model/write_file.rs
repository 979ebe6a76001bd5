//! The step `write` as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::Text;

/// Writes a file: a new one, or a new content for one that is there. Folders that are missing are made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "etc/motd", "content": "Made by {{ recipe.name }} for {{ platform.machine }}.\n"}))]
#[schemars(example = json!({
    "path": "scripts/pods.sh",
    "content": "#!/bin/sh\nkubectl get pods -o go-template='{{range .items}}{{.metadata.name}} {{end}}'\n",
    "mode": "0755",
    "template": false,
}))]
pub struct WriteFile {
    /// The file in the context.
    #[schemars(example = &"etc/motd")]
    pub path: Text,
    /// The whole content. `{{ … }}` works in it, and `{% raw %}…{% endraw %}` keeps what stands between as it is.
    #[schemars(example = &"Made by {{ recipe.name }}.\n")]
    pub content: Text,
    /// The permission bits, in octal and in quotes; default: those of the file that is there, else 0644.
    #[serde(default)]
    #[schemars(example = &"0755")]
    pub mode: Option<Text>,
    /// Whether `{{ … }}` works in `content`; default: `true`.
    #[serde(default)]
    #[schemars(example = false)]
    pub template: Option<bool>,
    /// Every step takes this word; there is always something to write.
    #[serde(default)]
    pub optional: bool,
}
