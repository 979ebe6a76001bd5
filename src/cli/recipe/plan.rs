//! `sealer recipe plan`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::failure::{Failed, print_diagnostics};
use crate::cli::globals::Globals;
use crate::cli::output;
use crate::fetch::UrlMirror;
use crate::plan::{Lock, Plan, lock_file_of, read_lock};
use crate::preview::{Beside, Preview, Style, markdown, preview, text};
use crate::store::Store;
use crate::types::Event;

use super::input::{Input, InputArgs, read_source, recipe_folder};

#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    /// The recipe
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    input: InputArgs,
    /// The form of the plan
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: PlanForm,
}

/// The form of a plan on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanForm {
    /// For people.
    Text,
    /// For a change request, with the details folded.
    Markdown,
    /// For machines: what apply executes, and its preview as `preview`.
    Json,
}

/// The plan as apply executes it, with its preview.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    preview: &'a Preview,
}

pub(super) fn run(args: &PlanArgs, globals: &Globals) -> Result<(), Failed> {
    let input = Input::read(&args.file, &args.input)?;
    let mut plan = input.plan(&args.input)?;
    print_diagnostics(&input.warnings(&plan), globals.color_on_stderr());
    let (lock, lock_file) = lock_beside(&args.file)?;
    plan.inputs = lock.clone();
    let mut mirrors = Vec::new();
    for text in globals.url_mirrors() {
        mirrors.extend(UrlMirror::parse_list(&text).map_err(Failed::usage)?);
    }
    let (store, cache) = (Store::open(&globals.root()?), globals.cache()?);
    let beside = Beside {
        store: &store,
        cache: &cache,
        lock: &lock,
        lock_file,
        mirrors,
        recipe_folder: &recipe_folder(&args.file),
        threads: globals.threads()?,
    };
    let foreseen = preview(&plan, beside).map_err(|failure| input.failed(failure))?;
    match args.output {
        PlanForm::Json => output::json(&Printed { plan: &plan, preview: &foreseen })?,
        PlanForm::Markdown => output::data(&markdown(&plan, &foreseen))?,
        PlanForm::Text => {
            let style = if globals.color_on_stdout() { Style::Color } else { Style::Plain };
            output::data(&text(&plan, &foreseen, style))?;
        }
    }
    let observer = globals.observer();
    for warning in foreseen.warnings.iter().chain(&foreseen.totals.shortages()) {
        observer.event(Event::Warning { message: warning.clone() });
    }
    if foreseen.problems.is_empty() { Ok(()) } else { Err(input.failed(foreseen.problems)) }
}

/// The lock next to a recipe, with its file's name if there is one.
fn lock_beside(recipe: &Path) -> Result<(Lock, Option<String>), Failed> {
    let file = lock_file_of(recipe);
    if !file.exists() {
        return Ok((Lock::default(), None));
    }
    let source = read_source(&file)?;
    let lock = read_lock(&source).map_err(|mistakes| Failed::invalid(&source, mistakes))?;
    Ok((lock, Some(source.name().to_owned())))
}
