//! `sealer login` and `sealer logout` against registries, up to what is pulled and pushed with the login.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use sealer::testing::sandbox::{Fault, TokenRules, When};

use super::network::{Authority, tls_front};
use super::{Kind, LOGIN, insecure, pull, pulled, registry};
use crate::support::missing;
use crate::support::program::{Run, World, tree};

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// What must be nowhere but in the file: the password and what goes over the wire for it.
fn secrets() -> [String; 3] {
    [LOGIN.1.to_owned(), base64(&format!("{}:{}", LOGIN.0, LOGIN.1)), base64(LOGIN.1)]
}

/// Runs the program with something on its stdin; the registry's address is a word.
fn run_with(world: &World, host: &str, stdin: &str, mut command: Command) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // What ends before it reads is no matter of this helper.
    drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
    let run = world.result(&child.wait_with_output().unwrap());
    let clean = |text: &str| text.replace(host, "[REGISTRY]").replace("[SERVER]", "[REGISTRY]");
    Run { code: run.code, stdout: clean(&run.stdout), stderr: clean(&run.stderr) }
}

fn log_in(world: &World, host: &str, (user, password): (&str, &str), more: &[&str]) -> Run {
    let mut command = world.command();
    command.args(["login", host, "-u", user, "--password-stdin"]).args(more);
    run_with(world, host, &format!("{password}\n"), command)
}

fn log_out(world: &World, host: &str) -> Run {
    let mut command = world.command();
    command.args(["logout", host]);
    run_with(world, host, "", command)
}

fn closed(kind: Kind) -> Option<(World, super::Registry, String)> {
    let world = World::new();
    let registry = registry(kind, &world, Some(LOGIN))?;
    let host = registry.address.to_string();
    insecure(&world, &[&host]);
    Some((world, registry, host))
}

fn mode(path: &Path) -> u32 {
    fs_err::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_login_opens_the_registry_to_pulls_and_pushes_until_the_logout() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let Some((world, _registry, host)) = closed(kind) else { continue };
        assert_eq!(pull(&world, &host, &[], &[]).code, Some(1));
        let file = world.path("home/.docker/config.json");

        let run = log_in(&world, &host, LOGIN, &["-vvv"]);
        assert_eq!(run.code, Some(0), "{run}");
        assert!(run.stderr.contains("GET"), "{run}");
        assert!(secrets().iter().all(|secret| !run.to_string().contains(secret)), "{run}");
        assert_eq!(
            run.stdout,
            "logged in to `[REGISTRY]` as `bob`; the login is in `[WORLD]/home/.docker/config.json`\n"
        );
        let entry = format!(
            "{{\n\t\"auths\": {{\n\t\t\"{host}\": {{\n\t\t\t\"auth\": \"{}\"\n\t\t}}\n\t}}\n}}\n",
            secrets()[1]
        );
        assert_eq!(fs_err::read_to_string(&file).unwrap(), entry);
        assert_eq!((mode(&file), mode(&world.path("home/.docker"))), (0o600, 0o700));

        pulled(&world, &host, &[], &[]);
        let name = format!("{host}/bases/copy:v1");
        world.succeed(&["tag", "pulled:v1", &name]);
        world.succeed(&["push", &name]);

        let out = log_out(&world, &host);
        assert_eq!((out.code, out.stderr.as_str()), (Some(0), ""), "{out}");
        assert_eq!(out.stdout, "logged out of `[REGISTRY]`: removed from `[WORLD]/home/.docker/config.json`\n");
        assert_eq!(fs_err::read_to_string(&file).unwrap(), "{\n\t\"auths\": {}\n}\n");
        fs_err::remove_dir_all(world.cache()).unwrap();
        assert_eq!((pull(&world, &host, &[], &[]).code, world.run(&["push", &name]).code), (Some(1), Some(1)));
        assert_eq!(log_out(&world, &host).stdout, "there is no login for `[REGISTRY]`\n");
    }
}

