//! The check.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::candidates::{Candidate, Kind, candidates};
use super::collision::{Cached, collisions};
use super::finding::{ClosureReport, Finding, Problem, Weight};
use super::held::{Held, held};
use super::kubeadm::{self, Needs};
use super::list::listed;
use super::names::Names;
use super::search::{Named, search};
use crate::rootfs::{Overlay, RegistryStorage};
use crate::types::{ContextPath, ImageRef, Platform, registry_path};

/// What is checked, and what is known about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The root file system.
    pub layers: &'a Overlay,
    /// The images that files of it came from.
    pub bases: &'a [Base],
    /// How clusters call the image's own registry, `HOST[:PORT]`.
    pub cluster_registry: &'a str,
    /// The platform of the clusters.
    pub platform: &'a Platform,
    /// Images that are needed although no manifest names them; `None` if these are not all known, so that no listed
    /// image can be called unused.
    pub needed: Option<&'a [ImageRef]>,
    /// Strings that only look like images, or are ignored.
    pub left_out: &'a BTreeSet<ImageRef>,
}

impl Scope<'_> {
    /// Whether a base has an image that is missing here: then it was lost.
    fn was_held(&self, base: &str, finding: &Finding) -> bool {
        let is_lost = match &finding.problem {
            Problem::Missing | Problem::Broken { .. } | Problem::OtherPlatform { .. } => true,
            Problem::NoReference { .. }
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
        };
        let Ok(image) = finding.reference.parse::<ImageRef>() else { return false };
        let base = self.bases.iter().find(|other| other.name == base).filter(|_| is_lost);
        base.is_some_and(|base| {
            matches!(held(RegistryStorage::new(&base.layers), &image, self.platform), Held::Whole(_))
        })
    }
}

/// An image that files came from.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// Its name, for people.
    pub name: String,
    /// Its layers.
    pub layers: Overlay,
}

/// Whether the builder searches a file, and reports its uncacheable images itself.
fn is_searched_by_builder(path: &ContextPath) -> bool {
    let extension = path.as_path().extension().and_then(|extension| extension.to_str());
    path.as_str().starts_with("manifests/") && matches!(extension, Some("yaml" | "yml" | "tmpl"))
}

/// Searches the whole root file system and reports all problems.
///
/// # Errors
/// A folder cannot be read.
pub(crate) fn check(scope: &Scope<'_>) -> io::Result<ClosureReport> {
    let mut check = Check::new(scope);
    let files = candidates(scope.layers)?;
    let named = listed(scope.layers)?;
    for candidate in &files {
        check.file(candidate, &named)?;
    }
    for (cached, problem) in collisions(scope.layers, &check.cached)? {
        check.add((&cached.file, cached.line), &cached.image.to_string(), Weight::Error, problem, None);
    }
    let mut findings = std::mem::take(&mut check.findings);
    let of_cluster = check.cluster_against_bases()?;
    check.unasked();
    findings.append(&mut check.findings);
    let mut origins = Origins { bases: scope.bases, candidates: None };
    let mut kept = Vec::new();
    let mut known: BTreeMap<ContextPath, Option<String>> = BTreeMap::new();
    findings.sort_by(|a, b| (&a.file, a.lines.first()).cmp(&(&b.file, b.lines.first())));
    for mut finding in findings {
        let base = if let Some(base) = known.get(&finding.file) {
            base.clone()
        } else {
            let file = files.iter().find(|file| file.path == finding.file);
            let base = file.map(|file| origins.of(file)).transpose()?.flatten();
            known.entry(finding.file.clone()).or_insert(base).clone()
        };
        if let Some(name) = &base {
            // Unused images and templates of a base are not reported.
            if finding.weight == Weight::Note {
                continue;
            }
            if scope.was_held(name, &finding) {
                finding.lost_from = base;
            } else {
                finding.weight = Weight::Warning;
                finding.base = base;
            }
        }
        kept.push(finding);
    }
    kept.extend(of_cluster);
    kept.sort_by(|a, b| (&a.file, a.lines.first()).cmp(&(&b.file, b.lines.first())));
    Ok(ClosureReport { held: check.held, findings: kept })
}

/// The problem with one image in the image's own registry that something other than a file needs.
///
/// # Errors
/// A folder cannot be read.
pub(crate) fn fault_of(scope: &Scope<'_>, image: &ImageRef) -> io::Result<Option<Finding>> {
    let mut check = Check::new(scope);
    check.own(&ContextPath::root(), &image.to_string(), 0, image)?;
    Ok(check.findings.pop())
}

pub(super) struct Check<'a> {
    pub(super) scope: &'a Scope<'a>,
    storage: RegistryStorage<'a>,
    answers: BTreeMap<ImageRef, Held>,
    names: Option<Names>,
    held: usize,
    pub(super) findings: Vec<Finding>,
    /// Which of them are about a file and a reference.
    places: BTreeMap<(ContextPath, String), Vec<usize>>,
    cached: Vec<Cached>,
    /// Lines of the list.
    pub(super) listed: Vec<Cached>,
    /// The images of manifests, as paths of the registry.
    pub(super) asked: BTreeSet<String>,
    pub(super) kubeadm: Vec<Needs>,
    has_templates: bool,
}

