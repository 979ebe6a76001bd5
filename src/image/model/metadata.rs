//! `images_metadata.json`: which images there are under which names.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{ImageId, ModelError};
use crate::types::{Platform, SealerName};

/// The images of a store or a saved archive: complete name → one manifest per platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Metadata(pub BTreeMap<String, ManifestList>);

/// The platforms of a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManifestList {
    /// One per platform, in the order in which they came.
    pub manifests: Vec<Manifest>,
}

/// One platform of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The image's id.
    pub id: String,
    /// When it was built, tagged, loaded or pulled: RFC 3339 with nanoseconds.
    pub created: String,
    /// Sum of the sizes of all files of its layers, in bytes.
    pub size: i64,
    /// The platform of the image.
    pub platform: ManifestPlatform,
}

/// A platform as sealer writes it here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestPlatform {
    /// `amd64`, `arm64`.
    pub architecture: String,
    /// `linux`.
    pub os: String,
    /// `v8` of linux/arm64, `v7` of linux/arm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Manifest {
    /// The id, if it is one.
    pub(crate) fn image_id(&self) -> Result<ImageId, ModelError> {
        self.id.parse()
    }
}

impl From<&Platform> for ManifestPlatform {
    fn from(platform: &Platform) -> Self {
        Self {
            architecture: platform.architecture().to_owned(),
            os: platform.os().to_owned(),
            variant: platform.variant().map(str::to_owned),
        }
    }
}

impl ManifestPlatform {
    /// The platform, normalised: any linux/arm64 equals any other.
    #[must_use]
    pub fn platform(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, self.variant.as_deref())
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Names)
    }
}

/// The list as sealer had it up to v0.6.1: a name had one image. Never empty, for then the later form was read.
type OldList = BTreeMap<String, OldImage>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldImage {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "created", default)]
    _created: String,
    #[serde(rename = "size", default)]
    _size: i64,
}

/// Takes each name once: of two, a reader would lose the images of one, and the next writer would lose them for good.
struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the images by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut names = BTreeMap::new();
        while let Some((name, list)) = map.next_entry::<String, ManifestList>()? {
            if names.contains_key(&name) {
                return Err(A::Error::custom(format!("the name `{name}` is there twice")));
            }
            names.insert(name, list);
        }
        Ok(Metadata(names))
    }
}

