//! Checks files and folders next to the recipe.

use std::io::Read;
use std::path::Path;

use crate::disk::{Dir, Kind};
use crate::document::{Located, Scope};
use crate::plan::{ContextSource, StageSketch};
use crate::steps::PlannedStep;
use crate::types::{ContextPath, Diagnostic, Route, Source, Span, nearest};

/// The longest file that is read as a template, in bytes: the same limit as for a rendered template.
const MOST_TEMPLATE: u64 = 1 << 20;

/// The recipe's folder; if it cannot be read, there are no diagnostics.
pub(super) struct Beside<'a> {
    folder: Option<(&'a Path, Dir)>,
}

/// What is at a path.
enum Found {
    There(Kind),
    /// This part is missing, and its folder has these names.
    Missing(ContextPath, Vec<String>),
    /// A part of the path is not a folder.
    NoFolder(ContextPath),
    Unknown,
}

impl<'a> Beside<'a> {
    pub(super) fn new(folder: Option<&'a Path>) -> Self {
        Self { folder: folder.and_then(|path| Some((path, Dir::open(path).ok()?))) }
    }

    /// Errors for files and folders that a stage takes from the recipe's folder and that are missing.
    pub(super) fn files(&self, stage: &StageSketch) -> Vec<Diagnostic> {
        let mut mistakes = Vec::new();
        let mut check = |route: Route, span: Span, path: &ContextPath, expected: Kind| {
            let at = stage.places.find(&route).map_or(span, |place| place.span);
            mistakes.extend(self.mistake(at, path, expected));
        };
        for (index, (span, entry)) in stage.context.iter().enumerate() {
            let route = Route::stage().then("context").then(index);
            match entry {
                Some(ContextSource::Directory { path, .. }) => check(route.then("path"), *span, path, Kind::Folder),
                Some(ContextSource::Layer { .. } | ContextSource::Rootfs { .. }) | None => {}
            }
        }
        for (index, (span, step)) in stage.steps.iter().enumerate() {
            let route = Route::stage().then("steps").then(index);
            let Some(step) = step else { continue };
            let files = step.files();
            // If the step is optional, the file may be missing.
            let is_needed = !(files.optional && files.only_writes());
            if let Some((field, file)) = files.beside.filter(|_| is_needed) {
                check(route.then(field), *span, file, Kind::File);
            }
        }
        mistakes
    }

    /// The mistakes in the templates that a stage copies from the recipe's folder.
    pub(super) fn templates(&self, stage: &StageSketch) -> Vec<Located> {
        let mistake = |step: &PlannedStep| {
            let PlannedStep::Copy(copy) = step else { return None };
            let names = copy.template.clone()?;
            let (folder, _) = self.folder.as_ref()?;
            let source = Source::new(&folder.join(copy.from.as_path()).display().to_string(), &self.text(&copy.from)?);
            let diagnostic = Scope::of_names(&source, names).render_source().err()??;
            Some(Located { source, diagnostic })
        };
        stage.steps.iter().filter_map(|(_, step)| step.as_ref()).filter_map(mistake).collect()
    }

    /// The text of a file; `None` if it cannot be read.
    pub(super) fn text(&self, path: &ContextPath) -> Option<String> {
        let (_, folder) = self.folder.as_ref()?;
        let Found::There(Kind::File) = self.find(path) else { return None };
        let folder = folder.beneath(path.parent()?.as_path()).ok()?;
        let file = folder.open_file(path.file_name()?).ok()?;
        let mut text = String::new();
        file.take(MOST_TEMPLATE + 1).read_to_string(&mut text).ok()?;
        (text.len() as u64 <= MOST_TEMPLATE).then_some(text)
    }

    fn mistake(&self, at: Span, path: &ContextPath, expected: Kind) -> Option<Diagnostic> {
        let noun = if expected == Kind::Folder { "folder" } else { "file" };
        match self.find(path) {
            Found::There(kind) if kind == expected => None,
            Found::There(kind) => {
                let message = format!("`{path}` next to the recipe is a {}", word(kind));
                Some(Diagnostic::error(at, message).with_label(format!("expected a {noun}")))
            }
            Found::NoFolder(part) => {
                let message = format!("`{part}` next to the recipe is not a folder, so there is no `{path}`");
                Some(Diagnostic::error(at, message).with_label(format!("expected a {noun}")))
            }
            Found::Missing(part, names) => {
                let mistake = Diagnostic::error(at, format!("there is no `{part}` next to the recipe"));
                let near = nearest(part.file_name()?, names.iter().map(String::as_str));
                Some(match near {
                    Some(near) => {
                        let near = part.parent()?.join(&near.parse().ok()?);
                        mistake.with_label(format!("expected a {noun}")).with_help(format!("did you mean `{near}`?"))
                    }
                    None => mistake.with_label(format!("expected a {noun}")),
                })
            }
            Found::Unknown => None,
        }
    }

    /// No symlink is followed: it could lead to any file of the host.
    fn find(&self, path: &ContextPath) -> Found {
        self.look(path).unwrap_or(Found::Unknown)
    }

    fn look(&self, path: &ContextPath) -> Option<Found> {
        let (_, folder) = self.folder.as_ref()?;
        let mut folder = folder.duplicate().ok()?;
        let mut at = ContextPath::root();
        let mut kind = Kind::Folder;
        for part in path.parts() {
            if kind != Kind::Folder {
                return Some(Found::NoFolder(at));
            }
            if !at.is_root() {
                folder = folder.folder(at.file_name()?).ok()?;
            }
            at = at.join(&part.parse().ok()?);
            let Some(meta) = folder.meta_if_there(part).ok()? else {
                let names = folder.names().ok()?.into_iter().filter_map(|name| name.into_string().ok()).collect();
                return Some(Found::Missing(at, names));
            };
            kind = meta.kind;
        }
        Some(Found::There(kind))
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Folder => "folder",
        Kind::Symlink => "symlink, and symlinks are not followed",
        Kind::Whiteout => "device",
        Kind::Special(what) => what,
    }
}
