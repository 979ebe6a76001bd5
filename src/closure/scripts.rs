//! The images that `scripts/` run by name, and where a cluster gets them: from an archive in `images/`, which
//! init-registry.sh hands to `docker load`, or from the image's own registry.

use std::collections::BTreeMap;
use std::io;

use super::shell::{Word, commands};
use crate::image::DockerArchive;
use crate::rootfs::Overlay;
use crate::types::{ContextPath, ImageRef};

/// The largest script that is read, in bytes.
const MAX_SCRIPT: u64 = 1 << 20;

/// An image that a script runs or pulls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) script: ContextPath,
    /// The line of the command, from 1.
    pub(super) line: usize,
    /// The name as the command gets it.
    pub(super) name: String,
    /// Whether a part of the command is only known when it runs, so that another word may be the image.
    pub(super) is_unsure: bool,
}

/// What the scripts of a root file system run or pull by name, in the order of their paths and lines.
pub(super) fn uses(layers: &Overlay) -> io::Result<Vec<Use>> {
    let mut uses = Vec::new();
    for (script, file) in layers.files(&known("scripts"))? {
        if fs_err::symlink_metadata(&file)?.len() > MAX_SCRIPT {
            continue;
        }
        let bytes = fs_err::read(&file)?;
        let is_script =
            script.as_path().extension().is_some_and(|extension| extension == "sh") || bytes.starts_with(b"#!");
        if !is_script {
            continue;
        }
        for command in commands(&String::from_utf8_lossy(&bytes)) {
            if let Some((name, is_unsure)) = image_of(&command.words) {
                uses.push(Use { script: script.clone(), line: command.line, name, is_unsure });
            }
        }
    }
    Ok(uses)
}

/// The archives in `images/`, with the names that `docker load` gives to what is in them; `None` if an archive cannot
/// be read, so that nothing is certain.
pub(super) fn archives(layers: &Overlay) -> io::Result<Option<BTreeMap<ContextPath, Vec<ImageRef>>>> {
    let mut archives = BTreeMap::new();
    for (path, file) in layers.files(&known("images"))? {
        let Ok(tags) = DockerArchive::tags(fs_err::File::open(&file)?.into()) else { return Ok(None) };
        archives.insert(path, tags.iter().filter_map(|tag| tag.parse().ok()).collect());
    }
    Ok(Some(archives))
}

fn known(path: &str) -> ContextPath {
    path.parse().expect("plain words are a path")
}

/// Words that may come before a command.
const FRONT: [&str; 14] =
    ["if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", "exec", "command", "nohup", "sudo"];

/// The image that a command runs or pulls, if any, and whether that is unsure.
fn image_of(words: &[Word]) -> Option<(String, bool)> {
    let mut words = words.iter().skip_while(|word| {
        let text = word.text.as_str();
        FRONT.contains(&text)
            || text.starts_with('-')
            || text.split_once('=').is_some_and(|(name, _)| !name.contains('/'))
    });
    let program = words.next()?.text.rsplit('/').next()?;
    let is_ctr = program == "ctr";
    if !is_ctr && !["docker", "nerdctl", "podman", "crictl"].contains(&program) {
        return None;
    }
    let words: Vec<&Word> = words.collect();
    let (at, mut is_unsure) = skip_options(&words, 0, &GLOBAL_SWITCHES)?;
    let (verb, mut at) = (words[at].text.as_str(), at + 1);
    let verb = match verb {
        "container" | "image" | "images" | "i" | "c" | "containers" => {
            at += 1;
            words.get(at - 1)?.text.as_str()
        }
        verb => verb,
    };
    match (program, verb) {
        ("crictl", "pull") | (_, "run" | "create" | "pull") => {}
        _ => return None,
    }
    let switches: &[&str] = if is_ctr { &CTR_SWITCHES } else { &RUN_SWITCHES };
    let (at, is_doubtful) = skip_options(&words, at, switches)?;
    is_unsure |= is_doubtful;
    let image = words[at];
    let is_folder = image.text.starts_with(['/', '.']);
    (!is_folder).then(|| (image.text.clone(), is_unsure || image.is_unknown))
}

/// Options of the programs themselves that take no value.
const GLOBAL_SWITCHES: [&str; 7] =
    ["--debug", "-D", "--tls", "--tlsverify", "--insecure-registry", "--debug-full", "--experimental"];
