//! `sealer recipe fetch`

use std::path::PathBuf;

use clap::Args;

use crate::apply::Applier;
use crate::cli::failure::{Failed, print_diagnostics};
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm, human_size};
use crate::cli::sources::{Settings, sources_with};
use crate::disk::Sharing;
use crate::store::Store;

use super::input::{Input, InputArgs, recipe_folder};
use super::lock_file::{LockArgs, LockFile};

/// Does everything that apply does, but keeps no image. So the cache also gets the images that only a build finds, in
/// charts and manifests. Base images that are already in the store are not fetched.
#[derive(Debug, Args)]
pub(in crate::cli) struct FetchArgs {
    /// The recipe
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    lock: LockArgs,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

pub(super) fn run(args: &FetchArgs, globals: &Globals) -> Result<(), Failed> {
    let input = Input::read(&args.file, &args.input)?;
    let mut plan = input.plan(&args.input)?;
    print_diagnostics(&input.warnings(&plan), globals.color_on_stderr());
    let observer = globals.observer();
    let mut lock_file = LockFile::open(&args.file, args.lock, observer.as_ref())?;
    plan.inputs = lock_file.lock();
    let (cache, mirrors) = (globals.cache()?, globals.url_mirrors());
    let settings = Settings { cache: &cache, registries_conf: None, url_mirrors: &mirrors };
    let sources = args.lock.rule(sources_with(args.lock.network(), &settings, &observer)?);
    let store = Store::open(&globals.root()?);
    let applier = Applier {
        store: &store,
        sources: &sources,
        observer: observer.as_ref(),
        recipe_folder: recipe_folder(&args.file),
        sharing: Sharing::Auto,
        threads: globals.threads()?,
    };
    let fetched = applier.fetch(&plan).map_err(|failures| input.failed(failures))?;
    lock_file.keep(&fetched.inputs)?;
    // The inputs were fetched, so they are reported even if writing the lock fails.
    let kept = lock_file.must_keep(&fetched.inputs);
    match args.output {
        OutputForm::Json => output::json(&fetched),
        OutputForm::Text if globals.quiet => Ok(()),
        OutputForm::Text => {
            let bytes = human_size(fetched.downloaded_bytes);
            let done = format!("{bytes} downloaded; all inputs of {} are in {}\n", fetched.recipe, cache.display());
            let next = format!("\nnext: `sealer recipe apply --offline {}` needs no network\n", args.file.display());
            output::data(&if kept.is_ok() { done + &next } else { done })
        }
    }?;
    kept
}
