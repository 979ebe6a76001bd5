//! Finds inputs that may change.

use url::Url;

use crate::kubefile::{CopySource, Instruction};
use crate::plan::{Lock, StageSketch};
use crate::sources::Need;
use crate::types::{BaseSource, Diagnostic, ImageSource, Route, Span};

use super::moving::{is_moving_tag, is_moving_url};

/// An input from outside.
enum Input {
    Base(BaseSource),
    Image(ImageSource),
    Url(Url),
}

/// Warnings for inputs that neither a digest nor the lock pins. Without a lock (apply writes one), there are warnings
/// only for inputs whose name says that they change.
pub(super) fn unlocked(stages: &[StageSketch], lock: Option<&Lock>) -> Vec<Diagnostic> {
    let is_made = |base: &BaseSource| {
        base.sealer().is_some_and(|name| stages.iter().any(|stage| stage.image.as_ref() == Some(name)))
    };
    let mut warnings = Vec::new();
    for stage in stages {
        for (span, input) in inputs(stage) {
            let (name, is_locked, moves) = match &input {
                Input::Base(base) if is_made(base) => continue,
                Input::Base(BaseSource::Sealer(name)) => {
                    let tag = name.reference().tag().unwrap_or_default();
                    let is_locked = lock.is_some_and(|lock| lock.base(name, &stage.platform).is_some());
                    let is_fixed = is_locked || name.reference().digest().is_some();
                    (name.familiar(), is_fixed, is_moving_tag(tag))
                }
                Input::Base(base @ BaseSource::Engine(_)) => image(&base.image(), stage, lock),
                Input::Image(source) => image(source, stage, lock),
                Input::Url(url) => {
                    let is_locked = lock.is_some_and(|lock| lock.file(url).is_some());
                    (shown(url), is_locked, is_moving_url(url))
                }
            };
            if is_locked {
                continue;
            }
            let help = match &input {
                Input::Url(_) => "give its `sha256`, or pin it with `sealer recipe lock`",
                Input::Base(_) | Input::Image(_) => "name a version or a digest, or pin it with `sealer recipe lock`",
            };
            let warning = match (moves, lock) {
                (true, _) => {
                    let message = format!("`{name}` can change: it names whatever is newest when it is fetched");
                    Diagnostic::warning(span, message).with_help(help)
                }
                (false, Some(_)) => Diagnostic::warning(span, format!("`{name}` is not in the recipe's lock"))
                    .with_help("`sealer recipe lock` adds what is missing"),
                (false, None) => continue,
            };
            warnings.push(warning);
        }
    }
    warnings
}

fn image(source: &ImageSource, stage: &StageSketch, lock: Option<&Lock>) -> (String, bool, bool) {
    let reference = source.reference();
    let is_locked = lock.is_some_and(|lock| lock.image(source, &stage.platform).is_some());
    let tag = reference.tag().unwrap_or("latest");
    (source.familiar(), is_locked || reference.digest().is_some(), is_moving_tag(tag))
}

/// The URL without user, password, query and fragment, which may be secrets.
fn shown(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// All inputs of a stage from outside that have no sha256 in the recipe, each with its place.
fn inputs(stage: &StageSketch) -> Vec<(Span, Input)> {
    let mut inputs: Vec<(Span, Input)> =
        stage.bases.iter().map(|(span, base)| (*span, Input::Base(base.clone()))).collect();
    let place = |route: Route, whole: Span| stage.places.find(&route).map_or(whole, |place| place.span);
    for (index, (span, step)) in stage.steps.iter().enumerate() {
        let route = Route::stage().then("steps").then(index);
        for (field, need) in step.iter().flat_map(|step| step.needs(&stage.platform)) {
            let input = match need {
                Need::File(_, Some(_)) => continue,
                Need::File(url, None) => Input::Url(url),
                Need::Image(image, _) => Input::Image(image),
            };
            inputs.push((place(route.then(field), *span), input));
        }
    }
    for (index, (_, instruction)) in stage.kubefile.iter().flat_map(|kubefile| kubefile.instructions.iter().enumerate())
    {
        if let Instruction::Copy { source: CopySource::Remote(file), .. } = instruction
            && let Ok(url) = file.url(stage.platform.architecture())
        {
            inputs.push((place(Route::stage().then("kubefile").then(index), Span::default()), Input::Url(url)));
        }
    }
    inputs
}
