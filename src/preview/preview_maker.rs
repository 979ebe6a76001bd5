//! Plan → what applying it would do.

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

/// What lies beside a plan, all of it only read.
pub(crate) struct Beside<'a> {
    /// The store.
    pub store: &'a Store,
    /// The cache's folder.
    pub cache: &'a Path,
    /// The lock; an empty one where there is none.
    pub lock: &'a Lock,
    /// The lock's file, where there is one.
    pub lock_file: Option<String>,
    /// Where URLs are looked for first.
    pub mirrors: Vec<UrlMirror>,
    /// The recipe's folder.
    pub recipe_folder: &'a Path,
    /// How many threads may work.
    pub threads: usize,
}

/// What is worked with while a plan is looked at.
pub(super) struct Maker<'a> {
    pub(super) plan: &'a Plan,
    pub(super) beside: FilesBeside,
    pub(super) threads: usize,
    pub(super) inputs: Inputs<'a>,
    pub(super) workspace: Workspace<'a>,
    pub(super) warnings: &'a Warnings,
    /// What the store grows by.
    pub(super) store_needs: Need,
    /// The base images that come to it.
    pub(super) pulled: BTreeSet<(String, Platform)>,
    pub(super) problems: Vec<Failure>,
}

/// What applying `plan` would do. What stands in its way is part of the answer; a failure is one of looking.
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
    /// Remembers what stands in the way, with the place in the recipe of a part of a stage; once where platforms share it.
    pub(super) fn problem(&mut self, stage: usize, route: &Route, failure: Failure) {
        let failure = failure.at(self.plan.stages[stage].places.find(route));
        if !self.problems.contains(&failure) {
            self.problems.push(failure);
        }
    }
}
