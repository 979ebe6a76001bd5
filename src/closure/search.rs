//! The images that a file asks for.

use std::collections::BTreeSet;

use super::candidates::{Candidate, Kind};
use super::kubeadm;
use super::list::listed_images;
use crate::manifests::{Finding, Form, Problem, Scan, scan};
use crate::types::ImageRef;

/// The prefix of an image from the local Docker engine.
const ENGINE_PREFIX: &str = "docker-daemon:";

/// A string in the place of a reference, valid or not.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) text: String,
    pub(super) line: usize,
    /// Where it is in its document (RFC 6901); empty in text.
    pub(super) route: String,
    /// A container would run it.
    pub(super) is_container: bool,
    /// It only looks like an image.
    pub(super) is_likely: bool,
}

/// The images that one file asks for.
#[derive(Debug, Default)]
pub(super) struct Searched {
    pub(super) images: Vec<Named>,
    /// Values with a template's expression, and their lines.
    pub(super) templates: Vec<(String, usize)>,
    /// What kubeadm asks for because the file configures it.
    pub(super) kubeadm: Vec<kubeadm::Needs>,
    /// Keys that are twice, and their lines.
    pub(super) repeated: Vec<(String, usize)>,
    /// Why it could not be searched as what its name says.
    pub(super) not_read: Option<String>,
    pub(super) is_utf16: bool,
}

/// Searches a file. `registry` is how clusters call the image's own registry, `listed` what the image list names.
pub(super) fn search(candidate: &Candidate, bytes: &[u8], registry: &str, listed: &BTreeSet<ImageRef>) -> Searched {
    let form = match candidate.kind {
        Kind::Template => Form::Template,
        Kind::Manifest => Form::Document,
        Kind::List => {
            let images = listed_images(bytes).into_iter().map(|listed| {
                let text = listed.reference.strip_prefix(ENGINE_PREFIX).unwrap_or(&listed.reference).to_owned();
                Named { text, line: listed.line, route: String::new(), is_container: false, is_likely: false }
            });
            return Searched { images: images.collect(), ..Searched::default() };
        }
    };
    let scanned = scan(bytes, &Scan { form, registry, listed });
    let mut searched = Searched::default();
    for mention in scanned.mentions {
        let (line, route) = (mention.place.line, mention.place.route);
        let is_likely = !mention.is_certain;
        searched.images.push(Named { text: mention.reference, line, route, is_container: false, is_likely });
    }
    for Finding { place, problem } in scanned.findings {
        match problem {
            Problem::NotAReference { text, is_container, .. } => {
                let (line, route) = (place.line, place.route);
                searched.images.push(Named { text, line, route, is_container, is_likely: false });
            }
            Problem::Template { text } => searched.templates.push((text, place.line)),
            Problem::Utf16 => searched.is_utf16 = true,
            Problem::Unreadable { why } => searched.not_read = Some(why),
            Problem::RepeatedKey { key, .. } => searched.repeated.push((key, place.line)),
            // Sealer only searches `manifests/`, and the builder reports those.
            Problem::PassedOver { .. } => {}
        }
    }
    searched.images.sort_by_key(|named| named.line);
    let objects = scanned.objects.iter();
    searched.kubeadm = objects.filter_map(|object| kubeadm::needs(&candidate.path, object, registry)).collect();
    // The builder has already reported the files that it searches; and a file without this word may be anything.
    let has_word = bytes.windows(5).any(|window| window.eq_ignore_ascii_case(b"image"));
    if candidate.path.as_str().starts_with("manifests/") || !has_word {
        searched.not_read = None;
    }
    searched
}