impl Metadata {
    /// Reads the file. One without content is not a list: a machine that lost its power leaves such files, and treating
    /// it as an empty list would overwrite data that can still be restored.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, ModelError> {
        if json.trim_ascii().is_empty() {
            return Err(ModelError::Metadata(serde_json::Error::custom("the file is empty")));
        }
        serde_json::from_slice(json).map_err(|error| match serde_json::from_slice::<OldList>(json) {
            Ok(_) => ModelError::OldMetadata,
            Err(_) => ModelError::Metadata(error),
        })
    }

    /// The file as sealer writes it: tabs, names sorted, no final newline.
    ///
    /// # Panics
    ///
    /// Never: names and numbers are always JSON.
    #[must_use]
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::new();
        let tabs = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut json, tabs);
        self.serialize(&mut serializer).expect("names and numbers are always JSON");
        json
    }

    /// The list as a saved archive has it: one line without a final newline.
    ///
    /// # Panics
    ///
    /// Never: names and numbers are always JSON.
    #[must_use]
    pub(crate) fn to_line(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("names and numbers are always JSON")
    }

    /// The manifest of a name and platform.
    #[must_use]
    pub(crate) fn find(&self, name: &SealerName, platform: &Platform) -> Option<&Manifest> {
        self.manifests(name).iter().find(|manifest| manifest.platform.platform() == *platform)
    }

    /// All manifests of a name.
    #[must_use]
    pub(crate) fn manifests(&self, name: &SealerName) -> &[Manifest] {
        self.0.get(&name.to_string()).map_or(&[], |list| &list.manifests)
    }

    /// Adds a manifest under a name, replacing the one of the same platform.
    pub(crate) fn put(&mut self, name: &SealerName, manifest: Manifest) {
        let list = self.0.entry(name.to_string()).or_default();
        let platform = manifest.platform.platform();
        match list.manifests.iter_mut().find(|there| there.platform.platform() == platform) {
            Some(there) => *there = manifest,
            None => list.manifests.push(manifest),
        }
    }

    /// Removes a platform of a name, or all of them; the name is removed with its last platform. Returns the removed
    /// ones.
    pub(crate) fn remove(&mut self, name: &SealerName, platform: Option<&Platform>) -> Vec<Manifest> {
        let key = name.to_string();
        let Some(list) = self.0.get_mut(&key) else { return Vec::new() };
        let goes = |manifest: &Manifest| platform.is_none_or(|platform| manifest.platform.platform() == *platform);
        let (removed, kept) = std::mem::take(&mut list.manifests).into_iter().partition(goes);
        list.manifests = kept;
        if list.manifests.is_empty() {
            self.0.remove(&key);
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "{\n\t\"registry.cn-qingdao.aliyuncs.com/sealer-io/a:1\": {\n\t\t\"manifests\": [\n\t\t\t{\n\t\t\t\t\
        \"id\": \"x\",\n\t\t\t\t\"created\": \"2026-11-21T18:13:54.691417097Z\",\n\t\t\t\t\"size\": 363700,\n\t\t\t\t\
        \"platform\": {\n\t\t\t\t\t\"architecture\": \"arm64\",\n\t\t\t\t\t\"os\": \"linux\",\n\t\t\t\t\t\"variant\": \
        \"v8\"\n\t\t\t\t}\n\t\t\t}\n\t\t]\n\t}\n}";

    #[test]
    fn the_file_comes_back_byte_for_byte() {
        let metadata = Metadata::from_json(JSON.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(metadata.to_json()).unwrap(), JSON);
        assert_eq!(Metadata::from_json(b"{}").unwrap().to_json(), b"{}");
    }

    #[test]
    fn what_is_empty_or_says_a_thing_twice_is_no_list() {
        let twice = r#"{"a:1": {"manifests": []}, "b:1": {"manifests": []}, "a:1": {"manifests": []}}"#;
        let inside = r#"{"a:1": {"manifests": [], "manifests": []}}"#;
        for (json, reason) in [
            ("", "the file is empty"),
            (" \n\t", "the file is empty"),
            (twice, "the name `a:1` is there twice"),
            (inside, "duplicate field `manifests`"),
        ] {
            let Err(ModelError::Metadata(source)) = Metadata::from_json(json.as_bytes()) else { panic!("{json:?}") };
            assert!(source.to_string().contains(reason), "{json:?}: {source}");
        }
    }

    #[test]
    fn a_list_of_an_old_sealer_is_called_that() {
        let image = r#"{"name": "a:1", "id": "x", "created": "2022-01-01T00:00:00Z", "size": 3}"#;
        for (json, is_old) in [
            (format!(r#"{{"a:1": {image}}}"#), true),
            (r#"{"a:1": {"name": "a:1", "id": "x"}}"#.to_owned(), true),
            (format!(r#"{{"a:1": {image}, "b:1": {{"manifests": []}}}}"#), false),
            (r#"{"a:1": {}}"#.to_owned(), false),
            ("[]".to_owned(), false),
        ] {
            let error = Metadata::from_json(json.as_bytes()).unwrap_err();
            assert_eq!(matches!(error, ModelError::OldMetadata), is_old, "{json}: {error}");
        }
    }

    #[test]
    fn a_platform_is_replaced_and_any_arm64_is_any_other() {
        let name: SealerName = "a:1".parse().unwrap();
        let mut metadata =
            Metadata::from_json(JSON.replace(",\n\t\t\t\t\t\"variant\": \"v8\"", "").as_bytes()).unwrap();
        let arm: Platform = "linux/arm64/v8".parse().unwrap();
        let manifest = Manifest { id: "y".to_owned(), ..metadata.find(&name, &arm).unwrap().clone() };
        metadata.put(&name, manifest.clone());
        assert_eq!(metadata.manifests(&name), std::slice::from_ref(&manifest));
        let amd: Platform = "linux/amd64".parse().unwrap();
        metadata.put(&name, Manifest { platform: (&amd).into(), ..manifest });
        assert_eq!(metadata.manifests(&name).len(), 2);
        assert_eq!(metadata.remove(&name, Some(&arm)).len(), 1);
        assert_eq!(metadata.remove(&name, None).len(), 1);
        assert!(metadata.0.is_empty());
    }
}
