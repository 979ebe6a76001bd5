//! Everything that a root file system asks for, whether it is there or not.

use std::collections::BTreeSet;
use std::io;

use super::candidates::{Kind, candidates};
use super::collision::covered;
use super::kubeadm::{self, Needs};
use super::list::listed;
use super::scripts;
use super::search::search;
use crate::rootfs::Overlay;
use crate::types::{ImageRef, registry_path};

/// What is asked for, by what it is called in the image's own registry: hosts do not count there.
#[derive(Debug, Default)]
pub struct Asked {
    paths: BTreeSet<String>,
    kubeadm: Vec<Needs>,
    /// Some of what is asked for is known only when the cluster starts.
    pub has_templates: bool,
}

/// Searches all that [`check`](super::check) searches, and the lists that a higher layer covers, too: their images were
/// cached all the same.
///
/// # Errors
/// A folder cannot be read.
pub fn asked(layers: &Overlay, registry: &str) -> io::Result<Asked> {
    let mut asked = Asked::default();
    let listed = listed(layers)?;
    for candidate in candidates(layers)? {
        // What cannot be read is for the check to say.
        let Ok(Some(bytes)) = candidate.read() else { continue };
        let searched = search(&candidate, &bytes, registry, &listed);
        asked.has_templates |= candidate.kind != Kind::List && !searched.templates.is_empty();
        for image in searched.images {
            image.text.parse().iter().for_each(|image| asked.add(image));
        }
        asked.kubeadm.extend(searched.kubeadm);
    }
    asked.kubeadm.extend(kubeadm::needs_by_default(layers, registry)?);
    for run in scripts::uses(layers)? {
        run.name.parse().iter().for_each(|image| asked.add(image));
    }
    for (image, _, _) in covered(layers)? {
        asked.add(&image);
    }
    Ok(asked)
}

impl Asked {
    /// Somebody else asks for this one, too.
    pub fn add(&mut self, image: &ImageRef) {
        self.paths.insert(registry_path(image));
    }

    /// Whether anything asks for a tag of a repository, or may.
    #[must_use]
    pub fn asks_for(&self, repository: &str, tag: &str) -> bool {
        let by_digest = format!("{repository}@");
        self.paths.contains(&format!("{repository}:{tag}"))
            || self.paths.range(by_digest.clone()..).next().is_some_and(|path| path.starts_with(&by_digest))
            || self.kubeadm.iter().any(|kubeadm| kubeadm.may_ask_for(repository))
    }
}
