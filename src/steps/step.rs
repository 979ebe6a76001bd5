//! The interface of every step, for all code that looks at a plan, whether it runs it or not.

use super::context::Context;
use super::resolver::Resolver;
use super::work::{Outcome, StepFailure, Tools};
use crate::document::Sink;
use crate::sources::Need;
use crate::types::{ContextPath, Platform, Route, Span};

/// A step as the recipe has it: its strings are still templates.
pub(super) trait Written {
    /// The step as a plan has it.
    type Planned;

    /// Reports mistakes that do not depend on its templates, and turns the step into its usual form. `at` is the step's
    /// place.
    fn check(&mut self, _at: Span, _sink: &Sink) {}

    /// The step with its templates replaced and its paths parsed; `None` only after a mistake was reported.
    fn resolve(&self, at: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<Self::Planned>;
}

/// A step as a plan has it: concrete. Its JSON is part of its stage's digest, so a new field needs a default that is
/// not written.
pub(super) trait Planned {
    /// Its name in recipes.
    const NAME: &str;

    /// The step in the recipe's words: `replaceArchive cri/docker.tar.gz`.
    fn title(&self) -> String {
        let files = self.files();
        let paths = if files.written.paths.is_empty() { files.found.paths } else { files.written.paths };
        format!("{} {}", Self::NAME, paths.join(" "))
    }

    /// The files that it reads and writes.
    fn files(&self) -> StepFiles<'_>;

    /// Its effect on the paths of the context.
    fn effect(&self) -> Effect<'_> {
        Effect::Edits
    }

    /// What it needs from outside, with the field that asks for it.
    fn needs(&self, _platform: &Platform) -> Vec<(Route, Need)> {
        Vec::new()
    }

    /// Whether the build, and not the step itself, uses what it needs.
    fn needs_while_building(&self) -> bool {
        false
    }

    /// Whether it replaces a whole archive; a preview does not run it for large archives.
    fn replaces_archives(&self) -> bool {
        false
    }

    /// Changes the context.
    fn run(&self, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure>;
}

/// The effect of a step on the paths of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect<'a> {
    /// All paths stay.
    Edits,
    /// There is a file at a path.
    MakesFile(&'a ContextPath),
    /// There is a symlink at a path, perhaps to a folder.
    Links(&'a ContextPath),
    /// What these globs match is removed.
    Removes(&'a [String]),
    /// Something is moved to another path.
    Moves {
        /// Its old path.
        from: &'a ContextPath,
        /// Its new path.
        to: &'a ContextPath,
    },
}

/// Paths or globs of the context, and the field of the recipe that has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldPaths<'a> {
    /// The field.
    pub(crate) field: &'static str,
    /// The paths, or the globs if the field is a list.
    pub(crate) paths: Vec<&'a str>,
    is_list: bool,
}

impl<'a> FieldPaths<'a> {
    pub(super) fn one(field: &'static str, path: &'a ContextPath) -> Self {
        Self { field, paths: vec![path.as_str()], is_list: false }
    }

    pub(super) fn list(field: &'static str, globs: &'a [String]) -> Self {
        Self { field, paths: globs.iter().map(String::as_str).collect(), is_list: true }
    }

    /// Each with its place in the step.
    pub(crate) fn places(&self) -> impl Iterator<Item = (Route, &'a str)> {
        let route = Route::stage().then(self.field);
        let place = move |index: usize| if self.is_list { route.then(index) } else { route.clone() };
        self.paths.iter().enumerate().map(move |(index, path)| (place(index), *path))
    }
}

/// The files that a step reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepFiles<'a> {
    /// What it reads or changes; the context must have this.
    pub(crate) found: FieldPaths<'a>,
    /// The files whose content it makes.
    pub(crate) written: FieldPaths<'a>,
    /// The file of the recipe's folder that it reads, with the field that names it.
    pub(crate) beside: Option<(&'static str, &'a ContextPath)>,
    /// Whether it is fine if there is nothing to do.
    pub(crate) optional: bool,
}

impl<'a> StepFiles<'a> {
    pub(super) fn new(optional: bool) -> Self {
        Self { found: FieldPaths::default(), written: FieldPaths::default(), beside: None, optional }
    }

    /// The files of a step that changes one file, named by its `path`.
    pub(super) fn edited(path: &'a ContextPath, optional: bool) -> Self {
        let path = || FieldPaths::one("path", path);
        Self { found: path(), written: path(), ..Self::new(optional) }
    }

    /// All paths and globs of the context that the step reads or changes.
    pub(crate) fn touched(&self) -> Vec<String> {
        let mut touched: Vec<String> = Vec::new();
        for path in self.written.paths.iter().chain(&self.found.paths) {
            if !touched.iter().any(|known| known == path) {
                touched.push((*path).to_owned());
            }
        }
        touched
    }

    /// Whether it writes without reading anything of the context.
    pub(crate) fn only_writes(&self) -> bool {
        self.found.paths.is_empty()
    }
}
