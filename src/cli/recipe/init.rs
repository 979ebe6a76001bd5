//! `sealer recipe init`

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::cli::failure::Failed;
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm};
use crate::recipe::FIRST_RECIPE;
use crate::types::{Failure, FailureKind};

#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// The new file, which must not exist yet; `-` prints the recipe
    #[arg(value_name = "FILE", default_value = "recipe.yaml")]
    file: PathBuf,
    /// The form of the message about the new file
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

pub(super) fn run(args: &InitArgs, globals: &Globals) -> Result<(), Failed> {
    let file = args.file.display().to_string();
    if file == "-" {
        return match args.output {
            OutputForm::Json => Err(Failed::Usage("`-` prints the recipe itself, which has no JSON form".to_owned())),
            OutputForm::Text => output::data(FIRST_RECIPE),
        };
    }
    write_new(&args.file, FIRST_RECIPE.as_bytes())?;
    match args.output {
        OutputForm::Json => output::json(&json!({"file": file})),
        OutputForm::Text if globals.quiet => Ok(()),
        OutputForm::Text => {
            let word = quoted(&file);
            output::data(&format!("{file}: a first recipe; edit it, then run `sealer recipe validate {word}`\n"))
        }
    }
}

/// A name, quoted as one word for a shell.
fn quoted(name: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "_-./:@%+=,".contains(char);
    if name.chars().all(is_plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

fn write_new(path: &Path, content: &[u8]) -> Result<(), Failed> {
    let opened = fs_err::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let message = format!("`{}` already exists, and was not changed", path.display());
            let help = "name another file, or `-` to print the recipe";
            Failure::new(FailureKind::Failed, message).with_help(help).into()
        }
        ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path).display();
            Failed::doing(format!("cannot write `{}`: there is no folder `{folder}`", path.display()))
        }
        _ => error.into(),
    })?;
    Ok(file.write_all(content)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_a_shell_would_not_take_them_for_one_word() {
        for (name, word) in [("a/b-c.yaml", "a/b-c.yaml"), ("My Recipe.yaml", "'My Recipe.yaml'"), ("a'b", r"'a'\''b'")]
        {
            assert_eq!(quoted(name), word);
        }
    }
}
