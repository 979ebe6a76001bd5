//! `remove` as written → concrete.

use crate::plan::{PlannedStep, Remove, Route};
use crate::recipe;

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn remove(&mut self, written: &recipe::Remove, route: &Route) -> Option<PlannedStep> {
        let paths = self.globs(&written.paths, &route.then("paths"))?;
        Some(PlannedStep::Remove(Remove { paths, optional: written.optional }))
    }
}
