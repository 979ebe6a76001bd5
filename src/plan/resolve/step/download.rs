//! `download` as written → concrete.

use crate::plan::{Download, PlannedStep, Route};
use crate::recipe;

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn download(&mut self, written: &recipe::Download, route: &Route) -> Option<PlannedStep> {
        let url = self.url(&written.url, written.sha256.as_ref(), &route.then("url"));
        let sha256 = match &written.sha256 {
            Some(text) => self.sha256(text, &route.then("sha256")).map(Some),
            None => Some(None),
        };
        let path = self.changed_file(&written.path, &route.then("path"));
        let member = match &written.member {
            Some(text) => self.parsed_or_default(Some(text), &route.then("member")).map(Some),
            None => Some(None),
        };
        let mode = self.mode(written.mode.as_ref(), route);
        let step = Download {
            url: url?,
            sha256: sha256?,
            path: path?,
            member: member?,
            mode: mode?,
            optional: written.optional,
        };
        Some(PlannedStep::Download(step))
    }
}
