//! `sealer login`

use std::io::{self, IsTerminal as _, Read as _};

use clap::Args;
use clap::builder::{StringValueParser, TypedValueParser as _};
use serde::Serialize;

use crate::transport::{Accepted, AuthPlaces, Login, LoginScope, LoginStore, Secret, Stored};
use crate::types::{Event, printable};

use super::failure::Failed;
use super::globals::Globals;
use super::output::{self, OutputForm};
use super::prompt::{self, Echo};
use super::sources;

/// The most bytes of a password, which may be a token.
const LIMIT: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(super) struct LoginArgs {
    /// The registry, or a part of it: `registry.example:5000`, `quay.io/team`
    #[arg(value_name = "REGISTRY")]
    registry: String,
    /// The user name; without it, sealer asks on the terminal
    #[arg(short, long, value_name = "USER")]
    username: Option<String>,
    /// The password; other users of this machine can see it
    #[arg(
        short, long, alias = "passwd", value_name = "PASSWORD", value_parser = StringValueParser::new().map(Secret::new), allow_hyphen_values = true,
        conflicts_with = "password_stdin"
    )]
    password: Option<Secret>,
    /// Read the password from stdin
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// Where the login was stored, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    registry: String,
    username: String,
    file: String,
    /// The program that keeps the login; `None` means that the file does.
    helper: Option<String>,
    /// Whether the registry gave a token, which is stored instead of the password.
    identity_token: bool,
}

pub(super) fn scope(text: &str) -> Result<LoginScope, Failed> {
    text.parse()
        .map_err(|error: crate::transport::LoginScopeError| Failed::Usage(printable(&error.to_string()).into_owned()))
}

pub(super) fn run(args: &LoginArgs, globals: &Globals) -> Result<(), Failed> {
    let scope = scope(&args.registry)?;
    let observer = globals.observer();
    let warn = |message: String| observer.event(Event::Warning { message });
    if args.password.is_some() {
        let message = "other users can see a password in the list of processes, and shells keep it in their history";
        warn(format!("{message}: `--password-stdin` avoids that"));
    }
    // A broken file is reported before a password is asked for.
    let store = LoginStore::open(AuthPlaces::from_env())?;
    let login = login(args, &scope)?;
    let sources::Registries { runtime, client } = sources::registries(&observer)?;
    let accepted = runtime.block_on(client.log_in(&scope, &login))?;
    let kept = store.put(&scope, &accepted)?;
    tell(&scope, &accepted, &kept, &warn);
    let Stored { place, .. } = kept;
    match args.output {
        OutputForm::Json => output::json(&Report {
            registry: scope.to_string(),
            username: login.username,
            file: place.file,
            helper: place.helper,
            identity_token: accepted.identity_token.is_some(),
        }),
        OutputForm::Text => {
            let place = match place.helper {
                Some(helper) => format!("the login is stored by `{helper}`, which `{}` names", place.file),
                None => format!("the login is in `{}`", place.file),
            };
            output::data(&printable(&format!("logged in to `{scope}` as `{}`; {place}\n", login.username)))
        }
    }
}

/// Prints notes about unexpected changes.
fn tell(scope: &LoginScope, accepted: &Accepted, kept: &Stored, warn: &dyn Fn(String)) {
    let Stored { place, replaced, parts } = kept;
    if !accepted.was_asked {
        warn(format!("`{scope}` did not ask for a login, so it is not known whether the login is valid"));
    }
    if let Some(mode) = place.was_open {
        warn(format!("other users could read `{}` (mode {mode:04o}); its mode is now 0600", place.file));
    }
    for key in replaced {
        warn(format!("an older login for the same registry was removed from `{}`: `{key}`", place.file));
    }
    for key in parts {
        warn(format!("`{}` has another login for a part of the registry, which is used there: `{key}`", place.file));
    }
}

/// Name and password, from the arguments, from stdin or from the terminal.
fn login(args: &LoginArgs, scope: &LoginScope) -> Result<Login, Failed> {
    let on_terminal = io::stdin().is_terminal();
    let missing = |what: &str| {
        Failed::Usage(format!(
            "cannot ask for the {what}, because stdin is not a terminal: use `-u USER --password-stdin`, and write \
             the password to stdin"
        ))
    };
    let username = match &args.username {
        Some(username) => username.clone(),
        None if on_terminal => prompt::ask(&format!("User name for {scope}: "), Echo::On)?.expose().to_owned(),
        None => return Err(missing("user's name")),
    };
    // An invalid name is reported before the password is asked for.
    Login::check_username(&username).map_err(Failed::usage)?;
    let password = match &args.password {
        Some(password) => password.clone(),
        None if args.password_stdin => from_stdin(on_terminal)?,
        None if on_terminal => prompt::ask(&format!("Password of {username} for {scope}: "), Echo::Off)?,
        None => return Err(missing("password")),
    };
    Login::checked(username, password).map_err(Failed::usage)
}

/// All of stdin, without one trailing line end.
fn from_stdin(on_terminal: bool) -> Result<Secret, Failed> {
    if on_terminal {
        let message = "`--password-stdin` reads a pipe or a file, but stdin is a terminal: remove it, and sealer asks \
                       for the password";
        return Err(Failed::Usage(message.to_owned()));
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failed::doing(format!("read the password from stdin: {error}")))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Failed::Usage(format!("the password on stdin is longer than {} KiB", LIMIT / 1024)));
    }
    let text = String::from_utf8(bytes).map_err(|_| Failed::Usage("the password on stdin is not UTF-8".to_owned()))?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Secret::new(text))
}
