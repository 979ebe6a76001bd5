//! Predicts a build of a context without external inputs.

use std::path::PathBuf;

use crate::kubefile::{CopySource, Instruction};
use crate::rootfs::Overlay;
use crate::types::{Event, ImageSource};

use super::images::{Helm, Search, private_images};
use super::{BuildFailure, BuildPlace, BuildRequest, Builder, Origin, Workspace};

/// The predicted result of a build, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Foreseen {
    /// The layer of each instruction of the Kubefile.
    pub layers: Vec<ForeseenLayer>,
    /// The container images that the known layers ask for, each with the place that asks.
    pub images: Vec<(ImageSource, Origin)>,
    /// The failures that the build will meet.
    pub failures: Vec<BuildFailure>,
}

/// The layer that an instruction makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ForeseenLayer {
    /// None.
    None,
    /// A layer with the files of this folder, which is removed with the workspace.
    Files(PathBuf),
    /// It fails; the failures say why.
    Fails,
    /// It copies a file that is not available yet.
    Fetched,
    /// The result of a command is only known after it ran.
    Run,
}

impl Builder<'_> {
    /// Executes the COPYs of a Kubefile and searches the result for images. Only `helm` is run, to render charts; files
    /// that the sources do not have are missing.
    pub(crate) fn foresee(&self, request: &BuildRequest<'_>, base: &Overlay, workspace: &Workspace<'_>) -> Foreseen {
        let mut foreseen = Foreseen::default();
        let mut new = Overlay::default();
        for (span, instruction) in &request.kubefile.instructions {
            let at = BuildPlace::Kubefile(*span);
            let layer = match instruction {
                Instruction::Copy { source: CopySource::Remote(file), .. }
                    if file
                        .url(request.platform.architecture())
                        .is_ok_and(|url| self.sources.file(&url, None).is_err()) =>
                {
                    ForeseenLayer::Fetched
                }
                Instruction::Copy { source, destination, value } => match workspace.folder() {
                    Ok(folder) => match self.copy(request, source, destination, folder.dir(), value) {
                        Ok(()) => {
                            new.push(folder.path().to_owned());
                            ForeseenLayer::Files(folder.path().to_owned())
                        }
                        Err(failure) => {
                            foreseen.failures.push(BuildFailure { at, failure });
                            ForeseenLayer::Fails
                        }
                    },
                    Err(error) => {
                        foreseen.failures.push(BuildFailure::instruction(*span, error));
                        ForeseenLayer::Fails
                    }
                },
                Instruction::Run { .. } => ForeseenLayer::Run,
                Instruction::Cmd { .. } | Instruction::Arg { .. } => ForeseenLayer::None,
            };
            foreseen.layers.push(layer);
        }
        self.search(request, base, &new, workspace, &mut foreseen);
        foreseen
    }

    fn search(
        &self,
        request: &BuildRequest<'_>,
        base: &Overlay,
        new: &Overlay,
        workspace: &Workspace<'_>,
        foreseen: &mut Foreseen,
    ) {
        let private = private_images(request.context).unwrap_or_else(|failures| {
            foreseen.failures.extend(failures);
            Vec::new()
        });
        let scratch = match workspace.folder() {
            Ok(folder) => folder,
            Err(error) => return foreseen.failures.push(BuildFailure::whole(error)),
        };
        let all = Overlay::new(base.layers().iter().chain(new.layers()).cloned().collect());
        let search = Search {
            private: &private,
            new,
            all: &all,
            own_registry: request.cluster_registry,
            ignore: request.ignore,
            helm: &Helm::on_path(std::env::var_os("PATH").as_deref()),
            scratch: scratch.path(),
        };
        let (wants, failures) = search.run();
        for doubt in wants.doubts {
            self.observer.event(Event::Warning { message: doubt.to_string() });
        }
        foreseen.failures.extend(failures);
        foreseen.images = wants.outside.into_iter().map(|wanted| (wanted.image, wanted.origin)).collect();
    }
}