/// Options of `run`, `create` and `pull` that take no value: docker's (27), nerdctl's and podman's.
const RUN_SWITCHES: [&str; 20] = [
    "--detach",
    "--interactive",
    "--tty",
    "--rm",
    "--privileged",
    "--init",
    "--read-only",
    "--publish-all",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--sig-proxy",
    "--disable-content-trust",
    "--quiet",
    "--help",
    "--use-api-socket",
    "--replace",
    "--all-tags",
    "--all-platforms",
    "--rmi",
    "--no-hosts",
];
/// Those of `ctr` (containerd 1.7).
const CTR_SWITCHES: [&str; 20] = [
    "--rm",
    "--null-io",
    "--detach",
    "--cni",
    "--net-host",
    "--privileged",
    "--read-only",
    "--tty",
    "--no-pivot",
    "--allow-new-privs",
    "--seccomp",
    "--rootfs",
    "--all-platforms",
    "--plain-http",
    "--skip-verify",
    "--all-metadata",
    "--http-dump",
    "--http-trace",
    "--local",
    "--print-chainid",
];
/// One-letter options without a value.
const LETTERS: &str = "dithPqaDk";

/// The index of the first word that is not an option, and whether a word before it is only known when it runs.
fn skip_options(words: &[&Word], mut at: usize, switches: &[&str]) -> Option<(usize, bool)> {
    let mut is_unsure = false;
    loop {
        let word = words.get(at)?;
        let text = word.text.as_str();
        at += 1;
        if word.is_unknown && text.starts_with(['$', '`']) {
            // Most likely more options; the image is a word that a script names.
            if at == words.len() {
                return Some((at - 1, true));
            }
            is_unsure = true;
        } else if text == "--" {
            return (at < words.len()).then_some((at, is_unsure));
        } else if let Some(letters) = text.strip_prefix('-').filter(|rest| !rest.is_empty() && !rest.starts_with('-')) {
            // `-it` are two switches, `-dp 80:80` a switch and an option whose value is the next word, `-p80:80` holds it.
            let value = letters.char_indices().find(|(_, letter)| !LETTERS.contains(*letter));
            at += usize::from(value.is_some_and(|(index, letter)| index + letter.len_utf8() == letters.len()));
        } else if text.starts_with("--") {
            at += usize::from(!text.contains('=') && !switches.contains(&text));
        } else {
            return Some((at - 1, is_unsure));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_of_a_command_is_found() {
        let rows = [
            ("docker run registry:2.7.1", "registry:2.7.1"),
            (
                "docker run -d --restart=always --net=host --name x -v a:b -e K=V registry:2.7.1 serve x",
                "registry:2.7.1",
            ),
            ("sudo -E /usr/bin/docker -H unix:///x --debug run -it --rm -p80:80 -dp 81:81 nginx sh", "nginx"),
            ("if ! docker container run --gpus all a/b:1; then x; fi", "a/b:1"),
            ("A=1 B=c nerdctl -n k8s.io run --network host --privileged c.io/d:2", "c.io/d:2"),
            ("ctr -n k8s.io run --rm --net-host --mount type=bind e.io/f:3 id", "e.io/f:3"),
            ("ctr --namespace k8s.io images pull --plain-http g.io/h:4", "g.io/h:4"),
            ("ctr run --rootfs /a/b id", "-"),
            ("crictl pull i:5", "i:5"),
            ("docker pull -q j:6 && docker tag j:6 k:7", "j:6"),
            ("podman run -v \"$A:/b\" l:8", "l:8"),
            ("docker run $OPTIONS m:9", "?m:9"),
            ("docker run \"$IMAGE\"", "?$IMAGE"),
            ("IMAGE=n:10; docker run $IMAGE", "n:10"),
            ("I=o; docker run -d --name p ${I}:${V:-11}", "o:11"),
            ("docker rm -f x; docker ps -aq -f name=run; docker load -q -i x; docker inspect run", "-"),
            ("echo docker run q:12", "-"),
            ("docker run", "-"),
            ("docker run --name", "-"),
        ];
        for (script, expected) in rows {
            let found: Vec<_> = commands(script)
                .iter()
                .filter_map(|command| image_of(&command.words))
                .map(|(name, is_unsure)| format!("{}{name}", if is_unsure { "?" } else { "" }))
                .collect();
            let expected = if expected == "-" { Vec::new() } else { vec![expected] };
            assert_eq!(found, expected, "{script}");
        }
    }
}
