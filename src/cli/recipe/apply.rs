//! `sealer recipe apply`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use tempfile::TempDir;

use crate::apply::{Applier, Moved, Report, StepStatus};
use crate::cli::failure::{Failed, print_diagnostics};
use crate::cli::globals::Globals;
use crate::cli::out_file::OutFile;
use crate::cli::output::{self, OutputForm, human_size};
use crate::cli::progress;
use crate::cli::push;
use crate::cli::sources::{Settings, sources_with};
use crate::disk::Sharing;
use crate::plan::{Plan, lock_file_of};
use crate::provenance::{Run, statement};
use crate::sandbox::Sandbox;
use crate::sources::Sources;
use crate::store::Store;
use crate::types::{Observer, Platform, SealerName};

use super::input::{Input, InputArgs, recipe_folder};
use super::lock_file::{LockArgs, LockFile};

#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyArgs {
    /// The recipe
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    input: InputArgs,
    /// Try it with small stand-ins for all inputs of the shipped recipes, with a store and a cache in a new folder; no
    /// lock is read or written
    #[arg(long, conflicts_with_all = ["locked", "offline", "frozen"])]
    sandbox: bool,
    #[command(flatten)]
    lock: LockArgs,
    /// Push every image with its provenance to its registry, after all are made
    #[arg(long, conflicts_with_all = ["sandbox", "offline", "frozen"])]
    push: bool,
    /// Write the provenance of the images to FILE: in-toto and SLSA v1, as JSON
    #[arg(long, value_name = "FILE")]
    provenance: Option<PathBuf>,
    /// Whether new layers share unchanged files with their source layers
    #[arg(long, value_enum, default_value = "auto", value_name = "HOW")]
    sharing: SharingChoice,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SharingChoice {
    /// Reflinks, else hard links, else copies.
    Auto,
    /// Copies.
    Copy,
}

/// The JSON report.
#[derive(Serialize)]
struct Done<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pushed: Vec<push::Report>,
}

/// Where a run happens: in the user's own store and cache, or in a sandbox.
pub(super) struct Surroundings {
    pub(super) root: PathBuf,
    pub(super) cache: PathBuf,
    registries_conf: Option<PathBuf>,
    url_mirrors: Vec<String>,
    /// The sandbox, if there is one: its servers run until it is dropped.
    sandbox: Option<Sandbox>,
}

impl Surroundings {
    pub(super) fn of_user(globals: &Globals) -> Result<Self, Failed> {
        Ok(Self {
            root: globals.root()?,
            cache: globals.cache()?,
            registries_conf: None,
            url_mirrors: globals.url_mirrors(),
            sandbox: None,
        })
    }

    /// A sandbox in a fresh folder; of the user's settings only an explicit `--root` counts.
    fn sandbox(globals: &Globals) -> Result<Self, Failed> {
        Self::sandbox_in(&sandbox_folder()?.keep(), globals)
    }

    /// The same in a folder that is there.
    pub(super) fn sandbox_in(folder: &Path, globals: &Globals) -> Result<Self, Failed> {
        let sandbox = Sandbox::start(folder).map_err(|error| Failed::doing(format!("start the sandbox: {error}")))?;
        if !globals.quiet {
            progress::note(Sandbox::NOTICE);
            if globals.cache.is_some() {
                progress::note("sandbox: `--cache` is ignored, because the sandbox has its own cache");
            }
        }
        Ok(Self {
            root: globals.root.clone().unwrap_or_else(|| sandbox.root()),
            cache: sandbox.cache(),
            registries_conf: Some(sandbox.registries_conf()),
            url_mirrors: sandbox.url_mirrors(),
            sandbox: Some(sandbox),
        })
    }

    /// The settings, with a cache of one's own.
    pub(super) fn settings<'a>(&'a self, cache: &'a Path) -> Settings<'a> {
        Settings { cache, registries_conf: self.registries_conf.as_deref(), url_mirrors: &self.url_mirrors }
    }
}

