//! Other users, umasks, time zones, dates, folders, threads and caches give the same images, byte for byte.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::support::program::{World, copy_program, project};
use crate::support::real;

const RECIPE: &str = "recipes/rawdocker.yaml";

/// What the shipped recipe makes of the sandbox's miniatures on every machine: images with their layers. All of it is
/// packed by us, so these ids are the bytes of the format: they may change only together with `FORMAT_VERSION`, or with
/// the miniatures or the recipe themselves.
const AMD64: &str = "\
registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8-alpine
  90e8ba3827e0742e0edb0264306ae0ace5112a1858d58fde5dabda8e2adc4376
  COPY sha256:afbe9ebe946c9d57fb7a2717ed8860d8fd40d396d39527c07bc0548d4404985a
registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8
  fe6ee2c14cac255a18917d2cede3e81e69b19e4e067b383879dc5357b9f5d26a
  COPY sha256:afbe9ebe946c9d57fb7a2717ed8860d8fd40d396d39527c07bc0548d4404985a
  COPY sha256:1f7b081e8967ad03710660e2d877c54b6e14ff737940cfbf0a623f9d33cc47bb
  COPY sha256:95a72ddb35bcd8ef34fd2828b119d30b805a1b4c58d1bcbf07ae3811c0f5b09a
  BASE sha256:77bfcb19bf7e0f99cb2522d732c28a3deb0d27c9c8a82599c23ae1a6cffdcfbe
";
/// As [`AMD64`], for the other platform.
const ARM64: &str = "\
registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8-alpine
  658d29aa52d221732ff7d344586a054003787da875fe531128c5c3271777fd50
  COPY sha256:34e11871349d849598c22f507320ca6f5080d45381d9dc78a520d98f855a1433
registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8
  521bd4fd0847723d7b97fddbf4af92c525029021bd10d33815cdd903044e3570
  COPY sha256:34e11871349d849598c22f507320ca6f5080d45381d9dc78a520d98f855a1433
  COPY sha256:1f7b081e8967ad03710660e2d877c54b6e14ff737940cfbf0a623f9d33cc47bb
  COPY sha256:95a72ddb35bcd8ef34fd2828b119d30b805a1b4c58d1bcbf07ae3811c0f5b09a
  BASE sha256:0bbb8375822600bdb3afed1661cf570d9e36b15999a56e597a014d5ea4760590
";

/// What an ordinary run makes, for amd64 as all runs here: the images of the report, whole.
static ORDINARY: LazyLock<Value> = LazyLock::new(|| {
    let world = World::new();
    images(&mut apply(world.command(), RECIPE))
});

/// Adds the arguments of `recipe apply` to a command that runs the program.
fn apply(mut command: Command, recipe: impl AsRef<OsStr>) -> Command {
    command.args(["recipe", "apply"]).arg(recipe).args(["-o", "json", "--platform", "linux/amd64"]);
    command
}

fn images(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["images"].take()
}

/// The command `program` with `arguments`, which runs what `inner` runs, in its surroundings.
fn within(program: &str, arguments: &[&str], inner: &Command) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg(inner.get_program()).args(inner.get_args()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(inner.get_current_dir().unwrap_or(project()));
    command
}

/// The command in a shell, after these lines.
fn after(lines: &str, inner: &Command) -> Command {
    within("/bin/sh", &["-e", "-c", &format!("{lines}\nexec \"$@\""), "sh"], inner)
}

/// An apply in a new world, with what `change` makes of the command; it gives what an ordinary run gives.
#[track_caller]
fn check(change: impl Fn(&World, Command) -> Command) {
    let world = World::new();
    let mut command = change(&world, apply(world.command(), RECIPE));
    assert_eq!(images(&mut command), *ORDINARY, "{command:?}");
}

