//! An image while it is built.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::closure::Base;
use crate::image::model::{Commands, Image, ImageConfig, Layer, LayerKind};
use crate::kubefile::MAX_LAYERS;
use crate::rootfs::Overlay;
use crate::store::StagedFolder;
use crate::types::{Digest, Failure, FailureKind, Span};

use super::{BuildFailure, BuildRequest, Workspace};

/// An image while it grows.
pub(super) struct Growing<'r> {
    pub(super) request: &'r BuildRequest<'r>,
    base: Option<Image>,
    /// The base by name and layers.
    pub(super) base_layers: Option<Base>,
    /// The layers that the image will have: without the base's layers if it does not keep them.
    layers: Vec<Layer>,
    /// The root file system so far, the base's part always included.
    pub(super) merged: Overlay,
    /// The layers of this build alone: only their images are searched.
    pub(super) new: Overlay,
    pub(super) commands: Vec<String>,
    /// The arguments with the values that hold for this build.
    pub(super) args: BTreeMap<String, String>,
}

impl<'r> Growing<'r> {
    /// Only the base, or nothing.
    pub(super) fn start(
        request: &'r BuildRequest<'r>,
        base: Option<Image>,
        args: BTreeMap<String, String>,
        workspace: &Workspace<'_>,
    ) -> Result<Self, BuildFailure> {
        let (mut layers, mut merged) = (Vec::new(), Overlay::default());
        if let Some(base) = &base {
            let failed = |error| BuildFailure::instruction(request.kubefile.base_span, error);
            merged = workspace.merged(base).map_err(failed)?;
            if request.keep_base {
                layers.clone_from(&base.layers);
            }
        }
        let base_layers = base.as_ref().map(|base| Base { name: base.name.familiar(), layers: merged.clone() });
        let growing =
            Self { request, base, base_layers, layers, merged, new: Overlay::default(), commands: Vec::new(), args };
        growing.check_depth()?;
        Ok(growing)
    }

    /// Sealer counts before it builds, and counts every instruction that may make a layer.
    fn check_depth(&self) -> Result<(), BuildFailure> {
        let below = self.base.as_ref().map_or(0, |base| base.layer_ids().count());
        let makers = self.request.kubefile.instructions.iter().filter(|(_, instruction)| instruction.makes_layer());
        let count = below + makers.clone().count();
        if count <= MAX_LAYERS {
            return Ok(());
        }
        let first_too_many = makers.clone().nth(MAX_LAYERS.saturating_sub(below));
        let span = first_too_many.map_or(self.request.kubefile.base_span, |(span, _)| *span);
        let message = format!(
            "the image would have {count} layers, {below} from its base and {} from COPY and RUN; the limit is \
             {MAX_LAYERS}",
            count - below
        );
        Err(BuildFailure::instruction(span, Failure::new(FailureKind::Invalid, message)))
    }

    /// The root file system whose registry contents need not be stored again: all of it. For an image without its base
    /// it is only the image's own part, because such an image must be complete on any base.
    pub(super) fn own(&self) -> &Overlay {
        if self.request.keep_base { &self.merged } else { &self.new }
    }

    /// Whether the image has a layer already.
    pub(super) fn has(&self, id: Digest) -> bool {
        self.layers.iter().any(|layer| layer.id == Some(id))
    }

    /// One more layer on top.
    pub(super) fn push(&mut self, folder: PathBuf, layer: Layer) {
        self.merged.push(folder.clone());
        self.new.push(folder);
        self.layers.push(layer);
    }

    /// Adds the result of an instruction as a layer, unless it is empty.
    pub(super) fn add(
        &mut self,
        workspace: &mut Workspace<'_>,
        folder: StagedFolder,
        span: Span,
        kind: LayerKind,
        value: &str,
    ) -> Result<(), BuildFailure> {
        let kept = workspace.keep_layer(folder);
        let Some((id, path)) = kept.map_err(|error| BuildFailure::instruction(span, error))? else {
            return Ok(());
        };
        // The same layer twice can neither be pushed nor mounted. Twice in a row it is the same as once.
        let content: Vec<&Digest> = self.layers.iter().filter_map(|layer| layer.id.as_ref()).collect();
        if content.last() == Some(&&id) {
            return Ok(());
        }
        if let Some(index) = content.iter().position(|known| **known == id) {
            let message =
                format!("this makes the same layer that the image already has as layer {index}, counted from 0");
            return Err(BuildFailure::instruction(span, Failure::new(FailureKind::Failed, message)));
        }
        self.push(path, Layer { id: Some(id), kind, value: value.to_owned() });
        Ok(())
    }

    /// The image's document.
    pub(super) fn finish(self) -> Image {
        let mut config = ImageConfig::default();
        config.args.current = self.args;
        config.cmd.current = self.commands;
        match &self.base {
            Some(base) if self.request.keep_base => {
                config.args.parent.clone_from(&base.config.args.parent);
                config.args.parent.extend(base.config.args.current.clone());
                config.cmd.parent = inherited(&base.config.cmd);
            }
            Some(_) | None => {}
        }
        if !self.request.keep_base {
            config.image_type = Some(APPLICATION.to_owned());
        }
        let request = self.request;
        Image::new(request.name, request.platform.clone(), self.layers, config, request.annotations.clone())
    }
}

/// The type of an image without its base.
const APPLICATION: &str = "application";

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
