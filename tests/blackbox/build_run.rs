//! `sealer build` with RUN, as a black box: what becomes a layer, and that nothing stays mounted or behind.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sealer::testing::rootfs::Overlay;
use sealer::testing::types::ContextPath;
use serde_json::Value;

use crate::support::missing;
use crate::support::program::{Run, World, copy_program, project, tree};

/// Whether RUN can work here at all: it needs root, and the right to mount.
fn can_mount() -> bool {
    let can = Command::new("unshare").args(["--mount", "--pid", "--fork", "true"]).output();
    let can = can.is_ok_and(|output| output.status.success());
    if !can {
        missing("the right to mount (root)");
    }
    can
}

/// Writes a context with a Kubefile and gives its path.
fn context(world: &World, kubefile: &str, files: &[(&str, &str)]) -> String {
    for (file, content) in files {
        world.write(&format!("context/{file}"), content);
    }
    world.write("context/Kubefile", kubefile);
    world.path("context").to_str().unwrap().to_owned()
}

/// Builds for linux/amd64, with more arguments.
fn build(world: &World, name: &str, kubefile: &str, files: &[(&str, &str)], more: &[&str]) -> Run {
    let context = context(world, kubefile, files);
    let kubefile = format!("{context}/Kubefile");
    let fixed = ["build", "-t", name, "--platform", "linux/amd64", "-o", "json", "-f", &kubefile, &context];
    world.run(&[&fixed, more].concat())
}

/// Type, value and folder of each layer.
fn layers(world: &World, run: &Run) -> Vec<(String, String, PathBuf)> {
    assert_eq!(run.code, Some(0), "{run}");
    let built: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let folder = |id: String| world.root().join("data/overlay2").join(id.strip_prefix("sha256:").unwrap());
    let layers = built["layers"].as_array().unwrap().iter();
    layers.map(|layer| (text(&layer["type"]), text(&layer["value"]), folder(text(&layer["id"])))).collect()
}

fn read(folder: &Path, path: &str) -> String {
    fs_err::read_to_string(folder.join(path)).unwrap()
}

/// What of stderr begins with the first error.
fn errors(run: &Run) -> String {
    run.stderr.lines().skip_while(|line| !line.contains("error: ")).collect::<Vec<_>>().join("\n")
}

/// Mounts of this process's namespace that have to do with a world.
fn mounts(world: &World) -> Vec<String> {
    let text = fs_err::read_to_string("/proc/self/mountinfo").unwrap();
    let folder = world.path("").to_str().unwrap().to_owned();
    text.lines().filter(|line| line.contains(&folder)).map(str::to_owned).collect()
}

/// What staging left in the store.
fn staged(world: &World) -> Vec<String> {
    let Ok(entries) = fs_err::read_dir(world.root().join("staging")) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != ".lock").collect()
}

/// Processes whose command line has a word.
fn processes(word: &str) -> Vec<u32> {
    let entries = fs_err::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has = |pid: &u32| {
        fs_err::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(word))
    };
    pids.filter(has).collect()
}

