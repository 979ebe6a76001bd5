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
use super::progress;
use super::prompt::{self, Echo};
use super::sources;

/// The most bytes of a password, which may be a token.
const LIMIT: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(super) struct LoginArgs {
    /// The registry, or a part of it: `registry.example:5000`, `quay.io/team`
    #[arg(value_name = "REGISTRY")]
    registry: String,
    /// The user's name; without it a terminal is asked
    #[arg(short, long, value_name = "USER")]
    username: Option<String>,
    /// The password, which others on this machine can see then
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

/// Where a login is now, for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    registry: String,
    username: String,
    file: String,
    /// The program that keeps the login; none: the file does.
    helper: Option<String>,
    /// The registry gave a token, which is kept in place of the password.
    identity_token: bool,
}

pub(super) fn scope(text: &str) -> Result<LoginScope, Failed> {
    text.parse()
        .map_err(|error: crate::transport::LoginScopeError| Failed::Usage(printable(&error.to_string()).into_owned()))
}

pub(super) fn run(args: &LoginArgs, globals: &Globals) -> Result<(), Failed> {
    let scope = scope(&args.registry)?;
    let observer = progress::observer(globals);
    let warn = |message: String| observer.event(Event::Warning { message });
    if args.password.is_some() {
        let message = "whoever lists processes sees a password in the arguments, and shells keep it in their history";
        warn(format!("{message}: `--password-stdin` does without"));
    }
    // A broken file is told before a password is asked for.
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
                Some(helper) => format!("`{helper}`, which `{}` names, keeps the login", place.file),
                None => format!("the login is in `{}`", place.file),
            };
            output::data(&printable(&format!("logged in to `{scope}` as `{}`; {place}\n", login.username)))
        }
    }
}

/// Says what the user did not ask for and should know.
fn tell(scope: &LoginScope, accepted: &Accepted, kept: &Stored, warn: &dyn Fn(String)) {
    let Stored { place, replaced, parts } = kept;
    if !accepted.was_asked {
        warn(format!("`{scope}` asked for no login, so it was not found out whether it takes this one"));
    }
    if let Some(mode) = place.was_open {
        warn(format!("others could read `{}` (mode {mode:04o}); its mode is 0600 now", place.file));
    }
    for key in replaced {
        warn(format!("an older login for the same registry was taken out of `{}`: `{key}`", place.file));
    }
    for key in parts {
        warn(format!("`{}` has another login for a part of the registry, which counts there: `{key}`", place.file));
    }
}

/// Name and password, from the arguments, from stdin or from who sits at the terminal.
fn login(args: &LoginArgs, scope: &LoginScope) -> Result<Login, Failed> {
    let on_terminal = io::stdin().is_terminal();
    let missing = |what: &str| {
        Failed::Usage(format!(
            "stdin is no terminal that could be asked for the {what}: say `-u USER --password-stdin`, and give the \
             password to stdin"
        ))
    };
    let username = match &args.username {
        Some(username) => username.clone(),
        None if on_terminal => prompt::ask(&format!("User name for {scope}: "), Echo::On)?.expose().to_owned(),
        None => return Err(missing("user's name")),
    };
    // Whatever is wrong with the name is said before the password is asked for.
    Login::check_username(&username).map_err(Failed::usage)?;
    let password = match &args.password {
        Some(password) => password.clone(),
        None if args.password_stdin => from_stdin(on_terminal)?,
        None if on_terminal => prompt::ask(&format!("Password of {username} for {scope}: "), Echo::Off)?,
        None => return Err(missing("password")),
    };
    Login::checked(username, password).map_err(Failed::usage)
}

/// All of stdin, without one line end at its end.
fn from_stdin(on_terminal: bool) -> Result<Secret, Failed> {
    if on_terminal {
        let message = "`--password-stdin` reads a pipe or a file, and stdin is a terminal: leave it out to be asked";
        return Err(Failed::Usage(message.to_owned()));
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failed::doing(format!("read the password from stdin: {error}")))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Failed::Usage(format!("stdin has more than the {} KiB that a password may have", LIMIT / 1024)));
    }
    let text = String::from_utf8(bytes).map_err(|_| Failed::Usage("the password on stdin is not UTF-8".to_owned()))?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Secret::new(text))
}
