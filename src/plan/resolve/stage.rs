//! One stage for one platform.

use crate::document::{Scope, Text};
use crate::kubefile::Base;
use crate::plan::{ContextSource, LayerChoice, PlannedStage, StageWork};
use crate::recipe::{ContextEntry, DirectoryEntry, LayerEntry, RootfsEntry, Stage};
use crate::steps::{Resolver, Step};
use crate::types::{ContextPath, Diagnostic, Platform, Route, SealerName, Source, Span};

use super::sketch::StageSketch;

/// Resolves a stage for a platform.
pub(super) struct StageResolver<'a> {
    platform: &'a Platform,
    pub(super) resolver: Resolver<'a>,
}

impl<'a> StageResolver<'a> {
    pub(super) fn new(source: &'a Source, scope: &'a Scope, platform: &'a Platform) -> Self {
        Self { platform, resolver: Resolver::new(source, scope) }
    }

    /// The result for the stage, and its mistakes.
    pub(super) fn resolve(mut self, stage: &Stage) -> (StageSketch, Vec<Diagnostic>) {
        let top = Route::stage();
        self.resolver.mark(&top, stage.name.span);
        let name = self.resolver.render(&stage.name, &top.then("name"));
        let image: Option<SealerName> = self.resolver.parsed(&stage.image, &top.then("image"));
        if let Some(digest) = image.as_ref().and_then(|image| image.reference().digest()) {
            self.resolver.mistake(stage.image.span, format!("a new image cannot be named by a digest: `@{digest}`"));
        }
        let mut bases = Vec::new();
        let mut context = Vec::new();
        for (index, entry) in stage.context.iter().enumerate() {
            let route = top.then("context").then(index);
            self.resolver.mark(&route, entry.span);
            let before = self.resolver.problems();
            let (source, of) = match &entry.value {
                ContextEntry::Layer(layer) => (self.layer(layer, entry.span, &route), layer.of.span),
                ContextEntry::Rootfs(rootfs) => (self.rootfs(rootfs, &route), rootfs.of.span),
                ContextEntry::Directory(directory) => (self.directory(directory, &route), directory.path.span),
            };
            let source = source.filter(|_| self.resolver.problems() == before);
            bases.extend(source.as_ref().and_then(ContextSource::image).map(|image| (of, image.clone())));
            context.push((entry.span, source));
        }
        let mut steps = Vec::new();
        for (index, step) in stage.steps.iter().enumerate() {
            let route = top.then("steps").then(index);
            self.resolver.mark(&route, step.span);
            let before = self.resolver.problems();
            let planned = Step::resolve(step, &route, &mut self.resolver);
            steps.push((step.span, planned.filter(|_| self.resolver.problems() == before)));
        }
        let text = self.resolver.render(&stage.kubefile, &top.then("kubefile"));
        let kubefile = text.as_deref().and_then(|text| self.kubefile(&stage.kubefile, text));
        if let Some((span, Base::Image(base))) = kubefile.as_ref().map(|(span, kubefile)| (*span, &kubefile.base)) {
            bases.push((span, base.clone()));
        }
        let work = match (self.resolver.problems() == 0, name, &image, &kubefile) {
            (true, Some(stage), Some(image), Some((_, kubefile))) => Some(StageWork {
                stage,
                platform: self.platform.clone(),
                image: image.clone(),
                context: context.iter().filter_map(|(_, source)| source.clone()).collect(),
                steps: steps.iter().filter_map(|(_, step)| step.clone()).collect(),
                kubefile: kubefile.clone(),
            }),
            _ => None,
        };
        let planned =
            work.map(|work| PlannedStage { digest: work.digest(), work, places: self.resolver.places.clone() });
        let sketch = StageSketch {
            platform: self.platform.clone(),
            image,
            bases,
            context,
            steps,
            kubefile: kubefile.map(|(_, kubefile)| kubefile),
            places: self.resolver.places,
            planned,
        };
        (sketch, self.resolver.mistakes)
    }

    fn layer(&mut self, entry: &LayerEntry, span: Span, route: &Route) -> Option<ContextSource> {
        let of = self.resolver.parsed(&entry.of, &route.then("of"));
        let mut choices = Vec::new();
        if let Some(path) = &entry.containing {
            choices.push(self.resolver.parsed(path, &route.then("containing")).map(LayerChoice::Containing));
        }
        if let Some(id) = &entry.id {
            choices.push(self.resolver.parsed(id, &route.then("id")).map(LayerChoice::Id));
        }
        if let Some(index) = &entry.index {
            self.resolver.mark(&route.then("index"), index.span);
            choices.push(Some(LayerChoice::Index(index.value)));
        }
        if choices.len() != 1 {
            let found = if choices.is_empty() { "none" } else { "several" };
            self.resolver.mistakes.push(
                Diagnostic::error(
                    span,
                    format!("which layer is meant: {found} of `containing`, `id` and `index` is given"),
                )
                .with_label("expected exactly one of `containing`, `id` and `index`"),
            );
        }
        let paths = self.resolver.globs(entry.paths.as_deref().unwrap_or_default(), &route.then("paths"));
        let to = self.resolver.parsed_or_default(entry.to.as_ref(), &route.then("to"));
        Some(ContextSource::Layer { of: of?, layer: choices.pop()??, paths: paths?, to: to? })
    }

    fn rootfs(&mut self, entry: &RootfsEntry, route: &Route) -> Option<ContextSource> {
        let of = self.resolver.parsed(&entry.of, &route.then("of"));
        let paths = self.resolver.globs(entry.paths.as_deref().unwrap_or_default(), &route.then("paths"));
        let to = self.resolver.parsed_or_default(entry.to.as_ref(), &route.then("to"));
        Some(ContextSource::Rootfs { of: of?, paths: paths?, to: to? })
    }

    fn directory(&mut self, entry: &DirectoryEntry, route: &Route) -> Option<ContextSource> {
        let path = self.beside_recipe(&entry.path, &route.then("path"));
        let to = self.resolver.parsed_or_default(entry.to.as_ref(), &route.then("to"));
        Some(ContextSource::Directory { path: path?, to: to? })
    }

    /// A path in the recipe's folder or below.
    fn beside_recipe(&mut self, text: &Text, route: &Route) -> Option<ContextPath> {
        let rendered = self.resolver.render(text, route)?;
        let path: Option<ContextPath> = rendered.parse().ok();
        if path.is_none() {
            let message = format!("`{rendered}` is not a path in the recipe's folder");
            let mistake = Diagnostic::error(text.span, message);
            self.resolver.mistakes.push(mistake.with_label("expected a relative path without `..`"));
        }
        path
    }
}