#[test]
fn args_runs_and_a_continuation_make_the_layers_that_sealer_makes() {
    if !can_mount() {
        return;
    }
    let world = World::new();
    let kubefile = "ARG V=1.2,NAME=two words\nFROM scratch\nCOPY etc .\n\
        RUN echo \"$V|${NAME}|$NOPE|\\\"quoted\\\"\" > out && \\\n# a comment between\n  cat etc/a >> out\n\
        RUN true\nRUN echo '$V' \"it's ${NAME}\" > second; pwd >> second; umask >> second; id -u >> second\n\
        CMD start $V\nARG LATE=x\n";
    let run =
        build(&world, "args:v1", kubefile, &[("etc/a", "base\n")], &["--build-arg", "V=2", "--build-arg", "LATE=a,b"]);
    let found = layers(&world, &run);
    let kinds: Vec<(&str, &str)> = found.iter().map(|(kind, value, _)| (kind.as_str(), value.as_str())).collect();
    let first = "echo \"$V|${NAME}|$NOPE|\\\"quoted\\\"\" > out &&   cat etc/a >> out";
    let second = "echo '$V' \"it's ${NAME}\" > second; pwd >> second; umask >> second; id -u >> second";
    assert_eq!(
        kinds,
        [("COPY", "etc ."), ("RUN", first), ("RUN", second)],
        "a RUN that changes nothing makes no layer"
    );
    assert_eq!(tree(&found[1].2).len(), 1);
    assert_eq!(read(&found[1].2, "out"), "2|two words||\"quoted\"\nbase\n");
    let lines: Vec<String> = read(&found[2].2, "second").lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "$V it's two words");
    assert!(lines[1].starts_with(world.root().to_str().unwrap()), "{lines:?}");
    assert_eq!(&lines[2..], ["0022", "0"]);
    assert!(run.stderr.contains("warning: RUN echo") && run.stderr.contains("`NOPE` is not an ARG"), "{run}");

    let inspected: Value = serde_json::from_str(&world.succeed(&["inspect", "-o", "json", "args:v1"]).stdout).unwrap();
    let config = &inspected[0]["spec"]["image_config"];
    let args = serde_json::json!({"current": {"LATE": "a,b", "NAME": "two words", "V": "2"}});
    assert_eq!((&config["args"], &config["cmd"]["current"]), (&args, &serde_json::json!(["start $V"])));

    // The ids are those of the folders, by a second hand.
    let script = project().join("tests/support/go_tar.py");
    let output = Command::new("python3").arg(script).args(found.iter().map(|(_, _, folder)| folder)).output();
    let Ok(output) = output else { return missing("python3") };
    let ids: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| line[..64].to_owned()).collect();
    let names: Vec<&str> = found.iter().map(|(_, _, folder)| folder.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(ids, names);

    let child = build(&world, "args:v2", "FROM args:v1\nARG V=3\nRUN echo \"$V $NAME\" > child\n", &[], &[]);
    let child = layers(&world, &child);
    assert_eq!(read(&child[3].2, "child"), "3 \n", "what a base's ARGs said is not for this text");
    let inspected: Value = serde_json::from_str(&world.succeed(&["inspect", "-o", "json", "args:v2"]).stdout).unwrap();
    let args = &inspected[0]["spec"]["image_config"]["args"];
    assert_eq!(args["parent"], serde_json::json!({"LATE": "a,b", "NAME": "two words", "V": "2"}));
}

#[test]
fn what_a_run_removes_and_replaces_is_gone_in_images_built_on_it() {
    if !can_mount() {
        return;
    }
    let world = World::new();
    let files = [
        ("etc/gone", "1"),
        ("etc/kept", "2"),
        ("conf/old", "3"),
        ("conf/sub/old", "4"),
        ("bin/tool", "#!/bin/sh\necho tool\n"),
    ];
    let kubefile = "FROM scratch\nCOPY etc .\nCOPY conf .\nCOPY bin .\n\
        RUN chmod 755 bin/tool\n\
        RUN rm etc/gone; rm -r conf; mkdir -m 750 conf; echo new > conf/new; tool > said; ln -s kept etc/link; chown 12:34 etc/kept\n";
    let run = build(&world, "over:v1", kubefile, &files, &[]);
    let found = layers(&world, &run);
    let top = &found[4].2;
    let gone = fs_err::symlink_metadata(top.join("etc/gone")).unwrap();
    assert_eq!((gone.mode() & 0o170_000, gone.rdev()), (0o020_000, 0), "a whiteout");
    let opaque =
        Command::new("getfattr").args(["--only-values", "-n", "trusted.overlay.opaque"]).arg(top.join("conf")).output();
    if let Ok(opaque) = opaque {
        assert_eq!(opaque.stdout, b"y");
    }
    assert_eq!(read(top, "said"), "tool\n", "the root file system's bin/ is on PATH");
    let kept = fs_err::metadata(top.join("etc/kept")).unwrap();
    assert_eq!((kept.uid(), kept.gid()), (12, 34));
    assert_eq!(fs_err::metadata(top.join("conf")).unwrap().permissions().mode() & 0o7777, 0o750);

    let folders: Vec<PathBuf> = found.iter().map(|(_, _, folder)| folder.clone()).collect();
    let files = Overlay::new(folders).files(&ContextPath::root()).unwrap();
    let paths: Vec<String> = files.into_iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(paths, ["bin/tool", "conf/new", "etc/kept", "said"]);

    let child = build(&world, "over:v2", "FROM over:v1\nRUN find . ! -type d ! -name list | sort > list\n", &[], &[]);
    let child = layers(&world, &child);
    assert_eq!(read(&child[5].2, "list"), "./bin/tool\n./conf/new\n./etc/kept\n./etc/link\n./said\n");
    // The base's layers were only read.
    let script = project().join("tests/support/go_tar.py");
    let Ok(output) = Command::new("python3").arg(script).args(child.iter().map(|(_, _, folder)| folder)).output()
    else {
        return missing("python3");
    };
    for (line, (_, _, folder)) in String::from_utf8(output.stdout).unwrap().lines().zip(&child) {
        assert_eq!(Some(&line[..64]), folder.file_name().unwrap().to_str());
    }
}

