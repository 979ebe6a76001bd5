//! The preview of stages.

use crate::apply::{instruction_route, layers_of, take};
use crate::build::{self, BuildPlace, BuildRequest, Builder, Foreseen, ForeseenLayer};
use crate::disk::Sharing;
use crate::image::ContainerImage;
use crate::image::model::Image;
use crate::kubefile::Base;
use crate::plan::ContextSource;
use crate::rootfs::{Overlay, RegistryStorage};
use crate::sources;
use crate::steps::Context;
use crate::types::{ContextPath, Digest, Failure, ImageSource, Platform, Route};

use super::preview_maker::Maker;
use super::snapshot::{count, entries};
use super::steps::{LOOK, Scene};
use super::{
    BuildPreview, CachedPreview, EntryPreview, Input, InputState, InstructionPreview, StagePreview, TakenLayer, Verdict,
};

impl Maker<'_> {
    /// The preview of a stage of the plan.
    pub(super) fn stage(&mut self, index: usize) -> Result<StagePreview, Failure> {
        let work = &self.plan.stages[index].work;
        let (root, scratch) = (self.workspace.folder()?, self.workspace.folder()?);
        let context = Context::new(root.dir().duplicate()?, scratch.dir().duplicate()?, self.plan.source_date_epoch);
        let (whole, paths, before) = (None, std::collections::BTreeMap::new(), None);
        let mut scene = Scene { context, whole, paths, before, is_stopped: false };
        let mut stage = StagePreview {
            stage: work.stage.clone(),
            platform: work.platform.clone(),
            image: work.image.to_string(),
            familiar: work.image.familiar(),
            context: Vec::new(),
            steps: Vec::new(),
            build: BuildPreview { base: None, instructions: Vec::new(), images: Vec::new(), later: None },
        };
        for (number, source) in work.context.iter().enumerate() {
            stage.context.push(self.entry(index, number, source, &mut scene)?);
        }
        scene.before = Some(self.snapshot(&scene.context)?);
        for number in 0..work.steps.len() {
            stage.steps.push(self.step(index, number, &mut scene)?);
        }
        stage.build = self.build(index, &scene)?;
        Ok(stage)
    }

    fn entry(
        &mut self,
        index: usize,
        number: usize,
        source: &ContextSource,
        scene: &mut Scene,
    ) -> Result<EntryPreview, Failure> {
        let (earlier, platform) = (&self.plan.stages[..index], &self.plan.stages[index].work.platform);
        let route = Route::stage().then("context").then(number);
        let mut entry = EntryPreview {
            source: source.to_string(),
            of: None,
            layers: Vec::new(),
            files: None,
            bytes: None,
            verdict: Verdict::NotReached,
        };
        let mut image: Option<Image> = None;
        if let Some(of) = source.image() {
            match self.inputs.base(of, platform, earlier) {
                Ok((input, found)) => {
                    if found.is_none() && !scene.is_stopped {
                        let when = when_there(&input);
                        scene.whole.get_or_insert_with(|| when.clone());
                        entry.verdict = Verdict::Later(when);
                        self.needed_of(&input, platform);
                    }
                    (entry.of, image) = (Some(Input { field: "of".to_owned(), ..input }), found);
                }
                Err(failure) => self.stop(index, &route.then("of"), failure, &mut entry.verdict, scene),
            }
            if image.is_none() {
                return Ok(entry);
            }
        }
        if scene.is_stopped {
            return Ok(entry);
        }
        let layers = match &image {
            Some(image) => layers_of(source, image, &self.workspace),
            None => Ok(Vec::new()),
        };
        let before = self.snapshot(&scene.context)?;
        let taken = layers.and_then(|layers| {
            take(source, &layers, &self.beside, Sharing::Outline(LOOK), &scene.context)?;
            Ok(layers)
        });
        match taken {
            Ok(layers) => {
                let ids: Vec<Digest> = image.iter().flat_map(Image::layer_ids).collect();
                let place = |id: &Digest| ids.iter().position(|other| other == id);
                let taken = layers.iter().filter_map(|(id, _)| Some(TakenLayer { index: place(id)?, id: *id }));
                entry.layers = taken.collect();
                let after = entries(scene.context.root().path());
                let after = after?;
                let new = after.iter().filter(|(path, new)| before.entries.get(*path) != Some(*new));
                let (files, bytes) = count(new.map(|(_, entry)| entry));
                (entry.files, entry.bytes) = (Some(files), Some(bytes));
                entry.verdict = Verdict::Changes(String::new());
            }
            Err((at, failure)) => self.stop(index, &route.then(at), failure, &mut entry.verdict, scene),
        }
        Ok(entry)
    }

    fn stop(&mut self, stage: usize, route: &Route, failure: Failure, verdict: &mut Verdict, scene: &mut Scene) {
        *verdict = Verdict::Fails(failure.message.clone());
        scene.is_stopped = true;
        self.problem(stage, route, failure);
    }

    /// A pulled image is unpacked in the store, so it needs at least its packed size there.
    fn needed_of(&mut self, input: &Input, platform: &Platform) {
        match input.state {
            InputState::Store { .. } | InputState::Stage { .. } => {}
            InputState::Cached
            | InputState::CachedAsLast
            | InputState::Partly
            | InputState::Absent
            | InputState::Asked
            | InputState::Engine => {
                if self.pulled.insert((input.name.clone(), platform.clone())) {
                    self.store_needs.add(input.size);
                }
            }
        }
    }

    fn build(&mut self, index: usize, scene: &Scene) -> Result<BuildPreview, Failure> {
        let route = Route::stage().then("kubefile");
        let mut preview = BuildPreview { base: None, instructions: Vec::new(), images: Vec::new(), later: None };
        let work = &self.plan.stages[index].work;
        let kubefile = &work.kubefile;
        if let Some((span, failure)) = build::obstacle(kubefile) {
            self.problem(index, &instruction_route(kubefile, span), failure);
        }
        let mut merged = Overlay::default();
        if let Base::Image(name) = &kubefile.base {
            match self.inputs.base(name, &work.platform, &self.plan.stages[..index]) {
                Ok((input, image)) => {
                    self.needed_of(&input, &work.platform);
                    preview.base = Some(input);
                    if let Some(image) = image {
                        let layers = self.workspace.merged(&image);
                        merged = layers?;
                    }
                }
                Err(failure) => self.problem(index, &route.then("from"), failure),
            }
        }
        let foreseen = if scene.is_stopped { None } else { Some(self.foresee(index, &merged, scene)?) };
        for (number, (span, _)) in kubefile.instructions.iter().enumerate() {
            let layer = foreseen.as_ref().and_then(|foreseen| foreseen.layers.get(number));
            let text = kubefile.text().get(span.start..span.end).unwrap_or_default().to_owned();
            preview.instructions.push(instruction(text, layer, scene)?);
        }
        for (span, need) in build::needs(kubefile, &work.platform) {
            let sources::Need::File(url, digest) = need else { continue };
            match self.inputs.file(&url, digest) {
                Ok(input) => {
                    let place = kubefile.instructions.iter().position(|(place, _)| *place == span);
                    if let Some(instruction) = place.and_then(|place| preview.instructions.get_mut(place)) {
                        instruction.input = Some(input);
                    }
                }
                Err(failure) => self.problem(index, &instruction_route(kubefile, span), failure),
            }
        }
        let Some(foreseen) = foreseen else {
            preview.later = Some("once the error above is fixed".to_owned());
            return Ok(preview);
        };
        preview.later = later(&foreseen, scene);
        for (image, origin) in &foreseen.images {
            let input = self.inputs.image(image, &work.platform);
            let is_in_base = is_held(&input, image, &merged, index, self);
            if !is_in_base {
                self.store_needs.add(input.size);
            }
            preview.images.push(CachedPreview { input, origin: origin.to_string(), is_in_base });
        }
        Ok(preview)
    }

    fn foresee(&mut self, index: usize, base: &Overlay, scene: &Scene) -> Result<Foreseen, Failure> {
        let work = &self.plan.stages[index].work;
        let kubefile = &work.kubefile;
        let put = scene.context.put(&"Kubefile".parse().expect("a plain word is a path"), kubefile.text().as_bytes());
        put?;
        let request = BuildRequest {
            name: &work.image,
            platform: &work.platform,
            cluster_registry: &self.plan.cluster_registry,
            context: scene.context.root(),
            kubefile,
            args: std::collections::BTreeMap::new(),
            keep_base: true,
            annotations: std::collections::BTreeMap::new(),
            needed: &[],
            ignore: &[],
            taken_from: &[],
        };
        let builder = Builder {
            sources: self.inputs.sources,
            observer: self.warnings,
            sharing: Sharing::Auto,
            epoch: self.plan.source_date_epoch,
        };
        let foreseen = builder.foresee(&request, base, &self.workspace);
        // Something that is not known yet may be what they need.
        if scene.whole.is_none() {
            for failed in &foreseen.failures {
                let route = match &failed.at {
                    BuildPlace::Kubefile(span) => instruction_route(kubefile, *span),
                    BuildPlace::Image(_) | BuildPlace::File(_) | BuildPlace::Origin(_) | BuildPlace::Whole => {
                        Route::stage().then("kubefile")
                    }
                };
                self.problem(index, &route, failed.clone().headed());
            }
        }
        Ok(foreseen)
    }
}

