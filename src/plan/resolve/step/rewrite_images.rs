//! `rewriteImages` as written → concrete.

use crate::plan::resolve::{EXPECTED_REGISTRY, registry_host};
use crate::plan::{PlannedStep, Route};
use crate::recipe;
use crate::types::Diagnostic;

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn rewrite_images(&mut self, written: &recipe::RewriteImages, route: &Route) -> Option<PlannedStep> {
        let paths = self.globs(&written.paths, &route.then("paths"));
        let to = self.render(&written.to, &route.then("to"));
        if let Some(mistake) = to.as_deref().and_then(registry_host) {
            self.mistakes.push(Diagnostic::error(written.to.span, mistake).with_label(EXPECTED_REGISTRY));
        }
        let from = self.globs(written.from.as_deref().unwrap_or_default(), &route.then("from"));
        let ignore = self.globs(&written.ignore, &route.then("ignore"));
        let expect = written.expect.as_ref().map(|expect| {
            self.mark(&route.then("expect"), expect.span);
            expect.value
        });
        let (paths, to, from, ignore) = (paths?, to?, from?, ignore?);
        Some(PlannedStep::RewriteImages { paths, to, from, ignore, expect, optional: written.optional })
    }
}