#[test]
fn a_run_that_fails_leaves_nothing_mounted_and_nothing_in_the_store() {
    if !can_mount() {
        return;
    }
    let world = World::new();
    assert_eq!(build(&world, "base:v1", "FROM scratch\nCOPY a .\n", &[("a", "1")], &[]).code, Some(0));
    let before = tree(&world.root());
    for (name, line) in [
        ("run-exit", "echo one; echo two >&2; touch made; exit 3"),
        ("run-signal", "touch made; kill -9 $$"),
        ("run-not-found", "no-such-program-at-all"),
        ("run-socket", "mkfifo pipe"),
    ] {
        let run = build(&world, "broken:v1", &format!("FROM base:v1\nRUN touch first\nRUN \\\n  {line}\n"), &[], &[]);
        assert_eq!(run.code, Some(1), "{run}");
        assert_eq!(run.stdout, "");
        if name == "run-socket" {
            assert!(
                errors(&run).contains("Kubefile:3:1: error: ")
                    && errors(&run).contains("a FIFO, which a layer cannot have"),
                "{run}"
            );
        } else if name == "run-not-found" {
            assert!(errors(&run).contains("Kubefile:3:1: error: the command ended with exit code 127"), "{run}");
        } else {
            insta::assert_snapshot!(name, errors(&run));
        }
        assert_eq!(mounts(&world), Vec::<String>::new());
        assert_eq!(tree(&world.root()), before, "{name}");
        assert_eq!(staged(&world), Vec::<String>::new());
    }
}

