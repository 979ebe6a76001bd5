//! Applies a recipe again from scratch, and compares the result with the existing images.
//!
//! ```text
//! plan with its lock ──apply, into an empty store──▶ Side ─┐
//! the user's store, else the registry ─────────────▶ Side ─┴─first_difference──▶ the same, or `layer 1!/etc/x: mode`
//! ```
//!
//! Existing images are not trusted: layers are compared file by file, whatever their ids say. The user's store is only
//! read. The only images used from it are base images without another source: those for which the lock has no registry
//! digest.

mod report;

use std::path::PathBuf;

use crate::apply::{Applier, Inputs, STAGE_ANNOTATION};
use crate::build::Workspace;
use crate::diff::{Change, DiffPath, Difference, Origin, Scratch, Side, cached_at, first_difference};
use crate::disk::Sharing;
use crate::image::model::ImageDocument;
use crate::plan::{Locked, Plan, PlannedStage};
use crate::sources::Sources;
use crate::store::{Store, StoredImage};
use crate::tar::Limits;
use crate::types::{Event, Failure, FailureKind, ImageSource, Observer};

pub(crate) use report::{ImageVerdict, Report};

/// Applies recipes again and compares.
pub(crate) struct Verifier<'a> {
    /// The user's store, which is only read.
    pub store: &'a Store,
    /// The inputs of images; its cache is empty if possible.
    pub sources: &'a Sources,
    /// Gets images that the store does not have; `None` if the network is off.
    pub registry: Option<&'a Sources>,
    /// Receives the events.
    pub observer: &'a dyn Observer,
    /// For temporary data.
    pub scratch: &'a Scratch,
    /// The recipe's folder.
    pub recipe_folder: PathBuf,
    /// How many threads may work.
    pub threads: usize,
}

/// An image that is there, and where.
struct There {
    store: Store,
    document: ImageDocument,
    from: Origin,
}