/// A fresh folder for a sandbox.
pub(super) fn sandbox_folder() -> Result<TempDir, Failed> {
    let made = tempfile::Builder::new().prefix("sealer-sandbox-").tempdir();
    made.map_err(|error| Failed::doing(format!("make a folder for the sandbox: {error}")))
}

pub(super) fn run(args: &ApplyArgs, globals: &Globals) -> Result<(), Failed> {
    let input = Input::read(&args.file, &args.input)?;
    let mut plan = input.plan(&args.input)?;
    print_diagnostics(&input.warnings(&plan), globals.color_on_stderr());
    // Before the work, so that an unwritable file does not waste an hour.
    let provenance_file = args.provenance.as_deref().map(|path| provenance_file(path, &args.file)).transpose()?;
    let observer = globals.observer();
    let mut lock_file =
        (!args.sandbox).then(|| LockFile::open(&args.file, args.lock, observer.as_ref())).transpose()?;
    plan.inputs = lock_file.as_ref().map(LockFile::lock).unwrap_or_default();
    let surroundings = if args.sandbox { Surroundings::sandbox(globals)? } else { Surroundings::of_user(globals)? };
    let settings = surroundings.settings(&surroundings.cache);
    let sources = args.lock.rule(sources_with(args.lock.network(), &settings, &observer)?);
    let store = Store::open(&surroundings.root);
    let applier = Applier {
        store: &store,
        sources: &sources,
        observer: observer.as_ref(),
        recipe_folder: recipe_folder(&args.file),
        sharing: match args.sharing {
            SharingChoice::Auto => Sharing::Auto,
            SharingChoice::Copy => Sharing::Copy,
        },
        threads: globals.threads()?,
    };
    let report = applier.apply(&plan).map_err(|failures| input.failed(failures))?;
    // The images exist, so they are reported even if writing the lock fails.
    let kept = lock_file.as_mut().map_or(Ok(()), |lock_file| lock_file.keep(&report.inputs));
    let done = kept.and_then(|()| {
        let statement = state(&input, args, &plan, lock_file.as_ref(), &report);
        keep_statement(&store, &report, &statement)?;
        provenance_file.map_or(Ok(()), |file| write_provenance(file, &statement))
    });
    let (pushed, done) = match done {
        Ok(()) if args.push => push_all(&store, &sources, observer.as_ref(), globals, &report),
        done => (Vec::new(), done),
    };
    match args.output {
        OutputForm::Json => output::json(&Done { report: &report, pushed }),
        OutputForm::Text => {
            let lines = pushed.iter().map(push::Report::line);
            let pushed: String = lines.flat_map(|line| ["pushed ".to_owned(), line, "\n".to_owned()]).collect();
            output::data(&(text(&report, &surroundings, globals) + &pushed))
        }
    }?;
    done
}

/// The provenance of what was made.
fn state(input: &Input, args: &ApplyArgs, plan: &Plan, lock_file: Option<&LockFile>, report: &Report) -> String {
    let lock = lock_file.and_then(LockFile::bytes);
    let run = Run {
        recipe: &input.source,
        values: &input.values,
        stage: args.input.stage.as_deref(),
        plan,
        lock: lock.as_ref().map(|(name, bytes)| (name.as_str(), *bytes)),
        report,
        version: env!("CARGO_PKG_VERSION"),
    };
    statement(&run)
}

/// Stores a statement for each image, for a later push.
fn keep_statement(store: &Store, report: &Report, statement: &str) -> Result<(), Failed> {
    for image in &report.images {
        if let Ok(id) = image.id.parse() {
            store.keep_provenance(&id, statement.as_bytes())?;
        }
    }
    Ok(())
}

/// Pushes the images one after the other, each for all its platforms, and stops at the first failure, because later
/// ones may build on it. The pushed ones are always reported.
fn push_all(
    store: &Store,
    sources: &Sources,
    observer: &dyn Observer,
    globals: &Globals,
    report: &Report,
) -> (Vec<push::Report>, Result<(), Failed>) {
    let mut pushed = Vec::new();
    let done = names_of(report).and_then(|names| {
        let threads = globals.threads()?;
        names.iter().try_for_each(|(name, platforms)| {
            pushed.push(push::push(store, sources, observer, threads, (name, platforms))?);
            Ok(())
        })
    });
    (pushed, done)
}

