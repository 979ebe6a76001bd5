//! A Kubefile and a folder → an image, staged.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::closure::Base as ClosureBase;
use crate::disk::{CopyRules, Dir, Owner, Sharing};
use crate::image::model::{Commands, Image, ImageConfig, Layer, LayerKind};
use crate::image::{ContainerImage, Merged, check_registry_tree, write_registry_tree};
use crate::kubefile::{Base, Instruction, Kubefile, MAX_LAYERS};
use crate::plan::registry_path;
use crate::store::StagedFolder;
use crate::supply::{Need, Supply};
use crate::transport::Login;
use crate::words::{
    ContextPath, Digest, Epoch, Event, Failure, FailureKind, ImageRef, Observer, Platform, SealerName, Span,
};

use super::closed::Closure;
use super::copy::copy;
use super::images::{AUTH_LIST, Helm, Search, Wanted, Wants, private_images};
use super::{BuildFailure, BuildPlace, Workspace, WorkspaceError};

/// What is built.
pub struct BuildRequest<'a> {
    /// The image's name.
    pub name: &'a SealerName,
    /// The platform.
    pub platform: &'a Platform,
    /// How the cluster calls the image's own registry: what is asked of it must be in the image.
    pub cluster_registry: &'a str,
    /// The folder that COPY takes from.
    pub context: &'a Dir,
    /// The Kubefile, understood.
    pub kubefile: &'a Kubefile,
    /// Annotations besides the Clusterfile.
    pub annotations: BTreeMap<String, String>,
    /// Images that somebody needs although no manifest asks for them.
    pub needed: &'a [ImageRef],
    /// The images that files of the context were taken from.
    pub taken_from: &'a [ClosureBase],
}

/// What was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// The image's document.
    pub image: Image,
    /// The container images in its registry that this build asked for.
    pub cached: Vec<CachedImage>,
}

/// A container image that is whole in an image's registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedImage {
    /// The complete reference.
    pub reference: ImageRef,
    /// The digest that its tag stands for.
    pub digest: Digest,
}

/// The lite builder.
pub struct Builder<'a> {
    /// Container images and base images from outside.
    pub supply: &'a Supply,
    /// Who listens.
    pub observer: &'a dyn Observer,
    /// Whether layers share unchanged files with the context.
    pub sharing: Sharing,
    /// The time that what we make carries.
    pub epoch: Epoch,
}

/// An image while it grows.
struct Growing<'r> {
    request: &'r BuildRequest<'r>,
    base: Option<Image>,
    /// The base by name and layers.
    base_layers: Option<ClosureBase>,
    layers: Vec<Layer>,
    merged: Merged,
    /// The layers of this build alone: only their images are searched.
    new: Merged,
    commands: Vec<String>,
}

