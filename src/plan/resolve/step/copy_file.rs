//! `copy` as written → concrete.

use crate::plan::{CopyFile, PlannedStep, Route};
use crate::recipe;

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn copy_file(&mut self, written: &recipe::CopyFile, route: &Route) -> Option<PlannedStep> {
        let from = self.beside_the_recipe(&written.from, &route.then("from"));
        let path = self.changed_file(&written.path, &route.then("path"));
        let mode = self.mode(written.mode.as_ref(), route);
        let template = written.template.then(|| self.names());
        Some(PlannedStep::Copy(CopyFile {
            from: from?,
            path: path?,
            mode: mode?,
            template,
            optional: written.optional,
        }))
    }
}
