//! A Kubefile and a folder → an image, staged.

use crate::disk::{CopyRules, Dir, Owner, Sharing};
use crate::image::ContainerImage;
use crate::image::model::{Image, Layer, LayerKind};
use crate::kubefile::{Base, CopyDestination, CopySource, Instruction};
use crate::rootfs::{RegistryStorage, write_registry_tree};
use crate::sources::{LikelyImage, Need, Sources};
use crate::transport::Login;
use crate::types::{BaseSource, Epoch, Event, Failure, FailureKind, ImageSource, Observer, Platform, registry_path};

use super::closed::Closure;
use super::copy::copy;
use super::growing::Growing;
use super::images::{AUTH_LIST, Helm, HelmProgram, Search, Wanted, Wants, private_images};
use super::request::{BuildRequest, Built, CachedImage};
use super::run::{obstacle, run};
use super::{BuildFailure, BuildPlace, Workspace, args, remote};

/// The lite builder.
pub(crate) struct Builder<'a> {
    /// Container images and base images from outside.
    pub sources: &'a Sources,
    /// Receives the events.
    pub observer: &'a dyn Observer,
    /// Whether layers share unchanged files with the context.
    pub sharing: Sharing,
    /// The time that what we make carries.
    pub epoch: Epoch,
}

impl Builder<'_> {
    /// Builds an image and adds it to the workspace, or returns everything that failed.
    pub(crate) fn build(
        &self,
        request: &BuildRequest<'_>,
        workspace: &mut Workspace<'_>,
    ) -> Result<Built, Vec<BuildFailure>> {
        let args = args::effective(request.kubefile, &request.args)?;
        // First, so that a missing login is reported before any work is done.
        let private = private_images(request.context)?;
        self.pull(&private, request.platform)?;
        let base = self.inputs(request, workspace)?;
        let mut growing = Growing::start(request, base, args, workspace)?;
        for (span, instruction) in &request.kubefile.instructions {
            match instruction {
                Instruction::Copy { source, destination, value } => {
                    let folder = workspace.folder().map_err(|error| BuildFailure::instruction(*span, error))?;
                    self.copy(request, source, destination, folder.dir(), value)
                        .map_err(|failure| BuildFailure::instruction(*span, failure))?;
                    growing.add(workspace, folder, *span, LayerKind::Copy, value)?;
                }
                Instruction::Run { value } => {
                    let folder = run(value, &growing.args, growing.merged.layers(), workspace, self.observer)
                        .map_err(|failure| BuildFailure::instruction(*span, failure))?;
                    growing.add(workspace, folder, *span, LayerKind::Run, value)?;
                }
                Instruction::Cmd { value } => growing.commands.push(value.clone()),
                // All of them are set from the start.
                Instruction::Arg { .. } => {}
            }
        }
        let (cached, helm) = self.cache_images(&private, &mut growing, workspace)?;
        let image = growing.finish();
        workspace.add(image.clone());
        Ok(Built { image, cached, helm })
    }

    /// Fetches all external inputs of the Kubefile in parallel, and returns the base.
    fn inputs(
        &self,
        request: &BuildRequest<'_>,
        workspace: &mut Workspace<'_>,
    ) -> Result<Option<Image>, Vec<BuildFailure>> {
        let here = |(span, failure)| BuildFailure { at: BuildPlace::Kubefile(span), failure };
        // Fetching cannot help here.
        if let Some(obstacle) = obstacle(request.kubefile) {
            return Err(vec![here(obstacle)]);
        }
        let mut failures: Vec<BuildFailure> = Vec::new();
        let files = remote::needs(request.kubefile, request.platform);
        let needs: Vec<Need> = files.iter().map(|(_, need)| need.clone()).collect();
        for (needed, failure) in self.sources.get_all(&needs) {
            let at_each = files.iter().filter(|(_, need)| *need == needed);
            let new = at_each.map(|(span, _)| here((*span, failure.clone()))).filter(|new| !failures.contains(new));
            failures.extend(new.collect::<Vec<_>>());
        }
        let span = request.kubefile.base_span;
        let base = match &request.kubefile.base {
            Base::Scratch => Ok(None),
            Base::Image(name) => self.whole_base(name, request.platform, workspace).map(Some),
        };
        match base {
            Ok(base) if failures.is_empty() => Ok(base),
            Ok(_) => Err(failures),
            Err(failure) => {
                failures.push(here((span, failure)));
                Err(failures)
            }
        }
    }

    /// A base to build on, with all its layers checked.
    fn whole_base(
        &self,
        source: &BaseSource,
        platform: &Platform,
        workspace: &mut Workspace<'_>,
    ) -> Result<Image, Failure> {
        let image = self.base(source, platform, workspace)?;
        for message in workspace.check_base(&image)? {
            self.observer.event(Event::Warning { message });
        }
        Ok(image)
    }

    pub(super) fn copy(
        &self,
        request: &BuildRequest<'_>,
        source: &CopySource,
        destination: &CopyDestination,
        layer: &Dir,
        value: &str,
    ) -> Result<(), Failure> {
        let pattern = match source {
            CopySource::Remote(file) => {
                return remote::fetch(file, destination, layer, request.platform, self.sources, self.epoch);
            }
            CopySource::Context(pattern) => pattern,
        };
        let rules = CopyRules { sharing: self.sharing, owner: Owner::Root };
        let pattern = pattern.for_architecture(request.platform.architecture());
        if copy(request.context, &pattern, destination, layer, rules, self.epoch)? {
            let message = format!(
                "COPY {value}: {AUTH_LIST} has passwords, so it is not in the layer; its images are still cached"
            );
            self.observer.event(Event::Warning { message });
        }
        Ok(())
    }

    /// An image of this run, of the store, or pulled; or one of the Docker engine, converted to a base.
    pub(crate) fn base(
        &self,
        source: &BaseSource,
        platform: &Platform,
        workspace: &mut Workspace<'_>,
    ) -> Result<Image, Failure> {
        let name = match source {
            BaseSource::Sealer(name) => name,
            BaseSource::Engine(_) => {
                let pulled = self.sources.image(&source.image(), platform)?;
                return Ok(workspace.import_container(&pulled, self.sources.cache(), self.observer)?);
            }
        };
        if let Some(made) = workspace.made(name, platform) {
            return Ok(made.clone());
        }
        if let Some(image) = workspace.find(name, platform)? {
            workspace.settle(name, platform, &image, None)?;
            workspace.hold(&image)?;
            return Ok(image);
        }
        let pulled = self.sources.image(&source.image(), platform)?;
        let image = if let Some(other) = workspace.displaced(name, platform)? {
            let message = format!(
                "the store has `{}` for {platform} as {}, which is not the locked one: the build pulls and uses the \
                 locked one, and the store keeps its own",
                name.familiar(),
                other.id.map(|id| id.to_string()).unwrap_or_default()
            );
            self.observer.event(Event::Warning { message });
            workspace.borrow(name, &pulled, self.sources.cache(), self.observer)?
        } else {
            workspace.import(name, &pulled, self.sources.cache(), self.observer)?
        };
        workspace.settle(name, platform, &image, Some(pulled.root().digest))?;
        Ok(image)
    }

    /// Pulls the images that the new layers ask for, and makes a layer of the parts that no lower layer has. Returns
    /// the pulled images and the helm that was used.
    fn cache_images(
        &self,
        private: &[Wanted],
        growing: &mut Growing<'_>,
        workspace: &mut Workspace<'_>,
    ) -> Result<(Vec<CachedImage>, Option<HelmProgram>), Vec<BuildFailure>> {
        let scratch = workspace.folder().map_err(BuildFailure::whole)?;
        let search = Search {
            private,
            new: &growing.new,
            all: &growing.merged,
            own_registry: growing.request.cluster_registry,
            ignore: growing.request.ignore,
            helm: &Helm::on_path(std::env::var_os("PATH").as_deref()),
            scratch: scratch.path(),
        };
        let (mut wants, mut failures) = search.run();
        for doubt in &wants.doubts {
            self.observer.event(Event::Warning { message: doubt.to_string() });
        }
        drop(scratch);
        failures.extend(self.leave_out_refused(&mut wants, growing.request.platform));
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
        if failures.is_empty() { Ok((cached, wants.helm)) } else { Err(failures) }
    }

    /// Leaves out, with a warning, strings that only look like an image and that their registry refuses; no two of the
    /// rest may get the same path.
    fn leave_out_refused(&self, wants: &mut Wants, platform: &Platform) -> Vec<BuildFailure> {
        let is_asked_for = |wanted: &&Wanted| {
            wanted.login.is_none() && !(wanted.is_likely && self.sources.is_refused(&wanted.image, platform))
        };
        let asked_for = wants.outside.iter().filter(is_asked_for);
        let needs: Vec<Need> = asked_for.map(|wanted| Need::Image(wanted.image.clone(), platform.clone())).collect();
        self.sources.get_all(&needs);
        let left_out = &mut wants.left_out;
        wants.outside.retain(|Wanted { image, origin, is_likely, login }| {
            if !is_likely || login.is_some() {
                return true;
            }
            let LikelyImage::Refused { why, is_news } = self.sources.likely_image(image, platform) else { return true };
            if is_news {
                let message = format!(
                    "{origin}: `{image}` looks like an image, but {why}, so it is not cached; if it is an image, list it"
                );
                self.observer.event(Event::Warning { message });
            }
            left_out.insert(image.reference().clone());
            false
        });
        wants.collisions()
    }

    /// Pulls images in parallel, or says for each one that failed which file asks for it.
    fn pull(
        &self,
        wanted: &[Wanted],
        platform: &Platform,
    ) -> Result<Vec<(ContainerImage, ImageSource)>, Vec<BuildFailure>> {
        let as_user = wanted.iter().filter(|wanted| wanted.login.is_none());
        let needs: Vec<Need> = as_user.map(|wanted| Need::Image(wanted.image.clone(), platform.clone())).collect();
        self.sources.get_all(&needs);
        let with_login: Vec<(_, Login)> = wanted
            .iter()
            .filter_map(|wanted| Some((wanted.image.reference().clone(), wanted.login.clone()?)))
            .collect();
        let mut with_login = self.sources.images_as(&with_login, platform).into_iter();
        let mut pulled = Vec::new();
        let mut failures = Vec::new();
        for Wanted { image, origin, is_likely, login } in wanted {
            let answer = match login.as_ref().and_then(|_| with_login.next()) {
                Some(answer) => answer,
                None if *is_likely => match self.sources.likely_image(image, platform) {
                    LikelyImage::Image(whole) => Ok(whole),
                    LikelyImage::Failed(failure) => Err(failure),
                    LikelyImage::Refused { .. } => continue,
                },
                None => self.sources.image(image, platform),
            };
            match answer {
                Ok(whole) => pulled.push((whole.as_ref().clone(), image.clone())),
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
        let folder = workspace.folder().map_err(BuildFailure::whole)?;
        let images: Vec<ContainerImage> = pulled.iter().map(|(image, _)| image.clone()).collect();
        write_registry_tree(&images, self.sources.cache(), growing.own(), folder.path(), self.epoch)
            .map_err(BuildFailure::whole)?;
        if let Some(metadata) = &wants.metadata {
            metadata.write(folder.dir(), self.epoch).map_err(BuildFailure::whole)?;
        }
        if let Some((id, path)) = workspace.keep_layer(folder).map_err(BuildFailure::whole)? {
            // The same layer twice can neither be pushed nor mounted; whether the lower one is enough is checked below.
            if !growing.has(id) {
                growing.push(path, Layer { id: Some(id), kind: LayerKind::Base, value: "registry cache".to_owned() });
            }
        }
        for (image, source) in &pulled {
            let missing = RegistryStorage::new(growing.own()).missing(image);
            for missing in missing.map_err(BuildFailure::whole)? {
                let message = format!("`{source}` is not whole in the image: {missing}");
                let failure = Failure::new(FailureKind::Verification, message);
                failures.push(BuildFailure { at: BuildPlace::Image(source.clone()), failure });
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        let mut cached: Vec<CachedImage> = pulled
            .iter()
            .map(|(image, source)| CachedImage { reference: source.clone(), digest: image.root().digest })
            .collect();
        cached.sort_by_key(|cached| registry_path(cached.reference.reference()));
        Ok(cached)
    }
}