#[test]
fn the_command_s_output_goes_to_stderr_and_background_processes_end_with_it() {
    if !can_mount() {
        return;
    }
    let world = World::new();
    let kubefile = "FROM scratch\nRUN echo to stdout; echo to stderr >&2; sleep 86399.5 & echo made > made\n";
    let start = Instant::now();
    let run = build(&world, "said:v1", kubefile, &[], &[]);
    assert!(start.elapsed() < Duration::from_mins(1));
    assert_eq!(layers(&world, &run).len(), 1);
    assert_eq!(run.stderr, "  | to stdout\n  | to stderr\n");
    assert_eq!(processes("86399.5"), Vec::<u32>::new());
    assert_eq!(mounts(&world), Vec::<String>::new());
    let json = build(&world, "said:v1", "FROM scratch\nRUN echo to stdout\n", &[], &["--progress", "json"]);
    let first = json.stderr.lines().next().unwrap();
    assert!(first.ends_with(r#""event":"output","what":"RUN echo to stdout","line":"to stdout"}"#), "{first}");
    assert_eq!(build(&world, "said:v1", "FROM scratch\nRUN echo x\n", &[], &["-q"]).stderr, "");
}

#[test]
fn what_is_built_on_stays_while_it_is_built_on() {
    if !can_mount() {
        return;
    }
    let world = World::new();
    build(&world, "base:v1", "FROM scratch\nCOPY c etc\n", &[("c", "content")], &[]);
    let go = world.path("go");
    let wait = format!("while ! test -e {}; do sleep 0.05; done", go.display());
    let kubefile = format!("FROM base:v1\nRUN echo started; {wait}; cat etc/c > y\n");
    let folder = context(&world, &kubefile, &[]);
    let mut command = world.command();
    command.args(["build", "-t", "on:v1", "-f", &format!("{folder}/Kubefile"), &folder]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "  | started"));
    let removed = world.succeed(&["rmi", "base:v1"]);
    assert!(removed.stdout.contains("0 layers deleted"), "{removed}");
    assert!(world.succeed(&["prune"]).stdout.contains("0 layers deleted"));
    fs_err::write(&go, "").unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
    let saved = world.path("on.tar");
    world.succeed(&["save", "-o", saved.to_str().unwrap(), "on:v1"]);
    let mut archive = tar::Archive::new(fs_err::File::open(saved).unwrap());
    let is_y = |entry: &tar::Entry<'_, fs_err::File>| entry.path().unwrap().ends_with("y");
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let made = entries.find(is_y).map(|entry| std::io::read_to_string(entry).unwrap());
    assert_eq!(made.as_deref(), Some("content"));
    world.succeed(&["rmi", "on:v1"]);
    assert!(world.succeed(&["prune"]).stdout.contains("0 layers deleted"), "rmi took them");
}

#[test]
fn killed_in_mid_run_it_takes_all_along_and_the_next_build_works() {
    if !can_mount() {
        return;
    }
    let world = World::new();
    let folder = context(&world, "FROM scratch\nRUN echo started; touch made; sleep 86398.5\n", &[]);
    for signal in ["-KILL", "-INT", "-TERM"] {
        let mut command = world.command();
        command.args(["build", "-t", "killed:v1", "-f", &format!("{folder}/Kubefile"), &folder]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "  | started");
        let start = Instant::now();
        while processes("sleep\u{0}86398.5").is_empty() {
            assert!(start.elapsed() < Duration::from_secs(30), "it does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(mounts(&world), Vec::<String>::new(), "a mount is seen by its own processes only");
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(child.wait().unwrap().code(), None);
        let start = Instant::now();
        while !processes("86398.5").is_empty() {
            assert!(start.elapsed() < Duration::from_secs(30), "{signal}: it sleeps on");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(mounts(&world), Vec::<String>::new());
    }
    let next = build(&world, "next:v1", "FROM scratch\nRUN echo x > x\n", &[], &[]);
    assert_eq!(layers(&world, &next).len(), 1);
    assert_eq!(staged(&world), Vec::<String>::new(), "what the killed ones left is cleared away");
    assert!(!world.succeed(&["images", "-o", "json"]).stdout.contains("killed"));
}

#[test]
fn without_root_it_says_so_before_anything_is_done() {
    let world = World::new();
    let folder = context(&world, "FROM nowhere:v1\nCOPY https://nowhere.invalid/x .\nRUN echo hello\n", &[]);
    // Neither the program nor the world need be where others can go.
    let home = tempfile::tempdir().unwrap();
    fs_err::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = home.path().join("sealer");
    copy_program(&program);
    fs_err::copy(Path::new(&folder).join("Kubefile"), home.path().join("Kubefile")).unwrap();
    fs_err::create_dir(home.path().join("own")).unwrap();
    let mut command = Command::new(&program);
    command.env_clear().envs(world.environment()).current_dir(home.path());
    for (variable, name) in [("HOME", "own"), ("SEALER_ROOT", "own/root"), ("SEALER_CACHE", "own/cache")] {
        command.env(variable, home.path().join(name));
    }
    command.env_remove("CONTAINERS_REGISTRIES_CONF");
    if rustix::process::geteuid().is_root() {
        chown(home.path().join("own"), Some(65534), Some(65534)).unwrap();
        command.uid(65534).gid(65534);
    }
    let run = world.result(&command.args(["build", "-t", "x:v1", "."]).output().unwrap());
    assert_eq!(run.code, Some(1), "{run}");
    insta::assert_snapshot!("run-without-root", run.stderr);
}

#[test]
fn where_no_overlay_can_be_mounted_there_is_no_image() {
    if !can_mount() {
        return;
    }
    let world = World::new();
    let folder = context(&world, "FROM scratch\nCOPY a .\nRUN echo hello > b\n", &[("a", "1")]);
    for name in ["lower", "upper", "work", "over"] {
        fs_err::create_dir_all(world.path(name)).unwrap();
    }
    // A store on an overlay: no overlay can be upon another.
    let script = "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work over && \
        \"$0\" --root over/store build -t x:v1 -f context/Kubefile context; code=$?; \
        echo \"left: $(find over/store ! -type d ! -name .lock)\" >&2; exit $code";
    let mut command = Command::new("unshare");
    command.env_clear().envs(world.environment()).current_dir(world.path(""));
    command.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_sealer")]);
    let run = world.result(&command.output().unwrap());
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run}");
    insta::assert_snapshot!("run-no-overlay", errors(&run));
    assert!(Path::new(&folder).exists());
}

#[test]
fn as_many_layers_as_an_image_may_have_are_mounted() {
    if !can_mount() {
        return;
    }
    let world = World::new();
    let files: Vec<(String, String)> = (0..127).map(|n| (format!("file-{n}"), n.to_string())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
    let lines: Vec<String> = files.iter().map(|(name, _)| format!("COPY {name} .\n")).collect();
    let copies = lines.concat();
    let run = build(&world, "many:v1", &format!("FROM scratch\n{copies}RUN ls file-* | wc -l > count\n"), &files, &[]);
    let found = layers(&world, &run);
    assert_eq!((found.len(), read(&found[127].2, "count").trim()), (128, "127"));
    let run = build(&world, "more:v1", &format!("FROM scratch\n{copies}RUN true\nRUN true\nRUN true\n"), &files, &[]);
    assert_eq!(run.code, Some(3));
    insta::assert_snapshot!("too-many-layers", errors(&run));
    let run = build(&world, "more:v1", "FROM many:v1\nCMD x\nCOPY file-1 more\n", &files, &[]);
    insta::assert_snapshot!("too-many-layers-upon-a-base", errors(&run));
}

#[test]
fn a_recipe_may_run_and_is_warned_at_the_line() {
    let world = World::new();
    let recipe = "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata:\n  name: runs\nstages:\n  - name: one\n    image: runs:v1\n    kubefile: |\n      ARG WORD=hello\n      FROM scratch\n      RUN echo $WORD > word\n";
    let file = world.write("recipe.yaml", recipe);
    let file = file.to_str().unwrap();
    let validated = world.run(&["recipe", "validate", file]);
    insta::assert_snapshot!("run-in-a-recipe", validated);
    assert_eq!(world.run(&["recipe", "validate", "--strict", file]).code, Some(3));
    if !can_mount() {
        return;
    }
    let run = world.run(&["recipe", "apply", file, "--platform", "linux/amd64", "-o", "json"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("recipe.yaml:11:7: warning: RUN is not reproducible"), "{run}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let layer = &report["images"][0]["layers"][0];
    assert_eq!((&layer["type"], &layer["value"]), (&"RUN".into(), &"echo $WORD > word".into()));
    let id = layer["id"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    assert_eq!(read(&world.root().join("data/overlay2").join(id), "word"), "hello\n");
    let broken = world.write("recipe.yaml", recipe.replace("echo $WORD > word", "exit 7"));
    let run = world.run(&["recipe", "apply", broken.to_str().unwrap()]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!("run-fails-in-a-recipe", errors(&run));
}
