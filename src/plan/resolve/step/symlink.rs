//! `symlink` as written → concrete.

use crate::plan::{PlannedStep, Route, Symlink};
use crate::recipe;
use crate::types::Diagnostic;

use super::StageResolver;

/// What Linux can hold as a symlink's target: `PATH_MAX` with its final zero.
const LONGEST_TARGET: usize = 4095;

/// How many characters of a target that is none are shown.
const SHOWN: usize = 80;

/// Whether a target is the link's own path in sealer's store, as sealer writes it by mistake.
fn is_own_place(path: &str, target: &str) -> bool {
    let Some(inside) = target.strip_prefix("/var/lib/sealer/") else { return false };
    inside.strip_suffix(path).is_some_and(|folder| folder.ends_with('/'))
}

impl StageResolver<'_> {
    pub(super) fn symlink(&mut self, written: &recipe::Symlink, route: &Route) -> Option<PlannedStep> {
        let path = self.changed_file(&written.path, &route.then("path"));
        let target = self.render(&written.target, &route.then("target"))?;
        if target.is_empty() || target.len() > LONGEST_TARGET || target.contains(['\0', '\n', '\r']) {
            let shown: String = target.chars().take(SHOWN).collect();
            let more = if shown.len() < target.len() { "…" } else { "" };
            let message = format!("`{}{more}` is not a path that a symlink can point to", shown.escape_debug());
            self.mistake(written.target.span, message);
        } else if path.as_ref().is_some_and(|path| is_own_place(path.as_str(), &target)) {
            let message = format!(
                "`{target}` is the symlink's own path on the cluster's machines: sealer takes such a symlink for a \
                 damaged one and leaves it out"
            );
            let mistake = Diagnostic::error(written.target.span, message);
            self.mistakes.push(mistake.with_help("name the file that it should point to on the cluster's machines"));
        }
        Some(PlannedStep::Symlink(Symlink { path: path?, target, optional: written.optional }))
    }
}
