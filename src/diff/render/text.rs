//! For a terminal.

use super::{SHOWN, Sign, about, below, cached_lines, counted, image_line, summary, words};
use crate::diff::{Change, Difference, FileDiff, ImageDiff, Report, Sides};
use crate::types::human_size;

/// Text, with colours where `color` says so, and the final newline.
#[must_use]
pub(crate) fn text(report: &Report, color: bool) -> String {
    let mut page = Page { text: String::new(), color };
    for (index, image) in report.images.iter().enumerate() {
        if index > 0 {
            page.line("");
        }
        page.image(report, image);
    }
    for (only, asked, sign) in
        [(&report.only_old, &report.old, Sign::Removed), (&report.only_new, &report.new, Sign::Added)]
    {
        for platform in only {
            page.signed(sign, 0, &format!("{platform}: only {} has it", asked.image));
        }
    }
    page.text
}

struct Page {
    text: String,
    color: bool,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn title(&mut self, title: &str) {
        self.line("");
        let title = if self.color { format!("\u{1b}[1m{title}\u{1b}[0m") } else { title.to_owned() };
        self.line(&title);
    }

    fn signed(&mut self, sign: Sign, indent: usize, line: &str) {
        let line = format!("{:indent$}{} {line}", "", sign.mark());
        let code = match sign {
            Sign::Added => "32",
            Sign::Removed => "31",
            Sign::Changed => "33",
            Sign::Same => "2",
        };
        let line = if self.color { format!("\u{1b}[{code}m{line}\u{1b}[0m") } else { line };
        self.line(&line);
    }

    fn image(&mut self, report: &Report, image: &ImageDiff) {
        self.signed(Sign::Removed, 0, &image_line(&image.old, report.old.from.word()));
        self.signed(Sign::Added, 0, &image_line(&image.new, report.new.from.word()));
        if image.is_same() {
            self.line("no difference");
            return;
        }
        if !image.document.is_empty() {
            self.title("image");
            self.differences(2, &image.document.iter().collect::<Vec<_>>());
        }
        if !image.layers.is_empty() {
            self.title("layers");
        }
        for layer in &image.layers {
            let sign = match layer.sides {
                Sides::Both => Sign::Same,
                Sides::Old => Sign::Removed,
                Sides::New => Sign::Added,
            };
            let number = layer.old.or(layer.new).unwrap_or_default();
            let line = format!("{number} {} {} {} ({})", layer.id, layer.kind, layer.value, human_size(layer.size));
            self.signed(sign, 2, &line);
        }
        if !image.files.is_empty() {
            self.title("files");
        }
        image.files.iter().for_each(|file| self.file(file));
        if !image.cached_images.is_empty() {
            self.title("cached images");
        }
        for cached in &image.cached_images {
            self.signed(Sign::of_sides(cached.old.as_ref(), cached.new.as_ref()), 2, &cached.name);
            for (sign, line) in cached_lines(cached) {
                self.signed(sign, 6, &line);
            }
        }
        let summary = summary(image);
        if !summary.is_empty() {
            self.line("");
            self.line(&summary);
        }
    }

    fn file(&mut self, file: &FileDiff) {
        let sign = Sign::of_sides(file.old.as_ref(), file.new.as_ref());
        self.signed(sign, 2, &format!("{} ({})", file.path, about(file)));
        self.differences(6, &below(file));
        for note in &file.notes {
            self.line(&format!("      note: {note}"));
        }
    }

    fn differences(&mut self, indent: usize, differences: &[&Difference]) {
        for difference in differences.iter().take(SHOWN) {
            let place = difference.path.behind_file();
            let words = words(&difference.what);
            let line = match (place.is_empty(), words.is_empty()) {
                (true, _) => words,
                (false, true) => place,
                (false, false) => format!("{place}: {words}"),
            };
            self.signed(Sign::of_change(&difference.what), indent, &line);
            if let Change::Lines { diff: Some(diff), .. } = &difference.what {
                self.lines(indent + 2, diff);
            }
        }
        if let more @ 1.. = differences.len().saturating_sub(SHOWN) {
            self.line(&format!(
                "{:indent$}… {} more; `-o json` has them all",
                "",
                counted(more, "difference", "differences")
            ));
        }
    }

    fn lines(&mut self, indent: usize, diff: &str) {
        for line in diff.lines() {
            let code = match line.as_bytes().first() {
                Some(b'+') => "32",
                Some(b'-') => "31",
                Some(_) | None => "2",
            };
            let line = crate::diff::path::one_line(&line.replace('\t', "    "));
            let line = if self.color { format!("\u{1b}[{code}m{line}\u{1b}[0m") } else { line };
            self.line(format!("{:indent$}{line}", "").trim_end());
        }
    }
}
