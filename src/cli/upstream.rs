//! Cluster commands, which another sealer runs: the next one on PATH, or the one in `SEALER_UPSTREAM`.
//!
//! This process becomes that program (`execve`), so that arguments, streams, signals and exit code are its own.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process;

use clap::{Args, Subcommand};

use super::failure::Failed;
use super::globals::Globals;
use super::progress::ProgressChoice;
use crate::types::{Failure, FailureKind};
use crate::upstream::{NoUpstream, UpstreamPlaces, VARIABLE};

/// Counts how often a command was passed on from one of our processes to the next.
const COUNT: &str = "SEALER_HANDED_ON";

/// The limit for that. A script of a sealer may call us again, but a loop must end.
const MOST: usize = 8;

/// The store of the other sealer.
const ROOT: &str = "/var/lib/sealer";

/// Options of public sealer that may come before a command, and whether a value follows: `cmd/sealer/cmd/root.go`.
const OTHERS: [(&str, bool); 11] = [
    ("-d", false),
    ("--debug", false),
    ("-q", false),
    ("--quiet", false),
    ("--hide-time", false),
    ("--hide-path", false),
    ("--log-to-file", false),
    ("--config", true),
    ("--color", true),
    ("--remote-logger-url", true),
    ("--task-name", true),
];

/// The commands. They are only listed in their own part of the help (`LIST`), and their arguments are never parsed
/// here.
#[derive(Debug, Subcommand)]
pub(super) enum ClusterCommand {
    /// Create a cluster from an image
    Run(Handed),
    /// Change a cluster to match a Clusterfile
    Apply(Handed),
    /// Add nodes to a cluster
    Join(Handed),
    /// Delete a cluster, or some of its nodes
    Delete(Handed),
    /// Upgrade a cluster to a newer image
    Upgrade(Handed),
    /// Check the machines of a cluster
    Check(Handed),
    /// Run a command on the nodes of a cluster
    Exec(Handed),
    /// Renew the certificate of a cluster's API server with additional names
    Cert(Handed),
    /// Debug a pod or a node
    Debug(Handed),
    /// Write the Clusterfile of an existing cluster
    Gen(Handed),
    /// Merge several images into one
    Merge(Handed),
    /// List the tags of an image in its registry
    Search(Handed),
}

const HELP: &str = "{about}

Usage: {usage}

Another sealer does this, and takes all arguments as they are: the next one on PATH
after this one, or the program that SEALER_UPSTREAM names.\
";

/// Arguments for the other sealer.
#[derive(Debug, Args)]
#[command(hide = true, disable_help_flag = true, disable_version_flag = true, help_template = HELP)]
pub(super) struct Handed {
    /// Arguments for the other sealer
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// What is on the command line of a cluster command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// Our part: options before the command, and its name.
    pub(super) ours: Vec<OsString>,
    /// The other sealer's part; empty if the command is ours.
    pub(super) theirs: Vec<OsString>,
    /// The command's name.
    pub(super) name: String,
}

/// The commands, as a group of the help.
pub(super) fn list() -> String {
    let commands = ClusterCommand::augment_subcommands(clap::Command::new("sealer"));
    let line = |command: &clap::Command| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        format!("  {:<10}  {about}\n", command.get_name())
    };
    let lines: String = commands.get_subcommands().map(line).collect();
    format!("Cluster commands, which run the next `sealer` on PATH (or `SEALER_UPSTREAM`):\n{lines}")
}

/// Splits the arguments (without the program's name) of a cluster command; `None` means that it is no such command.
///
/// `options` is our own command line, for what is before the command.
pub(super) fn split(arguments: &[OsString], options: &clap::Command) -> Option<Split> {
    let commands = ClusterCommand::augment_subcommands(clap::Command::new("sealer"));
    let mut split = Split::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let bytes = argument.as_bytes();
        if !bytes.starts_with(b"-") {
            let name = argument.to_str().filter(|name| commands.find_subcommand(name).is_some())?;
            split.ours.push(name.into());
            split.theirs.push(name.into());
            split.theirs.extend(rest.cloned());
            name.clone_into(&mut split.name);
            return Some(split);
        }
        let name = bytes.split(|byte| *byte == b'=').next().unwrap_or(bytes);
        let name = str::from_utf8(name).ok()?;
        let has_value = name.len() < bytes.len();
        let others = OTHERS.iter().find(|(option, _)| *option == name).map(|(_, takes)| *takes);
        let own = takes_value(options, name);
        let value = if !has_value && others.or(own)? { Some(rest.next()?) } else { None };
        let both = std::iter::once(argument).chain(value).cloned();
        // What both know is for who does the work; how we colour nothing is of no interest.
        if others.is_some() { split.theirs.extend(both) } else { split.ours.extend(both) }
    }
    None
}

