//! What a cluster needs that no manifest asks for: kubeadm's images, what joining nodes run, what scripts run by name.

use std::io;

use super::check::{Check, Scope};
use super::collision::covered;
use super::finding::{Finding, Problem, Weight};
use super::held::Held;
use super::kubeadm::{self, Need, Needs};
use super::scripts;
use crate::manifests::objects;
use crate::types::{ImageRef, registry_path};

impl Check<'_> {
    /// Problems for the cluster. A problem that a base also has is a warning, or nothing if it is a warning there.
    pub(super) fn cluster_against_bases(&mut self) -> io::Result<Vec<Finding>> {
        self.cluster()?;
        let mut findings = std::mem::take(&mut self.findings);
        for base in self.scope.bases {
            let scope = Scope { layers: &base.layers, bases: &[], ..*self.scope };
            let mut check = Check::new(&scope);
            check.cluster()?;
            findings.retain_mut(|finding| {
                let same = |other: &Finding| other.reference == finding.reference && other.problem == finding.problem;
                if !check.findings.iter().any(same) {
                    return true;
                }
                let is_error = finding.weight == Weight::Error;
                (finding.weight, finding.base) = (Weight::Warning, Some(base.name.clone()));
                is_error
            });
        }
        Ok(findings)
    }

    fn cluster(&mut self) -> io::Result<()> {
        let (layers, registry) = (self.scope.layers, self.scope.cluster_registry);
        let path = kubeadm::known(kubeadm::CONFIGURATION);
        let file = layers.find(&path)?.filter(|file| file.is_file());
        // A file that cannot be read, or is not a configuration, is reported by the search.
        let objects = file.map(|file| fs_err::read(file).map(|bytes| objects(&bytes))).transpose()?;
        let configured = objects.iter().flatten().find_map(|object| kubeadm::needs(&path, object, registry));
        let needs = if configured.is_some() { configured } else { kubeadm::needs_by_default(layers, registry)? };
        if let Some(needs) = needs {
            // A list with kubeadm's images means that a cluster is wanted; without that and without the program, the
            // files are only passed on.
            let listed = self.listed.iter().map(|listed| listed.image.clone());
            let is_listed = listed
                .chain(covered(layers)?.into_iter().map(|(image, ..)| image))
                .any(|image| Needs::is_of_kubeadm(&image));
            let is_cluster = is_listed || layers.find(&kubeadm::known(kubeadm::PROGRAM))?.is_some();
            let weight = if is_cluster { Weight::Error } else { Weight::Note };
            match &needs.foreign {
                Some(host) if !kubeadm::is_mirrored(layers, host)? => {
                    let problem = Problem::KubeadmRepository { registry: registry.to_owned() };
                    self.add((&needs.file, needs.line), &needs.repository, weight, problem, None);
                }
                _ => self.needs(&needs, weight)?,
            }
            if !matches!(self.answer(&needs.join), Held::Whole(_)) {
                // An image that got kubeadm's images without a list may be intended for masters only.
                let weight = if is_listed { Weight::Warning } else { Weight::Note };
                self.add((&needs.file, needs.line), &needs.join.to_string(), weight, Problem::Join, None);
            }
            self.kubeadm.push(needs);
        }
        self.scripts()
    }

    /// Reports missing images of kubeadm.
    pub(super) fn needs(&mut self, needs: &Needs, weight: Weight) -> io::Result<()> {
        for Need { image, is_any } in &needs.images {
            if *is_any {
                if !self.names()?.has_tags(image.repository()) {
                    let text = format!("{}/{}", image.registry(), image.repository());
                    let problem = Problem::Kubeadm { version: needs.version.clone(), why: String::new() };
                    self.add((&needs.file, needs.line), &text, weight, problem, None);
                }
                continue;
            }
            let why = match self.answer(image) {
                Held::Whole(_) => continue,
                Held::Absent => String::new(),
                Held::Broken(why) => why,
                Held::OtherPlatform(platforms) => format!("it is there for {}", platforms.join(", ")),
            };
            let near = if why.is_empty() { self.near(image)? } else { None };
            let problem = Problem::Kubeadm { version: needs.version.clone(), why };
            self.add((&needs.file, needs.line), &image.to_string(), weight, problem, near);
        }
        Ok(())
    }

    fn scripts(&mut self) -> io::Result<()> {
        let uses = scripts::uses(self.scope.layers)?;
        if uses.is_empty() {
            return Ok(());
        }
        let Some(archives) = scripts::archives(self.scope.layers)? else { return Ok(()) };
        let loaded: Vec<&ImageRef> = archives.values().flatten().collect();
        for run in uses {
            let Ok(image) = run.name.parse::<ImageRef>() else {
                self.add((&run.script, run.line), &run.name, Weight::Note, Problem::ScriptUnknown, None);
                continue;
            };
            self.asked.insert(registry_path(&image));
            if loaded.contains(&&image) || matches!(self.answer(&image), Held::Whole(_)) {
                continue;
            }
            let weight = if run.is_unsure { Weight::Warning } else { Weight::Error };
            let problem = Problem::Script { loaded: loaded.iter().map(|image| image.familiar()).collect() };
            self.add((&run.script, run.line), &run.name, weight, problem, None);
        }
        Ok(())
    }
}
