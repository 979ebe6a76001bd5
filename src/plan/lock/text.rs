//! Lock → text; the same lock always has the same text.

use std::fmt::Write;

use super::{LOCK_VERSION, Lock};

/// The comment at the top, for people who open the file.
const HEAD: &str = "# Written by `sealer recipe apply` and `sealer recipe lock`: what the recipe's inputs are. Keep it with the recipe.\n";

impl Lock {
    /// The lock's file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = format!("{HEAD}version: {LOCK_VERSION}\n");
        self.write(&mut out).expect("a string takes all that is written");
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        if !self.files.is_empty() {
            writeln!(out, "files:")?;
        }
        for (url, file) in &self.files {
            writeln!(out, "- url: {}\n  digest: {}\n  size: {}", scalar(url.as_str()), file.digest, file.size)?;
        }
        if !self.images.is_empty() {
            writeln!(out, "images:")?;
        }
        for ((image, platform), digest) in &self.images {
            writeln!(out, "- image: {}\n  platform: {platform}", scalar(&image.to_string()))?;
            match digest {
                Some(digest) => writeln!(out, "  digest: {digest}")?,
                None => writeln!(out, "  refused: true")?,
            }
        }
        if !self.bases.is_empty() {
            writeln!(out, "baseImages:")?;
        }
        for ((image, platform), base) in &self.bases {
            let image = scalar(&image.to_string());
            // All of the sixty-four digits may be decimal.
            writeln!(out, "- image: {image}\n  platform: {platform}\n  id: \"{}\"", base.id)?;
            if let Some(digest) = base.digest {
                writeln!(out, "  digest: {digest}")?;
            }
            writeln!(out, "  layers:{}", if base.layers.is_empty() { " []" } else { "" })?;
            for layer in &base.layers {
                writeln!(out, "  - {layer}")?;
            }
        }
        Ok(())
    }
}

/// A URL or a reference as YAML: plain if that is clear, else as JSON writes it, which is YAML too.
fn scalar(text: &str) -> String {
    let is_clear = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=%".contains(&b))
        && !text.ends_with(':');
    if is_clear { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
