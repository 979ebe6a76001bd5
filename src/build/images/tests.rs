use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::disk::Dir;
use crate::types::Epoch;

/// A layer of files and what helm is.
struct Build {
    layer: tempfile::TempDir,
    helm: Helm,
    observer: Warnings,
}

#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Build {
    fn new(files: &[(&str, &str)]) -> Self {
        let layer = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = layer.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        }
        Self { layer, helm: Helm::on_path(None), observer: Warnings::default() }
    }

    /// A stand-in for helm, in a shell.
    fn with_helm(self, script: &str) -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helm");
        fs_err::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs_err::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        (Self { helm: Helm::on_path(Some(path.as_ref())), ..self }, folder)
    }

    fn run(&self, all: &[&Path]) -> (Wants, Vec<BuildFailure>) {
        let scratch = tempfile::tempdir().unwrap();
        let new = Overlay::new(vec![self.layer.path().to_owned()]);
        let mut all = Overlay::new(all.iter().map(|layer| (*layer).to_owned()).collect());
        all.push(self.layer.path().to_owned());
        let search = Search {
            private: &[],
            new: &new,
            all: &all,
            own_registry: "sea.hub:5000",
            helm: &self.helm,
            ignore: &[],
            scratch: scratch.path(),
        };
        let found = search.run();
        self.observer.0.lock().unwrap().extend(found.0.doubts.iter().map(ToString::to_string));
        found
    }

    fn found(&self) -> Result<Vec<String>, Vec<String>> {
        let (wants, failures) = self.run(&[]);
        if failures.is_empty() {
            return Ok(wants.outside.iter().map(|wanted| format!("{} {}", wanted.origin, wanted.image)).collect());
        }
        Err(failures.into_iter().map(|failure| failure.headed().render(None, false)).collect())
    }

    fn warnings(&self) -> Vec<String> {
        self.observer.0.lock().unwrap().clone()
    }
}

fn search(files: &[(&str, &str)]) -> Result<Vec<String>, Vec<String>> {
    let build = Build::new(files);
    let (wants, failures) = build.run(&[]);
    if failures.is_empty() {
        return Ok(wants.outside.iter().map(|wanted| format!("{} {}", wanted.origin, wanted.image)).collect());
    }
    Err(failures.into_iter().map(|failure| failure.headed().message).collect())
}

#[test]
fn lists_may_have_comments_quotes_and_remarks() {
    let list = "\u{feff}# head\r\n\r\nnginx\r\n  # indented\n\"a/b:1\" # remark\n'quay.io/c:2'\nnginx:latest\n";
    let expected = [
        "manifests/imageList:3 docker.io/library/nginx:latest",
        "manifests/imageList:5 docker.io/a/b:1",
        "manifests/imageList:6 quay.io/c:2",
    ];
    assert_eq!(search(&[("manifests/imageList", list)]).unwrap(), expected);
}

#[test]
fn manifests_are_read_as_yaml_and_other_files_are_not() {
    let files = [
        (
            "manifests/a/pod.yaml",
            "kind: Pod\nspec:\n  containers:\n  - image: busybox:1\n    imagePullPolicy: Always\n",
        ),
        ("manifests/t.tmpl", "image: {{ .x }}\nimage: b:1\n"),
        ("manifests/readme.md", "image: nothing:1\n"),
        ("etc/x.yaml", "image: nothing:2\n"),
    ];
    let expected = ["manifests/a/pod.yaml:4 docker.io/library/busybox:1", "manifests/t.tmpl:2 docker.io/library/b:1"];
    assert_eq!(search(&files).unwrap(), expected);
}