/// When the missing files of an image will be there.
fn when_there(input: &Input) -> String {
    match &input.state {
        InputState::Stage { stage } => format!("once stage {stage} is built"),
        InputState::Engine => format!("once the Docker engine has given {}", input.familiar),
        InputState::Store { .. }
        | InputState::Cached
        | InputState::CachedAsLast
        | InputState::Partly
        | InputState::Absent
        | InputState::Asked => format!("once {} is in the store", input.familiar),
    }
}

fn instruction(text: String, layer: Option<&ForeseenLayer>, scene: &Scene) -> Result<InstructionPreview, Failure> {
    let mut preview = InstructionPreview { text, input: None, files: None, bytes: None, later: None };
    match layer {
        Some(ForeseenLayer::Files(folder)) => {
            if let Some(when) = &scene.whole {
                preview.later = Some(when.clone());
                return Ok(preview);
            }
            let entries = entries(folder)?;
            let (files, bytes) = count(entries.values());
            preview.files = Some(files);
            let has = |path: &ContextPath| entries.keys().any(|other| other.file_name() == path.as_path().file_name());
            match scene.paths.iter().find(|(path, _)| has(path)) {
                Some((path, _)) => preview.later = Some(format!("once {path} is made")),
                None => preview.bytes = Some(bytes),
            }
        }
        Some(ForeseenLayer::Fetched) => preview.later = Some("once it is fetched".to_owned()),
        Some(ForeseenLayer::Run) => preview.later = Some("once it has run".to_owned()),
        Some(ForeseenLayer::Fails) => preview.later.clone_from(&scene.whole),
        Some(ForeseenLayer::None) | None => {}
    }
    Ok(preview)
}

