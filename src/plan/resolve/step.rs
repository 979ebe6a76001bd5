//! One arm a step: as written → concrete.

use std::collections::BTreeMap;

use url::Url;

use crate::archive::PackedForm;
use crate::edit::{DocumentSelector, Format, Operation, Pointer};
use crate::plan::{ArchiveSource, ListEntry, PlannedStep, Route};
use crate::recipe::{self, ListedImage, OperationName, Spanned, Step, Text};
use crate::words::{ContextPath, Diagnostic, Digest, ImageRef, Span};

use super::stage::StageResolver;
use super::{EXPECTED_REGISTRY, registry_host};

impl StageResolver<'_> {
    /// Resolves a step; none, with mistakes, where that fails.
    pub(super) fn step(&mut self, step: &Spanned<Step>, route: &Route) -> Option<PlannedStep> {
        match &step.value {
            Step::ReplaceArchive(written) => self.replace_archive(written, step.span, route),
            Step::ReplaceImage(written) => self.replace_image(written, route),
            Step::Patch(written) => self.patch(written, route),
            Step::RewriteImages(written) => self.rewrite_images(written, route),
            Step::ImageList(written) => self.image_list(written, step.span, route),
        }
    }

    fn file(&mut self, text: &Text, route: &Route) -> Option<ContextPath> {
        let path: ContextPath = self.parsed(text, route)?;
        if path.is_root() {
            self.mistake(text.span, format!("`{}` is the context itself, expected a file in it", text.value));
            return None;
        }
        Some(path)
    }

    fn replace_archive(&mut self, written: &recipe::ReplaceArchive, span: Span, route: &Route) -> Option<PlannedStep> {
        let path = self.file(&written.path, &route.then("path"));
        if let Some(Err(error)) = path.as_ref().map(|path| PackedForm::of_name(path.as_str())) {
            self.mistake(written.path.span, error.to_string());
        }
        let source = match (&written.url, &written.file) {
            (Some(url), None) => self.url(url, written.sha256.as_ref(), &route.then("url")).map(ArchiveSource::Url),
            (None, Some(file)) => self.file(file, &route.then("file")).map(ArchiveSource::File),
            (url, _) => {
                let found = if url.is_some() { "both are given" } else { "neither is given" };
                let message = format!("where the new archive comes from: of `url` and `file`, {found}");
                self.mistakes.push(Diagnostic::error(span, message).with_label("expected one of `url` and `file`"));
                None
            }
        };
        let sha256 = match &written.sha256 {
            Some(text) => Some(self.sha256(text, &route.then("sha256"))?),
            None => None,
        };
        let root = self.parsed_or_default(written.root.as_ref(), &route.then("root"));
        let allow_missing = self.globs(&written.allow_missing, &route.then("allowMissing"));
        Some(PlannedStep::ReplaceArchive {
            path: path?,
            source: source?,
            sha256,
            root: root?,
            allow_missing: allow_missing?,
            optional: written.optional,
        })
    }

    fn sha256(&mut self, text: &Text, route: &Route) -> Option<Digest> {
        let rendered = self.render(text, route)?;
        let hex = rendered.strip_prefix("sha256:").unwrap_or(&rendered);
        let digest = Digest::from_hex(&hex.to_ascii_lowercase());
        digest.map_err(|_| self.mistake(text.span, format!("`{rendered}` is no sha256: expected 64 hex digits"))).ok()
    }

    fn url(&mut self, text: &Text, sha256: Option<&Text>, route: &Route) -> Option<Url> {
        let rendered = self.render(text, route)?;
        let url = match Url::parse(&rendered) {
            Ok(url) => url,
            Err(error) => {
                self.mistake(text.span, format!("`{rendered}` is no URL: {error}"));
                return None;
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            let message = "a URL of a recipe carries no user or password: recipes are shared";
            self.mistake(text.span, message);
            return None;
        }
        match url.scheme() {
            "https" => Some(url),
            "http" if sha256.is_some() => Some(url),
            "http" => {
                let message = "an http URL needs a `sha256`: nothing else tells that what arrives is what was meant";
                self.mistake(text.span, message);
                None
            }
            other => {
                self.mistake(text.span, format!("`{other}:` URLs are not fetched, expected https or http"));
                None
            }
        }
    }

    fn replace_image(&mut self, written: &recipe::ReplaceImage, route: &Route) -> Option<PlannedStep> {
        let path = self.file(&written.path, &route.then("path"));
        let image: Option<ImageRef> = self.parsed(&written.image, &route.then("image"));
        let tag = match &written.as_name {
            Some(text) => {
                let parsed: Option<ImageRef> = self.parsed(text, &route.then("as"));
                parsed.and_then(|reference| self.load_tag(&reference, text.span))
            }
            None => image.as_ref().and_then(|image| self.load_tag(image, written.image.span)),
        };
        Some(PlannedStep::ReplaceImage { path: path?, image: image?, tag: tag?, optional: written.optional })
    }

    /// The name that an archive gives its image: one with a tag.
    fn load_tag(&mut self, reference: &ImageRef, span: Span) -> Option<ImageRef> {
        if reference.tag().is_none() {
            let message = format!("`{reference}` has no tag for `docker load` to give");
            self.mistakes.push(Diagnostic::error(span, message).with_help("say it with `as: NAME:TAG`"));
            return None;
        }
        Some(reference.clone())
    }

    fn patch(&mut self, written: &recipe::Patch, route: &Route) -> Option<PlannedStep> {
        let path = self.file(&written.path, &route.then("path"));
        if path.as_ref().is_some_and(|path| Format::of_path(path).is_none()) {
            let message = format!("`{}` is neither JSON nor YAML by its name", written.path.value);
            let mistake = Diagnostic::error(written.path.span, message);
            self.mistakes.push(mistake.with_label("expected a name that ends in .json, .yaml or .yml"));
        }
        let document = match &written.document {
            Some(choice) => Some(self.document(choice, &route.then("document"))?),
            None => None,
        };
        if written.ops.is_empty() {
            self.mistake(written.path.span, "a patch without operations would do nothing");
        }
        let mut ops = Vec::new();
        for (index, op) in written.ops.iter().enumerate() {
            let route = route.then("ops").then(index);
            self.mark(&route, op.span);
            ops.extend(self.operation(&op.value, op.span, &route));
        }
        let whole = ops.len() == written.ops.len();
        whole.then_some(())?;
        Some(PlannedStep::Patch { path: path?, document, ops, optional: written.optional })
    }

    fn document(&mut self, choice: &Spanned<recipe::DocumentChoice>, route: &Route) -> Option<DocumentSelector> {
        self.mark(route, choice.span);
        let mut text = |text: &Option<Text>, name: &str| match text {
            Some(text) => self.render(text, &route.then(name)).map(Some),
            None => Some(None),
        };
        let selector = DocumentSelector {
            kind: text(&choice.kind, "kind")?,
            name: text(&choice.name, "name")?,
            namespace: text(&choice.namespace, "namespace")?,
            index: choice.index.as_ref().map(|index| index.value),
        };
        if selector == DocumentSelector::default() {
            self.mistake(
                choice.span,
                "`document` is empty: expected at least one of `kind`, `name`, `namespace` and `index`",
            );
            return None;
        }
        Some(selector)
    }

    fn operation(&mut self, written: &recipe::Operation, span: Span, route: &Route) -> Option<Operation> {
        let path: Option<Pointer> = self.parsed(&written.path, &route.then("path"));
        let name = written.op.value;
        let takes_value = matches!(name, OperationName::Add | OperationName::Replace | OperationName::Test);
        let takes_from = matches!(name, OperationName::Move | OperationName::Copy);
        let word = name.as_str();
        for (field, takes, given) in
            [("value", takes_value, written.value.is_some()), ("from", takes_from, written.from.is_some())]
        {
            match (takes, given) {
                (true, false) => self.mistake(span, format!("`{word}` needs a `{field}`")),
                (false, true) => self.mistake(span, format!("`{word}` takes no `{field}`")),
                (true, true) | (false, false) => {}
            }
        }
        let value = match &written.value {
            Some(value) => {
                self.mark(&route.then("value"), value.span);
                Some(self.render_data(value)?)
            }
            None => None,
        };
        let from: Option<Pointer> = match &written.from {
            Some(from) => Some(self.parsed(from, &route.then("from"))?),
            None => None,
        };
        let path = path?;
        Some(match name {
            OperationName::Add => Operation::Add { path, value: value? },
            OperationName::Remove => Operation::Remove { path },
            OperationName::Replace => Operation::Replace { path, value: value? },
            OperationName::Move => Operation::Move { from: from?, path },
            OperationName::Copy => Operation::Copy { from: from?, path },
            OperationName::Test => Operation::Test { path, value: value? },
        })
    }

    fn rewrite_images(&mut self, written: &recipe::RewriteImages, route: &Route) -> Option<PlannedStep> {
        if written.paths.is_empty() {
            self.mistake(written.to.span, "`paths` is empty: expected at least one glob of manifests");
        }
        let paths = self.globs(&written.paths, &route.then("paths"));
        let to = self.render(&written.to, &route.then("to"));
        if let Some(mistake) = to.as_deref().and_then(registry_host) {
            self.mistakes.push(Diagnostic::error(written.to.span, mistake).with_label(EXPECTED_REGISTRY));
        }
        let from = self.globs(written.from.as_deref().unwrap_or_default(), &route.then("from"));
        let expect = written.expect.as_ref().map(|expect| {
            self.mark(&route.then("expect"), expect.span);
            expect.value
        });
        Some(PlannedStep::RewriteImages { paths: paths?, to: to?, from: from?, expect, optional: written.optional })
    }

    fn image_list(&mut self, written: &recipe::ImageList, span: Span, route: &Route) -> Option<PlannedStep> {
        let path = match &written.path {
            Some(path) => self.file(path, &route.then("path")),
            None => "imageList".parse().ok(),
        };
        if written.images.is_empty() && written.from.is_empty() && !written.optional {
            let message = "the list would be empty: neither `images` nor `from` names any";
            self.mistakes.push(Diagnostic::error(span, message).with_help("say `optional: true` if that is meant"));
        }
        let mut images = Vec::new();
        let mut seen: BTreeMap<String, (ImageRef, Span)> = BTreeMap::new();
        for (index, item) in written.images.iter().enumerate() {
            let route = route.then("images").then(index);
            let ListedImage { image, needed_by } = &item.value;
            let reference: ImageRef = self.parsed(image, &route)?;
            self.mark(&route, image.span);
            let needed_by = match needed_by {
                Some(text) => Some(self.render(text, &route.then("for"))?),
                None => None,
            };
            let key = crate::plan::registry_path(&reference);
            if let Some((earlier, place)) = seen.get(&key) {
                let line = self.source.position(place.start).line;
                let mistake = if *earlier == reference {
                    Diagnostic::error(image.span, format!("`{reference}` stands in the list twice"))
                        .with_label(format!("line {line} has it already"))
                } else {
                    Diagnostic::error(image.span, format!("`{reference}` and `{earlier}` fall on one path"))
                        .with_label(format!("the image's registry would hold only one as `{key}`"))
                        .with_help(format!("line {line} has the other"))
                };
                self.mistakes.push(mistake);
            }
            seen.insert(key, (reference.clone(), image.span));
            images.push(ListEntry { image: reference, needed_by });
        }
        let from = self.globs(&written.from, &route.then("from"));
        Some(PlannedStep::ImageList { path: path?, images, from: from?, optional: written.optional })
    }
}