#[test]
fn a_login_that_is_not_taken_is_not_kept() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let Some((world, _registry, host)) = closed(kind) else { continue };
        world.write("home/.docker/config.json", "{\"auths\": {}}");
        let before = tree(&world.path("home"));
        let run = log_in(&world, &host, (LOGIN.0, "wr0ng-one"), &["-vvv", "--progress", "json"]);
        assert!(!run.to_string().contains("wr0ng-one") && !run.to_string().contains(&base64("bob:wr0ng-one")), "{run}");
        let run = log_in(&world, &host, (LOGIN.0, "wr0ng-one"), &[]);
        assert_eq!(tree(&world.path("home")), before);
        insta::allow_duplicates! { insta::assert_snapshot!(run, @"
        exit 1
        --- stdout
        --- stderr
        error: the registry does not accept the login of `bob` for `[REGISTRY]` (http://[REGISTRY]/v2/: the server answered 401, UNAUTHORIZED authentication required)
          help: check the user name and the password; many registries want a token instead of the password
        "); }
    }
}

#[test]
fn a_token_for_later_is_kept_in_place_of_the_password() {
    for identity_token in [Some("1dentity-token"), None] {
        let world = World::new();
        let host = world.server().address().to_string();
        insecure(&world, &[&host]);
        let login = Some((LOGIN.0.to_owned(), LOGIN.1.to_owned()));
        let identity = identity_token.map(str::to_owned);
        world.server().require_tokens(Some(TokenRules { login, identity_token: identity, ..TokenRules::default() }));

        let run = log_in(&world, &host, (LOGIN.0, "wr0ng-one"), &[]);
        assert_eq!(run.code, Some(1), "{run}");
        insta::allow_duplicates! { insta::assert_snapshot!(run.stderr, @"
        error: the registry does not accept the login of `bob` for `[REGISTRY]` (http://[REGISTRY]/token: the server answered 401, UNAUTHORIZED wrong user or password)
          help: check the user name and the password; many registries want a token instead of the password
        "); }
        assert!(!world.path("home/.docker").exists());

        world.server().forget_requests();
        let run = log_in(&world, &host, LOGIN, &["-o", "json", "-vvv"]);
        assert_eq!(run.code, Some(0), "{run}");
        let asked: Vec<String> = world
            .server()
            .requests()
            .iter()
            .map(|asked| format!("{} {} {}", asked.method, asked.path, asked.query))
            .collect();
        let query = "service=sandbox&account=bob&client_id=sealer&offline_token=true";
        assert_eq!(asked, ["GET /v2/ ".to_owned(), format!("GET /token {query}"), "GET /v2/ ".to_owned()]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let file = "[WORLD]/home/.docker/config.json";
        let expected = serde_json::json!({
            "registry": "[REGISTRY]", "username": "bob", "file": file, "helper": null, "identityToken": identity_token.is_some(),
        });
        assert_eq!(report, expected);
        let kept = fs_err::read_to_string(world.path("home/.docker/config.json")).unwrap();
        let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
        let entry = match identity_token {
            Some(token) => serde_json::json!({"auth": base64("bob:"), "identitytoken": token}),
            None => serde_json::json!({"auth": secrets()[1]}),
        };
        assert_eq!(kept["auths"][&host], entry);
        assert!(!run.to_string().contains("1dentity-token") && !run.to_string().contains("sandbox-token"), "{run}");

        pulled(&world, &host, &[], &[]);
        let name = format!("{host}/bases/copy:v1");
        world.succeed(&["tag", "pulled:v1", &name]);
        world.succeed(&["push", &name]);
        assert_eq!(log_out(&world, &host).code, Some(0));
        fs_err::remove_dir_all(world.cache()).unwrap();
        assert_eq!(pull(&world, &host, &[], &[]).code, Some(1));
    }
}

#[test]
fn a_password_goes_to_no_registry_that_is_not_known() {
    let world = World::new();
    let host = world.server().address().to_string();
    world.server().require_password(Some(LOGIN));
    world.write("registries.conf", "");
    // It speaks http, and nobody said that it may.
    let plain = log_in(&world, &host, LOGIN, &[]);
    assert!(world.server().requests().is_empty());
    // It shows a certificate that nobody vouches for.
    let authority = Authority::new();
    let front = tls_front(world.server().address(), &authority.issue(&["127.0.0.1"]), None);
    let tls = front.address.to_string();
    let unknown = log_in(&world, &tls, LOGIN, &[]);
    assert!(world.server().requests().is_empty());
    world.write("registries.conf", format!("[[registry]]\nlocation = \"{tls}\"\nblocked = true\n"));
    let blocked = log_in(&world, &tls, LOGIN, &[]);
    assert!(world.server().requests().is_empty() && !world.path("home/.docker").exists());
    insta::assert_snapshot!(format!("{plain}{unknown}{blocked}"), @r#"
    exit 1
    --- stdout
    --- stderr
    error: https://[REGISTRY]/v2/: no trusted connection: the server does not speak TLS
      help: if `[REGISTRY]` speaks http, allow it in registries.conf: `[[registry]]`, `location = "[REGISTRY]"`, `insecure = true`
    exit 1
    --- stdout
    --- stderr
    error: https://[REGISTRY]/v2/: no trusted connection: the certificate is not trusted: its issuer is unknown
      help: check that `[REGISTRY]` is the right address; put your own CA into the system's certificate store, or for this host only into `/etc/containers/certs.d/[REGISTRY]/ca.crt` (`~/.config/containers/certs.d/[REGISTRY]/ca.crt`)
    exit 1
    --- stdout
    --- stderr
    error: `[REGISTRY]` is blocked in registries.conf
    "#);

    world.write("registries.conf", "");
    world.write(&format!("home/.config/containers/certs.d/{tls}/ca.crt"), &authority.pem);
    let known = log_in(&world, &tls, LOGIN, &[]);
    assert_eq!(known.code, Some(0), "{known}");
}

#[test]
fn a_registry_that_does_not_answer_is_worth_a_retry() {
    let (world, nobody) = (World::new(), "127.0.0.1:1");
    world.write("registries.conf", "");
    let down = log_in(&world, nobody, LOGIN, &[]);
    let host = world.server().address().to_string();
    insecure(&world, &[&host]);
    world.server().require_password(Some(LOGIN));
    // Busy once: asked again. Busy for ever: told.
    world.server().fault(When::path("/v2/").once(), Fault::Status(503, Vec::new()));
    let busy_once = log_in(&world, &host, LOGIN, &["--progress", "none"]);
    assert_eq!(busy_once.code, Some(0), "{busy_once}");
    world.server().fault(When::path("/v2/"), Fault::Status(503, Vec::new()));
    let busy = log_in(&world, &host, LOGIN, &["-q"]);
    world.server().clear_faults();
    world.server().fault(When::path("/v2/"), Fault::NotFound);
    let other = log_in(&world, &host, LOGIN, &[]);
    assert_eq!((down.code, busy.code, other.code), (Some(5), Some(5), Some(1)));
    let stderr = [down.stderr, busy.stderr, other.stderr];
    let errors: Vec<&str> =
        stderr.iter().flat_map(|said| said.lines()).filter(|line| !line.starts_with("warning")).collect();
    insta::assert_snapshot!(errors.join("\n"), @"
    error: https://[REGISTRY]/v2/: cannot connect: connection refused
      help: check that the server is up and that `[REGISTRY]` is the right address; registries.conf lists the hosts that speak http
    error: http://[REGISTRY]/v2/: the server answered 503
      help: run the command again later
    error: http://[REGISTRY]/v2/: the server answered 404, NAME_UNKNOWN not found, as told
      help: check that this is a registry, written as `HOST[:PORT]`
    ");
}

#[test]
fn a_registry_that_asks_nobody_is_told() {
    let world = World::new();
    let host = world.server().address().to_string();
    insecure(&world, &[&host]);
    let run = log_in(&world, &host, LOGIN, &[]);
    insta::assert_snapshot!(run, @"
    exit 0
    --- stdout
    logged in to `[REGISTRY]` as `bob`; the login is in `[WORLD]/home/.docker/config.json`
    --- stderr
    warning: `[REGISTRY]` did not ask for a login, so it is not known whether the login is valid
    ");
}

/// Puts a program on the PATH that keeps logins in files of the world.
fn keychain(world: &World) -> String {
    let vault = world.path("vault");
    fs_err::create_dir_all(&vault).unwrap();
    let script = format!(
        "#!/bin/sh\nset -e\ncd '{}'\nread -r asked || test -n \"$asked\"\necho \"$1\" >> log\ncase $1 in\n\
         store) name=$(echo \"$asked\" | sed 's/.*\"ServerURL\":\"\\([^\"]*\\)\".*/\\1/' | tr / _); echo \"$asked\" > \"$name\" ;;\n\
         get) cat \"$(echo \"$asked\" | tr / _)\" 2>&1 || {{ echo credentials not found in native keychain; exit 1; }} ;;\n\
         erase) rm \"$(echo \"$asked\" | tr / _)\" ;;\nesac\n",
        vault.display()
    );
    world.script("bin/docker-credential-vault", &script);
    format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap())
}

#[test]
fn a_helper_keeps_the_login_where_the_file_names_one() {
    for settings in ["\"credsStore\": \"vault\"", "\"credHelpers\": {\"HOST\": \"vault\"}, \"credsStore\": \"none\""] {
        let Some((world, _registry, host)) = closed(Kind::Sandbox) else { continue };
        let path = keychain(&world);
        let text = format!(
            "{{\"auths\": {{\"{host}\": {{\"auth\": \"b2xkOm9uZQ==\"}}}}, {}}}",
            settings.replace("HOST", &host)
        );
        world.write("home/.docker/config.json", &text);
        let with_path = |arguments: &[&str]| {
            let mut command = world.command();
            command.env("PATH", &path).args(arguments);
            run_with(&world, &host, LOGIN.1, command)
        };
        let run = with_path(&["login", &host, "-u", LOGIN.0, "--password-stdin", "-vv"]);
        assert_eq!(run.code, Some(0), "{run}");
        let file = "[WORLD]/home/.docker/config.json";
        let expected = format!(
            "logged in to `[REGISTRY]` as `bob`; the login is stored by `docker-credential-vault`, which `{file}` \
             names\n"
        );
        assert_eq!(run.stdout, expected);
        assert!(secrets().iter().all(|secret| !run.to_string().contains(secret)), "{run}");
        let kept = fs_err::read_to_string(world.path(&format!("vault/{host}"))).unwrap();
        let given = serde_json::json!({"ServerURL": host, "Username": LOGIN.0, "Secret": LOGIN.1});
        assert_eq!(serde_json::from_str::<serde_json::Value>(&kept).unwrap(), given);
        // The old password is gone from the file.
        let now = fs_err::read_to_string(world.path("home/.docker/config.json")).unwrap();
        assert_eq!(now, text.replace("{\"auth\": \"b2xkOm9uZQ==\"}", "{}"));
        pulled(&world, &host, &[("PATH", &path)], &[]);

        let out = with_path(&["logout", &host, "-o", "json"]);
        let report: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
        let removed = serde_json::json!([{"file": file, "helper": "docker-credential-vault"}]);
        assert_eq!(report, serde_json::json!({"registry": "[REGISTRY]", "removed": removed}));
        assert!(!world.path(&format!("vault/{host}")).exists());
        let now = fs_err::read_to_string(world.path("home/.docker/config.json")).unwrap();
        assert_eq!(now, text.replace(&format!("{{\"{host}\": {{\"auth\": \"b2xkOm9uZQ==\"}}}}"), "{}"));
        fs_err::remove_dir_all(world.cache()).unwrap();
        assert_eq!(pull(&world, &host, &[("PATH", &path)], &[]).code, Some(1));

        // A helper that fails is told, with nothing written and nothing of the password.
        let script = "#!/bin/sh\nread -r asked\necho \"the vault is sealed to $asked\" >&2\nexit 3\n";
        world.script("bin/docker-credential-vault", script);
        let before = tree(&world.path("home"));
        let sealed = with_path(&["login", &host, "-u", LOGIN.0, "--password-stdin"]);
        assert_eq!(tree(&world.path("home")), before);
        insta::allow_duplicates! { insta::assert_snapshot!(sealed, @"
        exit 1
        --- stdout
        --- stderr
        error: `docker-credential-vault` cannot keep the login for `[REGISTRY]`: it ended with exit status: 3
          help: `[WORLD]/home/.docker/config.json` names this helper (`credHelpers`, `credsStore`): fix it, or remove it from that file
        "); }
    }
}

#[test]
fn a_password_is_written_to_its_file_its_helper_and_the_registry_and_nowhere_else() {
    if !Path::new("/usr/bin/strace").is_file() {
        return missing("the program `strace`");
    }
    for with_helper in [false, true] {
        let Some((world, _registry, host)) = closed(Kind::Sandbox) else { continue };
        let path = keychain(&world);
        if with_helper {
            world.write("home/.docker/config.json", "{\"credsStore\": \"vault\"}");
        }
        let log = world.path("strace");
        let mut command = Command::new("strace");
        command.args([
            "-f",
            "-y",
            "-s",
            "100000",
            "-e",
            "trace=execve,write,writev,pwrite64,sendto,sendmsg,sendmmsg",
            "-o",
        ]);
        command.arg(&log).arg(env!("CARGO_BIN_EXE_sealer"));
        command.args(["login", &host, "-u", LOGIN.0, "--password-stdin", "-vvv", "--progress", "json"]);
        command.env_clear().envs(world.environment()).env("PATH", &path).current_dir(world.path("checkout"));
        let run = run_with(&world, &host, LOGIN.1, command);
        assert_eq!(run.code, Some(0), "{run}");
        let log = fs_err::read_to_string(&log).unwrap();
        let of_sealer: Vec<&str> =
            log.lines().filter(|line| secrets().iter().any(|secret| line.contains(secret))).collect();
        // The stand-in's own writes are its own: it is a shell script.
        let helper = world.path("vault").display().to_string();
        let own: Vec<&&str> = of_sealer.iter().filter(|line| !line.contains(&helper)).collect();
        let place = |line: &&&str| {
            let to_pipe = with_helper && line.contains("<pipe:[") && !line.contains("execve");
            line.contains("<TCP:[") || line.contains("<socket:[") || line.contains("/.config.json.part>") || to_pipe
        };
        let elsewhere: Vec<_> = own.iter().filter(|line| !place(line)).collect();
        assert!(elsewhere.is_empty(), "{elsewhere:#?}");
        assert!(!log.lines().any(|line| line.contains("execve") && secrets().iter().any(|s| line.contains(s))));
        // The test sees what it looks for.
        assert!(own.iter().any(|line| line.contains("<TCP:[") || line.contains("<socket:[")), "{log}");
        assert_eq!(own.iter().any(|line| line.contains("/.config.json.part>")), !with_helper, "{log}");
        assert_eq!(log.contains("docker-credential-vault"), with_helper);
    }
}

#[test]
fn logins_at_the_same_time_are_all_kept() {
    let Some((world, _registry, host)) = closed(Kind::Sandbox) else { return };
    let file = world.write("home/.docker/config.json", "{\"auths\": {\"other.example\": {}}, \"x\": 1}\n");
    fs_err::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let scopes: Vec<String> = (0..12).map(|number| format!("{host}/team{number}")).collect();
    let mut children = Vec::new();
    for scope in &scopes {
        let mut command = world.command();
        command.args(["login", scope, "-u", LOGIN.0, "--password-stdin"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(LOGIN.1.as_bytes()).unwrap();
        children.push(child);
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let text = fs_err::read_to_string(world.path("home/.docker/config.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((kept["auths"].as_object().unwrap().len(), &kept["x"]), (13, &1.into()), "{text}");
    assert!(scopes.iter().all(|scope| kept["auths"][scope]["auth"] == secrets()[1].as_str()), "{text}");
    let left: Vec<_> =
        fs_err::read_dir(world.path("home/.docker")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["config.json"]);
}
