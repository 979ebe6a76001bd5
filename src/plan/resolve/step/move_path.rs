//! `move` as written → concrete.

use crate::plan::{MovePath, PlannedStep, Route};
use crate::recipe;

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn move_path(&mut self, written: &recipe::MovePath, route: &Route) -> Option<PlannedStep> {
        let from = self.file(&written.from, &route.then("from"));
        let to = self.changed_file(&written.to, &route.then("to"));
        let (from, to) = (from?, to?);
        if from == to {
            self.mistake(
                written.to.span,
                format!("`{to}` is both the old and the new path: the step would do nothing"),
            );
        } else if to.as_path().starts_with(from.as_path()) {
            self.mistake(written.to.span, format!("`{from}` cannot be moved into itself, to `{to}`"));
        }
        Some(PlannedStep::Move(MovePath { from, to, optional: written.optional }))
    }
}
