//! A recipe with its values, as the commands read it.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::failure::Failed;
use crate::document::{Located, Values, ValuesInput};
use crate::plan::{Narrowing, Plan, is_lock_file, lock_file_of, read_lock, resolve};
use crate::recipe::{self, Recipe};
use crate::types::{Epoch, Failure, FailureKind, Platform, Severity, Source, printable};
use crate::validate::{Request, validate};

/// The largest recipe, in bytes.
const MAX_RECIPE: u64 = 1 << 20;

/// The arguments of all commands on a recipe.
#[derive(Debug, Clone, Args)]
pub(super) struct InputArgs {
    /// Take values from a YAML file; a later one wins
    #[arg(short = 'f', long = "values", value_name = "FILE")]
    pub(super) values: Vec<PathBuf>,
    /// Set a value; overrides files
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Only this platform
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub(super) platforms: Vec<Platform>,
    /// Only this stage, and the stages that it builds on
    #[arg(long, value_name = "NAME")]
    pub(super) stage: Option<String>,
}

impl InputArgs {
    fn narrowing(&self) -> Narrowing {
        Narrowing { platforms: self.platforms.clone(), stage: self.stage.clone() }
    }
}

/// A recipe that was parsed, with its warnings.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) source: Source,
    pub(super) recipe: Recipe,
    pub(super) values: Values,
    pub(super) warnings: Vec<Located>,
}

impl Input {
    /// Reads a recipe and merges its values.
    pub(super) fn read(file: &Path, args: &InputArgs) -> Result<Self, Failed> {
        let source = read_source(file)?;
        let input = values_input(args)?;
        let wrong = || all_errors(&source, &input, file, args);
        let parsed = recipe::parse(&source).map_err(|_| wrong())?;
        let values = Values::merge(&parsed.recipe.declared(&source), &input).map_err(|_| wrong())?;
        let located = |diagnostic| Located { source: source.clone(), diagnostic };
        let warnings = parsed.warnings.into_iter().map(located).collect();
        Ok(Self { source, recipe: parsed.recipe, values, warnings })
    }

    /// The plan for the wanted parts of the recipe.
    pub(super) fn plan(&self, args: &InputArgs) -> Result<Plan, Failed> {
        resolve(&self.source, &self.recipe, &self.values, &args.narrowing(), epoch()?)
            .map_err(|diagnostics| Failed::invalid(&self.source, diagnostics))
    }

    /// What failed of what the recipe asks for.
    pub(super) fn failed(&self, failures: impl Into<Vec<Failure>>) -> Failed {
        Failed::Doing { source: Some(self.source.clone()), failures: failures.into() }
    }

    /// All warnings about the recipe and its plan.
    pub(super) fn warnings(&self, plan: &Plan) -> Vec<Located> {
        let located = |diagnostic| Located { source: self.source.clone(), diagnostic };
        self.warnings.iter().cloned().chain(plan.warnings().into_iter().map(located)).collect()
    }
}

/// All errors and warnings about a recipe that can be found without a network. A lock among recipes (`recipes/*.yaml`)
/// is read as one.
pub(super) fn checked(file: &Path, args: &InputArgs) -> Result<Vec<Located>, Failed> {
    if is_lock_file(file) {
        let source = read_source(file)?;
        let located = |diagnostic| Located { source: source.clone(), diagnostic };
        return Ok(read_lock(&source).err().unwrap_or_default().into_iter().map(located).collect());
    }
    check(&read_source(file)?, &values_input(args)?, file, args)
}

fn check(source: &Source, values: &ValuesInput, file: &Path, args: &InputArgs) -> Result<Vec<Located>, Failed> {
    let lock_file = lock_file_of(file);
    let lock = if lock_file.exists() { Some(read_source(&lock_file)?) } else { None };
    let folder = file.parent().map(|folder| if folder == Path::new("") { Path::new(".") } else { folder });
    let (narrowing, epoch, lock) = (&args.narrowing(), epoch()?, lock.as_ref());
    Ok(validate(&Request { source, values, narrowing, epoch, folder, lock }))
}

/// The failure of a recipe with mistakes: one kind of mistake does not hide the others.
fn all_errors(source: &Source, values: &ValuesInput, file: &Path, args: &InputArgs) -> Failed {
    match check(source, values, file, args) {
        Ok(found) => {
            let is_error = |located: &Located| located.diagnostic.severity == Severity::Error;
            Failed::Invalid(found.into_iter().filter(is_error).collect())
        }
        Err(failed) => failed,
    }
}

/// Values from files and `--set`.
fn values_input(args: &InputArgs) -> Result<ValuesInput, Failed> {
    let files = args.values.iter().map(|file| read_source(file)).collect::<Result<_, _>>()?;
    Ok(ValuesInput { files, sets: args.set.clone() })
}

/// `SOURCE_DATE_EPOCH`, else the constant.
pub(in crate::cli) fn epoch() -> Result<Epoch, Failed> {
    match std::env::var_os("SOURCE_DATE_EPOCH") {
        Some(text) if !text.is_empty() => Epoch::parse(&text.to_string_lossy()).map_err(Failed::usage),
        Some(_) | None => Ok(Epoch::DEFAULT),
    }
}

/// The failure for a file that is not text.
fn invalid(message: String) -> Failed {
    Failure::new(FailureKind::Invalid, message).into()
}

/// Reads a small text file that the user named.
pub(in crate::cli) fn read_source(file: &Path) -> Result<Source, Failed> {
    let name = file.display().to_string();
    let mut bytes = Vec::new();
    let unreadable = |error: std::io::Error| {
        let why = match error.kind() {
            ErrorKind::NotFound => "no such file".to_owned(),
            ErrorKind::IsADirectory => "it is a folder".to_owned(),
            ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        Failed::doing(format!("cannot read `{}`: {why}", printable(&name)))
    };
    let opened = fs_err::File::open(file).map_err(unreadable)?;
    opened.take(MAX_RECIPE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_RECIPE {
        return Err(invalid(format!("`{name}` is longer than {MAX_RECIPE} bytes, the limit")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(&name, &text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            Err(invalid(format!("`{name}` is not UTF-8: byte {} is the first that is not", at + 1)))
        }
    }
}

pub(super) fn recipe_folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
