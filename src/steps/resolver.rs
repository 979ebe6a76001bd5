//! Turns written steps and context entries into those of a plan: helpers that render, parse and remember places.

use std::path::Path;
use std::str::FromStr;

use globset::ErrorKind;
use serde_json::Value;
use url::Url;

use crate::document::{Data, Scope, Text, content_span};
use crate::edit::Format;
use crate::types::{ContextPath, Diagnostic, Digest, FileMode, ImageRef, Places, Route, Source, Span, glob};

pub(crate) const EXPECTED_REGISTRY: &str = "expected `HOST` or `HOST:PORT`";

/// Resolves the parts of a stage for one platform, and collects their places and all mistakes.
pub(crate) struct Resolver<'a> {
    pub(crate) source: &'a Source,
    scope: &'a Scope,
    pub(crate) places: Places,
    pub(crate) mistakes: Vec<Diagnostic>,
    /// How many texts name values that are wrong themselves, which is reported elsewhere.
    unknown: usize,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(source: &'a Source, scope: &'a Scope) -> Self {
        Self { source, scope, places: Places::default(), mistakes: Vec::new(), unknown: 0 }
    }

    /// Remembers where a part was written.
    pub(crate) fn mark(&mut self, route: &Route, span: Span) {
        self.places.insert(route.clone(), self.source.place(span));
    }

    /// Reports an error at a place.
    pub(crate) fn mistake(&mut self, span: Span, message: impl Into<String>) {
        self.mistakes.push(Diagnostic::error(span, message));
    }

    /// The text with its templates replaced; `None`, with a mistake, if that fails.
    pub(crate) fn render(&mut self, text: &Text, route: &Route) -> Option<String> {
        self.mark(route, text.span);
        let rendered = self.scope.render(text);
        self.rendered(rendered)
    }

    /// As [`render`](Self::render), for the whole content of a file, which may keep parts as they are.
    pub(crate) fn render_content(&mut self, text: &Text, route: &Route) -> Option<String> {
        self.mark(route, text.span);
        let rendered = self.scope.render_content(text);
        self.rendered(rendered)
    }

    fn rendered<T>(&mut self, rendered: Result<T, Option<Diagnostic>>) -> Option<T> {
        rendered
            .map_err(|mistake| match mistake {
                Some(mistake) => self.mistakes.push(mistake),
                None => self.unknown += 1,
            })
            .ok()
    }

    /// How many mistakes and unknown texts there were so far: what is resolved in the meantime is whole if none came.
    pub(crate) fn problems(&self) -> usize {
        self.mistakes.len() + self.unknown
    }

    /// All names that templates can use.
    pub(crate) fn names(&self) -> Value {
        self.scope.names()
    }

    /// The rendered text as a `T`.
    pub(crate) fn parsed<T: FromStr<Err: ToString>>(&mut self, text: &Text, route: &Route) -> Option<T> {
        let rendered = self.render(text, route)?;
        rendered.parse().map_err(|error: T::Err| self.mistake(text.span, error.to_string())).ok()
    }

    /// The rendered text as a `T`, or the default if nothing is written; `None` only after a mistake.
    pub(crate) fn parsed_or_default<T: FromStr<Err: ToString> + Default>(
        &mut self,
        text: Option<&Text>,
        route: &Route,
    ) -> Option<T> {
        text.map_or_else(|| Some(T::default()), |text| self.parsed(text, route))
    }

    /// Globs, checked; `*` stops at `/`.
    pub(crate) fn globs(&mut self, texts: &[Text], route: &Route) -> Option<Vec<String>> {
        let mut globs = Vec::new();
        // All are checked, so that all mistakes are found.
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
            } else if let Err(error) = glob(&rendered) {
                self.mistake(text.span, format!("`{rendered}` is not a valid glob: {}", glob_reason(error.kind())));
                is_good = false;
            }
            globs.push(rendered);
        }
        is_good.then_some(globs)
    }

    /// The bytes in the recipe of a part of a scalar's content.
    pub(crate) fn content_span(&self, text: &Text, range: std::ops::Range<usize>) -> Span {
        content_span(self.source, text, range)
    }

    /// Free data as JSON, with the templates in its strings (not in its keys) replaced.
    pub(crate) fn render_data(&mut self, data: &Data) -> Option<Value> {
        let rendered = self.scope.render_data(data);
        self.rendered(rendered)
    }

    pub(super) fn file(&mut self, text: &Text, route: &Route) -> Option<ContextPath> {
        let path: ContextPath = self.parsed(text, route)?;
        if path.is_root() {
            self.mistake(text.span, format!("`{}` is the context itself, expected a file in it", text.value));
            return None;
        }
        Some(path)
    }

    /// A file that a step makes or changes.
    pub(super) fn changed_file(&mut self, text: &Text, route: &Route) -> Option<ContextPath> {
        let path = self.file(text, route)?;
        if path.parts().next() == Some("Kubefile") {
            let mistake =
                Diagnostic::error(text.span, format!("`{path}` would be overwritten with the stage's `kubefile`"));
            self.mistakes.push(mistake.with_help("change the stage's `kubefile`, or give the file another name"));
            return None;
        }
        Some(path)
    }

    /// A JSON or YAML file that a step changes.
    pub(super) fn document(&mut self, text: &Text, route: &Route) -> Option<ContextPath> {
        let path = self.changed_file(text, route)?;
        if Format::of_path(&path).is_none() {
            let message = format!("`{}` does not have the name of a JSON or YAML file", text.value);
            let mistake = Diagnostic::error(text.span, message);
            self.mistakes.push(mistake.with_label("expected a name that ends in .json, .yaml or .yml"));
        }
        Some(path)
    }

    /// A file in the recipe's folder or below.
    pub(super) fn beside_the_recipe(&mut self, text: &Text, route: &Route) -> Option<ContextPath> {
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

    /// The mode in a step's `mode`; `None` only after a mistake.
    #[expect(clippy::option_option, reason = "the outer one is about mistakes, the inner one about the recipe")]
    pub(super) fn mode(&mut self, text: Option<&Text>, route: &Route) -> Option<Option<FileMode>> {
        match text {
            Some(text) => self.parsed(text, &route.then("mode")).map(Some),
            None => Some(None),
        }
    }

    pub(super) fn sha256(&mut self, text: &Text, route: &Route) -> Option<Digest> {
        let rendered = self.render(text, route)?;
        let hex = rendered.strip_prefix("sha256:").unwrap_or(&rendered);
        let digest = Digest::from_hex(&hex.to_ascii_lowercase());
        digest
            .map_err(|_| self.mistake(text.span, format!("`{rendered}` is not a sha256: expected 64 hex digits")))
            .ok()
    }

    pub(super) fn url(&mut self, text: &Text, sha256: Option<&Text>, route: &Route) -> Option<Url> {
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

/// The mistake in a glob.
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

/// The mistake in the text of a registry, if there is one.
pub(crate) fn registry_host(text: &str) -> Option<String> {
    let reference = format!("{text}/x");
    let parsed = reference.parse::<ImageRef>();
    let good = !text.contains('/') && parsed.is_ok_and(|reference| reference.registry() == text);
    (!good).then(|| format!("`{text}` is not a registry"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
