//! Images that files of an image request from its own registry.

use std::collections::BTreeSet;
use std::io;

use crate::build::{AskedImage, BuildFailure, BuildPlace, Doubt, Origin, asked_images};
use crate::closure::{self, Asked, Problem, Scope, Weight, asked, check, fault_of};
use crate::image::model::{Image, LayerKind};
use crate::types::{FailureKind, ImageRef, registry_path};

use super::super::{Finding, Verdict};
use super::finding::ImageFinding;
use super::layers::Layers;
use super::registry::Registry;

/// The requested images, and the missing ones.
pub(super) struct Asks {
    pub(super) findings: Vec<ImageFinding>,
    /// The images of the registry that already have a finding, `calico/cni:v3.19.1`.
    pub(super) said: BTreeSet<String>,
    pub(super) asked: Asked,
}

impl Asks {
    pub(super) fn examine(layers: &Layers, image: &Image, registry: &Registry<'_>) -> io::Result<Self> {
        let scratch = tempfile::tempdir()?;
        let wanted = asked_images(&layers.merged, registry.host(), scratch.path());
        let scope = Scope {
            layers: &layers.merged,
            bases: &[],
            cluster_registry: registry.host(),
            platform: registry.platform(),
            needed: None,
            left_out: &BTreeSet::new(),
        };
        let report = check(&scope)?;
        let mut asks =
            Self { findings: Vec::new(), said: BTreeSet::new(), asked: asked(&layers.merged, registry.host())? };
        for finding in &report.findings {
            asks.of_file(layers, registry, finding);
        }
        for AskedImage { image, origin, is_likely } in &wanted.images {
            asks.asked.add(image.reference());
            let own = image.reference().at_registry(registry.host());
            let path = registry_path(&own);
            if asks.said.contains(&path) {
                continue;
            }
            if let Some(mut finding) = fault_of(&scope, &own)?
                && !(is_of_storage(&finding.problem) && registry.speaks_of(&path))
            {
                finding.reference = image.reference().familiar();
                if *is_likely && image.reference().registry() != registry.host() {
                    let found = "it looks like an image that this image does not have";
                    let found = format!("`{}`: {found}", finding.reference);
                    asks.add(layers, (Verdict::Note, "search"), Some(origin), &found, &[]);
                    continue;
                }
                asks.of_builder(layers, origin, &finding, path);
            }
        }
        for failure in &wanted.failures {
            asks.failure(layers, &report.findings, failure);
        }
        for Doubt { origin, message } in &wanted.doubts {
            asks.add(layers, (Verdict::Note, "search"), origin.as_ref(), message, &[]);
        }
        asks.registry_layer(image, !wanted.images.is_empty());
        Ok(asks)
    }

    /// Adds a finding of the closure check about a file.
    fn of_file(&mut self, layers: &Layers, registry: &Registry<'_>, found: &closure::Finding) {
        let path = found.reference.parse::<ImageRef>().map(|image| registry_path(&image)).unwrap_or_default();
        if is_of_storage(&found.problem) && registry.speaks_of(&path) {
            return;
        }
        let is_searched = ["manifests", "charts"].contains(&found.file.parts().next().unwrap_or_default());
        let verdict = match found.weight {
            // The builder did not cache images for other files.
            Weight::Error | Weight::Warning if !is_searched && !found.problem.is_of_cluster() => Verdict::Note,
            Weight::Error => Verdict::Error,
            Weight::Warning => Verdict::Warning,
            Weight::Note => Verdict::Note,
        };
        if verdict > Verdict::Note && !matches!(found.problem, Problem::Collision { .. }) {
            self.said.insert(path);
        }
        let origin = Origin { file: found.file.clone(), template: None, line: found.lines.first().copied() };
        self.add(layers, (verdict, check_of(&found.problem)), Some(&origin), &found.message(), &found.help());
    }

    /// What the builder should have cached.
    fn of_builder(&mut self, layers: &Layers, origin: &Origin, found: &closure::Finding, path: String) {
        let mut help = found.help();
        if origin.file.as_str() == closure::IMAGE_LIST {
            // A listed image was not cached, or is not the intended one.
            help.truncate(found.nearest.iter().count());
            help.push("correct the line, and build the image again".to_owned());
        }
        if let Some(layer) = layers.suspect() {
            help = vec![format!("repair {} first: it was changed, and may have had this image", layer.label())];
        }
        self.add(layers, (Verdict::Error, check_of(&found.problem)), Some(origin), &found.message(), &help);
        self.said.insert(path);
    }

