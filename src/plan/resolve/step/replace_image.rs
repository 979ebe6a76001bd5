//! `replaceImage` as written → concrete.

use crate::plan::{PlannedStep, Route};
use crate::recipe;
use crate::words::{Diagnostic, ImageRef, Span};

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn replace_image(&mut self, written: &recipe::ReplaceImage, route: &Route) -> Option<PlannedStep> {
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
}
