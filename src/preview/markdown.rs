//! The preview for a change request: short, with the details folded.

use std::fmt::Write;

use crate::plan::Plan;
use crate::types::printable;

use super::{BuildPreview, Preview, StagePreview, StepPreview, Verdict, say};

/// The whole preview as Markdown, as GitHub and GitLab understand it. It leaves out what differs between machines, such
/// as the free disk space.
#[must_use]
pub(crate) fn markdown(plan: &Plan, preview: &Preview) -> String {
    let mut out = String::new();
    write(&mut out, plan, preview).expect("a string takes all that is written");
    out
}

fn write(out: &mut String, plan: &Plan, preview: &Preview) -> std::fmt::Result {
    writeln!(out, "## Plan of {} ({})\n", code(&plan.recipe), code(&plan.file))?;
    match &preview.lock {
        Some(lock) => writeln!(out, "- locked by {}", code(lock))?,
        None => writeln!(out, "- no lock: tags and URLs are resolved when they are fetched")?,
    }
    writeln!(out, "- to fetch: {}", say::need(preview.totals.fetch))?;
    writeln!(out, "- the store grows by: {}", say::need(preview.totals.store.needed))?;
    for problem in &preview.problems {
        let place = problem.place.as_ref().map(|place| format!("{} ", code(&place.to_string()))).unwrap_or_default();
        writeln!(out, "- **apply would fail**: {place}{}", inline(&problem.message))?;
    }
    for warning in &preview.warnings {
        writeln!(out, "- warning: {}", inline(warning))?;
    }
    preview.stages.iter().try_for_each(|stage| write_stage(out, stage))
}

fn write_stage(out: &mut String, stage: &StagePreview) -> std::fmt::Result {
    let (name, image) = (code(&stage.stage), code(&stage.familiar));
    writeln!(out, "\n### Stage {name} for {} makes {image}\n", stage.platform)?;
    for entry in &stage.context {
        writeln!(out, "- context: {}", inline(&entry.source))?;
        for line in say::entry(entry) {
            writeln!(out, "  - {}", inline(&line))?;
        }
    }
    writeln!(out)?;
    stage.steps.iter().try_for_each(|step| write_step(out, step, &stage.build))?;
    write_build(out, &stage.build)
}

fn write_step(out: &mut String, step: &StepPreview, build: &BuildPreview) -> std::fmt::Result {
    let is_bold = matches!(step.verdict, Verdict::Fails(_));
    let (open, close) = if is_bold { ("<b>", "</b>") } else { ("", "") };
    let verdict = html(&say::verdict(&step.verdict));
    writeln!(
        out,
        "<details><summary>{}. <code>{}</code>: {open}{verdict}{close}</summary>\n",
        step.index + 1,
        html(&step.step)
    )?;
    // The images of lists are shown where the build uses them.
    for input in step.inputs.iter().filter(|input| !build.images.iter().any(|image| image.input.name == input.name)) {
        writeln!(out, "- {}: {}", code(&input.familiar), inline(&say::input(input)))?;
    }
    let (changes, more) = say::changes(&step.changes);
    for line in changes.iter().map(say::change).chain(more) {
        writeln!(out, "- {}", inline(&line))?;
    }
    for diff in changes.iter().filter_map(|change| change.diff.as_ref()) {
        let lines = say::lines(diff).join("\n");
        let diff = printable(&lines);
        let fence = "`".repeat(longest_run(&diff).max(2) + 1);
        writeln!(out, "\n{fence}diff\n{diff}\n{fence}")?;
    }
    writeln!(out, "\n</details>\n")
}

fn write_build(out: &mut String, build: &BuildPreview) -> std::fmt::Result {
    match &build.base {
        Some(base) => writeln!(out, "- {}: {}", code(&format!("FROM {}", base.familiar)), inline(&say::input(base)))?,
        None => writeln!(out, "- `FROM scratch`")?,
    }
    for instruction in &build.instructions {
        let layer = say::instruction(instruction).map(|line| format!(": {}", inline(&line))).unwrap_or_default();
        writeln!(out, "- {}{layer}", code(&instruction.text))?;
    }
    if !build.images.is_empty() {
        writeln!(out, "\n| image | asked for by | state |\n|---|---|---|")?;
    }
    for image in &build.images {
        let held = say::held(image).map(|held| format!("; {held}")).unwrap_or_default();
        let cells = [code(&image.input.familiar), code(&image.origin), inline(&say::input(&image.input)) + &held];
        writeln!(out, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))?;
    }
    match &build.later {
        Some(when) => writeln!(out, "\nAll images are known {}.", inline(when)),
        None => Ok(()),
    }
}

/// A code span, also for text with backticks.
fn code(text: &str) -> String {
    let text = one_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Untrusted text in a line of Markdown.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        if matches!(c, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '@') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Untrusted text in HTML.
fn html(text: &str) -> String {
    one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}

fn one_line(text: &str) -> String {
    printable(text).replace('\n', " ")
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_is_markup() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(inline("<b>*x* [a](b) @all\n# y"), "\\<b\\>\\*x\\* \\[a\\](b) \\@all \\# y");
        assert_eq!(html("<script> & @all\x1b"), "&lt;script&gt; &amp; &#64;all\\u{1b}");
    }
}
