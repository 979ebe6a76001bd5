//! Which container images a build asks for.
//!
//! Where they are searched, in this order:
//!
//! | what | module | how |
//! |---|---|---|
//! | `imageListWithAuth.yaml` at the context's top | [`private_images`] | pulled first, each section with its own login |
//! | `manifests/imageList` of the new layers, merged | [`list`] | a reference a line |
//! | `manifests/**.{yaml,yml,tmpl}` there | [`manifests`] | by [`crate::manifests::scan`]; templates, and files that are not YAML, as text |
//! | `charts/` there | [`charts`] | rendered by `helm template`, then as manifests |
//!
//! All sources together give each image once. The same reference in several of them is one image, with the login if one
//! of them has it. Two references that would get the same path in the image's registry are an error, wherever they are.
//!
//! Nothing is silently missing. What cannot be searched is an error, except: a reference with a template expression
//! (`{{ … }}`) is a warning with file and line, because it is only known when the cluster starts. A value that is not a
//! reference is an error if a container runs it, and otherwise a warning. A string that only looks like an image, and
//! that its registry refuses, is a warning. A chart that cannot be rendered is a warning instead of an error if the new
//! layers have `manifests/imageList`: then the author listed the images, and an empty list says that there are none. It
//! is also a warning if sealer would not recognise the folder as a chart.

mod auth_list;
mod charts;
mod helm;
mod list;
mod manifests;
mod metadata;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::manifests::Form;
use crate::rootfs::{Overlay, Tree};
use crate::types::{Failure, FailureKind, ImageRef, ImageSource, glob_set, registry_path};

use super::{BuildFailure, BuildPlace, Origin};

pub(super) use auth_list::{AUTH_LIST, private_images};
pub(super) use helm::Helm;
pub(crate) use helm::HelmProgram;
pub(super) use metadata::NewMetadata;
pub(crate) use wanted::Doubt;
pub(super) use wanted::Wanted;
use wanted::{collision, has_extension, path, read};

/// What a build asks for, each image once, in the order of the sources.
#[derive(Debug, Default)]
pub(super) struct Wants {
    /// Of registries outside.
    pub(super) outside: Vec<Wanted>,
    /// Of the image's own registry.
    pub(super) own: Vec<Wanted>,
    /// What is named, and not cached: it is ignored, or refused.
    pub(super) left_out: BTreeSet<ImageRef>,
    /// What charts ask for, of any registry.
    pub(super) of_charts: Vec<ImageRef>,
    /// The helm that rendered the charts, if there are any.
    pub(super) helm: Option<HelmProgram>,
    /// Some charts could not be rendered, so their images are not known.
    pub(super) has_unknown_charts: bool,
    /// The doubts that were reported.
    pub(super) doubts: Vec<Doubt>,
    /// What `Metadata` becomes for the charts' sake.
    pub(super) metadata: Option<NewMetadata>,
}

impl Wants {
    /// Images that get the same path in the registry.
    pub(super) fn collisions(&self) -> Vec<BuildFailure> {
        let mut known: BTreeMap<String, &Wanted> = BTreeMap::new();
        let mut failures = Vec::new();
        for wanted in &self.outside {
            let first = *known.entry(registry_path(wanted.image.reference())).or_insert(wanted);
            if first.image != wanted.image {
                failures.push(collision(wanted, first));
            }
        }
        failures
    }
}

/// Where images are searched, and with what.
pub(super) struct Search<'a> {
    /// What `imageListWithAuth.yaml` asks for.
    pub(super) private: &'a [Wanted],
    /// The new layers.
    pub(super) new: &'a Overlay,
    /// All layers.
    pub(super) all: &'a Overlay,
    /// The image's own registry, `HOST[:PORT]`.
    pub(super) own_registry: &'a str,
    /// Renders charts.
    pub(super) helm: &'a Helm,
    /// Globs on the complete reference of what manifests and charts name and is not cached.
    pub(super) ignore: &'a [String],
    /// An empty folder for what helm needs.
    pub(super) scratch: &'a Path,
}