impl Verifier<'_> {
    /// Makes all images of a plan again and compares each with the existing one.
    pub(crate) fn verify(&self, plan: &Plan) -> Result<Report, Vec<Failure>> {
        // First, as it takes a moment and the rest takes long.
        let there = self.find_all(plan)?;
        let fresh = Store::open(&self.scratch.path().join("fresh"));
        self.lend_bases(plan, &fresh)?;
        let applier = Applier {
            store: &fresh,
            sources: self.sources,
            observer: self.observer,
            recipe_folder: self.recipe_folder.clone(),
            sharing: Sharing::Auto,
            threads: self.threads,
        };
        applier.apply(plan)?;
        let mut images = Vec::new();
        for (stage, there) in plan.stages.iter().zip(&there) {
            images.push(self.compare(stage, there, &fresh)?);
        }
        Ok(Report {
            recipe: plan.recipe.clone(),
            format_version: plan.format_version,
            source_date_epoch: plan.source_date_epoch,
            is_same: images.iter().all(|image| image.difference.is_none()),
            images,
        })
    }

    /// The image of each stage, or all that are not there.
    fn find_all(&self, plan: &Plan) -> Result<Vec<There>, Vec<Failure>> {
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        let pulled = Store::open(&self.scratch.path().join("pulled"));
        for stage in &plan.stages {
            match self.find(stage, &pulled) {
                Ok(there) => found.push(there),
                Err(failure) => failures.push(failure),
            }
        }
        if failures.is_empty() { Ok(found) } else { Err(failures) }
    }

    fn find(&self, stage: &PlannedStage, pulled: &Store) -> Result<There, Failure> {
        let (name, platform) = (&stage.work.image, &stage.work.platform);
        if let Some(StoredImage { document, .. }) = self.store.find(name, platform)? {
            return Ok(There { store: self.store.clone(), document, from: Origin::Store });
        }
        let root = self.store.root().display();
        let message = format!("cannot compare `{}` for {platform}: it is not in the store {root}", name.familiar());
        let Some(registry) = self.registry else { return Err(Failure::new(FailureKind::Failed, message)) };
        let image = registry.image(&ImageSource::from(name.reference().clone()), platform).map_err(|failure| {
            let kind = if failure.kind == FailureKind::Retry { FailureKind::Retry } else { FailureKind::Failed };
            let mut causes = vec![failure.message];
            causes.extend(failure.causes);
            let failure =
                Failure { causes, ..Failure::new(kind, format!("{message}, and cannot be pulled from its registry")) };
            failure.with_help("apply the recipe first, or name the store that has its images with `--root`")
        })?;
        let mut workspace = Workspace::new(pulled)?;
        workspace.import(name, &image, registry.cache(), self.observer)?;
        workspace.commit()?;
        let stored = pulled.find(name, platform)?;
        let StoredImage { document, .. } = stored.expect("what was committed just now is there");
        Ok(There { store: pulled.clone(), document, from: Origin::Registry })
    }

    /// Gives the new store the base images that the lock has no registry's digest for, from the user's store.
    fn lend_bases(&self, plan: &Plan, fresh: &Store) -> Result<(), Failure> {
        let inputs = Inputs::of(plan);
        for entry in plan.inputs.entries().filter(|entry| inputs.name(entry)) {
            let Locked::Base(name, platform, base) = entry else { continue };
            if base.digest.is_some() {
                continue;
            }
            let by_id = self.store.find_by_id(&base.id)?.into_iter();
            let by_name = self.store.find(&name, &platform)?;
            let is_it = |image: &StoredImage| {
                let image = image.document.image();
                image.platform == platform && image.layer_ids().eq(base.layers.iter().copied())
            };
            let Some(image) = by_id.chain(by_name).find(is_it) else { continue };
            let message = format!(
                "the base image `{}` for {platform} comes from the store {}: the lock has no registry for it",
                name.familiar(),
                self.store.root().display()
            );
            self.observer.event(Event::Note { message });
            let path = self.scratch.path().join("base.tar");
            let saved = fs_err::File::create(&path)?;
            self.store.save(vec![image], &name.familiar(), saved)?;
            let saved = fs_err::File::open(&path)?;
            let loaded = fresh.load(saved, &Limits::SAVED, jiff::Timestamp::UNIX_EPOCH)?;
            for message in loaded.warnings {
                self.observer.event(Event::Warning { message });
            }
            fs_err::remove_file(&path)?;
        }
        Ok(())
    }

    fn compare(&self, stage: &PlannedStage, there: &There, fresh: &Store) -> Result<ImageVerdict, Failure> {
        let (name, platform) = (&stage.work.image, &stage.work.platform);
        let made = fresh.find(name, platform)?.expect("a stage that was applied made its image");
        let old = Side::of_store(&there.store, there.document.image())?.doubted();
        let new = Side::of_store(fresh, made.document.image())?;
        let difference = first_difference(&old, &new, self.scratch.path())?;
        let difference = difference.or_else(|| document(there, &made.document));
        let cached = match &difference {
            // The new image's registry is whole.
            Some(difference) => cached_at(&new, &difference.path)?,
            None => Vec::new(),
        };
        let stage_digest = there.document.image().annotations.get(STAGE_ANNOTATION);
        Ok(ImageVerdict {
            name: name.to_string(),
            platform: platform.clone(),
            from: there.from,
            id: there.document.id().to_string(),
            expected: made.document.id().to_string(),
            is_of_other_recipe: stage_digest != Some(&stage.digest.to_string()),
            difference,
            cached,
        })
    }
}

/// How documents differ whose fields are the same.
fn document(there: &There, made: &ImageDocument) -> Option<Difference> {
    let at = |what| Some(Difference { path: DiffPath::image(), what });
    if there.document.id() != made.id() {
        return at(Change::Value { old: there.document.id().to_string(), new: made.id().to_string() });
    }
    match there.from {
        Origin::Store if there.document.yaml() != made.yaml() => at(Change::Form),
        // The registry has it in another form.
        Origin::Store | Origin::Archive | Origin::Registry => None,
    }
}
