//! `replaceImage` as written → concrete.

use crate::plan::{PlannedStep, Route};
use crate::recipe;
use crate::types::{Diagnostic, ImageRef, ImageSource, Span};

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn replace_image(&mut self, written: &recipe::ReplaceImage, route: &Route) -> Option<PlannedStep> {
        let path = self.changed_file(&written.path, &route.then("path"));
        let image: Option<ImageSource> = self.parsed(&written.image, &route.then("image"));
        let tag = if let Some(text) = &written.as_name {
            let parsed: Option<ImageSource> = self.parsed(text, &route.then("as"));
            parsed.and_then(|name| self.load_tag(&name, text.span))
        } else {
            // The name counts, not who is asked for it.
            let name = image.as_ref().map(|image| ImageSource::Registry(image.reference().clone()));
            name.and_then(|name| self.load_tag(&name, written.image.span))
        };
        Some(PlannedStep::ReplaceImage { path: path?, image: image?, tag: tag?, optional: written.optional })
    }

    /// The name that an archive gives its image: one with a tag.
    fn load_tag(&mut self, name: &ImageSource, span: Span) -> Option<ImageRef> {
        let reference = match name {
            ImageSource::Registry(reference) => reference,
            ImageSource::Engine(reference) => {
                let message =
                    format!("`{name}` says where an image comes from, but `as` is only the name that the image gets");
                let help = format!("write `as: {}`", reference.familiar());
                self.mistakes.push(Diagnostic::error(span, message).with_help(help));
                return None;
            }
        };
        if reference.tag().is_none() {
            let message = format!("`{reference}` has no tag for `docker load` to give");
            self.mistakes.push(Diagnostic::error(span, message).with_help("give it one with `as: NAME:TAG`"));
            return None;
        }
        Some(reference.clone())
    }
}
