//! `replaceText` as written → concrete.

use crate::edit::{Format, TextPattern};
use crate::plan::{PlannedStep, ReplaceText, Route};
use crate::recipe;
use crate::types::Diagnostic;

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn replace_text(&mut self, written: &recipe::ReplaceText, route: &Route) -> Option<PlannedStep> {
        let path = self.changed_file(&written.path, &route.then("path"));
        if let Some(path) = path.as_ref().filter(|path| Format::of_path(path).is_some()) {
            let message =
                format!("`{path}` has the name of a JSON or YAML file, and `replaceText` does not edit those");
            let help = "use `patch`: it finds a value by its path, however the file is formatted";
            self.mistakes.push(Diagnostic::error(written.path.span, message).with_help(help));
        }
        let find = self.render(&written.find, &route.then("find"));
        let replace = self.render(&written.replace, &route.then("replace"));
        let expect = written.expect.as_ref().map(|expect| {
            self.mark(&route.then("expect"), expect.span);
            expect.value
        });
        let (find, replace) = (find?, replace?);
        if find.is_empty() {
            self.mistake(written.find.span, "`find` is empty: it must say what to replace");
        } else if written.regex {
            match TextPattern::regex(&find) {
                Ok(pattern) => {
                    if let Some(unknown) = pattern.unknown_group(&replace) {
                        let mistake = Diagnostic::error(written.replace.span, unknown.to_string());
                        self.mistakes.push(mistake.with_help(unknown.help()));
                    }
                }
                Err(error) => self.mistake(written.find.span, error.to_string()),
            }
        } else if find == replace {
            self.mistake(written.replace.span, "`find` and `replace` are the same: the step would do nothing");
        }
        let step = ReplaceText { path: path?, find, replace, regex: written.regex, expect, optional: written.optional };
        Some(PlannedStep::ReplaceText(step))
    }
}