#[test]
fn what_cannot_be_searched_is_an_error() {
    let found = search(&[("manifests/imageList/mylist", "nginx\n")]).unwrap_err();
    assert_eq!(found, ["manifests/imageList is a folder, expected the list"]);
    let build = Build::new(&[("manifests/readme.md", "")]);
    fs_err::os::unix::fs::symlink("list", build.layer.path().join("manifests/imageList")).unwrap();
    insta::assert_snapshot!(build.found().unwrap_err().concat(), @"
    error: manifests/imageList cannot be searched for images: it is not a regular file, or its name is not UTF-8
      help: replace it with the file itself
    ");
}

#[test]
fn two_hosts_on_one_path_and_bad_references_are_errors() {
    let list = "quay.io/tigera/operator:v1\ntigera/operator:v1\nNginx\n";
    insta::assert_debug_snapshot!(search(&[("manifests/imageList", list)]).unwrap_err(), @r#"
    [
        "manifests/imageList:2: `docker.io/tigera/operator:v1` and `quay.io/tigera/operator:v1` get the same path: the image's registry can hold only one of them, as `tigera/operator:v1`",
        "manifests/imageList:3: `Nginx` is not an image reference: a repository must be in lower case",
    ]
    "#);
}

#[test]
fn references_that_only_a_cluster_knows_are_warned_of() {
    let build = Build::new(&[
        ("manifests/t.yaml.tmpl", "image: {{ .x }} # why\nimage: b:1 # {{ no }}\n"),
        ("manifests/u.yaml", "kind: ConfigMap\ndata:\n  t: |\n    image: a/b:{{ .tag }}\n"),
    ]);
    assert_eq!(build.found().unwrap(), ["manifests/t.yaml.tmpl:2 docker.io/library/b:1"]);
    insta::assert_snapshot!(build.warnings().join("\n"), @"
    manifests/t.yaml.tmpl:1: cannot tell which image `{{ .x }}` is; if it is an image, list it in manifests/imageList
    manifests/u.yaml:4: cannot tell which image `a/b:{{ .tag }}` is; if it is an image, list it in manifests/imageList
    ");
}

const CHART: [(&str, &str); 4] = [
    ("charts/app/Chart.yaml", "name: web\nkubeVersion: '>=1.19'\n"),
    ("charts/app/values.yaml", "a: 1\n"),
    ("charts/app/templates/pod.yaml", "image: {{ .Values.image }}\n"),
    ("charts/app/charts/sub/Chart.yaml", "name: sub\n"),
];

/// What helm gives, at its most unusual.
const RENDERED: &str = r#"cat <<'END'
---
# Source: web/templates/pod.yaml
kind: Pod
spec:
  containers:
  - image: calico/cni:v1
    env: {image: "{{ .later }}"}
---
# Source: web/charts/sub/templates/broken.yaml
  a: [
image: quay.io/broken:1
---
# Source: web/templates/list.yaml
kind: List
items:
- {spec: {initContainers: [{image: busybox}]}}
END"#;

#[test]
fn charts_are_rendered_and_their_images_know_their_templates() {
    let script = format!(
        r#"test "$#" = 2 && test "$1" = template && cd "$2" || exit 7
        case "$2" in */charts/app) ;; *) exit 8;; esac
        test -f values.yaml && test -f charts/sub/Chart.yaml && test -f templates/pod.yaml || exit 9
        test "$(env | grep -v -e ^PWD= -e ^OLDPWD= -e ^SHLVL= -e ^_= | cut -d= -f1 | sort | tr '\n' ' ')" = \
          "HELM_CACHE_HOME HELM_CONFIG_HOME HELM_DATA_HOME HELM_PLUGINS HOME HTTPS_PROXY HTTP_PROXY KUBECONFIG LC_ALL PATH TMPDIR http_proxy https_proxy " || exit 10
        test "$KUBECONFIG" = /dev/null && test -z "$(ls -A "$HOME")" || exit 11
        {RENDERED}"#
    );
    let (build, _helm) = Build::new(&CHART).with_helm(&script);
    insta::assert_snapshot!(build.found().unwrap().join("\n"), @"
    charts/app (templates/pod.yaml) docker.io/calico/cni:v1
    charts/app (charts/sub/templates/broken.yaml) quay.io/broken:1
    charts/app (templates/list.yaml) docker.io/library/busybox:latest
    ");
    insta::assert_snapshot!(build.warnings().join("\n"), @"
    charts/app (templates/pod.yaml):7: cannot tell which image `{{ .later }}` is; if it is an image, list it in manifests/imageList
    charts/app (charts/sub/templates/broken.yaml):3: this is not YAML and was searched as text: line 3, column 6: a `[` is not closed
    Metadata: it does not say that the charts need Kubernetes `>=1.19`: the image has no such file
    ");
}

#[test]
fn a_chart_that_is_not_rendered_is_an_error_that_says_how_to_list_its_images() {
    insta::assert_snapshot!(Build::new(&CHART).found().unwrap_err().concat(), @"
    error: charts/app: the images of the chart are not known
      caused by: `helm`, which renders charts, is not on PATH
      help: install helm
      help: or list the chart's images yourself, a line each, in a file `imageList` that is copied with `COPY imageList manifests`: charts that cannot be rendered are then a warning
    ");
    let (build, _helm) = Build::new(&CHART).with_helm("echo \"$2/templates/pod.yaml: no image\" >&2; exit 3");
    insta::assert_snapshot!(build.found().unwrap_err().concat(), @"
    error: charts/app: the images of the chart are not known
      caused by: `helm template` failed (exit status: 3): charts/app/templates/pod.yaml: no image
      help: change the chart or its values.yaml so that `helm template` renders it
      help: or list the chart's images yourself, a line each, in a file `imageList` that is copied with `COPY imageList manifests`: charts that cannot be rendered are then a warning
    ");
    let (build, _helm) = Build::new(&CHART).with_helm("exit 3");
    assert!(build.found().unwrap_err()[0].contains("it does not say why"));
    let (build, _helm) = Build::new(&CHART).with_helm("exit 0");
    fs_err::os::unix::fs::symlink("/etc/passwd", build.layer.path().join("charts/app/templates/x.yaml")).unwrap();
    insta::assert_snapshot!(build.found().unwrap_err().concat(), @"
    error: charts/app: the images of the chart are not known: `charts/app/templates/x.yaml` is not a regular file, or its name is not UTF-8
      help: replace it with the file itself
      help: or list the chart's images yourself, a line each, in a file `imageList` that is copied with `COPY imageList manifests`: charts that cannot be rendered are then a warning
    ");
}

#[test]
fn helm_is_given_no_more_time_and_output_than_it_needs() {
    let (mut build, folder) =
        Build::new(&CHART).with_helm("(while :; do echo x >> \"${0%/*}/beats\"; sleep 0.02; done) & exec sleep 600");
    build.helm = build.helm.with_patience(Duration::from_secs(1));
    assert!(build.found().unwrap_err()[0].contains("`helm template` took longer than 1 s"));
    let beats = || fs_err::metadata(folder.path().join("beats")).unwrap().len();
    let at_the_end = beats();
    std::thread::sleep(Duration::from_millis(200));
    assert!(at_the_end > 0 && beats() <= at_the_end + 2, "what helm started ended with it");
    let (build, _helm) = Build::new(&CHART).with_helm("exec yes image: nginx");
    assert!(build.found().unwrap_err()[0].contains("`helm template` printed more than 64 MiB"));
    let (build, _helm) = Build::new(&CHART).with_helm("yes 1234567 | head -c 9000000 >&2; echo image: a:1");
    assert_eq!(build.found().unwrap(), ["charts/app docker.io/library/a:1"]);
}

#[test]
fn with_an_image_list_a_chart_that_is_not_rendered_is_a_warning() {
    let files = [&CHART[..], &[("manifests/imageList", "listed:1\n")]].concat();
    let build = Build::new(&files);
    assert_eq!(build.found().unwrap(), ["manifests/imageList:1 docker.io/library/listed:1"]);
    insta::assert_snapshot!(build.warnings().join("\n"), @"
    charts/app: the images of the chart are not known: `helm`, which renders charts, is not on PATH; those that manifests/imageList lists are cached
    Metadata: it does not say that the charts need Kubernetes `>=1.19`: the image has no such file
    ");
}

#[test]
fn a_chart_is_a_topmost_folder_with_a_description() {
    let files = [
        ("charts/b/Chart.yaml", "name: b\n"),
        ("charts/b-lib/Chart.yaml", "name: lib\ntype: library\n"),
        ("charts/group/c/Chart.yaml", "name: c\n"),
        ("charts/group/c/charts/packed.tgz", ""),
        ("charts/packed-1.0.tgz", ""),
        ("charts/readme.yaml", "image: nothing:1\n"),
    ];
    let (build, _helm) = Build::new(&files).with_helm("echo image: ${2##*/}:1");
    fs_err::os::unix::fs::symlink("b", build.layer.path().join("charts/link")).unwrap();
    assert_eq!(build.found().unwrap(), ["charts/b docker.io/library/b:1", "charts/group/c docker.io/library/c:1"]);
    insta::assert_snapshot!(build.warnings().join("\n"), @"
    charts/packed-1.0.tgz: this is a packed chart, so its images are not found: unpack it, or list them in manifests/imageList
    charts/link: it is not searched for charts: it is not a regular file or folder
    ");
    let (build, _helm) = Build::new(&[("charts/Chart.yaml", "name: top\n")]).with_helm("echo image: ${2##*/}:1");
    assert_eq!(build.found().unwrap(), ["charts docker.io/library/charts:1"]);
}

#[test]
fn what_sealer_would_not_take_for_a_chart_may_fail() {
    let part = |missing: &str| {
        let files: Vec<_> = CHART.into_iter().filter(|(name, _)| !name.contains(missing)).collect();
        Build::new(&files)
    };
    for missing in ["values.yaml", "templates"] {
        let build = part(missing);
        assert_eq!(build.found().unwrap(), [""; 0]);
        let warnings = build.warnings().concat();
        assert!(warnings.starts_with("charts/app: the images of the chart are not known: `helm`"), "{warnings}");
    }
    let umbrella = ["Chart.yaml", "charts/sub/Chart.yaml", "charts/sub/values.yaml", "charts/sub/templates/x.yaml"];
    let files = umbrella.map(|file| format!("charts/umbrella/{file}"));
    let files: Vec<_> = files.iter().map(|file| (file.as_str(), "name: x\n")).collect();
    assert!(Build::new(&files).found().is_err(), "a chart in it is one");
}

#[test]
fn metadata_learns_the_charts_ranges_and_keeps_all_else() {
    let base = tempfile::tempdir().unwrap();
    let golden = "{\n  \"version\": \"v1.19.8\",\n  \"arch\": \"amd64\"\n}\n";
    let file = base.path().join("Metadata");
    let run = |metadata: Option<&str>, charts: &[(&str, &str)]| {
        drop(fs_err::remove_file(&file));
        if let Some(metadata) = metadata {
            fs_err::write(&file, metadata).unwrap();
            fs_err::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        }
        let (build, _helm) = Build::new(charts).with_helm("echo image: \"x$3:1\"");
        let (wants, failures) = build.run(&[base.path()]);
        assert!(failures.is_empty(), "{failures:?}");
        let layer = tempfile::tempdir().unwrap();
        let written = wants.metadata.map(|metadata| {
            metadata.write(&Dir::open(layer.path()).unwrap(), Epoch::default()).unwrap();
            let about = fs_err::metadata(layer.path().join("Metadata")).unwrap();
            assert_eq!(about.permissions().mode() & 0o7777, 0o640);
            fs_err::read_to_string(layer.path().join("Metadata")).unwrap()
        });
        (wants.outside[0].image.to_string(), written, build.warnings().concat())
    };
    let (image, written, warnings) = run(Some(golden), &CHART);
    assert_eq!(image, "docker.io/library/xv1.19.8:1", "the chart is rendered for the image's Kubernetes");
    assert_eq!(warnings, "");
    insta::assert_snapshot!(written.unwrap(), @r#"
    {
      "version": "v1.19.8",
      "arch": "amd64",
      "kubeVersion": ">=1.19"
    }
    "#);
    let same = golden.replace("amd64\"", "amd64\", \"kubeVersion\": \">=1.19\"");
    assert_eq!(run(Some(&same), &CHART).1, None);
    let two = [&CHART[..], &[("charts/b/Chart.yaml", "kubeVersion: <1.25\n")]].concat();
    assert!(run(Some(golden), &two).1.unwrap().contains("\"kubeVersion\": \"<1.25, >=1.19\""));
    let joined = [&CHART[..], &[("charts/b/Chart.yaml", "kubeVersion: 1.16.x || 1.20.x\n")]].concat();
    for (metadata, charts, why) in [
        (None, &CHART[..], "the image has no such file"),
        (Some("[1]"), &CHART, "it is not a JSON object"),
        (Some("no JSON"), &CHART, "it is not a JSON object"),
        (Some(golden), &joined, "such ranges cannot be joined"),
    ] {
        let (_, written, warnings) = run(metadata, charts);
        assert_eq!(written, None);
        assert!(warnings.ends_with(&format!(": {why}")), "{warnings}");
    }
    assert_eq!(run(Some(golden), &[("charts/a/Chart.yaml", "name: a\n")]).1, None);
}

#[test]
fn an_engine_s_image_stands_in_for_the_registry_that_manifests_mean() {
    let list = "docker-daemon:team/app:1\ndocker-daemon:tool\n";
    let pods = "image: team/app:1\n---\nimage: docker-daemon:v1\n";
    let (wants, failures) = Build::new(&[("manifests/a.yaml", pods), ("manifests/imageList", list)]).run(&[]);
    assert!(failures.is_empty());
    let mut found: Vec<String> =
        wants.outside.iter().map(|wanted| format!("{} {}", wanted.origin, wanted.image)).collect();
    found.sort();
    let expected = [
        "manifests/a.yaml:3 docker.io/library/docker-daemon:v1",
        "manifests/imageList:1 docker-daemon:team/app:1",
        "manifests/imageList:2 docker-daemon:tool:latest",
    ];
    assert_eq!(found, expected);
    let other = "docker-daemon:team/app:1\nquay.io/team/app:1\n";
    let (_, failures) = Build::new(&[("manifests/imageList", other)]).run(&[]);
    let messages: Vec<&str> = failures.iter().map(|failure| failure.failure.message.as_str()).collect();
    insta::assert_debug_snapshot!(messages, @r#"
    [
        "manifests/imageList:2: `quay.io/team/app:1` and `docker-daemon:team/app:1` get the same path: the image's registry can hold only one of them, as `team/app:1`",
    ]
    "#);
}

#[test]
fn a_file_larger_than_any_manifest_is_refused_and_not_read() {
    for name in ["manifests/large.yaml", "manifests/imageList", "manifests/large.tmpl"] {
        let build = Build::new(&[(name, "")]);
        let file = fs_err::OpenOptions::new().write(true).open(build.layer.path().join(name)).unwrap();
        file.set_len(wanted::MAX_MANIFEST + 1).unwrap();
        let (_, failures) = build.run(&[]);
        let messages: Vec<&str> = failures.iter().map(|failure| failure.failure.message.as_str()).collect();
        assert_eq!(messages, [format!("`{name}` has 67.1 MB; files over 67.1 MB are not searched for images")]);
    }
}
