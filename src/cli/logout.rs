//! `sealer logout`

use clap::Args;
use serde::Serialize;

use crate::transport::{AuthPlaces, Erased, LoginStore};
use crate::types::{Event, printable};

use super::failure::Failed;
use super::globals::Globals;
use super::login::scope;
use super::output::{self, OutputForm};

#[derive(Debug, Args)]
pub(super) struct LogoutArgs {
    /// The registry, or a part of it: `registry.example:5000`, `quay.io/team`
    #[arg(value_name = "REGISTRY")]
    registry: String,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// Where the removed logins were, for machines.
#[derive(Serialize)]
struct Report {
    registry: String,
    /// Empty if there was none.
    removed: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    file: String,
    /// The program that had the login; `None` means that the file had it.
    helper: Option<String>,
}

pub(super) fn run(args: &LogoutArgs, globals: &Globals) -> Result<(), Failed> {
    let scope = scope(&args.registry)?;
    let observer = globals.observer();
    let warn = |message: String| observer.event(Event::Warning { message });
    let store = LoginStore::open(AuthPlaces::from_env())?;
    let Erased { places, parts } = store.erase(&scope)?;
    for place in &places {
        if let Some(mode) = place.was_open {
            warn(format!("other users could read `{}` (mode {mode:04o}); its mode is now 0600", place.file));
        }
    }
    for (key, file) in &parts {
        warn(format!("the login for `{key}` in `{file}` is still there: `sealer logout {key}` removes it too"));
    }
    let rows = places.into_iter().map(|place| Row { file: place.file, helper: place.helper });
    let report = Report { registry: scope.to_string(), removed: rows.collect() };
    match args.output {
        OutputForm::Json => output::json(&report),
        OutputForm::Text if report.removed.is_empty() => output::data(&format!("there is no login for `{scope}`\n")),
        OutputForm::Text => {
            let line = |row: &Row| match &row.helper {
                Some(helper) => format!("`{helper}`, which `{}` names", row.file),
                None => format!("`{}`", row.file),
            };
            let places: Vec<String> = report.removed.iter().map(line).collect();
            output::data(&printable(&format!("logged out of `{scope}`: removed from {}\n", places.join(", "))))
        }
    }
}
