//! `helm template`, run on untrusted charts.
//!
//! It gets nothing from the user except PATH: home, settings, cache and plugins are empty folders, and there is no
//! cluster. It uses no network by itself; if a chart makes it use http, it gets a proxy that does not exist. Time and
//! output are limited. Its arguments only contain the chart's path and the version of Kubernetes.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde::Serialize;

use crate::process::{self, Limits, RunError, Stdin, tethered};
use crate::types::{Digest, DigestWriter, Reportable};

/// The helm of this machine, which decides the images of charts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HelmProgram {
    /// The output of `helm version --short`, if it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The sha256 of its file, if that may be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// The most bytes of a rendered chart.
const OUTPUT_LIMIT: u64 = 64 << 20;
/// The most bytes of helm's error output that are shown.
const COMPLAINT_LIMIT: u64 = 16 << 10;
/// How long helm may take for one chart.
const PATIENCE: Duration = Duration::from_mins(2);

/// The program `helm`, if there is one.
#[derive(Debug, Clone)]
pub(in crate::build) struct Helm {
    program: Option<PathBuf>,
    path: std::ffi::OsString,
    patience: Duration,
    /// Whether it ends with our process. Only the real program can ensure that, not a unit test.
    is_tethered: bool,
}

/// Why helm did not render a chart.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelmError {
    /// There is none.
    #[error("`helm`, which renders charts, is not on PATH")]
    Missing,
    /// It could not be started, or its output could not be read.
    #[error("`{}` could not be run", program.display())]
    Run { program: PathBuf, source: io::Error },
    /// It ended with a failure.
    #[error("`helm template` failed ({status}): {complaint}")]
    Failed { status: ExitStatus, complaint: String },
    /// It did not end.
    #[error("`helm template` took longer than {} s", patience.as_secs())]
    Slow { patience: Duration },
    /// Its output was too long.
    #[error("`helm template` printed more than {} MiB", OUTPUT_LIMIT >> 20)]
    Long,
}

impl Reportable for HelmError {
    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Missing => "install helm",
            Self::Run { .. } => "make sure that helm runs",
            Self::Failed { .. } | Self::Slow { .. } | Self::Long => {
                "change the chart or its values.yaml so that `helm template` renders it"
            }
        };
        Some(help.to_owned())
    }
}

/// helm, found.
pub(super) struct Found<'a> {
    program: &'a Path,
    helm: &'a Helm,
}

impl Helm {
    /// Looks for helm on `PATH`, as a shell does.
    pub(in crate::build) fn on_path(path: Option<&OsStr>) -> Self {
        let path = path.unwrap_or_default().to_owned();
        let program = process::on_path(&path, "helm").next();
        Self { program, path, patience: PATIENCE, is_tethered: !cfg!(test) }
    }

    /// The same with another limit of time.
    #[cfg(test)]
    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The program that was found, or an error.
    pub(super) fn there(&self) -> Result<Found<'_>, HelmError> {
        let program = self.program.as_deref().ok_or(HelmError::Missing)?;
        Ok(Found { program, helm: self })
    }
}

impl Found<'_> {
    /// Renders the chart in the folder `chart` of `scratch` with its own values.
    pub(super) fn template(
        &self,
        scratch: &Path,
        chart: &Path,
        kubernetes: Option<&str>,
    ) -> Result<Vec<u8>, HelmError> {
        self.run(scratch, |command| {
            command.arg("template");
            if let Some(version) = kubernetes {
                command.arg("--kube-version").arg(version);
            }
            command.arg(scratch.join(chart));
        })
    }

    /// Version and digest of helm, because another helm may render charts differently. Parts that it does not report
    /// stay unknown.
    pub(super) fn about(&self, scratch: &Path) -> HelmProgram {
        let said = self.run(scratch, |command| {
            command.args(["version", "--short"]);
        });
        let version = said.ok().and_then(|said| String::from_utf8(said).ok()).map(|said| said.trim().to_owned());
        let is_version =
            |text: &String| text.starts_with('v') && text.len() < 100 && !text.contains(char::is_whitespace);
        let mut hashing = DigestWriter::new(io::sink());
        let read = fs_err::File::open(self.program).and_then(|mut file| io::copy(&mut file, &mut hashing));
        let digest = read.is_ok().then(|| hashing.finish().1);
        HelmProgram { version: version.filter(is_version), digest }
    }

    /// Runs it and returns its output.
    fn run(&self, scratch: &Path, arguments: impl FnOnce(&mut Command)) -> Result<Vec<u8>, HelmError> {
        let failed = |source| HelmError::Run { program: self.program.to_owned(), source };
        let home = scratch.join("home");
        fs_err::create_dir_all(&home).map_err(failed)?;
        let mut command =
            if self.helm.is_tethered { tethered(self.program.as_os_str()) } else { Command::new(self.program) };
        arguments(&mut command);
        command.env_clear().env("PATH", &self.helm.path).env("LC_ALL", "C").env("KUBECONFIG", "/dev/null");
        for name in ["HOME", "TMPDIR", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"] {
            command.env(name, &home);
        }
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            command.env(name, "http://127.0.0.1:9");
        }
        // Keeping its input open keeps the tether: when our process is gone, helm ends.
        let stdin = if self.helm.is_tethered { Stdin::Open } else { Stdin::Empty };
        let patience = self.helm.patience;
        let limits = Limits { time: patience, stdout: OUTPUT_LIMIT, stderr: COMPLAINT_LIMIT };
        let output = process::run(command.current_dir(&home), stdin, limits).map_err(|error| match error {
            RunError::Start(source) | RunError::Wait(source) => failed(source),
            RunError::Slow => HelmError::Slow { patience },
            RunError::Long => HelmError::Long,
        })?;
        if !output.is_whole {
            return Err(HelmError::Slow { patience });
        }
        if output.status.success() {
            return Ok(output.stdout);
        }
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        // The user knows the chart by its path in the image.
        let complaint = complaint.replace(&format!("{}/", scratch.display()), "");
        let complaint = match complaint.trim() {
            "" => "it does not say why".to_owned(),
            said => said.to_owned(),
        };
        Err(HelmError::Failed { status: output.status, complaint })
    }
}
