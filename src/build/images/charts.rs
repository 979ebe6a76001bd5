//! Helm charts below `charts/` of the new layers.
//!
//! A chart is a topmost folder with a `Chart.yaml`, as it is for helm; charts in its own `charts/` are part of it.
//! Where neither it nor a chart in it has `values.yaml` and `templates/` too, sealer does not recognise it as a chart:
//! it is rendered where that works, and else a warning. It is rendered with its own values, for the Kubernetes that the
//! image's `Metadata` names. Library charts (`type: library`) have nothing to render.
//!
//! helm gets a copy of the merged chart with regular files only, so an untrusted symlink cannot lead it anywhere.

use std::path::{Path, PathBuf};

use crate::manifests::Form;
use crate::rootfs::Tree;
use crate::syntax::{Limits, Node, parse_yaml};
use crate::types::{ContextPath, Reportable};

use super::super::Origin;
use super::helm::{Helm, HelmError};
use super::wanted::{Doubt, has_extension};
use super::{list, manifests};

/// The most bytes of a chart that are handed to helm.
const LIMIT: u64 = 256 << 20;
/// The most bytes of a `Chart.yaml` that are read here.
const DESCRIPTION_LIMIT: u64 = 1 << 20;

/// A chart.
#[derive(Debug, Default)]
pub(super) struct Chart {
    /// Its folder.
    path: ContextPath,
    /// Its regular files.
    files: Vec<(ContextPath, PathBuf)>,
    /// Its other entries.
    passed_over: Vec<PathBuf>,
    is_whole: bool,
    is_library: bool,
    kube_version: Option<String>,
}

/// Why the images of a chart are not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChartError {
    /// helm failed.
    #[error("the images of the chart are not known")]
    Helm(#[from] HelmError),
    /// It has something that is not passed to helm.
    #[error("the images of the chart are not known: `{}` is not a regular file, or its name is not UTF-8", path.display())]
    NotPlain { path: PathBuf },
    /// It is too large.
    #[error("the images of the chart are not known: it has more than {} MiB", LIMIT >> 20)]
    TooLarge,
    /// It could not be copied for helm.
    #[error("the images of the chart are not known: it could not be copied for helm")]
    Copy { source: std::io::Error },
}

impl ChartError {
    /// What else can be done about any of them.
    pub(super) const INSTEAD: &str = "or list the chart's images yourself, a line each, in a file `imageList` that is copied with \
            `COPY imageList manifests`: charts that cannot be rendered are then a warning";
}

impl Reportable for ChartError {
    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Helm(error) => return error.help(),
            Self::NotPlain { .. } => "replace it with the file itself",
            Self::TooLarge => "remove what helm does not need",
            Self::Copy { .. } => "make room for a copy of the chart",
        };
        Some(help.to_owned())
    }
}

/// The charts below `charts/`, sorted by their folders. Entries there that may contain charts but are not searched are
/// warnings.
pub(super) fn find(tree: &Tree, doubts: &mut Vec<Doubt>) -> Vec<Chart> {
    let descriptions = tree.files.iter().map(|(path, _)| path.as_path());
    let descriptions = descriptions.chain(tree.passed_over.iter().map(PathBuf::as_path));
    let folders = descriptions.filter(|path| path.file_name().is_some_and(|name| name == "Chart.yaml"));
    let mut folders: Vec<&Path> = folders.filter_map(Path::parent).collect();
    folders.sort();
    // Sorted by parts, a folder comes directly before what is below it.
    folders.dedup_by(|later, earlier| later.starts_with(*earlier));
    let charts = folders.into_iter().filter_map(|folder| Some(Chart::new(folder.to_str()?.parse().ok()?, tree)));
    let charts: Vec<Chart> = charts.collect();
    let is_part = |path: &Path| charts.iter().any(|chart| path.starts_with(chart.path.as_path()));
    let archives = tree.files.iter().map(|(path, _)| path);
    for archive in archives.filter(|path| has_extension(path.as_str(), &["tgz"]) && !is_part(path.as_path())) {
        let message =
            format!("this is a packed chart, so its images are not found: unpack it, or list them in {}", list::LIST);
        doubts.push(Doubt { origin: Some(Origin::file(archive.clone())), message });
    }
    for path in tree.passed_over.iter().filter(|path| !is_part(path)) {
        let why = "it is not searched for charts: it is not a regular file or folder";
        let origin = path.to_str().and_then(|path| path.parse().ok()).map(Origin::file);
        let message = if origin.is_some() { why.to_owned() } else { format!("{}: {why}", path.display()) };
        doubts.push(Doubt { origin, message });
    }
    charts
}

