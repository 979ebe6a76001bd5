//! `chmod` as written → concrete.

use crate::plan::{Chmod, PlannedStep, Route};
use crate::recipe;

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn chmod(&mut self, written: &recipe::Chmod, route: &Route) -> Option<PlannedStep> {
        let paths = self.globs(&written.paths, &route.then("paths"));
        let mode = self.mode(Some(&written.mode), route)??;
        Some(PlannedStep::Chmod(Chmod { paths: paths?, mode, optional: written.optional }))
    }
}