/// Whether an option of ours takes a value; `None` means that it is not an option of ours.
fn takes_value(options: &clap::Command, name: &str) -> Option<bool> {
    let takes = |argument: &clap::Arg| argument.get_action().takes_values();
    if let Some(long) = name.strip_prefix("--") {
        return options.get_arguments().find(|argument| argument.get_long() == Some(long)).map(takes);
    }
    // `-vv`
    let letters = name.strip_prefix('-').filter(|letters| !letters.is_empty())?;
    let known = |letter: char| options.get_arguments().find(|argument| argument.get_short() == Some(letter)).map(takes);
    letters.chars().all(|letter| known(letter) == Some(false)).then_some(false)
}

/// Replaces this process by the other sealer. It only returns if that fails.
pub(super) fn run(split: &Split, globals: &Globals) -> Result<(), Failed> {
    let Split { name, theirs, .. } = split;
    refuse_options(name, globals)?;
    let count = env::var(COUNT).ok().and_then(|count| count.parse().ok()).unwrap_or(0_usize);
    if count >= MOST {
        let message =
            format!("`{name}` was passed on {count} times, from one program to the next, and no program ran it");
        let help =
            format!("a program from `{VARIABLE}` or PATH calls this program again: set `{VARIABLE}` to a real sealer");
        return Err(Failure::new(FailureKind::Failed, message).with_help(help).into());
    }
    let program = find(name)?;
    let error = process::Command::new(&program).arg0("sealer").args(theirs).env(COUNT, (count + 1).to_string()).exec();
    Err(Failed::doing(format!("`{name}` needs `{}`, which cannot be started: {error}", program.display())))
}

/// An option before the command that the other sealer does not support is an error; it is not ignored.
fn refuse_options(name: &str, globals: &Globals) -> Result<(), Failed> {
    let Globals { root, cache, threads, url_mirror, quiet: _, verbose, color: _, progress } = globals;
    let given = [
        ("--root", root.as_deref().is_some_and(|root| root != Path::new(ROOT))),
        ("--cache", cache.is_some()),
        ("--threads", threads.is_some()),
        ("--url-mirror", !url_mirror.is_empty()),
        ("-v", *verbose > 0),
        ("--progress", matches!(progress, ProgressChoice::Json | ProgressChoice::None)),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some(("--root", _)) => Err(Failed::Usage(format!(
            "another sealer runs `{name}`, and its store is always `{ROOT}`: it does not support `--root`"
        ))),
        Some((option, _)) => Err(Failed::Usage(format!(
            "another sealer runs `{name}`, and does not know `{option}`: write its options after `{name}`"
        ))),
        None => Ok(()),
    }
}

/// The other sealer.
fn find(name: &str) -> Result<PathBuf, Failed> {
    UpstreamPlaces::from_env().find().map_err(|why| match why {
        NoUpstream::Named(program, why) => Failed::doing(format!("`{VARIABLE}` names `{}`, {why}", program.display())),
        NoUpstream::NotOnPath(skipped) => {
            let message = format!(
                "`{name}` is a cluster command, which needs another sealer, and there is no other on PATH after this \
                 one"
            );
            let help = format!(
                "install sealer (https://github.com/sealerio/sealer) after this one on PATH, or set `{VARIABLE}` to \
                 its program"
            );
            let failure = Failure::new(FailureKind::Failed, message).with_help(help);
            Failed::from(match skipped {
                0 => failure,
                _ => failure.with_help("parts of PATH that are not absolute paths are not searched"),
            })
        }
    })
}
