//! The report of a diagnosis.

use super::super::Verdict;
use super::diagnosis::Diagnosis;
use super::finding::ImageFinding;

impl Diagnosis {
    /// How many findings are of a verdict.
    #[must_use]
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|found| found.finding.verdict == verdict).count()
    }

    /// The diagnosis for people: errors and warnings, notes if wanted, and a summary line.
    ///
    /// ```text
    /// kubernetes:v1.19.8 (linux/amd64): whole: 5 layers, 13 images in its registry
    /// ```
    #[must_use]
    pub(crate) fn text(&self, with_notes: bool) -> String {
        let shown = |found: &&ImageFinding| with_notes || found.finding.verdict > Verdict::Note;
        let mut text: String = self.findings.iter().filter(shown).map(|found| found.finding.text()).collect();
        text.push_str(&self.line(with_notes));
        text.push('\n');
        text
    }

    fn line(&self, with_notes: bool) -> String {
        let (errors, warnings, notes) =
            (self.count(Verdict::Error), self.count(Verdict::Warning), self.count(Verdict::Note));
        let mut parts = Vec::new();
        let word = if errors > 0 {
            parts.push(count(errors, "error"));
            "damaged"
        } else if warnings > 0 {
            "doubtful"
        } else {
            "whole"
        };
        if warnings > 0 {
            parts.push(count(warnings, "warning"));
        }
        if errors == 0 {
            let there = self.layers.len();
            parts.push(count(there, "layer"));
            parts.push(format!("{} in its registry", count(self.images, "image")));
        }
        if notes > 0 {
            let how = match (with_notes, notes) {
                (true, _) => "",
                (false, 1) => " (`-v` shows it)",
                (false, _) => " (`-v` shows them)",
            };
            parts.push(format!("{}{how}", count(notes, "note")));
        }
        format!("{} ({}): {word}: {}", self.name.familiar(), self.platform, parts.join(", "))
    }
}

/// `1 layer`, `2 layers`.
pub(super) fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b` and 3 more ``.
pub(super) fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let all: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match &all[..] {
        [] => String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [one, other, more @ ..] => format!("{one}, {other} and {} more", more.len()),
    }
}
