//! What every command takes.

#![expect(clippy::doc_markdown, reason = "the comments of arguments are help texts, not Markdown")]

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::types::Observer;

use super::failure::Failed;
use super::progress::{self, ProgressChoice};

/// When messages are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Args)]
pub(super) struct Globals {
    /// The store [default: /var/lib/sealer for root, else $XDG_DATA_HOME/sealer or ~/.local/share/sealer]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Downloads, blobs and step results [env: SEALER_CACHE] [default: $XDG_CACHE_HOME/sealer or ~/.cache/sealer]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) cache: Option<PathBuf>,
    /// How many threads to use [env: SEALER_THREADS] [default: one per processor]
    #[arg(long, global = true, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
    /// Look for URLs that start with PREFIX at LOCATION first [env: SEALER_URL_MIRRORS, comma-separated]
    #[arg(long, global = true, value_name = "PREFIX=LOCATION")]
    pub(super) url_mirror: Vec<String>,
    /// Print only errors and warnings
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print more; twice: print every request
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// When messages are coloured
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: ColorChoice,
    /// How progress is shown on stderr
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "HOW")]
    pub(super) progress: ProgressChoice,
}

impl Globals {
    /// The store's folder: `--root`, `SEALER_ROOT`, else the user's own.
    pub(super) fn root(&self) -> Result<PathBuf, Failed> {
        if let Some(root) = self.root.clone().or_else(|| variable("SEALER_ROOT")) {
            return Ok(root);
        }
        if rustix::process::geteuid().is_root() {
            return Ok(PathBuf::from("/var/lib/sealer"));
        }
        xdg("XDG_DATA_HOME", ".local/share", "--root")
    }

    /// The cache's folder: `--cache`, `SEALER_CACHE`, else the user's own, for root too.
    pub(super) fn cache(&self) -> Result<PathBuf, Failed> {
        match self.cache.clone().or_else(|| variable("SEALER_CACHE")) {
            Some(cache) => Ok(cache),
            None => xdg("XDG_CACHE_HOME", ".cache", "--cache"),
        }
    }

    /// How many threads to use: `--threads`, `SEALER_THREADS`, else one per processor.
    pub(super) fn threads(&self) -> Result<usize, Failed> {
        if let Some(threads) = self.threads {
            return Ok(threads.get());
        }
        match variable("SEALER_THREADS") {
            Some(text) => {
                text.to_string_lossy().parse().map(NonZeroUsize::get).map_err(|_| {
                    Failed::Usage(format!("`SEALER_THREADS={}` is not a number of threads", text.display()))
                })
            }
            None => Ok(std::thread::available_parallelism().map_or(1, NonZeroUsize::get)),
        }
    }

    /// `--url-mirror`, else `SEALER_URL_MIRRORS`: lists of `PREFIX=LOCATION`, separated by commas.
    pub(super) fn url_mirrors(&self) -> Vec<String> {
        if !self.url_mirror.is_empty() {
            return self.url_mirror.clone();
        }
        variable("SEALER_URL_MIRRORS").map(|text| text.to_string_lossy().into_owned()).into_iter().collect()
    }

    /// The observer that the options ask for.
    pub(super) fn observer(&self) -> Arc<dyn Observer> {
        progress::observer(self.progress, self.quiet)
    }

    /// Whether what goes to stderr is coloured.
    pub(super) fn color_on_stderr(&self) -> bool {
        self.color_on(&std::io::stderr())
    }

    /// Whether what goes to stdout is coloured.
    pub(super) fn color_on_stdout(&self) -> bool {
        self.color_on(&std::io::stdout())
    }

    fn color_on(&self, stream: &impl IsTerminal) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && stream.is_terminal()
            }
        }
    }

    /// Sends `tracing`'s events to stderr, at the level of `-v`.
    pub(super) fn install_logging(&self) {
        let level = match self.verbose {
            0 => return,
            1 => tracing::Level::INFO,
            _ => tracing::Level::DEBUG,
        };
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(progress::log_writer)
            .with_ansi(self.color_on_stderr() && self.progress != ProgressChoice::Json)
            .without_time()
            .finish();
        // Fails only if one is installed already, which only a second call could have done.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// `$VARIABLE/sealer`, else `~/FALLBACK/sealer`. Without a home there is no folder that only this user can write.
fn xdg(name: &str, fallback: &str, option: &str) -> Result<PathBuf, Failed> {
    let base = variable(name).filter(|path| path.is_absolute());
    let base = base.or_else(|| variable("HOME").map(|home| home.join(fallback)));
    let missing = || Failed::Usage(format!("neither `HOME` nor `{name}` is set: use `{option} DIR`"));
    Ok(base.ok_or_else(missing)?.join("sealer"))
}