/// The names that were made, in order, with their platforms.
fn names_of(report: &Report) -> Result<Vec<(SealerName, Vec<Platform>)>, Failed> {
    let mut names: Vec<(SealerName, Vec<Platform>)> = Vec::new();
    for image in &report.images {
        let name: SealerName = image.name.parse().map_err(|error| Failed::doing(format!("{error}")))?;
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, platforms)) => platforms.push(image.platform.clone()),
            None => names.push((name, vec![image.platform.clone()])),
        }
    }
    Ok(names)
}

/// Opens the file of `--provenance`.
fn provenance_file(path: &Path, recipe: &Path) -> Result<OutFile, Failed> {
    let is =
        |other: &Path| matches!((fs_err::canonicalize(path), fs_err::canonicalize(other)), (Ok(a), Ok(b)) if a == b);
    if path == Path::new("-") {
        return Err(Failed::Usage("--provenance: name a file; stdout is used for the report".to_owned()));
    }
    if is(recipe) || is(&lock_file_of(recipe)) {
        let message = format!("--provenance: `{}` is the recipe or its lock, and would be overwritten", path.display());
        return Err(Failed::Usage(message));
    }
    OutFile::open(path).map_err(|failed| match failed {
        Failed::Usage(message) => Failed::Usage(format!("--provenance: {message}")),
        other @ (Failed::Invalid(_) | Failed::Reported(_) | Failed::Doing { .. }) => other,
    })
}

fn write_provenance(file: OutFile, statement: &str) -> Result<(), Failed> {
    file.file().write_all(statement.as_bytes())?;
    file.finish()
}

/// The report for people: the images with their ids, the changes, and the next steps.
fn text(report: &Report, surroundings: &Surroundings, globals: &Globals) -> String {
    use std::fmt::Write;
    let mut text: String = report.images.iter().map(output::image).collect();
    let mut line = |arguments: std::fmt::Arguments<'_>| {
        text.write_fmt(arguments).and_then(|()| text.write_char('\n')).expect("a String takes all that is written");
    };
    if !globals.quiet {
        line(format_args!(""));
        let several = report.steps.iter().any(|step| step.platform != report.steps[0].platform);
        for step in &report.steps {
            let platform = if several { format!(" for {}", step.platform) } else { String::new() };
            let what = match step.status {
                StepStatus::Changed => "",
                StepStatus::Unchanged => "unchanged: ",
                StepStatus::Skipped => "skipped: ",
            };
            line(format_args!("{} {}{platform}: {what}{}", step.stage, step.step, step.detail));
        }
        for Moved { change, taken } in &report.moved {
            let on = change.platform.as_ref().map(|platform| format!(" for {platform}")).unwrap_or_default();
            let (old, new) = (change.old.as_deref().unwrap_or_default(), change.new.as_deref().unwrap_or_default());
            let used = if *taken { "the new one is used and locked" } else { "the locked one is used" };
            line(format_args!("moved: {}{on}: {old} → {new}; {used}", change.name));
        }
        line(format_args!(
            "{} downloaded; the store is {}",
            human_size(report.downloaded_bytes),
            surroundings.root.display()
        ));
        if let Some(name) = report.images.last().and_then(|image| image.name.parse::<SealerName>().ok()) {
            let name = name.familiar();
            line(format_args!(""));
            if surroundings.sandbox.is_some() {
                let root = surroundings.root.display();
                line(format_args!("next: look at it with `sealer --root {root} inspect {name}`,"));
                line(format_args!("or apply the recipe for real: run the same command without `--sandbox`"));
            } else {
                line(format_args!(
                    "next: start a cluster from it with `sealer run {name} --masters IP --passwd PASSWORD`,"
                ));
                line(format_args!("(the end of `sealer doctor host` lists what its machines need),"));
                line(format_args!("or build on it with `FROM {name}` in a Kubefile"));
            }
        }
    }
    text
}
