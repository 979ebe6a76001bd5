//! One stage for one platform.

use std::path::Path;
use std::str::FromStr;

use globset::{ErrorKind, GlobBuilder};
use serde_json::Value;

use crate::kubefile::Base;
use crate::plan::{ContextSource, LayerChoice, Places, PlannedStage, Route, StageWork};
use crate::recipe::{ContextEntry, Data, DirectoryEntry, LayerEntry, RootfsEntry, Scope, Stage, Text};
use crate::types::{ContextPath, Diagnostic, Platform, SealerName, Source, Span};

use super::StageSketch;

/// Resolves the parts of a stage, gathers their places and all mistakes.
pub(super) struct StageResolver<'a> {
    pub(super) source: &'a Source,
    scope: &'a Scope,
    platform: &'a Platform,
    places: Places,
    pub(super) mistakes: Vec<Diagnostic>,
}

impl<'a> StageResolver<'a> {
    pub(super) fn new(source: &'a Source, scope: &'a Scope, platform: &'a Platform) -> Self {
        Self { source, scope, platform, places: Places::default(), mistakes: Vec::new() }
    }

    /// What could be made of the stage, and what is wrong with it.
    pub(super) fn resolve(mut self, stage: &Stage) -> (StageSketch, Vec<Diagnostic>) {
        let top = Route::stage();
        self.mark(&top, stage.name.span);
        let name = self.render(&stage.name, &top.then("name"));
        let image: Option<SealerName> = self.parsed(&stage.image, &top.then("image"));
        if let Some(digest) = image.as_ref().and_then(|image| image.reference().digest()) {
            self.mistake(stage.image.span, format!("a new image cannot be named by a digest: `@{digest}`"));
        }
        let mut bases = Vec::new();
        let mut context = Vec::new();
        for (index, entry) in stage.context.iter().enumerate() {
            let route = top.then("context").then(index);
            self.mark(&route, entry.span);
            let before = self.mistakes.len();
            let (source, of) = match &entry.value {
                ContextEntry::Layer(layer) => (self.layer(layer, entry.span, &route), layer.of.span),
                ContextEntry::Rootfs(rootfs) => (self.rootfs(rootfs, &route), rootfs.of.span),
                ContextEntry::Directory(directory) => (self.directory(directory, &route), directory.path.span),
            };
            let source = source.filter(|_| self.mistakes.len() == before);
            bases.extend(source.as_ref().and_then(ContextSource::image).map(|image| (of, image.clone())));
            context.push((entry.span, source));
        }
        let mut steps = Vec::new();
        for (index, step) in stage.steps.iter().enumerate() {
            let route = top.then("steps").then(index);
            self.mark(&route, step.span);
            let before = self.mistakes.len();
            let planned = self.step(step, &route);
            steps.push((step.span, planned.filter(|_| self.mistakes.len() == before)));
        }
        let text = self.render(&stage.kubefile, &top.then("kubefile"));
        let kubefile = text.as_deref().and_then(|text| self.kubefile(&stage.kubefile, text));
        if let Some((span, Base::Image(base))) = kubefile.as_ref().map(|(span, kubefile)| (*span, &kubefile.base)) {
            bases.push((span, base.clone()));
        }
        let work = match (self.mistakes.is_empty(), name, &image, text) {
            (true, Some(stage), Some(image), Some(kubefile)) => Some(StageWork {
                stage,
                platform: self.platform.clone(),
                image: image.clone(),
                context: context.iter().filter_map(|(_, source)| source.clone()).collect(),
                steps: steps.iter().filter_map(|(_, step)| step.clone()).collect(),
                kubefile,
            }),
            _ => None,
        };
        let planned = work.map(|work| PlannedStage { digest: work.digest(), work, places: self.places.clone() });
        let sketch = StageSketch {
            platform: self.platform.clone(),
            image,
            bases,
            context,
            steps,
            kubefile: kubefile.map(|(_, kubefile)| kubefile),
            places: self.places,
            planned,
        };
        (sketch, self.mistakes)
    }

    fn layer(&mut self, entry: &LayerEntry, span: Span, route: &Route) -> Option<ContextSource> {
        let of = self.parsed(&entry.of, &route.then("of"));
        let mut choices = Vec::new();
        if let Some(path) = &entry.containing {
            choices.push(self.parsed(path, &route.then("containing")).map(LayerChoice::Containing));
        }
        if let Some(id) = &entry.id {
            choices.push(self.parsed(id, &route.then("id")).map(LayerChoice::Id));
        }
        if let Some(index) = &entry.index {
            self.mark(&route.then("index"), index.span);
            choices.push(Some(LayerChoice::Index(index.value)));
        }
        if choices.len() != 1 {
            let found = if choices.is_empty() { "none" } else { "several" };
            self.mistakes.push(
                Diagnostic::error(
                    span,
                    format!("which layer is meant: {found} of `containing`, `id` and `index` is given"),
                )
                .with_label("expected exactly one of `containing`, `id` and `index`"),
            );
        }
        let paths = self.globs(entry.paths.as_deref().unwrap_or_default(), &route.then("paths"));
        let to = self.parsed_or_default(entry.to.as_ref(), &route.then("to"));
        Some(ContextSource::Layer { of: of?, layer: choices.pop()??, paths: paths?, to: to? })
    }

