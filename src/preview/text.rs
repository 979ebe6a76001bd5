//! The preview for people at a terminal.

use crate::plan::Plan;
use crate::types::{human_size, printable};

use super::{BuildPreview, Input, Preview, Space, StagePreview, StepPreview, Verdict, say};

/// The style of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// It has no colours.
    Plain,
    /// It has colours for terminals.
    Color,
}

/// The kind of a line.
#[derive(Clone, Copy)]
enum Kind {
    Heading,
    Plain,
    Made,
    Gone,
    Bad,
    Faint,
}

/// Lines for people. Colours are added last, because some of the text is untrusted.
struct Lines {
    text: String,
    style: Style,
}

/// The whole preview as text.
#[must_use]
pub(crate) fn text(plan: &Plan, preview: &Preview, style: Style) -> String {
    let mut lines = Lines { text: String::new(), style };
    lines.add(0, Kind::Heading, &format!("{} ({})", plan.recipe, plan.file));
    match &preview.lock {
        Some(lock) => lines.add(0, Kind::Plain, &format!("locked by {lock}")),
        None => lines.add(0, Kind::Plain, "no lock: tags and URLs are resolved when they are fetched"),
    }
    for stage in &preview.stages {
        lines.stage(stage);
    }
    lines.add(0, Kind::Plain, "");
    let totals = &preview.totals;
    lines.add(0, Kind::Plain, &format!("to fetch: {}", say::need(totals.fetch)));
    for (what, space) in [("store", &totals.store), ("cache", &totals.cache)] {
        lines.add(0, Kind::Plain, &format!("{what}: {}", room(space)));
    }
    lines.text
}

fn room(space: &Space) -> String {
    let free = space.free.map(|free| format!(", {} are free", human_size(free))).unwrap_or_default();
    let at_least = if space.needed.unknown > 0 && space.needed.bytes > 0 { "at least " } else { "" };
    format!("{} grows by {at_least}{}{free}", space.path, say::need(space.needed))
}

impl Lines {
    fn add(&mut self, indent: usize, kind: Kind, line: &str) {
        let line = printable(line);
        let code = match (self.style, kind) {
            (Style::Plain, _) | (Style::Color, Kind::Plain) => "",
            (Style::Color, Kind::Heading) => "\x1b[1m",
            (Style::Color, Kind::Made) => "\x1b[32m",
            (Style::Color, Kind::Gone) => "\x1b[31m",
            (Style::Color, Kind::Bad) => "\x1b[1;31m",
            (Style::Color, Kind::Faint) => "\x1b[2m",
        };
        let end = if code.is_empty() { "" } else { "\x1b[0m" };
        if !line.is_empty() {
            self.text.extend([&" ".repeat(indent), code, &line, end]);
        }
        self.text.push('\n');
    }

    fn verdict(&mut self, indent: usize, verdict: &Verdict) {
        let kind = match verdict {
            Verdict::Fails(_) => Kind::Bad,
            Verdict::Later(_) | Verdict::NotReached => Kind::Faint,
            Verdict::Changes(_) | Verdict::Unchanged(_) | Verdict::Skipped(_) => Kind::Plain,
        };
        self.add(indent, kind, &say::verdict(verdict));
    }

    fn stage(&mut self, stage: &StagePreview) {
        self.add(0, Kind::Plain, "");
        self.add(0, Kind::Heading, &format!("stage {} for {} makes {}", stage.stage, stage.platform, stage.familiar));
        for entry in &stage.context {
            self.add(2, Kind::Heading, &format!("context: {}", entry.source));
            let kind = if matches!(entry.verdict, Verdict::Fails(_)) { Kind::Bad } else { Kind::Plain };
            for line in say::entry(entry) {
                self.add(4, kind, &line);
            }
        }
        for step in &stage.steps {
            self.step(step, &stage.build);
        }
        self.build(&stage.build);
    }

    fn step(&mut self, step: &StepPreview, build: &BuildPreview) {
        self.add(2, Kind::Heading, &format!("step {}: {}", step.index + 1, step.step));
        for input in &step.inputs {
            // The images of lists are shown where the build uses them.
            if !build.images.iter().any(|image| image.input.name == input.name) {
                self.add(4, Kind::Plain, &named(input));
            }
        }
        self.verdict(4, &step.verdict);
        let (changes, more) = say::changes(&step.changes);
        for change in changes {
            self.add(4, Kind::Plain, &say::change(change));
            // The paths of its head are already shown.
            for line in change.diff.iter().flat_map(|diff| say::lines(diff)).skip(2) {
                let kind = match line.as_bytes().first() {
                    Some(b'+') => Kind::Made,
                    Some(b'-') => Kind::Gone,
                    Some(b'@') => Kind::Faint,
                    Some(_) | None => Kind::Plain,
                };
                self.add(6, kind, &line);
            }
        }
        if let Some(more) = more {
            self.add(4, Kind::Faint, &more);
        }
    }

    fn build(&mut self, build: &BuildPreview) {
        match &build.base {
            Some(base) => {
                self.add(2, Kind::Heading, &format!("build: FROM {}", base.familiar));
                self.add(4, Kind::Plain, &say::input(base));
            }
            None => self.add(2, Kind::Heading, "build: FROM scratch"),
        }
        for instruction in &build.instructions {
            self.add(2, Kind::Heading, &format!("build: {}", instruction.text));
            if let Some(line) = say::instruction(instruction) {
                self.add(4, Kind::Plain, &line);
            }
        }
        for image in &build.images {
            self.add(2, Kind::Heading, &format!("image: {}", image.input.familiar));
            self.add(4, Kind::Plain, &format!("asked for by {}", image.origin));
            self.add(4, Kind::Plain, &say::input(&image.input));
            if let Some(held) = say::held(image) {
                self.add(4, Kind::Plain, held);
            }
        }
        if let Some(when) = &build.later {
            self.add(2, Kind::Faint, &format!("all images are known {when}"));
        }
    }
}

fn named(input: &Input) -> String {
    format!("{}: {}", input.familiar, say::input(input))
}