impl Search<'_> {
    /// All images that are asked for, and all mistakes.
    ///
    /// All references that cannot be understood are reported, and so are two that get the same path in the registry.
    pub(super) fn run(&self) -> (Wants, Vec<BuildFailure>) {
        let mut found = Found { own_registry: self.own_registry, ..Found::default() };
        for wanted in self.private {
            found.add(wanted.clone());
        }
        match self.new.tree(&path("manifests")) {
            Ok(tree) => self.manifests(&tree, &mut found),
            Err(error) => found.failures.push(BuildFailure::whole(error)),
        }
        match self.new.tree(&path("charts")) {
            Ok(tree) => found.wants.metadata = self.charts(&tree, &mut found),
            Err(error) => found.failures.push(BuildFailure::whole(error)),
        }
        (found.wants, found.failures)
    }

    fn manifests(&self, tree: &Tree, found: &mut Found<'_>) {
        found.failures.extend(manifests::not_searched(tree));
        for (path, file) in &tree.files {
            let form = match path.as_str() {
                list::LIST => None,
                name if has_extension(name, &["yaml", "yml"]) => Some(Form::Document),
                name if has_extension(name, &["tmpl"]) => Some(Form::Template),
                _ => continue,
            };
            let bytes = match read(path, file) {
                Ok(bytes) => bytes,
                Err(failure) => {
                    found.failures.push(failure);
                    continue;
                }
            };
            let origin = Origin::file(path.clone());
            match form {
                None => {
                    for list::Line { reference, line } in list::images(&bytes) {
                        found.listed(&reference, origin.line(line));
                    }
                }
                Some(form) => {
                    let searched = manifests::search(&bytes, form, &origin, self.own_registry, false);
                    self.take(searched, |line| origin.line(line), found);
                }
            }
        }
    }

    /// Adds the images of a manifest, except ignored ones.
    fn take(&self, searched: manifests::Searched, origin: impl Fn(usize) -> Origin, found: &mut Found<'_>) {
        let ignore = glob_set(self.ignore);
        for mention in searched.mentions {
            if ignore.is_match(mention.image.to_string()) {
                found.wants.left_out.insert(mention.image);
            } else {
                let (image, origin) = (ImageSource::Registry(mention.image), origin(mention.place.line));
                found.add(Wanted { image, origin, is_likely: !mention.is_certain, login: None });
            }
        }
        found.failures.extend(searched.failures);
        found.wants.doubts.extend(searched.doubts);
    }

    fn charts(&self, tree: &Tree, found: &mut Found<'_>) -> Option<NewMetadata> {
        let charts = charts::find(tree, &mut found.wants.doubts);
        if charts.is_empty() {
            return None;
        }
        let metadata = metadata::read(self.all);
        let is_listed = self.new.find(&path(list::LIST)).is_ok_and(|list| list.is_some_and(|list| list.is_file()));
        for chart in &charts {
            let rendered = chart.render(self.helm, self.scratch, metadata.kubernetes_version());
            match rendered {
                Ok(text) => {
                    if let (None, false, Ok(helm)) = (&found.wants.helm, chart.is_library(), self.helm.there()) {
                        found.wants.helm = Some(helm.about(self.scratch));
                    }
                    for (origin, searched) in chart.images(&text, self.own_registry) {
                        let images = searched.mentions.iter().map(|mention| mention.image.clone());
                        found.wants.of_charts.extend(images);
                        self.take(searched, |_| origin.clone(), found);
                    }
                }
                Err(error) if is_listed || !chart.is_whole() => {
                    found.wants.has_unknown_charts = true;
                    let Failure { message, causes, .. } = error.into();
                    let why = [vec![message], causes].concat().join(": ");
                    let message = format!("{why}; those that {} lists are cached", list::LIST);
                    found.wants.doubts.push(Doubt { origin: Some(Origin::file(chart.path().clone())), message });
                }
                Err(error) => {
                    found.failures.push(BuildFailure {
                        at: BuildPlace::Origin(Origin::file(chart.path().clone())),
                        failure: Failure::from(error).with_help(charts::ChartError::INSTEAD),
                    });
                }
            }
        }
        metadata.with_kube_versions(&charts, &mut found.wants.doubts)
    }
}

/// The images found so far.
#[derive(Default)]
struct Found<'a> {
    own_registry: &'a str,
    wants: Wants,
    own: Seen,
    outside: Seen,
    failures: Vec<BuildFailure>,
}

/// Images by their names in the image's registry.
type Seen = BTreeMap<String, usize>;

impl Found<'_> {
    /// A line of the list. Only the list supports the engine: in a manifest, `docker-daemon:x` is an ordinary name.
    fn listed(&mut self, text: &str, origin: Origin) {
        match text.parse() {
            Ok(image) => self.add(Wanted { image, origin, is_likely: false, login: None }),
            Err(error) => {
                let failure = Failure::new(FailureKind::Invalid, error.to_string());
                self.failures.push(BuildFailure { at: BuildPlace::Origin(origin), failure });
            }
        }
    }

    fn add(&mut self, new: Wanted) {
        let is_own = matches!(&new.image, ImageSource::Registry(image) if image.registry() == self.own_registry);
        let (wanted, seen) =
            if is_own { (&mut self.wants.own, &mut self.own) } else { (&mut self.wants.outside, &mut self.outside) };
        let key = registry_path(new.image.reference());
        let Some(known) = seen.get(&key).map(|index| &mut wanted[*index]) else {
            seen.insert(key, wanted.len());
            wanted.push(new);
            return;
        };
        if known.image.reference() == new.image.reference() {
            known.is_likely &= new.is_likely;
            // The engine's image replaces the registry's image of the same name.
            if let ImageSource::Engine(_) = new.image {
                *known = new;
            }
            return;
        }
        if known.is_likely || new.is_likely {
            // Only a pull shows whether both are images.
            let reference = new.image.reference();
            match wanted.iter_mut().find(|wanted| wanted.image.reference() == reference) {
                Some(known) => known.is_likely &= new.is_likely,
                None => wanted.push(new),
            }
            return;
        }
        self.failures.push(collision(&new, known));
    }
}

#[cfg(test)]
mod tests;
