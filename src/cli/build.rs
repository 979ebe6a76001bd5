//! `sealer build`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::build::{BuildFailure, BuildPlace, BuildRequest, Builder, ImageReport, Workspace};
use crate::disk::{Dir, Sharing};
use crate::kubefile::{self, Kubefile};
use crate::plan::DEFAULT_CLUSTER_REGISTRY;
use crate::store::Store;
use crate::types::{Failure, Platform, SealerName, Source};

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};
use super::recipe::{epoch, read_source};
use super::sources::{Settings, sources};

#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// The folder that COPY takes from
    #[arg(value_name = "DIR")]
    context: PathBuf,
    /// The image's name
    #[arg(short = 't', long = "imageName", value_name = "NAME")]
    tag: SealerName,
    /// The Kubefile, looked up in the current folder, then in DIR
    #[arg(short = 'f', long = "kubefile", default_value = "Kubefile", value_name = "FILE")]
    kubefile: PathBuf,
    /// The type of build
    #[arg(short = 'm', long, value_enum, default_value = "lite", value_name = "MODE")]
    mode: Mode,
    /// The platform [default: this machine's]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// Give an ARG of the Kubefile another value; separate several with commas, or repeat the option
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    overrides: Vec<String>,
    /// Has no effect: builds never reuse earlier ones
    #[arg(long)]
    no_cache: bool,
    /// Do not cache images whose complete reference matches this glob, such as `argoproj.io/**`; may be repeated
    #[arg(long = "ignore-image", value_name = "GLOB", value_parser = glob)]
    ignored: Vec<String>,
    /// Fail if a manifest has a string that looks like an image, but its registry refuses it
    #[arg(long)]
    strict: bool,
    /// Whether the image includes its base's layers; `--base=false` makes an application image without them
    #[arg(
        long,
        value_name = "BOOL",
        action = clap::ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true
    )]
    base: bool,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Without a cluster and without an engine.
    Lite,
}

pub(super) fn run(args: &BuildArgs, globals: &Globals) -> Result<(), Failed> {
    let Mode::Lite = args.mode;
    if let Some(digest) = args.tag.reference().digest() {
        return Err(Failed::Usage(format!("a new image cannot be named by a digest: `@{digest}`")));
    }
    let build_args = parse_build_args(&args.overrides)?;
    let (source, kubefile) = read_kubefile(args)?;
    let observer = globals.observer();
    let cache = globals.cache()?;
    let mirrors = globals.url_mirrors();
    let settings = Settings { cache: &cache, registries_conf: None, url_mirrors: &mirrors };
    let sources = sources(&settings, &observer)?.strict(args.strict);
    let store = Store::open(&globals.root()?);
    let context = Dir::open(&args.context)?;
    let mut workspace = Workspace::new(&store)?;
    let platform = args.platform.clone().unwrap_or_else(Platform::host);
    let builder = Builder { sources: &sources, observer: observer.as_ref(), sharing: Sharing::Copy, epoch: epoch()? };
    let request = BuildRequest {
        name: &args.tag,
        platform: &platform,
        cluster_registry: DEFAULT_CLUSTER_REGISTRY,
        context: &context,
        kubefile: &kubefile,
        args: build_args,
        keep_base: args.base,
        annotations: BTreeMap::new(),
        needed: &[],
        ignore: &args.ignored,
        taken_from: &[],
    };
    let built = builder.build(&request, &mut workspace).map_err(|failures| Failed::Doing {
        failures: failures.into_iter().map(|failure| placed(failure, &source)).collect(),
        source: Some(source.clone()),
    })?;
    let report = ImageReport::new(&built, &workspace)?;
    workspace.commit()?;
    match args.output {
        OutputForm::Json => output::json(&report),
        OutputForm::Text => output::data(&output::image(&report)),
    }
}

fn glob(text: &str) -> Result<String, globset::Error> {
    globset::Glob::new(text).map(|_| text.to_owned())
}

/// The values for ARGs; the last one of each name is used.
fn parse_build_args(texts: &[String]) -> Result<BTreeMap<String, String>, Failed> {
    let mut given = BTreeMap::new();
    for text in texts {
        let pairs = kubefile::parse_build_args(text);
        given.extend(pairs.map_err(|error| Failed::Usage(format!("--build-arg: {error}: write `NAME=VALUE`")))?);
    }
    Ok(given)
}

fn read_kubefile(args: &BuildArgs) -> Result<(Source, Kubefile), Failed> {
    let beside = args.context.join(&args.kubefile);
    let file: &Path = if args.kubefile.exists() || !beside.exists() { &args.kubefile } else { &beside };
    let source = read_source(file)?;
    let kubefile = kubefile::parse(source.text()).map_err(|diagnostics| Failed::invalid(&source, diagnostics))?;
    Ok((source, kubefile))
}

fn placed(failed: BuildFailure, source: &Source) -> Failure {
    match failed.at {
        BuildPlace::Kubefile(span) => failed.failure.at(Some(&source.place(span))),
        BuildPlace::Image(_) | BuildPlace::File(_) | BuildPlace::Origin(_) | BuildPlace::Whole => failed.headed(),
    }
}
