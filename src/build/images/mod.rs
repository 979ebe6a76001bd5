//! Which container images a build asks for.
//!
//! Where they are searched, in this order:
//!
//! | what | who asks | how |
//! |---|---|---|
//! | `imageListWithAuth.yaml` at the context's top | [`private_images`] | pulled first, each section with its own login |
//! | `manifests/imageList` of the new layers, merged | [`list`] | a reference a line |
//! | `manifests/**.{yaml,yml,tmpl}` there | [`manifests`] | by [`crate::manifests::scan`]; templates, and what is no YAML, as text |
//! | `charts/` there | [`charts`] | rendered by `helm template`, then as manifests |
//!
//! All sources together give each image once. The same reference in several of them is one image, with the login where one
//! of them has it. Two references that would be one in the image's registry are an error, wherever they stand.
//!
//! Nothing is silently missing. What cannot be searched is an error, except: a reference that holds a template's
//! expression (`{{ … }}`) is a warning that names file and line, as only the cluster's start makes an image of it. A value
//! that is no reference is an error where a container runs it, and elsewhere a warning. What only looks like an image, and
//! is refused for good where it would be, is a warning. And a
//! chart that cannot be rendered is a warning instead of an error where the new layers have `manifests/imageList`: whoever
//! writes one has listed the images, and an empty list says that there are none. It is one, too, where sealer would not
//! take the folder for a chart.

mod auth_list;
mod charts;
mod helm;
mod list;
mod manifests;
mod metadata;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use crate::manifests::Form;
use crate::rootfs::{Overlay, Tree};
use crate::transport::Login;
use crate::types::{ContextPath, Failure, FailureKind, ImageRef, ImageSource, glob_set, human_size, registry_path};

use super::{BuildFailure, BuildPlace, HelmProgram, Origin};

pub(super) use auth_list::{AUTH_LIST, private_images};
pub(super) use helm::Helm;
pub(super) use metadata::NewMetadata;

/// The largest manifest or list that is searched, in bytes: that of documents that are read as YAML.
const MAX_MANIFEST: u64 = 64 << 20;

/// A container image, and who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) image: ImageSource,
    pub(super) origin: Origin,
    /// It only looks like an image: that nobody has it is a warning.
    pub(super) is_likely: bool,
    /// The login to pull it with, where the origin gives one.
    pub(super) login: Option<Login>,
}

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
    /// What rendered charts.
    pub(super) helm: Option<HelmProgram>,
    /// Some of the charts could not be rendered: what they ask for is not known.
    pub(super) has_unknown_charts: bool,
    /// What is doubtful, as it was told.
    pub(super) doubts: Vec<Doubt>,
    /// What `Metadata` becomes for the charts' sake.
    pub(super) metadata: Option<NewMetadata>,
}

/// Something that a person should know, and that is no failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// What it is about.
    pub origin: Option<Origin>,
    /// The sentence about it.
    pub message: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(&self.message)
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
    /// Everything that is asked for, and what of it cannot be used.
    ///
    /// All references that cannot be understood are reported, and so are two that fall on one path of the registry.
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

    /// Takes what a manifest asks for, but for what is ignored.
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

/// What was found so far.
#[derive(Default)]
struct Found<'a> {
    own_registry: &'a str,
    wants: Wants,
    own: Seen,
    outside: Seen,
    failures: Vec<BuildFailure>,
}

/// Images by what they are called in the image's registry.
type Seen = BTreeMap<String, usize>;

impl Found<'_> {
    /// A line of the list, which alone knows engines: in a manifest `docker-daemon:x` is what a cluster understands by it.
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
            // The engine stands in for the registry that manifests mean by the same name.
            if let ImageSource::Engine(_) = new.image {
                *known = new;
            }
            return;
        }
        if known.is_likely || new.is_likely {
            // Whether both are images is known when they are asked for.
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

impl Wants {
    /// Images that fall on one path of the registry.
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

fn collision(new: &Wanted, known: &Wanted) -> BuildFailure {
    let message = format!(
        "{}: `{}` and `{}` fall on one path: the image's registry would hold only one as `{}`",
        new.origin,
        new.image,
        known.image,
        registry_path(new.image.reference())
    );
    let failure = Failure::new(FailureKind::Failed, message)
        .with_help(format!("{} asks for the other; keep one of the two", known.origin));
    BuildFailure { at: BuildPlace::Image(new.image.clone()), failure }
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
}

fn path(text: &str) -> ContextPath {
    text.parse().expect("plain words are a path")
}

/// A manifest or list, if it is not larger than one can be.
fn read(path: &ContextPath, file: &Path) -> Result<Vec<u8>, BuildFailure> {
    let size = fs_err::symlink_metadata(file).map_err(BuildFailure::whole)?.len();
    if size <= MAX_MANIFEST {
        return fs_err::read(file).map_err(BuildFailure::whole);
    }
    let (size, limit) = (human_size(size), human_size(MAX_MANIFEST));
    let message = format!("`{path}` has {size}, and at most {limit} of a file are searched for images");
    let failure = Failure::new(FailureKind::Failed, message);
    let help = "what is no manifest belongs elsewhere than below `manifests/`";
    Err(BuildFailure::whole(failure.with_help(help)))
}

#[cfg(test)]
mod tests;