impl Builder<'_> {
    /// Builds an image and adds it to the workspace, or says everything that stands in the way.
    pub fn build(&self, request: &BuildRequest<'_>, workspace: &mut Workspace<'_>) -> Result<Built, Vec<BuildFailure>> {
        let one = |failure| vec![failure];
        let unsupported = request.kubefile.instructions.iter().filter_map(|(span, instruction)| {
            let message = instruction.unsupported()?;
            Some(BuildFailure::at_instruction(*span, FailureKind::Invalid, message))
        });
        let unsupported: Vec<BuildFailure> = unsupported.collect();
        if !unsupported.is_empty() {
            return Err(unsupported);
        }
        // First, as whoever lacks a login should hear it before anything is done.
        let private = private_images(request.context)?;
        self.pull(&private, request.platform)?;
        let mut growing = self.start(request, workspace).map_err(one)?;
        for (span, instruction) in &request.kubefile.instructions {
            match instruction {
                Instruction::Copy { source, destination, value } => {
                    let folder = workspace.folder().map_err(|error| one(staging(*span, &error)))?;
                    let rules = CopyRules { sharing: self.sharing, owner: Owner::Root };
                    let left_out =
                        copy(request.context, source, destination, folder.dir(), request.platform, rules, self.epoch)
                            .map_err(|error| {
                            let mut failed = BuildFailure::instruction(*span, error.kind(), &error);
                            failed.failure.help.extend(error.help());
                            one(failed)
                        })?;
                    if left_out {
                        let message = format!(
                            "COPY {value}: {AUTH_LIST} holds passwords and was left out of the layer; \
                             its images are cached all the same"
                        );
                        self.observer.event(Event::Warning { message });
                    }
                    growing.add(workspace, folder, *span, LayerKind::Copy, value).map_err(one)?;
                }
                Instruction::Cmd { value } => growing.commands.push(value.clone()),
                // Refused above.
                Instruction::Run { .. } | Instruction::Arg { .. } => {}
            }
        }
        let cached = self.cache_images(&private, &mut growing, workspace)?;
        let image = growing.finish();
        workspace.add(image.clone());
        Ok(Built { image, cached })
    }

    fn start<'r>(
        &self,
        request: &'r BuildRequest<'r>,
        workspace: &mut Workspace<'_>,
    ) -> Result<Growing<'r>, BuildFailure> {
        let span = request.kubefile.base_span;
        let base = match &request.kubefile.base {
            Base::Scratch => None,
            Base::Image(name) => Some(
                self.base(name, request.platform, workspace)
                    .map_err(|failure| BuildFailure { at: BuildPlace::Kubefile(span), failure })?,
            ),
        };
        let (layers, merged) = match &base {
            Some(base) => (base.layers.clone(), workspace.merged(base).map_err(|error| staging(span, &error))?),
            None => (Vec::new(), Merged::default()),
        };
        let base_layers = base.as_ref().map(|base| ClosureBase { name: base.name.familiar(), layers: merged.clone() });
        Ok(Growing { request, base, base_layers, layers, merged, new: Merged::default(), commands: Vec::new() })
    }

    /// An image of this run, of the store, or pulled.
    pub fn base(
        &self,
        name: &SealerName,
        platform: &Platform,
        workspace: &mut Workspace<'_>,
    ) -> Result<Image, Failure> {
        let failed = |error: &WorkspaceError| Failure::from_error(error.kind(), error);
        if let Some(image) = workspace.find(name, platform).map_err(|error| failed(&error))? {
            return Ok(image);
        }
        let pulled = self.supply.image(name.reference(), platform)?;
        workspace.import(name, &pulled, self.supply.cache(), self.observer).map_err(|error| failed(&error))
    }

    /// Pulls what the new layers ask for and makes a layer of what no lower one holds.
    fn cache_images(
        &self,
        private: &[Wanted],
        growing: &mut Growing<'_>,
        workspace: &mut Workspace<'_>,
    ) -> Result<Vec<CachedImage>, Vec<BuildFailure>> {
        let scratch = workspace.folder().map_err(|error| vec![BuildFailure::whole(error.kind(), &error)])?;
        let search = Search {
            private,
            new: &growing.new,
            all: &growing.merged,
            own_registry: growing.request.cluster_registry,
            helm: &Helm::on_path(std::env::var_os("PATH").as_deref()),
            scratch: scratch.path(),
            observer: self.observer,
        };
        let (wants, mut failures) = search.run();
        drop(scratch);
        let cached = match self.cache(&wants, growing, workspace) {
            Ok(cached) => cached,
            Err(more) => {
                failures.extend(more);
                Vec::new()
            }
        };
        let closure = Closure {
            request: growing.request,
            base: growing.base_layers.as_ref(),
            layers: &growing.merged,
            wants: &wants,
            has_failed: !failures.is_empty(),
        };
        failures.extend(closure.check(self.observer));
        if failures.is_empty() { Ok(cached) } else { Err(failures) }
    }

    /// Pulls images, all at once, or says of all that cannot be had who asks for them.
    fn pull(&self, wanted: &[Wanted], platform: &Platform) -> Result<Vec<ContainerImage>, Vec<BuildFailure>> {
        let as_user = wanted.iter().filter(|wanted| wanted.login.is_none());
        let needs: Vec<Need> = as_user.map(|wanted| Need::Image(wanted.image.clone(), platform.clone())).collect();
        self.supply.get_all(&needs);
        let with_login: Vec<(ImageRef, Login)> =
            wanted.iter().filter_map(|wanted| Some((wanted.image.clone(), wanted.login.clone()?))).collect();
        let mut with_login = self.supply.images_as(&with_login, platform).into_iter();
        let mut pulled = Vec::new();
        let mut failures = Vec::new();
        for Wanted { image, origin, login } in wanted {
            let answer = login.as_ref().and_then(|_| with_login.next());
            match answer.unwrap_or_else(|| self.supply.image(image, platform)) {
                Ok(whole) => pulled.push(whole.as_ref().clone()),
                Err(failure) => {
                    let failure = failure.with_help(format!("{origin} asks for it"));
                    failures.push(BuildFailure { at: BuildPlace::Image(image.clone()), failure });
                }
            }
        }
        if failures.is_empty() { Ok(pulled) } else { Err(failures) }
    }

    fn cache(
        &self,
        wants: &Wants,
        growing: &mut Growing<'_>,
        workspace: &mut Workspace<'_>,
    ) -> Result<Vec<CachedImage>, Vec<BuildFailure>> {
        if wants.outside.is_empty() && wants.metadata.is_none() {
            return Ok(Vec::new());
        }
        let pulled = self.pull(&wants.outside, growing.request.platform)?;
        let mut failures = Vec::new();
        let whole = |kind, error: &(dyn std::error::Error + 'static)| vec![BuildFailure::whole(kind, error)];
        let folder = workspace.folder().map_err(|error| whole(error.kind(), &error))?;
        let lower = growing.merged.clone();
        let lower = |path: &ContextPath| lower.find(path).ok().flatten();
        write_registry_tree(&pulled, self.supply.cache(), &lower, folder.path(), self.epoch)
            .map_err(|error| whole(error.kind(), &error))?;
        if let Some(metadata) = &wants.metadata {
            metadata.write(folder.dir(), self.epoch).map_err(|error| whole(error.kind(), &error))?;
        }
        if let Some((id, path)) = workspace.keep_layer(folder).map_err(|error| whole(error.kind(), &error))? {
            // The same layer twice can neither be pushed nor mounted; whether the lower one does is checked below.
            if !growing.layers.iter().any(|layer| layer.id == Some(id)) {
                growing.push(path, Layer { id: Some(id), kind: LayerKind::Base, value: "registry cache".to_owned() });
            }
        }
        for image in &pulled {
            let there = |path: &ContextPath| growing.merged.find(path).ok().flatten();
            let missing = check_registry_tree(image, &there).map_err(|error| whole(error.kind(), &error))?;
            for missing in missing {
                let message = format!("`{}` is not whole in the image: {missing}", image.reference);
                let failure = Failure::new(FailureKind::Verification, message);
                failures.push(BuildFailure { at: BuildPlace::Image(image.reference.clone()), failure });
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        let mut cached: Vec<CachedImage> = pulled
            .iter()
            .map(|image| CachedImage { reference: image.reference.clone(), digest: image.root().digest })
            .collect();
        cached.sort_by_key(|cached| registry_path(&cached.reference));
        Ok(cached)
    }
}

impl Growing<'_> {
    fn push(&mut self, folder: PathBuf, layer: Layer) {
        self.merged.push(folder.clone());
        self.new.push(folder);
        self.layers.push(layer);
    }

    fn add(
        &mut self,
        workspace: &mut Workspace<'_>,
        folder: StagedFolder,
        span: Span,
        kind: LayerKind,
        value: &str,
    ) -> Result<(), BuildFailure> {
        let Some((id, path)) = workspace.keep_layer(folder).map_err(|error| staging(span, &error))? else {
            return Ok(());
        };
        // The same layer twice can neither be pushed nor mounted. Twice in a row it is the same as once.
        let content: Vec<&Digest> = self.layers.iter().filter_map(|layer| layer.id.as_ref()).collect();
        if content.last() == Some(&&id) {
            return Ok(());
        }
        if let Some(index) = content.iter().position(|known| **known == id) {
            let message =
                format!("this makes the very layer that the image has already as its layer {index}, counted from 0");
            return Err(BuildFailure::at_instruction(span, FailureKind::Failed, message));
        }
        if content.len() >= MAX_LAYERS {
            let message = format!("the image would have more than {MAX_LAYERS} layers");
            return Err(BuildFailure::at_instruction(span, FailureKind::Failed, message));
        }
        self.push(path, Layer { id: Some(id), kind, value: value.to_owned() });
        Ok(())
    }

    fn finish(self) -> Image {
        let mut config = ImageConfig::default();
        if let Some(base) = &self.base {
            config.args.parent.clone_from(&base.config.args.parent);
            config.args.parent.extend(base.config.args.current.clone());
            config.cmd.parent = inherited(&base.config.cmd);
        }
        config.cmd.current = self.commands;
        let request = self.request;
        Image::new(request.name, request.platform.clone(), self.layers, config, request.annotations.clone())
    }
}

/// What an image has from its base: the base's parent and current commands, each once.
fn inherited(base: &Commands) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    for command in base.parent.iter().chain(&base.current) {
        if !commands.contains(command) {
            commands.push(command.clone());
        }
    }
    commands
}

fn staging(span: Span, error: &WorkspaceError) -> BuildFailure {
    BuildFailure::instruction(span, error.kind(), error)
}
