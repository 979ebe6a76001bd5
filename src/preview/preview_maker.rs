//! Plan → preview.

use std::collections::BTreeSet;
use std::path::Path;

use crate::build::Workspace;
use crate::fetch::UrlMirror;
use crate::plan::{Lock, Plan};
use crate::steps::Beside as FilesBeside;
use crate::store::Store;
use crate::types::{Failure, FailureKind, Platform, Route};

use super::inputs::Inputs;
use super::offline::{Warnings, offline};
use super::space::{Need, Space};
use super::{Preview, Totals};

/// The surroundings of a plan, which are only read.
pub(crate) struct Beside<'a> {
    /// The store.
    pub store: &'a Store,
    /// The cache's folder.
    pub cache: &'a Path,
    /// The lock; empty if there is none.
    pub lock: &'a Lock,
    /// The lock's file, if there is one.
    pub lock_file: Option<String>,
    /// The places where URLs are looked for first.
    pub mirrors: Vec<UrlMirror>,
    /// The recipe's folder.
    pub recipe_folder: &'a Path,
    /// The number of threads.
    pub threads: usize,
}

/// The state while a preview is made.
pub(super) struct Maker<'a> {
    pub(super) plan: &'a Plan,
    pub(super) beside: FilesBeside,
    pub(super) threads: usize,
    pub(super) inputs: Inputs<'a>,
    pub(super) workspace: Workspace<'a>,
    pub(super) warnings: &'a Warnings,
    /// The growth of the store.
    pub(super) store_needs: Need,
    /// The base images that are added to the store.
    pub(super) pulled: BTreeSet<(String, Platform)>,
    pub(super) problems: Vec<Failure>,
}

/// The preview of `plan`. Failures that apply would have are part of it; an error means that the preview itself failed.
pub(crate) fn preview(plan: &Plan, beside: Beside<'_>) -> Result<Preview, Failure> {
    let failed = |message: String, error: &dyn std::fmt::Display| {
        let failure = Failure::new(FailureKind::Failed, message);
        Failure { causes: vec![error.to_string()], ..failure }.with_help("set `TMPDIR` to a folder that can be written")
    };
    let folder = tempfile::Builder::new().prefix("sealer-plan-").tempdir();
    let folder = folder.map_err(|error| failed("cannot make a temporary folder".to_owned(), &error))?;
    let elsewhere = Store::open(folder.path());
    let workspace = Workspace::apart(beside.store, &elsewhere);
    let workspace = workspace.map_err(|error| failed(format!("cannot use `{}`", folder.path().display()), &error))?;
    let sources = offline(beside.cache, beside.mirrors)?;
    sources.pin(beside.lock.pins(&plan.file));
    let warnings = Warnings::default();
    let mut maker = Maker {
        plan,
        beside: FilesBeside::new(beside.recipe_folder.to_owned()),
        threads: beside.threads,
        inputs: Inputs::new(&sources, beside.store, beside.lock),
        workspace,
        warnings: &warnings,
        store_needs: Need::default(),
        pulled: BTreeSet::new(),
        problems: Vec::new(),
    };
    let stages = (0..plan.stages.len()).map(|index| maker.stage(index)).collect::<Result<Vec<_>, _>>();
    let stages = stages.map_err(|failure| failure.with_help("set `TMPDIR` to a folder that can be written"))?;
    let fetch = maker.inputs.fetches();
    let totals = Totals {
        fetch,
        store: Space::of(beside.store.root(), maker.store_needs),
        cache: Space::of(beside.cache, fetch),
    };
    let problems = std::mem::take(&mut maker.problems);
    drop(maker);
    Ok(Preview { lock: beside.lock_file, stages, totals, warnings: warnings.into_vec(), problems })
}

impl Maker<'_> {
    /// Records a failure that apply would have, with the place of a stage's part in the recipe; platforms with the same
    /// failure share one record.
    pub(super) fn problem(&mut self, stage: usize, route: &Route, failure: Failure) {
        let failure = failure.at(self.plan.stages[stage].places.find(route));
        if !self.problems.contains(&failure) {
            self.problems.push(failure);
        }
    }
}
