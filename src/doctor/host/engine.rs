//! The engine: whether one answers, and whether it is sealer's.

use super::HostPlaces;
use super::program;
use crate::doctor::{Finding, Verdict};
use crate::process::on_path;
use crate::transport::{EngineFault, EngineInfo};

/// The end of the version of sealer's own engine.
const PATCHED: &str = "-sealer";

/// Whose engine it is; with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flavour {
    /// Sealer's own, which knows `mirror-registries`.
    Sealer(String),
    /// Docker's, which does not start with it.
    Upstream(String),
}

/// The known facts about the engine.
#[derive(Debug)]
pub(super) struct EngineState {
    /// Its answer, or why there is none.
    pub(super) about: Result<EngineInfo, EngineFault>,
    /// Whose engine this machine has: the one that answers here, else the program that is installed.
    pub(super) flavour: Option<Flavour>,
}

impl Flavour {
    pub(super) fn of(version: &str) -> Self {
        if version.ends_with(PATCHED) { Self::Sealer(version.to_owned()) } else { Self::Upstream(version.to_owned()) }
    }
}

impl EngineState {
    pub(super) fn ask(places: &HostPlaces) -> Self {
        let about = places.engine.info(places.limit);
        let here = about.as_ref().ok().filter(|_| places.engine.is_local()).map(|about| Flavour::of(&about.version));
        // The files of an engine that does not start matter most.
        let flavour = here.or_else(|| {
            let installed = on_path(places.path.as_deref()?, "dockerd").next()?;
            let said = program::ask(&installed, "--version", places.limit).ok()?;
            version(&said).map(Flavour::of)
        });
        Self { about, flavour }
    }

    /// Whether an engine answers on this machine.
    pub(super) fn is_running(&self) -> bool {
        self.about.is_ok()
    }
}

/// `19.03.14-sealer` of `Docker version 19.03.14-sealer, build 711cc111cf`.
fn version(said: &str) -> Option<&str> {
    let rest = said.lines().next()?.split_once("version ")?.1;
    rest.split([',', ' ']).next().filter(|version| !version.is_empty())
}

pub(super) fn check(places: &HostPlaces, engine: &EngineState) -> Vec<Finding> {
    let subject = places.engine.to_string();
    let finding = |verdict, found: String| Finding::new(verdict, "engine", &subject, found).for_engines();
    let found = match &engine.about {
        Ok(about) => match Flavour::of(&about.version) {
            Flavour::Sealer(version) => finding(Verdict::Good, format!("sealer's own engine, {version}, answers there")),
            Flavour::Upstream(version) => finding(
                Verdict::Warning,
                format!("the engine that answers there is version {version} and not sealer's own: what a build pulls is not cached"),
            )
            .expected("a version that ends in `-sealer`: only sealer's own engine asks `mirror-registries`")
            .remedy("build with this program, which needs no engine; or run the engine of a base image's `cri/docker.tar.gz`"),
        },
        Err(why) => silent(places, engine, why, &finding),
    };
    vec![found]
}

fn silent(
    places: &HostPlaces,
    engine: &EngineState,
    why: &EngineFault,
    finding: &dyn Fn(Verdict, String) -> Finding,
) -> Finding {
    let needs = "`docker-daemon:` in recipes needs an engine";
    let installed = match &engine.flavour {
        Some(Flavour::Sealer(version) | Flavour::Upstream(version)) => format!("; dockerd {version} is installed"),
        None => String::new(),
    };
    match why {
        EngineFault::NoSocket if engine.flavour.is_none() && !places.engine_is_named => {
            finding(Verdict::Note, "there is no engine".to_owned())
                .remedy(format!("nothing: this program builds without an engine; only {needs}"))
        }
        EngineFault::Denied => finding(Verdict::Warning, format!("cannot connect to the engine: {why}"))
            .remedy("run this as root, or as a user of the group that owns the socket, usually `docker`"),
        EngineFault::Host(_) => finding(Verdict::Warning, format!("cannot connect to the engine: {why}"))
            .remedy("set DOCKER_HOST to `unix:///PATH` or `tcp://HOST:PORT`, or unset it for the usual socket"),
        EngineFault::Answer { .. } | EngineFault::Broken(_) | EngineFault::Strange(_) => {
            let found = if matches!(why, EngineFault::Answer { .. }) {
                format!("the engine reports an error: {why}")
            } else {
                format!("the answer there is not that of a known Docker engine: {why}")
            };
            finding(Verdict::Warning, found)
                .remedy("look at the engine's log, `journalctl -u docker`, or set DOCKER_HOST to where it listens")
        }
        EngineFault::NoSocket | EngineFault::Unreachable(_) => {
            finding(Verdict::Warning, format!("no engine answers there: {why}{installed}"))
                .remedy(format!("start it, `systemctl start docker`, or set DOCKER_HOST to where it listens; {needs}"))
        }
    }
}
