//! Root file systems with something wrong in them: each has exactly what its row says.

use super::root::{Root, Stored, pod};
use crate::closure::finding::ClosureReport;

const GOOD: &str = "sea.hub:5000/tigera/operator:v1.17.4";
const TYPO: &str = "sea.hub:5000/tigrea/operator:v1.17.4";

/// One with the operator in its registry.
fn root() -> Root {
    Root::new().image("tigera/operator:v1.17.4")
}

fn summary(report: &ClosureReport) -> Vec<String> {
    report
        .findings
        .iter()
        .map(|finding| {
            let problem = serde_json::to_value(&finding.problem).unwrap()["problem"].as_str().unwrap().to_owned();
            format!("{:?} {problem} {}{:?}", finding.weight, finding.file, finding.lines)
        })
        .collect()
}

fn workload(kind: &str, route: &str) -> String {
    let mut text = format!("apiVersion: apps/v1\nkind: {kind}\nspec:\n");
    let mut indent = String::from("  ");
    for key in route.split('/').filter(|key| !key.is_empty()) {
        text.extend([indent.as_str(), key, ":\n"]);
        indent += "  ";
    }
    text + &format!("{indent}containers:\n{indent}- image: {TYPO}\n")
}

/// Name, root file system, what is found.
type Row = (&'static str, Root, &'static [&'static str]);

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn missing() -> Vec<Row> {
    let cron = workload("CronJob", "jobTemplate/spec/template/spec");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec:\n    initContainers:\n    - image: {TYPO}\n"
    );
    let custom = format!("apiVersion: x.example/v1\nkind: Anything\nspec:\n  agent:\n    image: {TYPO}\n");
    let tagged =
        "apiVersion: x.example/v1\nkind: Anything\nspec: {image: sea.hub:5000/tigera/operator, tag: v1.17.5}\n";
    let several = format!("{}---\n# nothing\n---\n{}", pod(&[GOOD]), pod(&[TYPO, GOOD, TYPO]));
    let json = format!(r#"{{"apiVersion":"v1","kind":"Pod","spec":{{"containers":[{{"image":"{TYPO}"}}]}}}}"#);
    vec![
        (
            "a deployment",
            root().file("etc/a.yaml", workload("Deployment", "template/spec")),
            &["Error missing etc/a.yaml[7]"],
        ),
        (
            "a daemon set below manifests",
            root().file("manifests/sub/a.yml", workload("DaemonSet", "template/spec")),
            &["Error missing manifests/sub/a.yml[7]"],
        ),
        (
            "a stateful set",
            root().file("a.yaml", workload("StatefulSet", "template/spec")),
            &["Error missing a.yaml[7]"],
        ),
        ("a cron job", root().file("etc/a.yaml", cron), &["Error missing etc/a.yaml[9]"]),
        ("a list", root().file("etc/a.yaml", list), &["Error missing etc/a.yaml[8]"]),
        (
            "a static pod",
            root().file("etc/kubernetes/manifests/a.yaml", pod(&[TYPO])),
            &["Error missing etc/kubernetes/manifests/a.yaml[5]"],
        ),
        ("a custom resource", root().file("statics/a.yaml", custom), &["Error missing statics/a.yaml[5]"]),
        ("a custom resource with its tag apart", root().file("etc/a.yaml", tagged), &["Error missing etc/a.yaml[3]"]),
        ("JSON", root().file("etc/a.json", json), &["Error missing etc/a.json[1]"]),
        (
            "a template",
            root().file("etc/a.yaml.tmpl", format!("{{{{ if x }}}}\nimage: {TYPO}\n{{{{ end }}}}\n")),
            &["Error missing etc/a.yaml.tmpl[2]"],
        ),
        (
            "the second of several documents, twice",
            root().file("etc/a.yaml", several),
            &["Error missing etc/a.yaml[13, 15]"],
        ),
        (
            "two files",
            root().file("etc/a.yaml", pod(&[TYPO])).file("etc/b.yaml", pod(&[TYPO])),
            &["Error missing etc/a.yaml[5]", "Error missing etc/b.yaml[5]"],
        ),
        (
            "another tag",
            root().file("etc/a.yaml", pod(&["sea.hub:5000/tigera/operator:v1.17.5"])),
            &["Error missing etc/a.yaml[5]"],
        ),
        ("no tag", root().file("etc/a.yaml", pod(&["sea.hub:5000/tigera/operator"])), &["Error missing etc/a.yaml[5]"]),
        (
            "the host twice",
            root().file("etc/a.yaml", pod(&["sea.hub:5000/quay.io/tigera/operator:v1.17.4"])),
            &["Error missing etc/a.yaml[5]"],
        ),
        (
            "the last part alone",
            root().file("etc/a.yaml", pod(&["sea.hub:5000/operator:v1.17.4"])),
            &["Error missing etc/a.yaml[5]"],
        ),
        (
            "a digest",
            root().file("etc/a.yaml", pod(&[&format!("sea.hub:5000/tigera/operator@sha256:{:064}", 7)])),
            &["Error missing etc/a.yaml[5]"],
        ),
        ("nothing near", root().file("etc/a.yaml", pod(&["sea.hub:5000/nginx:1"])), &["Error missing etc/a.yaml[5]"]),
        (
            "the list",
            root().file("manifests/imageList", format!("{TYPO}\n")),
            &["Error missing manifests/imageList[1]"],
        ),
        ("no registry at all", Root::new().file("etc/a.yaml", pod(&[GOOD])), &["Error missing etc/a.yaml[5]"]),
        (
            "a tag that an upper layer removed",
            root().file("etc/a.yaml", pod(&[GOOD])).layer().file("registry", ""),
            &["Error missing etc/a.yaml[5]"],
        ),
        (
            "a broken YAML, as text",
            root().file("etc/a.yaml", format!("a: [\nimage: {TYPO}\n")),
            &["Note unread etc/a.yaml[]", "Error missing etc/a.yaml[2]"],
        ),
    ]
}

fn mistyped() -> Vec<Row> {
    let row = |image: &str| root().file("etc/a.yaml", pod(&[image]));
    let reference: &[&str] = &["Error noReference etc/a.yaml[5]"];
    vec![
        ("a capital letter", row("sea.hub:5000/Tigera/operator:v1.17.4"), reference),
        ("white space", row("\"sea.hub:5000/tigera/operator:v1.17.4 \""), reference),
        ("two tags", row("sea.hub:5000/tigera/operator:v1.17.4:v2"), reference),
        ("two slashes", row("sea.hub:5000//tigera/operator:v1.17.4"), reference),
        ("no port", row("sea.hub/tigera/operator:v1.17.4"), &["Warning host etc/a.yaml[5]"]),
        ("another port", row("sea.hub:500/tigera/operator:v1.17.4"), &["Warning host etc/a.yaml[5]"]),
        ("a letter too few", row("se.hub:5000/tigera/operator:v1.17.4"), &["Warning host etc/a.yaml[5]"]),
        (
            "a line of the list",
            root().file("manifests/imageList", "Nginx:1\n"),
            &["Error noReference manifests/imageList[1]"],
        ),
    ]
}

fn platform_and_damage() -> Vec<Row> {
    let asked = |stored| Root::new().stored("a/b:v1", stored).file("etc/a.yaml", pod(&["sea.hub:5000/a/b:v1"]));
    let other: &[&str] = &["Error otherPlatform etc/a.yaml[5]"];
    let broken: &[&str] = &["Error broken etc/a.yaml[5]"];
    let remove = |path: &std::path::Path| fs_err::remove_file(path).unwrap();
    let overwrite = |path: &std::path::Path| fs_err::write(path, "x").unwrap();
    let content = |words: &'static str| {
        move |root: Root, change: fn(&std::path::Path)| {
            let files = root.merged().files(&"registry/docker/registry/v2/blobs".parse().unwrap()).unwrap();
            let is_it = |file: &std::path::Path| fs_err::read_to_string(file).is_ok_and(|text| text.starts_with(words));
            let (path, _) = files.iter().find(|(_, file)| is_it(file)).unwrap();
            root.damage(path.as_str(), change)
        }
    };
    let layer = content("layer of");
    let config = content("{\"os\"");
    vec![
        ("a list of which another platform was cached", asked(Stored::ListArm), other),
        ("a list of another platform", asked(Stored::OnlyArm), other),
        ("an image without list of another platform", asked(Stored::PlainArm), other),
        ("a layer's data is gone", layer(asked(Stored::List), remove), broken),
        ("a layer's data is cut", layer(asked(Stored::List), overwrite), broken),
        ("a config's data is gone", config(asked(Stored::Plain), remove), broken),
        ("a tag that leads nowhere", asked(Stored::List).damage("tags/v1/current", overwrite), broken),
        ("a tag without its history", asked(Stored::List).damage("tags/v1/index", remove), &[]),
    ]
}

fn collisions() -> Vec<Row> {
    let list = |lines: &str| Root::new().file("manifests/imageList", lines).file("etc/a.yaml", pod(&["a/b:1"]));
    let moved = |content: &str| {
        let base = Root::new().file("manifests/imageList", "docker.io/a/b:1\n").image_of("a/b:1", "old");
        base.layer()
            .file("manifests/imageList", "quay.io/a/b:1\n")
            .image_of("a/b:1", content)
            .file("etc/a.yaml", pod(&["sea.hub:5000/a/b:1"]))
    };
    vec![
        (
            "two hosts in the list",
            list("a/b:1\nquay.io/a/b:1\n"),
            &["Note foreign etc/a.yaml[]", "Error collision manifests/imageList[2]"],
        ),
        (
            "the list and a manifest",
            list("quay.io/a/b:1\n").file("manifests/b.yaml", pod(&["ghcr.io/a/b:1"])),
            &["Note foreign etc/a.yaml[]", "Error collision manifests/imageList[1]"],
        ),
        ("a list that covers another's", moved("new"), &["Error collision manifests/imageList[1]"]),
        ("a list that covers another's with the same image", moved("old"), &[]),
    ]
}

fn of_bases() -> Vec<Row> {
    let base = || root().file("etc/a.yaml", pod(&[TYPO])).file("manifests/imageList", "x/unused:1\n").base();
    vec![
        ("a base's own file", base(), &["Warning missing etc/a.yaml[5]"]),
        (
            "what a base held and the result lost",
            Root::new()
                .image("a/b:v1")
                .file("etc/a.yaml", pod(&["sea.hub:5000/a/b:v1"]))
                .base()
                .file("registry/docker/registry/v2/repositories/a/b/_manifests/tags/v1/current/link", "gone"),
            &["Error broken etc/a.yaml[5]"],
        ),
        (
            "a base's file in another place",
            base().file("manifests/sub/a.yaml", pod(&[TYPO])),
            &["Warning missing etc/a.yaml[5]", "Warning missing manifests/sub/a.yaml[5]"],
        ),
        (
            "a base's file changed",
            base().file("etc/a.yaml", format!("# changed\n{}", pod(&[TYPO]))),
            &["Error missing etc/a.yaml[6]"],
        ),
        (
            "a list of its own",
            base().file("manifests/imageList", "x/unused:1\na/b:2\n").file("etc/b.yaml", pod(&["a/b:2"])),
            &["Warning missing etc/a.yaml[5]", "Note foreign etc/b.yaml[]", "Note unasked manifests/imageList[1]"],
        ),
    ]
}

fn notes() -> Vec<Row> {
    vec![
        (
            "listed in vain",
            root()
                .file("manifests/imageList", "calico/cni:v1\nquay.io/tigera/operator:v1.17.4\n")
                .file("etc/a.yaml", pod(&[GOOD])),
            &["Note unasked manifests/imageList[1]"],
        ),
        (
            "a template's expression",
            root().file("etc/a.tmpl", "image: sea.hub:5000/x:{{ .tag }}\n"),
            &["Note template etc/a.tmpl[1]"],
        ),
    ]
}

const CONFIGURATION: &str = "apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\nkubernetesVersion: v1.19.8\nimageRepository: sea.hub:5000\n";

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn of_kubeadm() -> Vec<Row> {
    let cluster = || Root::new().file("bin/kubeadm", "").file("etc/kubeadm.yml", CONFIGURATION);
    let elsewhere = CONFIGURATION.replace("sea.hub:5000", "k8s.gcr.io");
    let unknown = CONFIGURATION.replace("1.19.8", "1.40.0");
    let whole = "v1.19.8 3.2 3.4.13-0 1.7.0";
    let list = "k8s.gcr.io/kube-apiserver:v1.19.8\n";
    let without_scheduler = |root: Root| {
        root.image("sea.hub:5000/kube-apiserver:v1.19.8")
            .image("sea.hub:5000/kube-controller-manager:v1.19.8")
            .image("sea.hub:5000/kube-proxy:v1.19.8")
            .kubernetes("", "- 3.2 3.4.13-0 1.7.0")
    };
    vec![
        (
            "no scheduler and no etcd",
            without_scheduler(cluster()).damage("repositories/etcd/_manifests/tags/3.4.13-0/current", |file| {
                fs_err::remove_file(file).unwrap();
            }),
            &["Error kubeadm etc/kubeadm.yml[4]", "Error kubeadm etc/kubeadm.yml[4]", "Note join etc/kubeadm.yml[4]"],
        ),
        (
            "another coredns",
            cluster().kubernetes("", "v1.19.8 3.2 3.4.13-0 1.6.7"),
            &["Error kubeadm etc/kubeadm.yml[4]", "Note join etc/kubeadm.yml[4]"],
        ),
        (
            "a pause for another platform",
            cluster().kubernetes("", "v1.19.8 - 3.4.13-0 1.7.0").stored("sea.hub:5000/pause:3.2", Stored::OnlyArm),
            &["Error kubeadm etc/kubeadm.yml[4]", "Note join etc/kubeadm.yml[4]"],
        ),
        (
            "no tag at all of what has an unknown version",
            cluster().file("etc/kubeadm.yml", unknown).kubernetes("", "v1.40.0 - 8 9"),
            &["Error kubeadm etc/kubeadm.yml[4]", "Note join etc/kubeadm.yml[4]"],
        ),
        (
            "another registry and no mirror",
            cluster().file("etc/kubeadm.yml", &elsewhere).file("etc/daemon.json", "{}").kubernetes("", whole),
            &["Error kubeadmRepository etc/kubeadm.yml[4]", "Note join etc/kubeadm.yml[4]"],
        ),
        (
            "no configuration",
            Root::new()
                .file("bin/kubeadm", "")
                .kubernetes("library/", "- 3.2 3.4.13-0 1.7.0")
                .image("sea.hub:5000/library/kube-proxy:v1.19.8"),
            &[
                "Error kubeadm bin/kubeadm[]",
                "Error kubeadm bin/kubeadm[]",
                "Error kubeadm bin/kubeadm[]",
                "Note join bin/kubeadm[]",
            ],
        ),
        (
            "a list that forgot the nodes",
            cluster().kubernetes("", whole).file("manifests/imageList", list),
            &["Warning join etc/kubeadm.yml[4]"],
        ),
        (
            "a base without a scheduler",
            without_scheduler(cluster()).base().file("etc/a.yaml", "{}"),
            &["Warning kubeadm etc/kubeadm.yml[4]"],
        ),
        (
            "a scheduler that the base had",
            cluster().kubernetes("", whole).base().file("etc/kubeadm.yml", CONFIGURATION.replace("1.19.8", "1.19.9")),
            &["Error kubeadm etc/kubeadm.yml[4]"; 4],
        ),
        (
            "files that are only passed on",
            Root::new().file("etc/kubeadm.yml", CONFIGURATION).kubernetes("", "v1.19.8 3.2 - 1.7.0"),
            &["Note kubeadm etc/kubeadm.yml[4]", "Note join etc/kubeadm.yml[4]"],
        ),
        (
            "a list and no program",
            Root::new()
                .file("etc/kubeadm.yml", CONFIGURATION)
                .kubernetes("", "v1.19.8 3.2 - 1.7.0")
                .file("manifests/imageList", list),
            &["Error kubeadm etc/kubeadm.yml[4]", "Warning join etc/kubeadm.yml[4]"],
        ),
        (
            "an example of a configuration",
            Root::new().file("docs/kubeadm.yaml", CONFIGURATION).kubernetes("", "v1.19.8 3.2 - 1.7.0"),
            &["Note kubeadm docs/kubeadm.yaml[4]"],
        ),
    ]
}

fn of_scripts() -> Vec<Row> {
    let registry = "a=\"-d \\\n -v x\"\nif [ -f x ]; then\n  docker run $a registry:2.7.1 || b\nelse\n  docker run $a registry:2.7.1\nfi\n";
    let newer = || Root::new().archive("images/registry.tar", &["registry:2.8.1"]);
    let older = || Root::new().archive("images/registry.tar", &["registry:2.7.1"]);
    vec![
        (
            "an archive with another tag",
            newer().file("scripts/init-registry.sh", registry),
            &["Error script scripts/init-registry.sh[4, 6]"],
        ),
        (
            "an archive that a recipe replaced",
            older()
                .file("scripts/init-registry.sh", registry)
                .base()
                .archive("images/registry.tar", &["registry:2.8.1"]),
            &["Error script scripts/init-registry.sh[4, 6]"],
        ),
        (
            "a base that cannot run its script",
            newer().file("scripts/init-registry.sh", registry).base().file("a", ""),
            &["Warning script scripts/init-registry.sh[4, 6]"],
        ),
        (
            "no archive",
            Root::new().file("scripts/a/b", "#!/bin/sh\nctr run a.io/b:1 c\n"),
            &["Error script scripts/a/b[2]"],
        ),
        (
            "options that are not known",
            Root::new().file("scripts/a.sh", "docker run $(x) a\n"),
            &["Warning script scripts/a.sh[1]"],
        ),
        (
            "a name that is not known",
            Root::new().file("scripts/a.sh", "docker run a:$1\n"),
            &["Note scriptUnknown scripts/a.sh[1]"],
        ),
    ]
}

#[test]
fn everything_wrong_is_found_and_nothing_else() {
    let groups =
        [missing(), mistyped(), platform_and_damage(), collisions(), of_bases(), notes(), of_kubeadm(), of_scripts()];
    let (mut words, mut wrong) = (Vec::new(), Vec::new());
    for (name, root, expected) in groups.into_iter().flatten() {
        let report = root.check();
        let found = summary(&report);
        if found != expected {
            wrong.push(format!("{name}: {found:#?}, expected {expected:#?}"));
        }
        words.push(format!("## {name}"));
        for finding in &report.findings {
            words.push(format!("{:?}: {finding}", finding.weight));
            words.extend(finding.help().iter().map(|help| format!("  help: {help}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!("words", words.join("\n"));
}

#[test]
fn a_report_is_data() {
    let report = root().file("etc/a.yaml", pod(&[TYPO, GOOD])).check();
    assert!(!report.is_closed());
    insta::assert_json_snapshot!(report, @r#"
    {
      "held": 1,
      "findings": [
        {
          "weight": "error",
          "file": "etc/a.yaml",
          "lines": [
            5
          ],
          "reference": "sea.hub:5000/tigrea/operator:v1.17.4",
          "problem": "missing",
          "nearest": "sea.hub:5000/tigera/operator:v1.17.4"
        }
      ]
    }
    "#);
}
