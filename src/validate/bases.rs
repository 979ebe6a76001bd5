//! Finds base images that look like a mistyped image of this recipe.

use crate::plan::{Lock, StageSketch};
use crate::types::{Diagnostic, SealerName, nearest};

/// Warnings for images that no stage makes, but whose names are near to an image that a stage makes.
pub(super) fn mistyped(stages: &[StageSketch], lock: Option<&Lock>) -> Vec<Diagnostic> {
    let made: Vec<&SealerName> = stages.iter().filter_map(|stage| stage.image.as_ref()).collect();
    let mut warnings = Vec::new();
    for stage in stages {
        for (span, needed) in stage.needs() {
            let is_known = made.contains(&needed)
                || needed.reference().digest().is_some()
                || lock.is_some_and(|lock| lock.base(needed, &stage.platform).is_some());
            let Some(near) = near(needed, &made).filter(|_| !is_known) else { continue };
            let message = format!("no stage makes `{}`, so it comes from the store or a registry", needed.familiar());
            warnings.push(Diagnostic::warning(span, message).with_help(format!("did you mean `{near}`?")));
        }
    }
    warnings
}

/// The name that was probably meant: another tag of the same repository, or the same tag of a repository with a similar
/// name.
fn near(needed: &SealerName, made: &[&SealerName]) -> Option<String> {
    let own = needed.reference();
    let of_tag = |name: &SealerName| name.reference().tag().unwrap_or_default().to_owned();
    let of_repository = |name: &SealerName| name.reference().repository().rsplit('/').next().map(str::to_owned);
    let (tag, repository) = (of_tag(needed), of_repository(needed)?);
    made.iter().find_map(|other| {
        let (other_tag, other_repository) = (of_tag(other), of_repository(other)?);
        let is_near = if other.reference().registry() == own.registry() && other_repository == repository {
            // Another version is another image, not a typing mistake.
            without_digits(&tag) != without_digits(&other_tag) && nearest(&tag, [other_tag.as_str()]).is_some()
        } else {
            // `my-kubernetes` is made from `kubernetes`, and is not a typing mistake either.
            let extends = other_repository.contains(&repository) || repository.contains(&other_repository);
            tag == other_tag && !extends && nearest(&repository, [other_repository.as_str()]).is_some()
        };
        is_near.then(|| other.familiar())
    })
}

fn without_digits(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}