/// When all images will be known, if there may be more.
fn later(foreseen: &Foreseen, scene: &Scene) -> Option<String> {
    let of_layer = |layer: &ForeseenLayer| match layer {
        ForeseenLayer::Fetched => Some("once the URLs of COPY are fetched".to_owned()),
        ForeseenLayer::Run => Some("once RUN has run".to_owned()),
        ForeseenLayer::None | ForeseenLayer::Files(_) | ForeseenLayer::Fails => None,
    };
    let may_name_images = |path: &ContextPath| {
        let name = path.file_name().unwrap_or_default();
        ![".tar", ".tar.gz", ".so", ".bin"].iter().any(|end| name.ends_with(end))
    };
    let of_path = || scene.paths.keys().find(|path| may_name_images(path)).map(|path| format!("once {path} is made"));
    scene.whole.clone().or_else(|| foreseen.layers.iter().find_map(of_layer)).or_else(of_path)
}

/// Whether the base's registry has a whole image, as far as is known; if the image is pinned, it must be the same one.
fn is_held(input: &Input, image: &ImageSource, base: &Overlay, index: usize, maker: &Maker<'_>) -> bool {
    let ImageSource::Registry(reference) = image else { return false };
    let storage = RegistryStorage::new(base);
    storage.image(reference, &maker.plan.stages[index].work.platform).is_ok_and(|held| {
        let is_it = input.digest.is_none_or(|digest| held.root().digest == digest);
        // A tag next to a digest is cached, too.
        let held = ContainerImage { reference: reference.clone(), ..held };
        is_it && storage.missing(&held).is_ok_and(|missing| missing.is_empty())
    })
}
