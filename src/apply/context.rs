//! Context entries: where the files of a context folder come from.

use std::path::{Path, PathBuf};

use crate::build::{Workspace, WorkspaceError};
use crate::disk::{DiskError, Sharing};
use crate::image::model::Image;
use crate::plan::{ContextSource, LayerChoice, PlannedStage};
use crate::rootfs::Overlay;
use crate::steps::{Beside, Context};
use crate::types::{BaseSource, ContextPath, Digest, Event, Failure, FailureKind, Route, nearest};

use super::directory;
use super::gather::gather;
use super::run::{Applier, failed};

/// A failure and the field of the entry that it belongs to.
pub(crate) type EntryFailure = (Route, Failure);

impl Applier<'_> {
    /// Puts the files of an entry into the context.
    pub(super) fn gather(
        &self,
        source: &ContextSource,
        stage: &PlannedStage,
        context: &Context,
        workspace: &mut Workspace<'_>,
        beside: &Beside,
    ) -> Result<(), EntryFailure> {
        let mut layers = Vec::new();
        if let Some(of) = source.image() {
            let image = self.image(of, stage, context, workspace)?;
            layers = layers_of(source, &image, workspace)?;
            for (id, _) in &layers {
                self.doubt(&image, id, workspace)?;
            }
        }
        take(source, &layers, beside, self.sharing, context)
    }

    fn image(
        &self,
        of: &BaseSource,
        stage: &PlannedStage,
        context: &Context,
        workspace: &mut Workspace<'_>,
    ) -> Result<Image, EntryFailure> {
        let builder = self.builder(context.epoch());
        builder.base(of, &stage.work.platform, workspace).map_err(|failure| (field("of"), failure))
    }

    /// Warns about a layer whose content may not fit its id, and refuses one that changed.
    fn doubt(&self, image: &Image, id: &Digest, workspace: &Workspace<'_>) -> Result<(), EntryFailure> {
        if let Some(doubts) = workspace.doubts(image, id).map_err(|error| of_workspace(&error))? {
            let message = format!("layer {id} of `{}` {doubts}; it is used as it is", image.name);
            self.observer.event(Event::Warning { message });
        }
        Ok(())
    }
}

/// The layers of `image` that an entry takes files from, with their folders, lowest first.
pub(crate) fn layers_of(
    source: &ContextSource,
    image: &Image,
    workspace: &Workspace<'_>,
) -> Result<Vec<(Digest, PathBuf)>, EntryFailure> {
    match source {
        ContextSource::Layer { layer, .. } => Ok(vec![choose_layer(image, layer, workspace)?]),
        ContextSource::Rootfs { .. } => {
            let folder = |id| Ok((id, workspace.layer_of(image, &id).map_err(|error| of_workspace(&error))?));
            let layers: Vec<_> = image.layer_ids().map(folder).collect::<Result<_, EntryFailure>>()?;
            if layers.is_empty() {
                let message = format!("`{}` has no files", image.name);
                return Err((field("of"), Failure::new(FailureKind::Failed, message)));
            }
            Ok(layers)
        }
        ContextSource::Directory { .. } => Ok(Vec::new()),
    }
}

/// Puts the files of an entry into the context, from its [layers](layers_of) or from the recipe's folder.
pub(crate) fn take(
    source: &ContextSource,
    layers: &[(Digest, PathBuf)],
    beside: &Beside,
    sharing: Sharing,
    context: &Context,
) -> Result<(), EntryFailure> {
    let (root, time) = (context.root(), context.time());
    let (ContextSource::Layer { to, .. } | ContextSource::Rootfs { to, .. } | ContextSource::Directory { to, .. }) =
        source;
    directory::check_target(to, root).map_err(|failure| (field("to"), failure))?;
    let take = |overlay: &Overlay, paths: &[String], what: &str| {
        let gathered = overlay.top().and_then(|tree| gather(&tree, paths, to, root, sharing, time));
        all_matched(paths, &gathered.map_err(of_disk)?, what, overlay)
    };
    match source {
        ContextSource::Layer { paths, .. } => {
            let mut layers = layers.iter().map(|(_, folder)| Overlay::raw(folder.clone()));
            layers.try_for_each(|layer| take(&layer, paths, "the layer"))
        }
        ContextSource::Rootfs { paths, .. } => {
            let folders = layers.iter().map(|(_, folder)| folder.clone());
            take(&Overlay::new(folders.collect()), paths, "the image")
        }
        ContextSource::Directory { path, .. } => directory::open(beside.folder(), path)
            .and_then(|folder| directory::gather(&folder, to, root, time, beside))
            .map_err(|failure| (field("path"), failure)),
    }
}

