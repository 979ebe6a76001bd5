//! Each step as written and its result: the plan's JSON, or all its mistakes.

use crate::document::{Values, ValuesInput};
use crate::plan::{Narrowing, resolve};
use crate::recipe::parse;
use crate::types::{Diagnostic, Epoch, Source};

/// The result for a recipe with these steps, each of them a line of YAML in flow style.
fn resolved(step: &str) -> String {
    let text = format!(
        "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {{name: demo}}\n\
         values: {{v: v1, count: 5, mode: \"0750\", empty: \"\"}}\nplatforms: [linux/arm64]\nstages:\n  - name: one\n    image: x:v1\n    \
         steps:\n      - {step}\n    kubefile: |\n      FROM scratch\n      COPY . .\n"
    );
    let source = Source::new("r.yaml", &text);
    let shown = |mistakes: Vec<Diagnostic>| mistakes.iter().map(|mistake| mistake.render(&source, false)).collect();
    let parsed = match parse(&source) {
        Ok(parsed) => parsed,
        Err(mistakes) => return shown(mistakes),
    };
    let values = Values::merge(&parsed.recipe.declared(&source), &ValuesInput::default()).unwrap();
    match resolve(&source, &parsed.recipe, &values, &Narrowing::default(), Epoch::DEFAULT) {
        Ok(plan) => {
            let step = &plan.stages[0].work.steps[0];
            let json = serde_json::to_string(step).unwrap();
            assert_eq!(serde_json::from_str::<crate::steps::PlannedStep>(&json).unwrap(), *step, "{json}");
            format!("{}\n{json}\n", step.title())
        }
        Err(mistakes) => shown(mistakes),
    }
}

fn check(name: &str, steps: &[&str]) {
    let table: Vec<String> = steps.iter().map(|step| format!("- {step}\n{}", resolved(step))).collect();
    insta::assert_snapshot!(name, table.join("\n"));
}

#[test]
fn replace_archive() {
    check(
        "replaceArchive",
        &[
            "replaceArchive: {path: cri/docker.tar.gz, url: 'https://a.b/{{ values.v }}.tgz', root: docker, allowMissing: [docker-init]}",
            "replaceArchive: {path: a.tar, file: files/a.tar.xz, optional: true}",
            "replaceArchive: {path: a.zip, url: https://a.b/c}",
            "replaceArchive: {path: a.tgz, url: http://a.b/c}",
            "replaceArchive: {path: a.tgz, url: 'https://user:word@a.b/c'}",
            "replaceArchive: {path: a.tgz, url: ftp://a.b/c}",
            "replaceArchive: {path: a.tgz, file: ../a.tgz}",
            "replaceArchive: {path: a.tgz, file: a.tgz, sha256: abc}",
            "replaceArchive: {path: ., file: /a.tgz, root: .., allowMissing: ['[']}",
        ],
    );
}

#[test]
fn replace_image() {
    check(
        "replaceImage",
        &[
            "replaceImage: {path: images/registry.tar, image: 'registry:{{ values.v }}'}",
            "replaceImage: {path: a.tar, image: quay.io/x/y:1, as: 'y:1', optional: true}",
            "replaceImage: {path: a.tar, image: 'registry@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'}",
            "replaceImage: {path: ../a.tar, image: 'Registry:1'}",
        ],
    );
}

#[test]
fn patch() {
    check(
        "patch",
        &[
            "patch: {path: etc/daemon.json, ops: [{op: remove, path: /mirrors}]}",
            "patch: {path: a.yaml, document: {kind: X, index: 1}, ops: [{op: add, path: /a, value: {b: '{{ values.v }}'}}], optional: true}",
            "patch: {path: a.yml, merge: {a: '{{ values.v }}', b: null, c: [1, true], '{{ k }}': x}}",
            "patch: {path: a.json, document: {name: '{{ values.v }}'}, merge: {a: {}}, optional: true}",
            "patch: {path: a.json}",
            "patch: {path: a.json, ops: [{op: remove, path: /a}], merge: {a: 1}}",
            "patch: {path: a.json, ops: []}",
            "patch: {path: a.json, merge: {}}",
            "patch: {path: a.json, merge: [1]}",
            "patch: {path: a.json, merge: null}",
            "patch: {path: a.json, merge: {a: '{{ values.w }}'}}",
            "patch: {path: a.toml, ops: [{op: remove, path: a}]}",
            "patch: {path: a.json, ops: [{op: remove, path: /a, value: 1}, {op: move, path: /a}]}",
        ],
    );
}

#[test]
fn rewrite_images() {
    check(
        "rewriteImages",
        &[
            "rewriteImages: {paths: [etc/*.yaml], to: 'sea.hub:5000', from: ['docker.io/{{ values.v }}/*'], expect: 2}",
            "rewriteImages: {paths: [], to: sea.hub}",
            "rewriteImages: {paths: [/etc, ../x], to: https://sea.hub}",
        ],
    );
}

#[test]
fn image_list() {
    check(
        "imageList",
        &[
            "imageList: {images: ['a/b:{{ values.v }}', {image: 'c:1', for: tests}], from: ['etc/*.yaml']}",
            "imageList: {path: manifests/list, optional: true}",
            "imageList: {images: []}",
            "imageList: {images: ['a/b:1', 'docker.io/a/b:1', 'quay.io/a/b:1']}",
            "imageList: {images: ['A b']}",
        ],
    );
}

