//! All images that a root file system asks for, present or not.

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

/// The requested images, by their names in the image's own registry, which have no host.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    paths: BTreeSet<String>,
    kubeadm: Vec<Needs>,
    /// Whether some requested images are only known when the cluster starts.
    pub has_templates: bool,
}

/// Searches everything that [`check`](super::check) searches, and also lists that a higher layer hides, because their
/// images were cached.
///
/// # Errors
/// A folder cannot be read.
pub(crate) fn asked(layers: &Overlay, registry: &str) -> io::Result<Asked> {
    let mut asked = Asked::default();
    let listed = listed(layers)?;
    for candidate in candidates(layers)? {
        // Unreadable files are reported by the check.
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
    /// Adds an image that is needed for another reason.
    pub(crate) fn add(&mut self, image: &ImageRef) {
        self.paths.insert(registry_path(image));
    }

    /// Whether anything asks for a tag of a repository, or may.
    #[must_use]
    pub(crate) fn asks_for(&self, repository: &str, tag: &str) -> bool {
        let by_digest = format!("{repository}@");
        self.paths.contains(&format!("{repository}:{tag}"))
            || self.paths.range(by_digest.clone()..).next().is_some_and(|path| path.starts_with(&by_digest))
            || self.kubeadm.iter().any(|kubeadm| kubeadm.may_ask_for(repository))
    }
}
