//! Finds values that no template names.

use crate::document::{Data, DataValue, Uses};
use crate::recipe::Recipe;
use crate::types::{ContextPath, Diagnostic, Source, nearest};

use super::beside::Beside;
use super::broken::Broken;

/// Warnings for values that nothing uses. If something may use any of them, there are no warnings.
pub(super) fn values(
    source: &Source,
    recipe: &Recipe,
    mut uses: Uses,
    broken: &Broken,
    beside: &Beside<'_>,
) -> Vec<Diagnostic> {
    for file in std::mem::take(&mut uses.files) {
        let text = file.parse::<ContextPath>().ok().and_then(|path| beside.text(&path));
        match text {
            Some(text) => uses.add_file(&text),
            None => uses.is_uncertain = true,
        }
    }
    let Some(values) = &recipe.values else { return Vec::new() };
    if uses.is_uncertain {
        return Vec::new();
    }
    let mut search = Search { source, values, uses: &uses, broken, warnings: Vec::new() };
    search.below(values, &mut Vec::new());
    search.warnings
}

struct Search<'a> {
    source: &'a Source,
    values: &'a Data,
    uses: &'a Uses,
    broken: &'a Broken,
    warnings: Vec<Diagnostic>,
}

impl Search<'_> {
    fn below(&mut self, data: &Data, path: &mut Vec<String>) {
        for (key, value) in data.entries() {
            path.push(key.value.clone());
            let named = || self.uses.named.iter().map(|used| &used.path);
            let is_used = named().any(|used| path.starts_with(used));
            let is_used_in_part = named().any(|used| used.starts_with(path));
            let is_wrong = self.broken.touches(key.span) || self.broken.touches(value.span);
            match &value.value {
                _ if is_used || is_wrong => {}
                DataValue::Map(entries) if is_used_in_part && !entries.is_empty() => self.below(value, path),
                _ if is_used_in_part => {}
                DataValue::Null
                | DataValue::Bool(_)
                | DataValue::Number(_)
                | DataValue::Text(_)
                | DataValue::List(_)
                | DataValue::Map(_) => {
                    let name = path.join(".");
                    let warning = Diagnostic::warning(key.span, format!("nothing uses the value `{name}`"));
                    self.warnings.push(match self.mistyped(&name) {
                        Some(help) => warning.with_help(help),
                        None => warning,
                    });
                }
            }
            path.pop();
        }
    }

    /// The use of an unknown name that is near to this one.
    fn mistyped(&self, name: &str) -> Option<String> {
        let is_there = |path: &[String]| path.iter().try_fold(self.values, |data, part| data.get(part)).is_some();
        let undefined = self.uses.named.iter().filter(|used| !is_there(&used.path));
        undefined.into_iter().find_map(|used| {
            let used_name = used.path.join(".");
            nearest(&used_name, [name])?;
            let line = self.source.position(used.span.start).line;
            Some(format!("line {line} uses `values.{used_name}`, which does not exist: did you mean `{name}`?"))
        })
    }
}