impl Chart {
    fn new(path: ContextPath, tree: &Tree) -> Self {
        let is_below = |other: &Path| other.starts_with(path.as_path());
        let files: Vec<_> = tree.files.iter().filter(|(file, _)| is_below(file.as_path())).cloned().collect();
        let passed_over = tree.passed_over.iter().filter(|other| is_below(other)).cloned().collect();
        let about = files
            .iter()
            .find(|(file, _)| file.parent().as_ref() == Some(&path) && file.file_name() == Some("Chart.yaml"));
        let about = about.and_then(|(_, found)| description(found));
        let field = |name: &str| Some(about.as_ref()?.get(name)?.scalar()?.trim().to_owned());
        let is_library = field("type").as_deref() == Some("library");
        let kube_version = field("kubeVersion").filter(|range| !range.is_empty());
        let is_whole = files.iter().any(|(file, _)| is_whole(file, &files));
        Self { path, files, passed_over, is_whole, is_library, kube_version }
    }

    pub(super) fn path(&self) -> &ContextPath {
        &self.path
    }

    /// Whether it, or a chart in it, has all files that sealer expects of a chart.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether there is nothing in it to render.
    pub(super) fn is_library(&self) -> bool {
        self.is_library
    }

    /// The range of versions of Kubernetes that it says it runs on.
    pub(super) fn kube_version(&self) -> Option<&str> {
        self.kube_version.as_deref()
    }

    /// Renders it with helm, for a version of Kubernetes if that is known.
    pub(super) fn render(&self, helm: &Helm, scratch: &Path, kubernetes: Option<&str>) -> Result<Vec<u8>, ChartError> {
        if self.is_library {
            return Ok(Vec::new());
        }
        if let Some(path) = self.passed_over.first() {
            return Err(ChartError::NotPlain { path: path.clone() });
        }
        // Before it is copied: without helm, copying a large chart would be a waste.
        let helm = helm.there()?;
        self.copy(scratch)?;
        Ok(helm.template(scratch, self.path.as_path(), kubernetes)?)
    }

    fn copy(&self, scratch: &Path) -> Result<(), ChartError> {
        let failed = |source| ChartError::Copy { source };
        let mut size = 0;
        for (path, found) in &self.files {
            size += fs_err::symlink_metadata(found).map_err(failed)?.len();
            if size > LIMIT {
                return Err(ChartError::TooLarge);
            }
            let copy = scratch.join(path.as_path());
            let folder = copy.parent().expect("a file lies in a folder");
            fs_err::create_dir_all(folder).and_then(|()| fs_err::copy(found, &copy)).map_err(failed)?;
        }
        Ok(())
    }

    /// The images of each document that helm rendered, with the document's template.
    pub(super) fn images(&self, rendered: &[u8], registry: &str) -> Vec<(Origin, manifests::Searched)> {
        let text = String::from_utf8_lossy(rendered);
        let search = |document: &str| {
            let template = source(document).map(str::to_owned);
            let origin = Origin { file: self.path.clone(), template, line: None };
            // The line numbers are those of the rendered document; nothing else searches it.
            let searched = manifests::search(document.as_bytes(), Form::Document, &origin, registry, true);
            (origin, searched)
        };
        documents(&text).into_iter().map(search).collect()
    }
}

/// Whether a file is the description of a chart that has values and templates.
fn is_whole(file: &ContextPath, files: &[(ContextPath, PathBuf)]) -> bool {
    let Some(folder) = file.parent().filter(|_| file.file_name() == Some("Chart.yaml")) else { return false };
    let (values, templates) = (folder.as_path().join("values.yaml"), folder.as_path().join("templates"));
    files.iter().any(|(other, _)| other.as_path() == values)
        && files.iter().any(|(other, _)| other.as_path().starts_with(&templates))
}

fn description(file: &Path) -> Option<Node> {
    if fs_err::symlink_metadata(file).ok()?.len() > DESCRIPTION_LIMIT {
        return None;
    }
    let text = fs_err::read_to_string(file).ok()?;
    // helm reports a file that is not YAML.
    Some(parse_yaml(text.strip_prefix('\u{feff}').unwrap_or(&text), Limits::recipe()).ok()?.into_iter().next()?.root)
}

/// The documents of helm's output, each from its `---`: one that is not YAML must not hide the others.
fn documents(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text.match_indices("\n---").map(|(at, _)| at + 1).collect();
    starts.insert(0, 0);
    starts.push(text.len());
    starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).filter(|document| !document.trim().is_empty()).collect()
}

/// The template that helm says a document comes from: `# Source: CHART/templates/x.yaml`, without the chart's name.
fn source(document: &str) -> Option<&str> {
    let source = document.lines().take(3).find_map(|line| line.strip_prefix("# Source: "))?;
    Some(source.split_once('/').map_or(source, |(_, template)| template))
}
