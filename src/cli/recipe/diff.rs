//! `sealer recipe diff`

use clap::{Args, ValueEnum};

use crate::cache::Cache;
use crate::cli::failure::Failed;
use crate::cli::globals::Globals;
use crate::cli::output;
use crate::cli::sources::{Settings, sources};
use crate::diff::{Comparer, FindError, Input, Options, Scratch, markdown, text};
use crate::store::Store;
use crate::types::{FailureKind, Platform};

/// What is unpacked is below this folder of the cache.
const SCRATCH: &str = "diff";

#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// The first image: a saved archive (a file), an image of the store by name or id, else one of a registry
    #[arg(value_name = "A")]
    old: String,
    /// The second image
    #[arg(value_name = "B")]
    new: String,
    /// Only this platform [default: all that both images have]
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    platforms: Vec<Platform>,
    /// Compare the times of files too
    #[arg(long)]
    times: bool,
    /// End with exit code 1 if the images differ in more than their names and ids
    #[arg(long)]
    exit_code: bool,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: DiffForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DiffForm {
    /// For people.
    Text,
    /// For a pull request.
    Markdown,
    /// For machines: one JSON document.
    Json,
}

pub(super) fn run(args: &DiffArgs, globals: &Globals) -> Result<(), Failed> {
    let observer = globals.observer();
    let (store, cache) = (Store::open(&globals.root()?), globals.cache()?);
    let (old, new) = (find(&args.old, &store)?, find(&args.new, &store)?);
    let mirrors = globals.url_mirrors();
    let settings = Settings { cache: &cache, registries_conf: None, url_mirrors: &mirrors };
    let pulls = old.needs_registry() || new.needs_registry();
    let sources = if pulls { Some(sources(&settings, &observer)?) } else { None };
    // This may be the first use of the cache's folder, so it must be created as private as usual.
    Cache::open(&cache)?;
    let scratch = Scratch::new(&cache.join(SCRATCH))?;
    let comparer = Comparer {
        store: &store,
        sources: sources.as_ref(),
        observer: observer.as_ref(),
        scratch: &scratch,
        platforms: &args.platforms,
        options: Options { times: args.times },
    };
    let report = comparer.compare(&old, &new)?;
    match args.output {
        DiffForm::Json => output::json(&report)?,
        DiffForm::Markdown => output::data(&markdown(&report))?,
        DiffForm::Text if report.is_same && globals.quiet => {}
        DiffForm::Text => output::data(&text(&report, globals.color_on_stdout()))?,
    }
    // The report says what differs.
    if args.exit_code && !report.is_same { Err(Failed::Reported(FailureKind::Failed)) } else { Ok(()) }
}

fn find(text: &str, store: &Store) -> Result<Input, Failed> {
    Input::find(text, store).map_err(|error| match error {
        FindError::Name(_) => Failed::usage(error),
        FindError::Store(error) => error.into(),
    })
}
