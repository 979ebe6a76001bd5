//! `symlink` as written → concrete.

use crate::plan::{PlannedStep, Route, Symlink};
use crate::recipe;

use super::StageResolver;

/// What Linux can hold as a symlink's target: `PATH_MAX` with its final zero.
const LONGEST_TARGET: usize = 4095;

impl StageResolver<'_> {
    pub(super) fn symlink(&mut self, written: &recipe::Symlink, route: &Route) -> Option<PlannedStep> {
        let path = self.changed_file(&written.path, &route.then("path"));
        let target = self.render(&written.target, &route.then("target"))?;
        if target.is_empty() || target.len() > LONGEST_TARGET || target.contains(['\0', '\n', '\r']) {
            let message = format!("`{}` is no path that a symlink can point to", target.escape_debug());
            self.mistake(written.target.span, message);
        }
        Some(PlannedStep::Symlink(Symlink { path: path?, target, optional: written.optional }))
    }
}
