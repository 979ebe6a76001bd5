//! `sealer recipe verify`

use std::path::PathBuf;

use clap::Args;

use crate::cache::Cache;
use crate::cli::failure::{Failed, print_diagnostics};
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm};
use crate::cli::sources::{Network, sources_with};
use crate::diff::{Origin, Scratch};
use crate::sources::Pinning;
use crate::store::Store;
use crate::types::FailureKind;
use crate::verify::{ImageVerdict, Report, Verifier};

use super::apply::{Surroundings, sandbox_folder};
use super::input::{Input, InputArgs, recipe_folder};
use super::lock_file::{LockArgs, LockFile};

/// What is made is below this folder of the cache.
const SCRATCH: &str = "verify";

/// Applies the recipe again with its lock, an empty cache and an empty store, and compares the result with the images
/// in the store, or in their registries if the store does not have them. If they differ, it says where, and ends with
/// exit code 4.
#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// The recipe
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    input: InputArgs,
    /// Use small stand-ins for all inputs, and no lock; compare with the images of the store that --root names
    #[arg(long, conflicts_with = "offline")]
    sandbox: bool,
    /// Do not use the network: inputs come from the cache as it is, each checked by its digest
    #[arg(long)]
    offline: bool,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

pub(super) fn run(args: &VerifyArgs, globals: &Globals) -> Result<(), Failed> {
    // `--root` may come before `recipe`, where a rule of the parser would not find it.
    if args.sandbox && globals.root.is_none() {
        return Err(Failed::Usage(
            "`--sandbox` compares with the images of a store: name that store with `--root DIR`".to_owned(),
        ));
    }
    let input = Input::read(&args.file, &args.input)?;
    let mut plan = input.plan(&args.input)?;
    print_diagnostics(&input.warnings(&plan), globals.color_on_stderr());
    let observer = globals.observer();
    let network = if args.offline { Network::Off } else { Network::On };
    let pinning = if args.sandbox { Pinning::Open } else { Pinning::Required };
    if !args.sandbox {
        plan.inputs = LockFile::open(&args.file, LockArgs::locked(), observer.as_ref())?.lock();
    }
    let folder = if args.sandbox { Some(sandbox_folder()?) } else { None };
    let surroundings = match &folder {
        Some(folder) => Surroundings::sandbox_in(folder.path(), globals)?,
        None => Surroundings::of_user(globals)?,
    };
    // This may be the first use of the cache's folder, so it must be created as private as usual.
    Cache::open(&surroundings.cache)?;
    let scratch = Scratch::new(&surroundings.cache.join(SCRATCH))?;
    let empty = scratch.path().join("cache");
    let cache = if args.offline { &surroundings.cache } else { &empty };
    let sources = sources_with(network, &surroundings.settings(cache), &observer)?.with_pinning(pinning);
    let registry = match network {
        Network::On => Some(sources_with(network, &surroundings.settings(&scratch.path().join("images")), &observer)?),
        Network::Off => None,
    };
    let store = Store::open(&surroundings.root);
    let verifier = Verifier {
        store: &store,
        sources: &sources,
        registry: registry.as_ref(),
        observer: observer.as_ref(),
        scratch: &scratch,
        recipe_folder: recipe_folder(&args.file),
        threads: globals.threads()?,
    };
    let report = verifier.verify(&plan).map_err(|failures| input.failed(failures))?;
    match args.output {
        OutputForm::Json => output::json(&report)?,
        OutputForm::Text => output::data(&text(&report, globals))?,
    }
    // The report says what differs.
    if report.is_same { Ok(()) } else { Err(Failed::Reported(FailureKind::Verification)) }
}

fn text(report: &Report, globals: &Globals) -> String {
    let mut lines: Vec<String> = report.images.iter().flat_map(image).collect();
    if !globals.quiet {
        let (version, epoch) = (report.format_version, report.source_date_epoch.seconds());
        lines.push(String::new());
        lines.push(format!("made with format version {version} and SOURCE_DATE_EPOCH={epoch}"));
    }
    lines.join("\n") + "\n"
}

fn image(image: &ImageVerdict) -> Vec<String> {
    let ImageVerdict { name, platform, id, .. } = image;
    let Some(difference) = &image.difference else { return vec![format!("{name} ({platform}) is the same: {id}")] };
    let place = match image.from {
        Origin::Store => "the store",
        Origin::Archive => "the archive",
        Origin::Registry => "the registry",
    };
    let mut lines = vec![format!("{name} ({platform}) differs in {place}"), format!("  {difference:#}")];
    if !image.cached.is_empty() {
        lines.push(format!("  this file belongs to the cached image {}", image.cached.join(", ")));
    }
    if image.id != image.expected {
        lines.push(format!("  its id is {id}, but the recipe makes {}", image.expected));
    }
    if image.is_of_other_recipe {
        lines.push("  it was made from another recipe, with other values, or with another format version".to_owned());
    }
    lines
}
