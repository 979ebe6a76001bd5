//! `replaceArchive` as written → concrete.

use crate::archive::PackedForm;
use crate::plan::{ArchiveSource, PlannedStep, Route};
use crate::recipe;
use crate::types::{Diagnostic, Span};

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn replace_archive(
        &mut self,
        written: &recipe::ReplaceArchive,
        span: Span,
        route: &Route,
    ) -> Option<PlannedStep> {
        let path = self.changed_file(&written.path, &route.then("path"));
        if let Some(Err(error)) = path.as_ref().map(|path| PackedForm::of_name(path.as_str())) {
            self.mistake(written.path.span, error.to_string());
        }
        let source = match (&written.url, &written.file) {
            (Some(url), None) => self.url(url, written.sha256.as_ref(), &route.then("url")).map(ArchiveSource::Url),
            (None, Some(file)) => self.beside_the_recipe(file, &route.then("file")).map(ArchiveSource::File),
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
}
