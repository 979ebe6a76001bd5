//! Steps as written: the list of them, and the two that replace whole archives.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::Text;

use super::{
    Chmod, CopyFile, Download, ImageList, MovePath, Patch, Remove, ReplaceText, RewriteImages, Symlink, WriteFile,
};

/// A change to the context. A step that would do nothing is an error, unless it says `optional: true`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Step {
    /// Replaces an archive by another one's content.
    ReplaceArchive(ReplaceArchive),
    /// Replaces a `docker save` archive by another image's.
    ReplaceImage(ReplaceImage),
    /// Edits a JSON or YAML file; what is not edited stays as it was, byte for byte.
    Patch(Patch),
    /// Points the image references of Kubernetes manifests to another registry.
    RewriteImages(RewriteImages),
    /// Writes the list of images that the lite builder caches in the image's registry.
    ImageList(ImageList),
    /// Replaces text in a file that is neither JSON nor YAML.
    ReplaceText(ReplaceText),
    /// Writes a file whose content stands in the recipe.
    Write(WriteFile),
    /// Copies a file that lies beside the recipe.
    Copy(CopyFile),
    /// Fetches a file.
    Download(Download),
    /// Removes files, symlinks and folders.
    Remove(Remove),
    /// Moves a file, a symlink or a folder.
    Move(MovePath),
    /// Sets permission bits.
    Chmod(Chmod),
    /// Makes a symlink.
    Symlink(Symlink),
}

/// Replaces an archive by what lies under `root` in another one, packed in the form that the name of `path` says.
///
/// Every path that the old archive had must be there again, as executable as before, and a file with an execute bit must
/// be a program for the platform or start with `#!`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["url"]}, {"required": ["file"]}]))]
#[schemars(example = json!({
    "path": "cri/docker.tar.gz",
    "url": "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz",
    "root": "docker",
}))]
pub struct ReplaceArchive {
    /// The archive in the context.
    #[schemars(example = &"cri/docker.tar.gz")]
    pub path: Text,
    /// Where the new archive is fetched from. One of `url` and `file` is needed.
    #[serde(default)]
    #[schemars(
        example = &"https://download.docker.com/linux/static/stable/{{ platform.machine }}/docker-{{ values.docker }}.tgz"
    )]
    pub url: Option<Text>,
    /// The new archive, beside the recipe.
    #[serde(default)]
    #[schemars(example = &"docker.tgz")]
    pub file: Option<Text>,
    /// The sha256 of the new archive as 64 hex digits; needed where `url` is plain http.
    #[serde(default)]
    #[schemars(example = &"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")]
    pub sha256: Option<Text>,
    /// The folder of the new archive whose content is taken; default: all.
    #[serde(default)]
    #[schemars(example = &"docker")]
    pub root: Option<Text>,
    /// Globs of old paths that may be missing in the new archive.
    #[serde(default)]
    #[schemars(example = ["docker-init"])]
    pub allow_missing: Vec<Text>,
    /// It is fine if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}

/// Writes an image for the platform, straight from its registry, as an archive that `docker load` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "images/registry.tar", "image": "registry:2.7.1"}))]
pub struct ReplaceImage {
    /// The archive in the context.
    #[schemars(example = &"images/registry.tar")]
    pub path: Text,
    /// The image; `docker-daemon:NAME` is one that only the local Docker engine has.
    #[schemars(example = &"registry:2.7.1")]
    pub image: Text,
    /// The name that `docker load` gives it; default: `image`, without `docker-daemon:`.
    #[serde(default, rename = "as")]
    #[schemars(example = &"registry:2.7.1")]
    pub as_name: Option<Text>,
    /// It is fine if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}