#[test]
fn format_version_1_pins_the_bytes() {
    assert_eq!(sealer::testing::plan::FORMAT_VERSION, 1, "the ids are those of this format version");
    let world = World::new();
    for (platform, expected) in [("linux/amd64", AMD64), ("linux/arm64", ARM64)] {
        let run = world.succeed(&["recipe", "apply", RECIPE, "-o", "json", "--platform", platform]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(report["images"].as_array().unwrap().iter().all(|image| image["platform"] == platform));
        assert_eq!(ids(&report, platform), expected, "{platform}");
    }
}

/// The images of a report for one platform, with their layers.
fn ids(report: &Value, platform: &str) -> String {
    let mut ids = String::new();
    for image in report["images"].as_array().unwrap().iter().filter(|image| image["platform"] == platform) {
        let (name, id) = (image["name"].as_str().unwrap(), image["id"].as_str().unwrap());
        ids.extend([name, "\n  ", id, "\n"]);
        for layer in image["layers"].as_array().unwrap() {
            let (kind, id) = (layer["type"].as_str().unwrap(), layer["id"].as_str().unwrap());
            ids.extend(["  ", kind, " ", id, "\n"]);
        }
    }
    ids
}

#[test]
fn for_several_platforms_at_once() {
    let for_both = |world: &World, recipe: &str, arguments: &[&str]| {
        let run = world.succeed(&[&["recipe", "apply", recipe, "-o", "json"], arguments].concat());
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["images"].as_array().unwrap().len(), 4);
        assert_eq!((ids(&report, "linux/amd64").as_str(), ids(&report, "linux/arm64").as_str()), (AMD64, ARM64));
    };
    for_both(&World::new(), RECIPE, &["--platform", "linux/amd64,linux/arm64"]);
    for_both(&World::new(), RECIPE, &["--platform", "linux/arm64", "--platform", "linux/amd64"]);
    let world = World::new();
    let text = fs_err::read_to_string(project().join(RECIPE)).unwrap();
    let text = text.replace("\nstages:", "\nplatforms: [linux/amd64, linux/arm64]\nstages:");
    for_both(&world, world.write("recipe.yaml", text).to_str().unwrap(), &[]);
}

#[test]
fn with_any_umask() {
    for umask in ["077", "000", "027"] {
        check(|_, command| after(&format!("umask {umask}"), &command));
    }
}

#[test]
fn in_any_time_zone_and_language() {
    for (name, value) in [("TZ", "Asia/Tokyo"), ("TZ", "America/St_Johns"), ("LC_ALL", "tr_TR.UTF-8")] {
        check(|_, mut command| {
            command.env(name, value);
            command
        });
    }
}

#[test]
fn from_any_folder() {
    check(|world, _| {
        let mut command = world.command();
        command.current_dir("/");
        apply(command, world.path("checkout").join(RECIPE))
    });
    check(|world, _| {
        let recipe = world.write("other place/renamed.yaml", fs_err::read(project().join(RECIPE)).unwrap());
        let mut command = world.command();
        command.current_dir(recipe.parent().unwrap());
        apply(command, "renamed.yaml")
    });
}

#[test]
fn with_any_number_of_threads() {
    for threads in ["1", "2", "7"] {
        check(|_, mut command| {
            command.args(["--threads", threads]);
            command
        });
    }
}

#[test]
fn without_shared_files() {
    check(|_, mut command| {
        command.args(["--sharing", "copy"]);
        command
    });
}

#[test]
fn with_a_full_cache_and_with_a_full_store() {
    let world = World::new();
    let blobs = || world.server().requests_for("/v2/").iter().filter(|asked| asked.contains("/blobs/")).count();
    let in_store = |name: &str| {
        let mut command = apply(world.command(), RECIPE);
        command.arg("--root").arg(world.path(name));
        images(&mut command)
    };
    assert_eq!(in_store("first"), *ORDINARY);
    assert_ne!(blobs(), 0);
    world.server().forget_requests();
    assert_eq!(in_store("second"), *ORDINARY, "a full cache");
    assert_eq!(blobs(), 0, "the cache was full");
    assert_eq!(in_store("second"), *ORDINARY, "a full cache and a full store");
    fs_err::remove_dir_all(world.cache()).unwrap();
    assert_eq!(in_store("second"), *ORDINARY, "a full store");
}

