//! `write` as written → concrete.

use crate::plan::{PlannedStep, Route, WriteFile};
use crate::recipe;

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn write_file(&mut self, written: &recipe::WriteFile, route: &Route) -> Option<PlannedStep> {
        let path = self.changed_file(&written.path, &route.then("path"));
        if path.is_some() && written.path.value.ends_with('/') {
            let message =
                format!("`{}` is the name of a folder: a file's name has no `/` at its end", written.path.value);
            self.mistake(written.path.span, message);
        }
        let content_route = route.then("content");
        let content = if written.template.unwrap_or(true) {
            self.render_content(&written.content, &content_route)
        } else {
            self.mark(&content_route, written.content.span);
            Some(written.content.value.clone())
        };
        let mode = self.mode(written.mode.as_ref(), route);
        let step = WriteFile { path: path?, content: content?, mode: mode?, optional: written.optional };
        Some(PlannedStep::Write(step))
    }
}