impl<'a> Check<'a> {
    pub(super) fn new(scope: &'a Scope<'a>) -> Self {
        Self {
            scope,
            storage: RegistryStorage::new(scope.layers),
            answers: BTreeMap::new(),
            names: None,
            held: 0,
            findings: Vec::new(),
            places: BTreeMap::new(),
            cached: Vec::new(),
            listed: Vec::new(),
            asked: BTreeSet::new(),
            kubeadm: Vec::new(),
            has_templates: false,
        }
    }

    fn file(&mut self, candidate: &Candidate, listed: &BTreeSet<ImageRef>) -> io::Result<()> {
        let path = &candidate.path;
        let bytes = match candidate.read() {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let why = "it is too large for a manifest".to_owned();
                self.add((path, 0), "", Weight::Note, Problem::Unread { why }, None);
                return Ok(());
            }
            Err(error) => {
                self.add((path, 0), "", Weight::Warning, Problem::Unread { why: error.to_string() }, None);
                return Ok(());
            }
        };
        let searched = search(candidate, &bytes, self.scope.cluster_registry, listed);
        let is_built = is_searched_by_builder(path);
        if searched.is_utf16 && !is_built {
            let why = "it is UTF-16, which Kubernetes does not read; convert it to UTF-8".to_owned();
            self.add((path, 0), "", Weight::Error, Problem::Unread { why }, None);
        }
        let mut foreign = BTreeSet::new();
        let is_left_out = |named: &&Named| {
            let image = named.text.parse::<ImageRef>();
            candidate.kind != Kind::List && image.is_ok_and(|image| self.scope.left_out.contains(&image))
        };
        let images: Vec<&Named> = searched.images.iter().filter(|named| !is_left_out(named)).collect();
        for named in images {
            self.reference(candidate, named)?;
            if let (Ok(image), true) = (named.text.parse::<ImageRef>(), candidate.kind != Kind::List)
                && image.registry() != self.scope.cluster_registry
                && !is_almost(image.registry(), self.scope.cluster_registry)
                && !matches!(self.answer(&image.at_registry(self.scope.cluster_registry)), Held::Whole(_))
            {
                foreign.insert(image.familiar());
            }
        }
        // The builder caches everything that it searches, or says why not.
        if !foreign.is_empty() && !is_built {
            let problem = Problem::Foreign { images: foreign.into_iter().collect() };
            self.add((path, 0), "", Weight::Note, problem, None);
        }
        for (key, line) in searched.repeated.iter().filter(|_| !is_built && !searched.images.is_empty()) {
            self.add((path, *line), key, Weight::Warning, Problem::RepeatedKey, None);
        }
        for (template, line) in &searched.templates {
            self.has_templates = true;
            // Below manifests/, the builder reports it.
            if template.contains(self.scope.cluster_registry) && !is_built {
                self.add((path, *line), template, Weight::Note, Problem::Template, None);
            }
        }
        // Sealer passes only its own file to kubeadm, which the check of the cluster covers.
        for needs in searched.kubeadm {
            if path.as_str() != kubeadm::CONFIGURATION && needs.foreign.is_none() {
                self.needs(&needs, Weight::Note)?;
            }
            self.kubeadm.push(needs);
        }
        if let Some(why) = searched.not_read {
            self.add((path, 0), "", Weight::Note, Problem::Unread { why }, None);
        }
        Ok(())
    }

    /// Checks a string in the place of a reference.
    fn reference(&mut self, candidate: &Candidate, named: &Named) -> io::Result<()> {
        let (path, text, line) = (&candidate.path, named.text.as_str(), named.line);
        let registry = self.scope.cluster_registry;
        let points_here = text.trim_start().strip_prefix(registry).is_some_and(|rest| rest.starts_with('/'));
        let image = match text.parse::<ImageRef>() {
            Ok(image) => image,
            Err(error) => {
                // Below manifests/, the builder reports containers.
                let is_container = named.is_container && !is_searched_by_builder(path);
                if points_here || is_container || candidate.kind == Kind::List {
                    let problem = Problem::NoReference { why: error.to_string() };
                    let near = self.near_text(text)?;
                    self.add((path, line), text, Weight::Error, problem, near);
                }
                return Ok(());
            }
        };
        if image.registry() == registry {
            self.asked.insert(registry_path(&image));
            return self.own(path, text, line, &image);
        }
        let cached = Cached { image: image.clone(), file: path.clone(), line };
        if candidate.kind == Kind::List {
            self.listed.push(cached.clone());
            self.cached.push(cached);
            return Ok(());
        }
        // Sealer's own engine pulls images of all hosts from the image's own registry.
        self.asked.insert(registry_path(&image));
        // The builder checks the others when it knows whether they are images.
        if is_searched_by_builder(path) && !named.is_likely {
            self.cached.push(cached);
        }
        if is_almost(image.registry(), registry) {
            let meant = image.at_registry(registry);
            if matches!(self.answer(&meant), Held::Whole(_)) {
                let problem = Problem::Host { registry: registry.to_owned() };
                self.add((path, line), text, Weight::Warning, problem, Some(meant.to_string()));
            }
        }
        Ok(())
    }

    fn own(&mut self, path: &ContextPath, text: &str, line: usize, image: &ImageRef) -> io::Result<()> {
        let (problem, near) = match self.answer(image) {
            Held::Whole(_) => {
                self.held += 1;
                return Ok(());
            }
            Held::Absent => (Problem::Missing, self.near(image)?),
            Held::Broken(why) => (Problem::Broken { why }, None),
            Held::OtherPlatform(available) => {
                (Problem::OtherPlatform { platform: self.scope.platform.to_string(), available }, None)
            }
        };
        self.add((path, line), text, Weight::Error, problem, near);
        Ok(())
    }

    pub(super) fn answer(&mut self, image: &ImageRef) -> Held {
        if let Some(answer) = self.answers.get(image) {
            return answer.clone();
        }
        let answer = held(self.storage, image, self.scope.platform);
        self.answers.insert(image.clone(), answer.clone());
        answer
    }

    pub(super) fn near(&mut self, image: &ImageRef) -> io::Result<Option<String>> {
        let near = self.names()?.nearest(image);
        Ok(near.map(|near| format!("{}/{near}", self.scope.cluster_registry)))
    }

    pub(super) fn names(&mut self) -> io::Result<&Names> {
        let names = match self.names.take() {
            Some(names) => names,
            None => Names::read(self.storage)?,
        };
        Ok(self.names.insert(names))
    }

    /// The nearest name for an invalid reference: without white space and capitals it may be valid.
    fn near_text(&mut self, text: &str) -> io::Result<Option<String>> {
        let cleaned: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        match cleaned.parse::<ImageRef>() {
            Ok(image) if image.registry() == self.scope.cluster_registry => self.near(&image),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Adds a finding; equal ones of one file are merged.
    pub(super) fn add(
        &mut self,
        (file, line): (&ContextPath, usize),
        reference: &str,
        weight: Weight,
        problem: Problem,
        nearest: Option<String>,
    ) {
        let (findings, places) =
            (&mut self.findings, self.places.entry((file.clone(), reference.to_owned())).or_default());
        let is_it = |known: &Finding| known.file == *file && known.reference == reference && known.problem == problem;
        if let Some(known) = places.iter().copied().find(|at| findings.get(*at).is_some_and(is_it)) {
            // Several in one line count as one place.
            if !findings[known].lines.contains(&line) {
                findings[known].lines.push(line);
            }
            return;
        }
        places.push(findings.len());
        let lines = if line == 0 { Vec::new() } else { vec![line] };
        let (file, reference) = (file.clone(), reference.to_owned());
        self.findings.push(Finding { weight, file, lines, reference, problem, nearest, base: None, lost_from: None });
    }

    /// Reports listed images that nothing asks for, if all requests are known.
    fn unasked(&mut self) {
        let Some(needed) = self.scope.needed else { return };
        if self.has_templates {
            return;
        }
        let needed: BTreeSet<String> = needed.iter().map(registry_path).collect();
        let by_digest = |image: &ImageRef| {
            let start = format!("{}@", image.repository());
            self.asked.iter().any(|asked| asked.starts_with(&start))
        };
        let unasked: Vec<&Cached> = self
            .listed
            .iter()
            .filter(|Cached { image, .. }| {
                let path = registry_path(image);
                !(self.asked.contains(&path)
                    || needed.contains(&path)
                    || by_digest(image)
                    || self.kubeadm.iter().any(|kubeadm| kubeadm.may_ask_for(image.repository())))
            })
            .collect();
        let Some(first) = unasked.first() else { return };
        let images = unasked.iter().map(|listed| listed.image.familiar()).collect();
        let (file, line) = (first.file.clone(), first.line);
        self.add((&file, line), "", Weight::Note, Problem::Unasked { images }, None);
    }
}

/// Whether a host is almost that of the registry: another or no port, a letter or two.
fn is_almost(host: &str, registry: &str) -> bool {
    let name = |host: &str| host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned();
    host != registry && (name(host) == name(registry) || strsim::damerau_levenshtein(host, registry) <= 2)
}

/// Where files came from.
struct Origins<'a> {
    bases: &'a [Base],
    /// The candidates of each base.
    candidates: Option<Vec<Vec<Candidate>>>,
}

impl Origins<'_> {
    /// The first base that has a file of the same name and content.
    fn of(&mut self, file: &Candidate) -> io::Result<Option<String>> {
        if self.candidates.is_none() {
            let all: io::Result<Vec<_>> = self.bases.iter().map(|base| candidates(&base.layers)).collect();
            self.candidates = Some(all?);
        }
        let Ok(Some(bytes)) = file.read() else { return Ok(None) };
        for (base, candidates) in self.bases.iter().zip(self.candidates.iter().flatten()) {
            for other in candidates.iter().filter(|other| other.path.file_name() == file.path.file_name()) {
                if other.file == file.file || other.read().is_ok_and(|other| other.as_ref() == Some(&bytes)) {
                    return Ok(Some(base.name.clone()));
                }
            }
        }
        Ok(None)
    }
}
