//! For a pull request: GitHub's Markdown, with all text of the images escaped.

use super::{SHOWN, Sign, about, below, cached_lines, counted, image_line, summary, words};
use crate::diff::{Change, Difference, FileDiff, ImageDiff, Report, Sides};
use crate::types::human_size;

/// Markdown with the final newline.
#[must_use]
pub(crate) fn markdown(report: &Report) -> String {
    let mut lines = vec![format!("## {} → {}", code(&report.old.image), code(&report.new.image))];
    report.images.iter().for_each(|image| self::image(&mut lines, report, image));
    for (only, asked) in [(&report.only_old, &report.old), (&report.only_new, &report.new)] {
        for platform in only {
            lines.push(String::new());
            lines.push(format!("Only {} is for {}.", code(&asked.image), code(&platform.to_string())));
        }
    }
    lines.join("\n") + "\n"
}

fn image(lines: &mut Vec<String>, report: &Report, image: &ImageDiff) {
    lines.push(String::new());
    if report.images.len() > 1 {
        lines.push(format!("### {}", code(&image.new.platform.to_string())));
        lines.push(String::new());
    }
    lines.push(format!("- old: {}", code(&image_line(&image.old, report.old.from.word()))));
    lines.push(format!("- new: {}", code(&image_line(&image.new, report.new.from.word()))));
    lines.push(String::new());
    if image.is_same() {
        lines.push("No difference.".to_owned());
        return;
    }
    let summary = summary(image);
    lines.push(if summary.is_empty() { "The images differ.".to_owned() } else { format!("{summary}.") });
    if !image.document.is_empty() {
        title(lines, "Image");
        differences(lines, "", &image.document.iter().collect::<Vec<_>>());
    }
    if !image.layers.is_empty() {
        title(lines, "Layers");
        lines.extend(["| | layer | made by | size |", "|---|---|---|---|"].map(str::to_owned));
        lines.extend(image.layers.iter().map(|layer| {
            let which = match layer.sides {
                Sides::Both => "both",
                Sides::Old => "old",
                Sides::New => "new",
            };
            let made = format!("{} {}", layer.kind, layer.value);
            let cells = [which.to_owned(), code(&layer.id.to_string()), code(&made), human_size(layer.size)];
            format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
        }));
    }
    if !image.files.is_empty() {
        title(lines, "Files");
        image.files.iter().for_each(|file| self::file(lines, file));
    }
    if !image.cached_images.is_empty() {
        title(lines, "Cached images");
    }
    for cached in &image.cached_images {
        let sign = Sign::of_sides(cached.old.as_ref(), cached.new.as_ref());
        lines.push(format!("- {} {}", verb(sign), code(&cached.name)));
        for (sign, words) in cached_lines(cached) {
            let side = if sign == Sign::Removed { "old" } else { "new" };
            lines.push(format!("  - {side}: {}", code(&words)));
        }
    }
}

fn title(lines: &mut Vec<String>, title: &str) {
    lines.extend([String::new(), format!("**{title}**"), String::new()]);
}

fn verb(sign: Sign) -> &'static str {
    match sign {
        Sign::Added => "added",
        Sign::Removed => "removed",
        Sign::Changed | Sign::Same => "changed",
    }
}

fn file(lines: &mut Vec<String>, file: &FileDiff) {
    let sign = Sign::of_sides(file.old.as_ref(), file.new.as_ref());
    lines.push(format!("- {} {} ({})", verb(sign), code(&file.path), plain(&about(file))));
    differences(lines, "  ", &below(file));
    lines.extend(file.notes.iter().map(|note| format!("  - note: {}", code(note))));
}

fn differences(lines: &mut Vec<String>, indent: &str, differences: &[&Difference]) {
    for difference in differences.iter().take(SHOWN) {
        let sign = Sign::of_change(&difference.what);
        let place = difference.path.behind_file();
        let words = words(&difference.what);
        let parts = [place, words].into_iter().filter(|part| !part.is_empty()).map(|part| code(&part));
        lines.push(format!("{indent}- {} {}", verb(sign), parts.collect::<Vec<_>>().join(": ")));
        if let Change::Lines { diff: Some(diff), .. } = &difference.what {
            let fence = "`".repeat(longest_run(diff).max(2) + 1);
            lines.push(format!("{indent}  {fence}diff"));
            lines.extend(diff.lines().map(|line| format!("{indent}  {}", crate::types::printable(line))));
            lines.push(format!("{indent}  {fence}"));
        }
    }
    if let more @ 1.. = differences.len().saturating_sub(SHOWN) {
        lines.push(format!("{indent}- … {} more", counted(more, "difference", "differences")));
    }
}

/// Text as it is: between more backticks than it has in a row.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let fence = "`".repeat(longest_run(&text) + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// Our own words, with a link's target among them at most.
fn plain(text: &str) -> String {
    if text.chars().all(|c| c.is_ascii_alphanumeric() || " .,→".contains(c)) { text.to_owned() } else { code(text) }
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_words_are_no_markup() {
        for (text, expected) in
            [("a*b", "`a*b`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("a``b\n# c", "```a``b # c```"), ("", "`  `")]
        {
            assert_eq!(code(text), expected);
        }
    }
}
