//! `sealer recipe lock`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::apply::{Inputs, look_up};
use crate::cli::failure::{Failed, print_diagnostics};
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm};
use crate::cli::sources::{Settings, sources};
use crate::plan::{Lock, LockChange, Plan};
use crate::store::Store;
use crate::types::Platform;

use super::input::{Input, InputArgs};
use super::lock_file::LockFile;

/// Looks up what is missing in the lock next to the recipe, and removes what no platform needs any more. Images that
/// only a build finds, in charts and manifests, are added by apply and by fetch.
#[derive(Debug, Args)]
pub(in crate::cli) struct LockArgs {
    /// The recipe
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Look these up again: URLs and images, in any spelling, or the end of one; without a NAME, everything
    #[arg(long, value_name = "NAME", num_args = 0..)]
    update: Option<Vec<String>>,
    #[command(flatten)]
    input: InputArgs,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

pub(super) fn run(args: &LockArgs, globals: &Globals) -> Result<(), Failed> {
    let input = Input::read(&args.file, &args.input)?;
    let mut plan = input.plan(&args.input)?;
    print_diagnostics(&input.warnings(&plan), globals.color_on_stderr());
    let mut lock_file = LockFile::read(&args.file)?;
    let former = lock_file.lock();
    let observer = globals.observer();
    let (cache, mirrors) = (globals.cache()?, globals.url_mirrors());
    let settings = Settings { cache: &cache, registries_conf: None, url_mirrors: &mirrors };
    let sources = sources(&settings, &observer)?;
    let store = Store::open(&globals.root()?);
    let others = other_platforms(&input, args, &plan, &former);
    plan.inputs = kept(args, &plan, &others, &former)?;
    // A lookup for one platform is also used for the next.
    let mut lock = plan.inputs.clone();
    for mut plan in std::iter::once(plan).chain(others) {
        plan.inputs = lock;
        lock = look_up(&plan, &former, &store, &sources).map_err(|failures| input.failed(failures))?;
    }
    let changes = lock.changes_since(&former);
    lock_file.keep(&lock)?;
    let file = lock_file.path().display().to_string();
    match args.output {
        OutputForm::Json => output::json(&json!({"lock": file, "changes": changes})),
        OutputForm::Text => output::data(&text(&file, &changes, globals)),
    }
}

/// The recipe for those of its platforms that the lock has, but that are not selected now.
fn other_platforms(input: &Input, args: &LockArgs, plan: &Plan, former: &Lock) -> Vec<Plan> {
    let now: Vec<&Platform> = plan.stages.iter().map(|stage| &stage.work.platform).collect();
    let others = former.platforms().into_iter().filter(|platform| !now.contains(platform));
    let of = |platform: &Platform| {
        let narrowed = InputArgs { platforms: vec![platform.clone()], ..args.input.clone() };
        input.plan(&narrowed).ok()
    };
    others.filter_map(of).collect()
}

/// The entries of the lock that stay without a lookup.
fn kept(args: &LockArgs, plan: &Plan, others: &[Plan], former: &Lock) -> Result<Lock, Failed> {
    let mut kept = former.clone();
    let mut inputs = Inputs::of(plan);
    for other in others {
        inputs.extend(Inputs::of(other));
    }
    // A run with other values, or of one stage, does not show what the recipe needs by default.
    let is_whole = args.input.values.is_empty() && args.input.set.is_empty() && args.input.stage.is_none();
    match args.update.as_deref() {
        Some([]) if is_whole => return Ok(Lock::default()),
        Some([]) => kept.retain(|entry| !inputs.name(entry)),
        Some(names) => {
            for name in names {
                let named = former.named(name).map_err(|error| Failed::Usage(format!("--update: {error}")))?;
                kept.retain(|entry| !named.contains(entry));
            }
        }
        None => {}
    }
    if is_whole {
        kept.retain(|entry| inputs.may_need(entry));
    }
    Ok(kept)
}

/// The changes of the lock, one line per entry.
fn text(file: &str, changes: &[LockChange], globals: &Globals) -> String {
    if changes.is_empty() {
        return if globals.quiet { String::new() } else { format!("{file}: nothing changed\n") };
    }
    let line = |change: &LockChange| {
        let on = change.platform.as_ref().map(|platform| format!(" for {platform}")).unwrap_or_default();
        let name = &change.name;
        match (&change.old, &change.new) {
            (None, Some(new)) => format!("added    {name}{on}: {new}\n"),
            (Some(old), None) => format!("removed  {name}{on}: {old}\n"),
            (old, new) => {
                let shown = |digest: &Option<String>| digest.clone().unwrap_or_default();
                format!("moved    {name}{on}: {} → {}\n", shown(old), shown(new))
            }
        }
    };
    let lines: String = changes.iter().map(line).collect();
    if globals.quiet { lines } else { format!("{lines}\n{file} is written\n") }
}
