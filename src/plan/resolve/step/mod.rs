//! One arm and one file a step: as written → concrete.

mod chmod;
mod copy_file;
mod download;
mod image_list;
mod move_path;
mod patch;
mod remove;
mod replace_archive;
mod replace_image;
mod replace_text;
mod rewrite_images;
mod symlink;
#[cfg(test)]
mod tests;
mod write_file;

use url::Url;

use crate::plan::{FileMode, PlannedStep, Route};
use crate::recipe::{Spanned, Step, Text};
use crate::types::{ContextPath, Diagnostic, Digest};

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
            Step::ReplaceText(written) => self.replace_text(written, route),
            Step::Write(written) => self.write_file(written, route),
            Step::Copy(written) => self.copy_file(written, route),
            Step::Download(written) => self.download(written, route),
            Step::Remove(written) => self.remove(written, route),
            Step::Move(written) => self.move_path(written, route),
            Step::Chmod(written) => self.chmod(written, route),
            Step::Symlink(written) => self.symlink(written, route),
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

    /// A file that a step makes or changes.
    fn changed_file(&mut self, text: &Text, route: &Route) -> Option<ContextPath> {
        let path = self.file(text, route)?;
        if path.parts().next() == Some("Kubefile") {
            let mistake =
                Diagnostic::error(text.span, format!("`{path}` would be overwritten with the stage's `kubefile`"));
            self.mistakes.push(mistake.with_help("change the stage's `kubefile`, or give the file another name"));
            return None;
        }
        Some(path)
    }

    /// A file in the recipe's folder or below.
    fn beside_the_recipe(&mut self, text: &Text, route: &Route) -> Option<ContextPath> {
        let rendered = self.render(text, route)?;
        match rendered.parse::<ContextPath>() {
            Ok(path) if !path.is_root() => Some(path),
            parsed => {
                let why =
                    if parsed.is_ok() { "is the recipe's folder itself" } else { "is outside the recipe's folder" };
                let mistake = Diagnostic::error(text.span, format!("`{rendered}` {why}"));
                self.mistakes.push(mistake.with_label("expected a file in the recipe's folder or below"));
                None
            }
        }
    }

    /// The mode of a step's `mode`; none only after a mistake.
    #[expect(clippy::option_option, reason = "the outer one is about mistakes, the inner one about the recipe")]
    fn mode(&mut self, text: Option<&Text>, route: &Route) -> Option<Option<FileMode>> {
        match text {
            Some(text) => self.parsed(text, &route.then("mode")).map(Some),
            None => Some(None),
        }
    }

    fn sha256(&mut self, text: &Text, route: &Route) -> Option<Digest> {
        let rendered = self.render(text, route)?;
        let hex = rendered.strip_prefix("sha256:").unwrap_or(&rendered);
        let digest = Digest::from_hex(&hex.to_ascii_lowercase());
        digest
            .map_err(|_| self.mistake(text.span, format!("`{rendered}` is not a sha256: expected 64 hex digits")))
            .ok()
    }

    fn url(&mut self, text: &Text, sha256: Option<&Text>, route: &Route) -> Option<Url> {
        let rendered = self.render(text, route)?;
        let url = match Url::parse(&rendered) {
            Ok(url) => url,
            Err(error) => {
                let reason = match error {
                    url::ParseError::RelativeUrlWithoutBase => "it does not start with `https://`".to_owned(),
                    url::ParseError::EmptyHost => "it has no host".to_owned(),
                    other => other.to_string(),
                };
                self.mistake(text.span, format!("`{rendered}` is not a URL: {reason}"));
                return None;
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            let message = "a URL in a recipe must not contain a user or password, because recipes are shared";
            self.mistake(text.span, message);
            return None;
        }
        match url.scheme() {
            "https" => Some(url),
            "http" if sha256.is_some() => Some(url),
            "http" => {
                let message = "an http URL needs a `sha256`: without one, anyone on the way can change the file";
                self.mistake(text.span, message);
                None
            }
            other => {
                self.mistake(text.span, format!("`{other}:` URLs are not supported, expected https or http"));
                None
            }
        }
    }
}
