//! Who asks for a container image.

use std::fmt;

use crate::types::ContextPath;

/// The place that asks for an image: `manifests/pod.yaml:4`, `charts/app (templates/deployment.yaml)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, or a chart's folder.
    pub file: ContextPath,
    /// The template of a chart.
    pub template: Option<String>,
    /// The line, from 1; `None` for a rendered template, which has no line in the file.
    pub line: Option<usize>,
}

impl Origin {
    /// A whole file.
    pub(super) fn file(file: ContextPath) -> Self {
        Self { file, template: None, line: None }
    }

    /// One of its lines.
    pub(super) fn line(&self, line: usize) -> Self {
        Self { line: Some(line), ..self.clone() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(f)?;
        if let Some(template) = &self.template {
            write!(f, " ({template})")?;
        }
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}
