//! The end of a build: every image that the manifests request from the image's own registry must be there.

use crate::closure::{Base, Finding, Problem, Scope, Weight, check, fault_of};
use crate::rootfs::Overlay;
use crate::types::{Event, Failure, FailureKind, ImageRef, Observer, registry_path};

use super::images::{Wanted, Wants};
use super::request::BuildRequest;
use super::{BuildFailure, BuildPlace};

/// An image that is complete except for its name.
pub(super) struct Closure<'a> {
    pub(super) request: &'a BuildRequest<'a>,
    /// The base that it is built on.
    pub(super) base: Option<&'a Base>,
    /// All its layers.
    pub(super) layers: &'a Overlay,
    /// The images that the build asked for.
    pub(super) wants: &'a Wants,
    /// Whether some images could not be pulled, which was already reported.
    pub(super) has_failed: bool,
}

impl Closure<'_> {
    /// Returns what is missing; warnings and notes go to the observer.
    pub(super) fn check(&self, observer: &dyn Observer) -> Vec<BuildFailure> {
        let needed: Vec<ImageRef> = self.request.needed.iter().chain(&self.wants.of_charts).cloned().collect();
        let bases: Vec<Base> = self.base.into_iter().chain(self.request.taken_from).cloned().collect();
        let scope = Scope {
            layers: self.layers,
            bases: &bases,
            cluster_registry: self.request.cluster_registry,
            platform: self.request.platform,
            left_out: &self.wants.left_out,
            needed: (!self.has_failed && !self.wants.has_unknown_charts).then_some(&needed),
        };
        let report = match check(&scope) {
            Ok(report) => report,
            Err(error) => return vec![BuildFailure::whole(error)],
        };
        let mut failures = Vec::new();
        let mut said: Vec<String> = Vec::new();
        for finding in report.findings {
            if self.was_told(&finding) {
                continue;
            }
            said.extend(finding.reference.parse().ok().map(|image: ImageRef| registry_path(&image)));
            match finding.weight {
                Weight::Error => failures.push(failure(&finding)),
                Weight::Warning => observer.event(Event::Warning { message: sentence(&finding) }),
                Weight::Note => {
                    observer.event(Event::Note { message: sentence(&finding) });
                    if let Problem::Foreign { images } = &finding.problem {
                        let message = format!("{} names {}", finding.file, images.join(", "));
                        observer.event(Event::Log { message });
                    }
                }
            }
        }
        // The images of charts are not in any file in their final form.
        let of_charts = self.wants.own.iter().filter(|own| {
            let path = registry_path(own.image.reference());
            !said.contains(&path) && !self.is_pulled(&path)
        });
        failures.extend(of_charts.filter_map(|own| not_held(own, &scope)));
        failures
    }

    /// Whether a failure of the build already says so.
    fn was_told(&self, finding: &Finding) -> bool {
        match &finding.problem {
            Problem::Collision { .. } => self.has_failed,
            Problem::Missing | Problem::Broken { .. } | Problem::OtherPlatform { .. } => {
                let image = finding.reference.parse::<ImageRef>();
                self.has_failed && image.is_ok_and(|image| self.is_pulled(&registry_path(&image)))
            }
            // The search of the list already said so.
            Problem::NoReference { .. } => self.has_failed && finding.file.as_str() == crate::closure::IMAGE_LIST,
            Problem::Host { .. }
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

    /// Whether the build pulls, or should have pulled, an image for this path of the registry.
    fn is_pulled(&self, path: &str) -> bool {
        self.wants.outside.iter().any(|outside| registry_path(outside.image.reference()) == path)
    }
}

/// The failure for an image of the image's own registry that no file names in this form.
fn not_held(wanted: &Wanted, scope: &Scope<'_>) -> Option<BuildFailure> {
    let Wanted { image, origin, .. } = wanted;
    let finding = match fault_of(scope, image.reference()) {
        Ok(finding) => finding?,
        Err(error) => return Some(BuildFailure::whole(error)),
    };
    let failure = Failure::new(FailureKind::Verification, format!("{origin}: {}", finding.message()));
    let failure = finding.help().into_iter().fold(failure, Failure::with_help);
    Some(BuildFailure { at: BuildPlace::Image(image.clone()), failure })
}

fn failure(finding: &Finding) -> BuildFailure {
    let failure = Failure::new(FailureKind::Verification, finding.to_string());
    let failure = finding.help().into_iter().fold(failure, Failure::with_help);
    BuildFailure { at: BuildPlace::File(finding.file.clone()), failure }
}

/// A finding and what to do about it, in one line.
fn sentence(finding: &Finding) -> String {
    [vec![finding.to_string()], finding.help()].concat().join("; ")
}
