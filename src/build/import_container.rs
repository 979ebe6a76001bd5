//! A container image → the layers of a base.
//!
//! Such an image has no sealer document, so it is converted: each layer is unpacked and gets the id of our own hashing,
//! as if COPY had made it, with the command of the image's history as its value; a layer without content is left out,
//! and of two that are the same the upper one stays. The image's own settings (entry point, command, environment, user)
//! are for a container and have no meaning in a cluster: they are dropped.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::image::model::{Image, ImageConfig, Layer};
use crate::image::{Blobs, ContainerImage, Descriptor};
use crate::store::StagedFolder;
use crate::types::{Digest, Event, Observer, SealerName};

use super::import::{self, ImportError};

/// Characters of a history's command that become a layer's value.
const MAX_VALUE: usize = 200;

/// What the config of a container image says about its layers.
pub(super) struct ContainerConfig {
    layers: Vec<(Digest, String)>,
}

#[derive(Deserialize)]
struct Written {
    rootfs: RootFs,
    #[serde(default)]
    history: Option<Vec<History>>,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    empty_layer: bool,
}

/// Reads the needed fields of the image's config, and checks that it has as many layers as the manifest.
pub(super) fn read_config(pulled: &ContainerImage, blobs: &dyn Blobs) -> Result<ContainerConfig, ImportError> {
    let bytes = import::config(pulled, blobs)?;
    let config = ContainerConfig::parse(&bytes)
        .map_err(|source| ImportError::Config { image: pulled.reference.clone(), source })?;
    if config.layers.len() != pulled.layers.len() {
        let (document, manifest) = (config.layers.len(), pulled.layers.len());
        return Err(ImportError::Count { image: pulled.reference.clone(), document, manifest });
    }
    Ok(config)
}

/// Unpacks the layer of that number into a fresh folder; its stream is what the config says.
pub(super) fn unpack(
    folder: &StagedFolder,
    config: &ContainerConfig,
    index: usize,
    pulled: &ContainerImage,
    blobs: &dyn Blobs,
    observer: &dyn Observer,
) -> Result<(), ImportError> {
    let (layer, blob): (Digest, &Descriptor) = (config.layers[index].0, &pulled.layers[index]);
    let unpacked = import::stream(folder, layer, blob, blobs)?;
    if unpacked.stream != layer {
        return Err(ImportError::DiffId { image: pulled.reference.clone(), layer, found: unpacked.stream });
    }
    for note in unpacked.notes.iter().filter(|note| note.is_news()) {
        observer.event(Event::Warning { message: format!("layer {layer} of `{}`: {note}", pulled.reference) });
    }
    if !unpacked.is_faithful() {
        let message = format!(
            "layer {layer} of `{}` could not be stored exactly (only root can set owners): its id differs from the \
             one that root would get",
            pulled.reference
        );
        observer.event(Event::Warning { message });
    }
    Ok(())
}

impl ContainerConfig {
    fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let Written { rootfs, history } = serde_json::from_slice(bytes)?;
        let made: Vec<History> = history.unwrap_or_default().into_iter().filter(|made| !made.empty_layer).collect();
        // If the history has another number of layers, it cannot be matched to layers.
        let told = made.len() == rootfs.diff_ids.len();
        let value = |(index, id): (usize, Digest)| {
            let command = made.get(index).filter(|_| told).map(|made| one_line(&made.created_by));
            let value = command.filter(|command| !command.is_empty()).unwrap_or_else(|| format!("layer {id}"));
            (id, value)
        };
        Ok(Self { layers: rootfs.diff_ids.into_iter().enumerate().map(value).collect() })
    }

    /// The value of the layer with that number.
    pub(super) fn value(&self, index: usize) -> String {
        self.layers[index].1.clone()
    }
}

/// The image as a base: it is never tagged, so it has the name that a sealer image with the same reference would have.
pub(super) fn base(pulled: &ContainerImage, layers: Vec<Layer>) -> Image {
    let name: SealerName = pulled.reference.to_string().parse().expect("a complete reference is a complete name");
    Image::new(&name, pulled.platform.clone(), layers, ImageConfig::default(), BTreeMap::new())
}

/// A command as one line of at most [`MAX_VALUE`] characters, runs of white space made one blank.
fn one_line(command: &str) -> String {
    let words: Vec<&str> = command.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    const TWO: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn values(history: &serde_json::Value) -> Vec<String> {
        let config = serde_json::json!({"rootfs": {"type": "layers", "diff_ids": [ONE, TWO]}, "history": history});
        let config = ContainerConfig::parse(config.to_string().as_bytes()).unwrap();
        (0..2).map(|index| config.value(index)).collect()
    }

    #[test]
    fn layers_are_told_by_the_history_where_it_counts_as_they_do() {
        let history = serde_json::json!([
            {"created_by": "/bin/sh -c #(nop) ADD file:x in / "},
            {"created_by": "/bin/sh -c #(nop) CMD [\"sh\"]", "empty_layer": true},
            {"created_by": "RUN a \\\n\t b\u{1b}[2J # buildkit", "comment": "buildkit.dockerfile.v0"},
        ]);
        assert_eq!(values(&history), ["/bin/sh -c #(nop) ADD file:x in /", "RUN a \\ b [2J # buildkit"]);
        let unknown = [format!("layer {ONE}"), format!("layer {TWO}")];
        for history in [
            serde_json::json!(null),
            serde_json::json!([]),
            serde_json::json!([{"created_by": "a"}]),
            serde_json::json!([{"created_by": "a"}, {"created_by": "b"}, {"created_by": "c"}]),
            serde_json::json!([{"comment": "imported"}, {"created_by": " \n"}]),
        ] {
            assert_eq!(values(&history), unknown, "{history}");
        }
        let long = serde_json::json!([{"created_by": "é".repeat(201)}, {"created_by": "é".repeat(200)}]);
        assert_eq!(values(&long), [format!("{}…", "é".repeat(200)), "é".repeat(200)]);
    }
}