#[test]
fn replace_text() {
    check(
        "replaceText",
        &[
            "replaceText: {path: 'scripts/{{ values.v }}.sh', find: '{{ values.v }}', replace: '$1', expect: 2}",
            "replaceText: {path: a.conf, find: '^(\\w+)=.*$', replace: '${1}={{ values.v }}', regex: true, optional: true}",
            "replaceText: {path: a.conf, find: x, replace: ''}",
            "replaceText: {path: a.json, find: x, replace: b}",
            "replaceText: {path: a.yml, find: x, replace: b}",
            "replaceText: {path: a.conf, find: x, replace: x}",
            "replaceText: {path: a.conf, find: '', replace: x}",
            "replaceText: {path: a.conf, find: '{{ values.empty }}', replace: x}",
            "replaceText: {path: a.conf, find: '(a', replace: x, regex: true}",
            "replaceText: {path: a.conf, find: '(a)', replace: '$1b', regex: true}",
            "replaceText: {path: a.conf, find: 'a', replace: '$HOME', regex: true}",
            "replaceText: {path: a.conf, find: 'a', replace: b, expect: 0}",
            "replaceText: {path: a.conf, find: 'a', replace: b, expect: many, regex: 1}",
            "replaceText: {path: a.conf, find: a}",
        ],
    );
}

#[test]
fn write_file() {
    check(
        "write",
        &[
            "write: {path: etc/motd, content: '{{ values.v }} {{ platform.machine }}', mode: '{{ values.mode }}'}",
            "write: {path: a, content: \"{% raw %}{{ values.v }}{% endraw %} {{ values.v }}\\n\"}",
            "write: {path: a.json, content: '{{ a }}{% b %}{# c #}', template: false, mode: '755'}",
            "write: {path: a, content: '', optional: true, template: true}",
            "write: {path: a, content: '{% if x %}'}",
            "write: {path: a, content: '{% raw %} {{ values.v }}'}",
            "write: {path: a, content: '{{ .Values.v }}'}",
            "write: {path: a, content: '{{ values.w }}'}",
            "write: {path: '{% raw %}a{% endraw %}', content: ''}",
            "write: {path: a, content: b, mode: 0755}",
            "write: {path: a, content: b, mode: 755}",
            "write: {path: a, content: b, mode: u+x}",
            "write: {path: ., content: b}",
            "write: {path: a/../b, content: b}",
            "write: {path: Kubefile, content: b}",
            "write: {path: etc/Kubefile, content: b}",
            "write: {path: a}",
        ],
    );
}

#[test]
fn copy_file() {
    check(
        "copy",
        &[
            "copy: {from: 'files/{{ values.v }}', path: etc/motd, mode: '0755'}",
            "copy: {from: files/motd, path: etc/motd, template: true, optional: true}",
            "copy: {from: ../motd, path: etc/motd}",
            "copy: {from: /etc/passwd, path: etc/motd}",
            "copy: {from: ., path: etc/motd}",
            "copy: {from: a, path: /b, mode: '9'}",
            "copy: {from: a}",
        ],
    );
}

#[test]
fn download() {
    check(
        "download",
        &[
            "download: {url: 'https://a.b/{{ values.v }}?x=1', path: bin/x, mode: '0755'}",
            "download: {url: http://a.b/c, sha256: 'sha256:5891B5B522D5DF086D0FF0B110FBD9D21BB4FC7163AF34D08286A2E846F6BE03', path: x, optional: true}",
            "download: {url: http://a.b/c, path: x}",
            "download: {url: a.b/c, path: x, sha256: '123'}",
            "download: {url: file:///etc/passwd, path: ''}",
        ],
    );
}

#[test]
fn remove() {
    check(
        "remove",
        &[
            "remove: {paths: ['statics/*.yml', 'bin/{{ values.v }}'], optional: true}",
            "remove: {paths: []}",
            "remove: {paths: ['/etc', '../x', '', '[a']}",
            "remove: {paths: statics}",
        ],
    );
}

#[test]
fn move_path() {
    check(
        "move",
        &[
            "move: {from: 'a/{{ values.v }}', to: b/c}",
            "move: {from: ab, to: ab/c}",
            "move: {from: ab, to: abc, optional: true}",
            "move: {from: a, to: ./a/}",
            "move: {from: ., to: a}",
            "move: {from: a, to: ..}",
        ],
    );
}

#[test]
fn chmod() {
    check(
        "chmod",
        &[
            "chmod: {paths: ['scripts/*.sh', 'bin/{{ values.v }}'], mode: '{{ values.mode }}'}",
            "chmod: {paths: [bin/su], mode: '04755', optional: true}",
            "chmod: {paths: [a], mode: 0755}",
            "chmod: {paths: [], mode: '0755'}",
            "chmod: {paths: [a], mode: '{{ values.v }}'}",
            "chmod: {paths: [a]}",
        ],
    );
}

#[test]
fn symlink() {
    check(
        "symlink",
        &[
            "symlink: {path: bin/k, target: 'kubectl-{{ values.v }}'}",
            "symlink: {path: bin/k, target: ../../usr/bin/x, optional: true}",
            "symlink: {path: bin/k, target: /usr/bin/x}",
            "symlink: {path: bin/k, target: ''}",
            "symlink: {path: bin/k, target: '{{ values.empty }}'}",
            "symlink: {path: bin/k, target: \"a\\nb\"}",
            "symlink: {path: /bin/k, target: x}",
        ],
    );
}