#[test]
fn on_another_file_system() {
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else { return crate::support::missing("a writable `/dev/shm`") };
    for (option, name) in [("--root", "root"), ("--cache", "cache")] {
        check(|_, mut command| {
            command.arg(option).arg(memory.path().join(name));
            command
        });
    }
}

#[test]
fn on_any_day() {
    if !real::available("faketime") {
        return;
    }
    for day in ["@2031-02-03 04:05:06", "@1999-12-31 23:59:59"] {
        check(|_, command| {
            // A faketime that does nothing would let this pass.
            let date = within("faketime", &["-f", day], Command::new("date").arg("+%Y")).output().unwrap();
            assert_eq!(String::from_utf8(date.stdout).unwrap().trim(), &day[1..5]);
            within("faketime", &["-f", day], &command)
        });
    }
}

/// Makes the world one that any user can use, with a copy of the program and of the recipe in it, and gives the command
/// on them: the repository may lie in a folder that other users cannot enter.
fn for_everyone(world: &World) -> Command {
    let open = |path: &Path, mode| fs_err::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    open(&world.path(""), 0o777);
    let program = world.path("sealer");
    copy_program(&program);
    let recipe = world.write("recipe.yaml", fs_err::read(project().join(RECIPE)).unwrap());
    open(&recipe, 0o444);
    let mut command = Command::new(program);
    command.env_clear().envs(world.environment()).current_dir(world.path(""));
    apply(command, recipe)
}

#[test]
fn for_any_user() {
    if !(real::is_root() && real::available("setpriv")) {
        return;
    }
    // Debian's passwd knows the first as `nobody`, and nobody as the second.
    for (uid, gid) in [("65534", "65534"), ("54321", "12345")] {
        check(|world, _| {
            let arguments = ["--reuid", uid, "--regid", gid, "--clear-groups", "--no-new-privs"];
            within("setpriv", &arguments, &for_everyone(world))
        });
    }
}

#[test]
fn on_hosts_that_know_other_users() {
    if !(real::is_root() && real::available("setpriv") && real::available("unshare")) {
        return;
    }
    for (user, passwd) in [
        ("root", "toor:x:0:0::/:/bin/sh\nsomebody:x:54321:54321::/:/bin/sh\n"),
        ("54321", "toor:x:0:0::/:/bin/sh\nsomebody:x:54321:54321::/:/bin/sh\n"),
        ("root", ""),
        ("54321", ""),
    ] {
        check(|world, _| {
            let users = world.write("passwd", passwd);
            let groups = world.write("group", passwd.replace("::/:/bin/sh", ":"));
            let inner = match user {
                "root" => for_everyone(world),
                uid => within("setpriv", &["--reuid", uid, "--regid", uid, "--clear-groups"], &for_everyone(world)),
            };
            let mount = |file: &Path, on: &str| format!("mount --bind '{}' {on}", file.display());
            let lines = [mount(&users, "/etc/passwd"), mount(&groups, "/etc/group")].join("\n");
            within("unshare", &["--mount"], &after(&lines, &inner))
        });
    }
}

#[test]
fn but_not_with_another_epoch() {
    let with_epoch = |epoch: &str| {
        let world = World::new();
        images(apply(world.command(), RECIPE).env("SOURCE_DATE_EPOCH", epoch))
    };
    assert_eq!(with_epoch("315532800"), *ORDINARY, "1980 is what an ordinary run takes");
    let other = with_epoch("1600000000");
    for index in 0..2 {
        assert_ne!(other[index]["layers"], ORDINARY[index]["layers"]);
    }
}
