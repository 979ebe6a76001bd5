//! One arm and one file a step: as written → concrete.

mod image_list;
mod patch;
mod replace_archive;
mod replace_image;
mod rewrite_images;

use url::Url;

use crate::plan::{PlannedStep, Route};
use crate::recipe::{Spanned, Step, Text};
use crate::words::{ContextPath, Digest};

use super::stage::StageResolver;

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
}
