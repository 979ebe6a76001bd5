//! Doubtful parts of a plan that are not mistakes.

use crate::kubefile::{CopyDestination, CopySource, Instruction, Kubefile};
use crate::steps::PlannedStep;
use crate::types::{ContextPath, Diagnostic, Place, Places, Route};

use super::{ContextSource, Plan};

/// The folder of charts, in the context and in an image.
const CHARTS: &str = "charts";

impl Plan {
    /// Warnings for people before the plan runs, each at its place in the recipe, and once for all platforms.
    #[must_use]
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let mut warnings: Vec<Diagnostic> = Vec::new();
        for stage in &self.stages {
            let kubefile = &stage.work.kubefile;
            let charts = doubtful_charts(kubefile, &stage.places, &stage.work.context, &stage.work.steps);
            for warning in doubtful_runs(kubefile, &stage.places).into_iter().chain(charts) {
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        warnings
    }
}

/// A warning for each RUN of a stage's Kubefile.
#[must_use]
pub(crate) fn doubtful_runs(kubefile: &Kubefile, places: &Places) -> Vec<Diagnostic> {
    let place = |(index, _)| places.find(&Route::stage().then("kubefile").then(index));
    let warning = |place: &Place| {
        let message = "RUN is not reproducible: its result depends on the build machine and on the time";
        Diagnostic::warning(place.span, message).with_label("runs on the build machine, as root")
    };
    kubefile.runs().filter_map(place).map(warning).collect()
}

/// A warning for each COPY of a stage's Kubefile that brings charts for certain: the images that they ask for depend on
/// the machine's helm.
#[must_use]
pub(crate) fn doubtful_charts<'a>(
    kubefile: &Kubefile,
    places: &Places,
    context: impl IntoIterator<Item = &'a ContextSource>,
    steps: impl IntoIterator<Item = &'a PlannedStep>,
) -> Vec<Diagnostic> {
    let is_in_charts =
        |path: &str| path == CHARTS || path.strip_prefix(CHARTS).is_some_and(|rest| rest.starts_with('/'));
    let has_charts =
        context.into_iter().any(|source| {
            let (to, paths): (&ContextPath, &[String]) = match source {
                ContextSource::Layer { to, paths, .. } | ContextSource::Rootfs { to, paths, .. } => (to, paths),
                ContextSource::Directory { to, .. } => (to, &[]),
            };
            is_in_charts(to.as_str()) || (to.is_root() && paths.iter().any(|path| is_in_charts(path)))
        }) || steps.into_iter().any(|step| step.files().written.paths.iter().any(|path| is_in_charts(path)));
    let brings = |source: &str, destination: &CopyDestination| {
        let to = destination.root();
        let name = source.rsplit('/').next().unwrap_or_default();
        is_in_charts(to.as_str()) || (to.is_root() && (name == CHARTS || (source.is_empty() && has_charts)))
    };
    let mut warnings = Vec::new();
    for (index, (_, instruction)) in kubefile.instructions.iter().enumerate() {
        let Instruction::Copy { source: CopySource::Context(source), destination, .. } = instruction else { continue };
        if !brings(&source.for_architecture(""), destination) {
            continue;
        }
        let place = places.find(&Route::stage().then("kubefile").then(index));
        warnings.extend(place.map(|place| {
            let message = "the images of charts depend on the helm of the build machine: another version may find \
                other images";
            Diagnostic::warning(place.span, message).with_label("brings charts")
        }));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubefile;
    use crate::types::{Source, Span};

    #[test]
    fn a_copy_that_brings_charts_is_doubtful() {
        let mut places = Places::default();
        places.insert(Route::stage(), Source::new("r.yaml", "x").place(Span::new(0, 1)));
        let entry = |json: serde_json::Value| serde_json::from_value::<ContextSource>(json).unwrap();
        let directory = |to: &str| entry(serde_json::json!({"directory": {"path": "x", "to": to}}));
        let write = |path: &str| {
            let json = serde_json::json!({"write": {"path": path, "content": ""}});
            serde_json::from_value::<PlannedStep>(json).unwrap()
        };
        for (line, to, path, expected) in [
            ("COPY app charts", "x", "y", 1),
            ("COPY app charts/app", "x", "y", 1),
            ("COPY charts .", "x", "y", 1),
            ("COPY more/charts /", "x", "y", 1),
            ("COPY . .", "charts", "y", 1),
            ("COPY . .", "x", "charts/app/values.yaml", 1),
            ("COPY . .", "x", "y", 0),
            ("COPY . other", "charts", "charts/y", 0),
            ("COPY app chartset", "charts", "y", 0),
            ("COPY https://x.io/charts .", "charts", "y", 0),
            ("COPY app charts\nCOPY app charts", "x", "y", 2),
        ] {
            let kubefile = kubefile::parse(&format!("FROM scratch\n{line}\n")).unwrap();
            let found = doubtful_charts(&kubefile, &places, &[directory(to)], &[write(path)]);
            assert_eq!(found.len(), expected, "{line} with {to} and {path}");
        }
    }
}
