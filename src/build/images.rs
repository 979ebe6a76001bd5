//! Which container images the files of a layer ask for.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::edit::{FoundImage, find_images, find_images_in_text};
use crate::image::{Merged, Tree};
use crate::words::{ContextPath, Event, Failure, FailureKind, ImageRef, ImageSource, Observer};

use super::{BuildFailure, BuildPlace};

/// A container image, and the file and line that ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) image: ImageSource,
    pub(super) file: ContextPath,
    pub(super) line: usize,
}

impl Wanted {
    fn origin(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// What the files of a layer ask for, each image once, in the order of files and lines.
#[derive(Debug, Default)]
pub(super) struct Wants {
    /// Of registries outside.
    pub(super) outside: Vec<Wanted>,
    /// Of the image's own registry.
    pub(super) own: Vec<Wanted>,
}

/// Everything that `manifests/` of the merged layers asks for, and what of it cannot be used.
///
/// All references that cannot be understood are reported, and so are two that fall on one path of the registry.
pub(super) fn wanted(merged: &Merged, own_registry: &str, observer: &dyn Observer) -> (Wants, Vec<BuildFailure>) {
    let manifests: ContextPath = "manifests".parse().expect("a plain word is a path");
    let mut wants = Wants::default();
    let (mut own, mut outside) = (Seen::new(), Seen::new());
    let mut failures = Vec::new();
    let Tree { files, passed_over } = match merged.tree(&manifests) {
        Ok(tree) => tree,
        Err(error) => return (wants, vec![unreadable(&error)]),
    };
    failures.extend(passed_over.iter().filter_map(|path| not_searched(path)));
    if files.iter().any(|(path, _)| path.as_str().starts_with("manifests/imageList/")) {
        let message = "manifests/imageList is a folder, expected the list";
        let help = "COPY puts a file below its destination: name the file imageList and `COPY imageList manifests`";
        let failure = Failure::new(FailureKind::Failed, message).with_help(help);
        failures.push(BuildFailure { at: BuildPlace::Whole, failure });
    }
    for (path, found) in files {
        let bytes = match fs_err::read(&found) {
            Ok(bytes) => bytes,
            Err(error) => {
                failures.push(unreadable(&error));
                continue;
            }
        };
        let references = match path.as_str() {
            "manifests/imageList" => listed(&bytes),
            name if has_extension(name, &["yaml", "yml"]) => in_manifest(&bytes, &path, observer),
            name if has_extension(name, &["tmpl"]) => find_images_in_text(&String::from_utf8_lossy(&bytes)),
            _ => continue,
        };
        for FoundImage { reference, line, .. } in references {
            // Only our own list knows engines: in a manifest `docker-daemon:x` is what a cluster understands by it.
            let image = match path.as_str() {
                "manifests/imageList" => reference.parse(),
                _ => reference.parse::<ImageRef>().map(ImageSource::Registry),
            };
            match image {
                Ok(image) => {
                    let is_own = matches!(&image, ImageSource::Registry(image) if image.registry() == own_registry);
                    let (kind, seen) =
                        if is_own { (&mut wants.own, &mut own) } else { (&mut wants.outside, &mut outside) };
                    add(kind, seen, &mut failures, Wanted { image, file: path.clone(), line });
                }
                Err(error) => {
                    let failure = Failure::from_error(FailureKind::Invalid, &error);
                    let message = format!("{path}:{line}: {}", failure.message);
                    failures.push(BuildFailure { at: BuildPlace::Whole, failure: Failure { message, ..failure } });
                }
            }
        }
    }
    failures.extend(warn_of_charts(merged, observer).err().map(|error| unreadable(&error)));
    (wants, failures)
}

/// Images by what they are called in the image's registry.
type Seen = BTreeMap<String, usize>;

fn add(wanted: &mut Vec<Wanted>, seen: &mut Seen, failures: &mut Vec<BuildFailure>, new: Wanted) {
    let key = crate::plan::registry_path(new.image.reference());
    let Some(known) = seen.get(&key).map(|index| &mut wanted[*index]) else {
        seen.insert(key, wanted.len());
        wanted.push(new);
        return;
    };
    if known.image.reference() == new.image.reference() {
        // The engine stands in for the registry that manifests mean by the same name.
        if let ImageSource::Engine(_) = new.image {
            *known = new;
        }
        return;
    }
    let message = format!(
        "{}: `{}` and `{}` fall on one path: the image's registry would hold only one as `{key}`",
        new.origin(),
        new.image,
        known.image
    );
    let failure = Failure::new(FailureKind::Failed, message)
        .with_help(format!("{} asks for the other; keep one of the two", known.origin()));
    failures.push(BuildFailure { at: BuildPlace::Image(new.image), failure });
}

/// The lines of an image list: blank lines and comments skipped, remarks behind ` #` and a pair of quotes cut.
fn listed(bytes: &[u8]) -> Vec<FoundImage> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let word = line.split_once(" #").map_or(line, |(word, _)| word).trim_end();
        let unquoted = ['"', '\''].iter().find_map(|quote| word.strip_prefix(*quote)?.strip_suffix(*quote));
        let reference = unquoted.unwrap_or(word).to_owned();
        found.push(FoundImage { reference, line: index + 1, route: String::new(), document: 0 });
    }
    found
}

