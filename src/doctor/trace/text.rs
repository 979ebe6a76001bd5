//! The trace for people.

use super::model::{Basis, Blob, EngineLayer, Link, Named, NamedState, Spot, Trace, TracedImage, TracedLayer};
use crate::types::printable;

impl Trace {
    /// What was found, for people: the engine's image, then each sealer image.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let mut lines = vec![format!("{} ({}), id {}", self.image, self.platform, self.id)];
        lines.push(format!("  of the Docker engine at {}", self.engine.place));
        lines.extend(self.repo_digests.iter().map(|name| format!("  is {name}")));
        lines.push(match (&self.engine.digests, &self.engine.no_digests) {
            (Some(folder), _) => format!("  digests: in {}", folder.display()),
            (None, why) => {
                let why = why.as_deref().unwrap_or_default();
                format!("  digests: computed from the configs in sealer images; {why}")
            }
        });
        if self.engine.hashed {
            lines.push("  hashed: its layers match what the engine says".to_owned());
        }
        if self.layers.is_empty() {
            lines.push("  it has no layers".to_owned());
        }
        for (index, layer) in self.layers.iter().enumerate() {
            lines.push(format!("  layer {}: diff id {}", index + 1, layer.diff_id));
            self.known(layer, &mut lines);
        }
        for image in &self.images {
            lines.push(String::new());
            self.image(image, &mut lines);
        }
        printable(&(lines.join("\n") + "\n")).into_owned()
    }

    fn known(&self, layer: &EngineLayer, lines: &mut Vec<String>) {
        let known = layer.known.iter();
        lines.extend(known.map(|known| format!("    {} in {}", known.digest, known.source_repository)));
        match &layer.fault {
            Some(fault) => lines.push(format!("    {fault}")),
            None if layer.known.is_empty() && self.engine.digests.is_some() => {
                lines.push("    no digest: the engine neither pulled nor pushed it".to_owned());
            }
            None => {}
        }
    }

    fn image(&self, image: &TracedImage, lines: &mut Vec<String>) {
        let (all, lacking) = (image.layers.len(), image.lacks().count());
        let has = match (all, all - lacking) {
            (0, _) => "nothing to look for".to_owned(),
            (1, 1) => "has its one layer".to_owned(),
            (all, there) if there == all => format!("has all {all} layers"),
            (_, 0) => "has none of its layers".to_owned(),
            (all, there) => format!("has {there} of {all} layers"),
        };
        lines.push(format!("{} ({}): {has}", image.name.familiar(), image.platform));
        self.named(&image.named, image, lines);
        for (index, layer) in image.layers.iter().enumerate() {
            traced(index + 1, layer, image, lines);
        }
        if lacking > 0 && !self.engine.hashed && !image.unmapped.is_empty() {
            let count = image.unmapped.len();
            let blobs = if count == 1 { "1 blob".to_owned() } else { format!("{count} blobs") };
            lines.push(format!("  no config there describes {blobs}: `--deep` decompresses them"));
        }
    }

    fn named(&self, named: &Named, image: &TracedImage, lines: &mut Vec<String>) {
        let name = &named.name;
        let (platform, sealer) = (&image.platform, image.name.familiar());
        lines.push(match named.state {
            NamedState::Absent => format!("  {name} is not there"),
            NamedState::Same => format!("  {name} there is the same image"),
            NamedState::SameLayers => format!("  {name} there has the same layers, but another config"),
            NamedState::Other => format!("  {name} there is another image"),
            NamedState::Broken => {
                format!("  {name} there has no whole image for {platform}: `sealer doctor image {sealer}` says why")
            }
        });
        let config = named.config.map(|config| format!(", id {config}")).unwrap_or_default();
        if let Some(spot) = &named.link {
            let digest = named.digest.map_or("no digest".to_owned(), |digest| digest.to_string());
            lines.push(format!("    there: {digest}{config} ({})", layer(spot, image)));
        }
        if matches!(named.state, NamedState::SameLayers | NamedState::Other) {
            let known = self.repo_digests.iter().filter_map(|name| Some(format!("{}, ", name.split_once('@')?.1)));
            lines.push(format!("    engine: {}id {}", known.collect::<String>(), self.id));
        }
        lines.extend(named.faults.iter().map(|fault| format!("    {fault}")));
    }
}

fn traced(number: usize, layer: &TracedLayer, image: &TracedImage, lines: &mut Vec<String>) {
    if layer.blobs.is_empty() {
        lines.push(format!("  layer {number}: not there"));
    }
    for blob in &layer.blobs {
        let state = if blob.is_there() { "" } else { "not whole, " };
        lines.push(format!("  layer {number}: {state}{} {}", blob.digest, basis(blob)));
        match (&blob.data, &blob.fault) {
            (Some(spot), None) => lines.push(format!("    data {}", place(spot, image))),
            (Some(spot), Some(fault)) => lines.push(format!("    data {}: {fault}", place(spot, image))),
            (None, _) => lines.push("    data is missing".to_owned()),
        }
        match &blob.links[..] {
            [] => lines.push("    link is missing: no repository has it".to_owned()),
            links => lines.extend(links.iter().map(|link| linked(link, image))),
        }
    }
}

/// By what a blob is the layer.
fn basis(blob: &Blob) -> String {
    let words = blob.basis.iter().map(|basis| match basis {
        Basis::Engine => "the engine",
        Basis::Config => "a config there",
        Basis::Content => "its content",
    });
    format!("by {}", words.collect::<Vec<_>>().join(", "))
}

fn linked(link: &Link, image: &TracedImage) -> String {
    let fault = link.fault.as_ref().map(|fault| format!(": {fault}")).unwrap_or_default();
    format!("    link {}{fault}", place(&link.spot, image))
}

fn place(spot: &Spot, image: &TracedImage) -> String {
    format!("{} ({})", spot.path, layer(spot, image))
}

/// `image layer 4, BASE registry cache`: not to be taken for a layer of the engine's image.
fn layer(spot: &Spot, image: &TracedImage) -> String {
    let title = image.image_layers.get(spot.layer - 1).map(|layer| format!(", {} {}", layer.kind, layer.value));
    format!("image layer {}{}", spot.layer, title.unwrap_or_default())
}