    fn rootfs(&mut self, entry: &RootfsEntry, route: &Route) -> Option<ContextSource> {
        let of = self.parsed(&entry.of, &route.then("of"));
        let paths = self.globs(entry.paths.as_deref().unwrap_or_default(), &route.then("paths"));
        let to = self.parsed_or_default(entry.to.as_ref(), &route.then("to"));
        Some(ContextSource::Rootfs { of: of?, paths: paths?, to: to? })
    }

    fn directory(&mut self, entry: &DirectoryEntry, route: &Route) -> Option<ContextSource> {
        let path = self.beside_recipe(&entry.path, &route.then("path"));
        let to = self.parsed_or_default(entry.to.as_ref(), &route.then("to"));
        Some(ContextSource::Directory { path: path?, to: to? })
    }

    /// A path in the recipe's folder or below.
    fn beside_recipe(&mut self, text: &Text, route: &Route) -> Option<ContextPath> {
        let rendered = self.render(text, route)?;
        let path: Option<ContextPath> = rendered.parse().ok();
        if path.is_none() {
            let message = format!("`{rendered}` is not a path in the recipe's folder");
            let mistake = Diagnostic::error(text.span, message);
            self.mistakes.push(mistake.with_label("expected a relative path without `..`"));
        }
        path
    }

    /// Remembers where a part was written.
    pub(super) fn mark(&mut self, route: &Route, span: Span) {
        self.places.insert(route.clone(), self.source.place(span));
    }

    /// Reports an error at a place.
    pub(super) fn mistake(&mut self, span: Span, message: impl Into<String>) {
        self.mistakes.push(Diagnostic::error(span, message));
    }

    /// The text with its templates replaced; none, with a mistake, where that fails.
    pub(super) fn render(&mut self, text: &Text, route: &Route) -> Option<String> {
        self.mark(route, text.span);
        self.scope.render(text).map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    /// As [`render`](Self::render), for the whole content of a file, where parts may be kept as they are.
    pub(super) fn render_content(&mut self, text: &Text, route: &Route) -> Option<String> {
        self.mark(route, text.span);
        self.scope.render_content(text).map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    /// All that templates see.
    pub(super) fn names(&self) -> Value {
        self.scope.names()
    }

    /// The rendered text as a `T`.
    pub(super) fn parsed<T: FromStr<Err: ToString>>(&mut self, text: &Text, route: &Route) -> Option<T> {
        let rendered = self.render(text, route)?;
        rendered.parse().map_err(|error: T::Err| self.mistake(text.span, error.to_string())).ok()
    }

    /// The rendered text as a `T`, the default where nothing is written; none only after a mistake.
    pub(super) fn parsed_or_default<T: FromStr<Err: ToString> + Default>(
        &mut self,
        text: Option<&Text>,
        route: &Route,
    ) -> Option<T> {
        text.map_or_else(|| Some(T::default()), |text| self.parsed(text, route))
    }

    /// Globs, checked; `*` stops at `/`.
    pub(super) fn globs(&mut self, texts: &[Text], route: &Route) -> Option<Vec<String>> {
        let mut globs = Vec::new();
        // All are looked at, so that all mistakes are found.
        let mut is_good = true;
        for (index, text) in texts.iter().enumerate() {
            let Some(rendered) = self.render(text, &route.then(index)) else {
                is_good = false;
                continue;
            };
            if rendered.is_empty() || Path::new(&rendered).is_absolute() || rendered.split('/').any(|part| part == "..")
            {
                self.mistake(text.span, format!("`{rendered}` is not a glob of paths inside the context"));
                is_good = false;
            } else if let Err(error) = GlobBuilder::new(&rendered).literal_separator(true).build() {
                self.mistake(text.span, format!("`{rendered}` is not a valid glob: {}", glob_reason(error.kind())));
                is_good = false;
            }
            globs.push(rendered);
        }
        is_good.then_some(globs)
    }

    /// The bytes in the recipe of a part of a scalar's content.
    pub(super) fn content_span(&self, text: &Text, range: std::ops::Range<usize>) -> Span {
        crate::recipe::content_span(self.source, text, range)
    }

    /// Free data as JSON, with the templates in its strings (not in its keys) replaced.
    pub(super) fn render_data(&mut self, data: &Data) -> Option<Value> {
        self.scope.render_data(data).map_err(|mistake| self.mistakes.push(mistake)).ok()
    }
}

/// What is wrong with a glob.
fn glob_reason(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnclosedClass => "its `[` is not closed: expected a `]`".to_owned(),
        ErrorKind::InvalidRange(from, to) => format!("`{from}` comes after `{to}`, so `{from}-{to}` is not a range"),
        ErrorKind::UnopenedAlternates => "its `}` closes nothing: expected a `{` before it".to_owned(),
        ErrorKind::UnclosedAlternates => "its `{` is not closed: expected a `}`".to_owned(),
        ErrorKind::DanglingEscape => "its last `\\` escapes nothing".to_owned(),
        _ => "it is too large or cannot be understood".to_owned(),
    }
}