fn in_manifest(bytes: &[u8], path: &ContextPath, observer: &dyn Observer) -> Vec<FoundImage> {
    find_images(bytes).unwrap_or_else(|error| {
        let message = format!("{path} is no YAML and was searched as text: {error}");
        observer.event(Event::Warning { message });
        find_images_in_text(&String::from_utf8_lossy(bytes))
    })
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
}

/// The failure for something below `manifests/` that is no regular file, or whose name cannot be told, where its name
/// says that it asks for images.
fn not_searched(path: &Path) -> Option<BuildFailure> {
    let name = path.to_string_lossy();
    if name != "manifests/imageList" && !has_extension(&name, &["yaml", "yml", "tmpl"]) {
        return None;
    }
    let message = format!("{name} cannot be searched for images: it is no regular file, or its name is no UTF-8");
    let failure = Failure::new(FailureKind::Failed, message).with_help("put the file itself in its place");
    Some(BuildFailure { at: BuildPlace::Whole, failure })
}

/// Charts are not rendered: whoever ships some must hear it.
fn warn_of_charts(merged: &Merged, observer: &dyn Observer) -> io::Result<()> {
    let charts: ContextPath = "charts".parse().expect("a plain word is a path");
    for name in merged.list(&charts)? {
        let Some(name) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        let chart = charts.join(&name).join(&"Chart.yaml".parse().expect("a plain word is a path"));
        if merged.find(&chart)?.is_some() {
            let message = format!(
                "the images of the chart {} are not searched: list them in manifests/imageList",
                charts.join(&name)
            );
            observer.event(Event::Warning { message });
        }
    }
    Ok(())
}

fn unreadable(error: &io::Error) -> BuildFailure {
    BuildFailure { at: BuildPlace::Whole, failure: Failure::from_error(FailureKind::Failed, error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Silent;

    fn search(files: &[(&str, &str)]) -> Result<Vec<String>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        }
        let merged = Merged::new(vec![folder.path().to_owned()]);
        let (wants, failures) = wanted(&merged, "sea.hub:5000", &Silent);
        if failures.is_empty() {
            return Ok(wants.outside.iter().map(|wanted| format!("{} {}", wanted.origin(), wanted.image)).collect());
        }
        Err(failures.into_iter().map(|failure| failure.failure.message).collect())
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
        let expected =
            ["manifests/a/pod.yaml:4 docker.io/library/busybox:1", "manifests/t.tmpl:2 docker.io/library/b:1"];
        assert_eq!(search(&files).unwrap(), expected);
    }

    #[test]
    fn an_engine_s_image_stands_in_for_the_registry_that_manifests_mean() {
        let list = "docker-daemon:team/app:1\ndocker-daemon:tool\n";
        let pods = "image: team/app:1\n---\nimage: docker-daemon:v1\n";
        let expected = [
            "manifests/imageList:1 docker-daemon:team/app:1",
            "manifests/a.yaml:3 docker.io/library/docker-daemon:v1",
            "manifests/imageList:2 docker-daemon:tool:latest",
        ];
        let mut found = search(&[("manifests/a.yaml", pods), ("manifests/imageList", list)]).unwrap();
        found.sort_by_key(|line| !line.ends_with("app:1"));
        assert_eq!(found, expected);
        let other = "docker-daemon:team/app:1\nquay.io/team/app:1\n";
        insta::assert_debug_snapshot!(search(&[("manifests/imageList", other)]).unwrap_err(), @r#"
        [
            "manifests/imageList:2: `quay.io/team/app:1` and `docker-daemon:team/app:1` fall on one path: the image's registry would hold only one as `team/app:1`",
        ]
        "#);
    }

    #[test]
    fn what_cannot_be_searched_is_an_error() {
        let found = search(&[("manifests/imageList/mylist", "nginx\n")]).unwrap_err();
        assert_eq!(found, ["manifests/imageList is a folder, expected the list"]);
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("manifests")).unwrap();
        fs_err::os::unix::fs::symlink("list", folder.path().join("manifests/imageList")).unwrap();
        let (_, failures) = wanted(&Merged::new(vec![folder.path().to_owned()]), "sea.hub:5000", &Silent);
        assert!(failures[0].failure.message.starts_with("manifests/imageList cannot be searched"));
    }

    #[test]
    fn two_hosts_on_one_path_and_bad_references_are_errors() {
        let list = "quay.io/tigera/operator:v1\ntigera/operator:v1\nNginx\n";
        insta::assert_debug_snapshot!(search(&[("manifests/imageList", list)]).unwrap_err(), @r#"
        [
            "manifests/imageList:2: `docker.io/tigera/operator:v1` and `quay.io/tigera/operator:v1` fall on one path: the image's registry would hold only one as `tigera/operator:v1`",
            "manifests/imageList:3: `Nginx` is no image reference: a repository is written in lower case",
        ]
        "#);
    }
}