    /// Adds a failure of the builder's search.
    fn failure(&mut self, layers: &Layers, known: &[closure::Finding], BuildFailure { at, failure }: &BuildFailure) {
        let message = &failure.message;
        let is_known = known.iter().any(|found| match at {
            BuildPlace::Image(image) => {
                matches!(found.problem, Problem::Collision { .. }) && found.reference == image.reference().to_string()
            }
            BuildPlace::Origin(origin) => {
                found.file == origin.file && origin.line.is_some_and(|line| found.lines.contains(&line))
            }
            BuildPlace::Kubefile(_) | BuildPlace::File(_) | BuildPlace::Whole => false,
        });
        if is_known {
            return;
        }
        let is_wrong = matches!(at, BuildPlace::Image(_)) || failure.kind == FailureKind::Invalid;
        let verdict = if is_wrong { Verdict::Error } else { Verdict::Note };
        let check = if is_wrong { "reference" } else { "search" };
        let found = std::iter::once(message.clone()).chain(failure.causes.clone()).collect::<Vec<_>>().join(": ");
        let origin = match at {
            BuildPlace::Origin(origin) => Some(origin),
            BuildPlace::Image(_) | BuildPlace::Kubefile(_) | BuildPlace::File(_) | BuildPlace::Whole => None,
        };
        self.add(layers, (verdict, check), origin, &found, &failure.help);
    }

    /// Checks that the image has a layer for its cached images, if it caches any.
    fn registry_layer(&mut self, image: &Image, has_wanted: bool) {
        let is_cache = |value: &str| matches!(value, "registry cache" | "rootfs cache");
        let has_cache = image.layers.iter().any(|layer| layer.kind == LayerKind::Base && is_cache(&layer.value));
        if has_cache || !has_wanted {
            return;
        }
        let lacks = self.findings.iter().any(|found| found.finding.verdict == Verdict::Error);
        let verdict = if lacks { Verdict::Error } else { Verdict::Note };
        let found = "the image has no layer `registry cache` for the images that it lists: sealer makes such images \
                     if it cannot mount an overlay";
        let subject = format!("{} ({})", image.name.familiar(), image.platform);
        let remedy = if lacks { "build the image again" } else { "nothing: other layers have all that it lists" };
        let finding = Finding::new(verdict, "registry-layer", subject, found).remedy(remedy);
        self.findings.insert(0, finding.into());
    }

    fn add(
        &mut self,
        layers: &Layers,
        (verdict, check): (Verdict, &'static str),
        origin: Option<&Origin>,
        found: &str,
        help: &[String],
    ) {
        let place = origin.and_then(|origin| layers.merged.find(&origin.file).ok().flatten());
        let name = origin.map(ToString::to_string).unwrap_or_default();
        let (subject, layer) = match (&place, origin) {
            (Some(place), Some(origin)) => {
                let rest = &name[origin.file.as_str().len()..];
                (format!("{}{rest}", place.display()), layers.of(place))
            }
            _ => (if name.is_empty() { "manifests/".to_owned() } else { name }, None),
        };
        let found = layer.map_or(found.to_owned(), |layer| format!("{found} (in {})", layer.label()));
        let mut finding = Finding::new(verdict, check, subject, found);
        finding.remedy = Some(match (help.is_empty(), verdict > Verdict::Note) {
            (false, _) => help.join("; "),
            (true, true) => "correct it, and build the image again".to_owned(),
            (true, false) => "nothing if no cluster needs it".to_owned(),
        });
        let found = layer.map_or(finding.clone().into(), |layer| ImageFinding::of_layer(finding, layer.id));
        if !self.findings.contains(&found) {
            self.findings.push(found);
        }
    }
}

/// Whether it is about the storage's contents, so that the check of every tag may have found it, too.
fn is_of_storage(problem: &Problem) -> bool {
    match problem {
        Problem::Missing | Problem::Broken { .. } => true,
        Problem::OtherPlatform { .. }
        | Problem::NoReference { .. }
        | Problem::Host { .. }
        | Problem::Collision { .. }
        | Problem::Kubeadm { .. }
        | Problem::KubeadmRepository { .. }
        | Problem::Join
        | Problem::Script { .. }
        | Problem::ScriptUnknown
        | Problem::Unasked { .. }
        | Problem::Template
        | Problem::Foreign { .. }
        | Problem::RepeatedKey
        | Problem::Unread { .. } => false,
    }
}

fn check_of(problem: &Problem) -> &'static str {
    match problem {
        Problem::Missing => "asked-missing",
        Problem::Broken { .. } => "asked-broken",
        Problem::OtherPlatform { .. } => "asked-platform",
        Problem::NoReference { .. } => "reference",
        Problem::Host { .. } => "asked-host",
        Problem::Collision { .. } => "collision",
        Problem::Kubeadm { .. } | Problem::KubeadmRepository { .. } => "asked-kubeadm",
        Problem::Join => "asked-join",
        Problem::Script { .. } | Problem::ScriptUnknown => "asked-script",
        Problem::Unasked { .. } => "tag-unasked",
        Problem::Template => "template",
        Problem::Foreign { .. } => "asked-elsewhere",
        Problem::RepeatedKey => "repeated-key",
        Problem::Unread { .. } => "search",
    }
}