fn field(name: &str) -> Route {
    Route::stage().then(name)
}

fn of_disk(error: DiskError) -> EntryFailure {
    (field("of"), error.into())
}

fn of_workspace(error: &WorkspaceError) -> EntryFailure {
    (field("of"), failed(error))
}

/// The failure for globs that match nothing; it points at the first of them.
fn all_matched(globs: &[String], unmatched: &[usize], what: &str, tree: &Overlay) -> Result<(), EntryFailure> {
    let Some(first) = unmatched.first() else { return Ok(()) };
    let names: Vec<String> = unmatched.iter().map(|index| format!("`{}`", globs[*index])).collect();
    let message = format!("nothing in {what} matches {}", names.join(", "));
    let mut failure = Failure::new(FailureKind::Failed, message);
    let near = similar(tree, &globs[*first]).map(|near| format!("did you mean `{near}`?"));
    failure.help.extend(near);
    Err((field("paths").then(first), failure))
}

/// The path of a file that is nearest to one that is not there.
fn similar(tree: &Overlay, path: &str) -> Option<String> {
    let files = tree.files(&ContextPath::root()).ok()?;
    nearest(path, files.iter().map(|(path, _)| path.as_str())).map(str::to_owned)
}

/// The folder of an entry's layer.
fn choose_layer(
    image: &Image,
    choice: &LayerChoice,
    workspace: &Workspace<'_>,
) -> Result<(Digest, PathBuf), EntryFailure> {
    let layers: Vec<_> = image.layer_ids().collect();
    let folder = |id: &Digest| Ok((*id, workspace.layer_of(image, id).map_err(|error| of_workspace(&error))?));
    let listed = || {
        let values = image.layers.iter().filter_map(|layer| Some((layer.id?, layer)));
        let lines: Vec<String> = values
            .enumerate()
            .map(|(index, (id, layer))| format!("{index}: {id} {} {}", layer.kind.as_str(), layer.value))
            .collect();
        format!("the layers of `{}` are\n{}", image.name, lines.join("\n"))
    };
    let wrong = |name, message: String| (field(name), Failure::new(FailureKind::Failed, message).with_help(listed()));
    match choice {
        LayerChoice::Id(id) if layers.contains(id) => folder(id),
        LayerChoice::Id(id) => Err(wrong("id", format!("`{}` has no layer {id}", image.name))),
        LayerChoice::Index(index) => match layers.get(*index as usize) {
            Some(id) => folder(id),
            None => Err(wrong("index", format!("`{}` has no layer {index}", image.name))),
        },
        LayerChoice::Containing(path) => {
            let mut holding = Vec::new();
            for id in &layers {
                let (id, folder) = folder(id)?;
                if holds(&folder, path).map_err(|error| (field("of"), error.into()))? {
                    holding.push((id, folder));
                }
            }
            match holding.len() {
                1 => Ok(holding.remove(0)),
                0 => {
                    let message = format!("no layer of `{}` has `{path}`", image.name);
                    let (at, mut failure) = wrong("containing", message);
                    let merged = workspace.merged(image).ok();
                    let near = merged.and_then(|merged| similar(&merged, path.as_str()));
                    failure.help.extend(near.map(|near| format!("did you mean `{near}`?")));
                    Err((at, failure))
                }
                several => {
                    let message = format!("{several} layers of `{}` have `{path}`, expected one", image.name);
                    Err(wrong("containing", message))
                }
            }
        }
    }
}

fn holds(folder: &Path, path: &ContextPath) -> std::io::Result<bool> {
    Ok(Overlay::new(vec![folder.to_owned()]).find(path)?.is_some())
}
