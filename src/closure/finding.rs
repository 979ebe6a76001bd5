//! The findings of a check, and their messages.

use std::fmt;

use serde::Serialize;

use crate::types::ContextPath;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Weight {
    /// Good to know.
    Note,
    /// A problem that came unchanged from a base, or a probable problem.
    Warning,
    /// Something is wrong.
    Error,
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// The file in the root file system.
    pub file: ContextPath,
    /// The lines, from 1; empty if it is about the whole file.
    pub lines: Vec<usize>,
    /// The reference as it is written; empty if it is about the whole file.
    pub reference: String,
    /// The problem with the image.
    #[serde(flatten)]
    pub problem: Problem,
    /// The nearest name that there is, complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// The base image that the file came from unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The base image that the file came from unchanged, and that had the missing image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_from: Option<String>,
}

/// What can be wrong with what a file asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Problem {
    /// The image's own registry has nothing with that name.
    Missing,
    /// It has the name, but not all that belongs to it.
    Broken {
        /// The reason.
        why: String,
    },
    /// It has the name, except for other platforms.
    OtherPlatform {
        /// The requested platform.
        platform: String,
        /// Those that there are.
        available: Vec<String>,
    },
    /// It points to the image's own registry, but is not a reference.
    NoReference {
        /// Why.
        why: String,
    },
    /// Its host is almost that of the image's own registry, which has the rest of the name.
    Host {
        /// The registry.
        registry: String,
    },
    /// Another reference gets the same path in the registry.
    Collision {
        /// The path.
        path: String,
        /// The other reference.
        other: String,
        /// Where the other is.
        at: String,
    },
    /// kubeadm needs it, but the registry does not have all of it.
    Kubeadm {
        /// The version of Kubernetes that kubeadm makes.
        version: String,
        /// What is wrong in the registry; empty if it has nothing with that name.
        why: String,
    },
    /// kubeadm uses another registry, and no engine setting redirects it to the image's own.
    KubeadmRepository {
        /// What the configuration should say.
        registry: String,
    },
    /// A node that joins needs it, but the registry does not have all of it.
    Join,
    /// A script runs it by name, and neither an archive in `images/` nor the registry has it.
    Script {
        /// The names that the archives have.
        loaded: Vec<String>,
    },
    /// A script runs an image whose name is only known when the script runs.
    ScriptUnknown,
    /// Images are listed that nothing asks for.
    Unasked {
        /// The images as they are listed.
        images: Vec<String>,
    },
    /// Its name is only known when the cluster starts.
    Template,
    /// It names images of other registries that the image does not have.
    Foreign {
        /// The images.
        images: Vec<String>,
    },
    /// A key is twice in a map.
    RepeatedKey,
    /// The file could not be searched by its type.
    Unread {
        /// Why.
        why: String,
    },
}

impl Problem {
    /// Whether it stops a cluster or a node from starting, independent of the manifests.
    pub(crate) fn is_of_cluster(&self) -> bool {
        matches!(
            self,
            Self::Kubeadm { .. }
                | Self::KubeadmRepository { .. }
                | Self::Join
                | Self::Script { .. }
                | Self::ScriptUnknown
        )
    }
}

/// All that a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClosureReport {
    /// How many places ask for an image that exists.
    pub held: usize,
    /// The findings, sorted by file and line.
    pub findings: Vec<Finding>,
}

#[cfg(test)]
impl ClosureReport {
    /// Whether there is nothing worse than a note.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.findings.iter().all(|finding| finding.weight == Weight::Note)
    }
}

impl Finding {
    /// Advice, one sentence each.
    #[must_use]
    pub(crate) fn help(&self) -> Vec<String> {
        let mut help: Vec<String> =
            self.nearest.iter().map(|near| format!("the nearest name there is `{near}`")).collect();
        let next = match &self.problem {
            Problem::Kubeadm { .. } if self.file.as_str() == super::kubeadm::PROGRAM => {
                "add etc/kubeadm.yml with `imageRepository` and `kubernetesVersion`".to_owned()
            }
            Problem::Missing | Problem::Broken { .. } | Problem::Kubeadm { .. } | Problem::Join => {
                "list the source image in manifests/imageList".to_owned()
            }
            Problem::KubeadmRepository { registry } => {
                format!("write `imageRepository: {registry}` in etc/kubeadm.yml, and list kubeadm's images in manifests/imageList")
            }
            Problem::Script { loaded } => match loaded.first() {
                Some(name) => format!(
                    "load the image under this name (the step replaceImage has `as: {}`), or let the script run `{name}`",
                    self.reference
                ),
                None => "add an archive of it to images/ (the step replaceImage has `as`), or list it in manifests/imageList".to_owned(),
            },
            Problem::OtherPlatform { platform, .. } => {
                format!("list the source image in manifests/imageList, so that it is cached for {platform}")
            }
            Problem::NoReference { .. }
            | Problem::Template
            | Problem::ScriptUnknown
            | Problem::Foreign { .. }
            | Problem::RepeatedKey
            | Problem::Unread { .. } => return help,
            Problem::Host { registry } => format!("write `{registry}` if you mean the image's own registry"),
            Problem::Collision { at, .. } => format!("{at} has the other one; keep one of the two"),
            Problem::Unasked { .. } => {
                "if something else needs the image, say so in the recipe: `{image: …, for: …}`".to_owned()
            }
        };
        help.push(next);
        help
    }
}

impl Finding {
    /// What was found, without its place.
    #[must_use]
    pub(crate) fn message(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("a String takes all that is written");
        text
    }

    fn write(&self, f: &mut impl fmt::Write) -> fmt::Result {
        let reference = &self.reference;
        match &self.problem {
            Problem::Missing => {
                write!(f, "`{reference}` must come from the image's own registry, which does not have it")
            }
            Problem::Broken { why } => {
                write!(f, "`{reference}` must come from the image's own registry, which does not have it whole: {why}")
            }
            Problem::OtherPlatform { platform, available } => {
                let available = if available.is_empty() { "no platform".to_owned() } else { available.join(", ") };
                write!(
                    f,
                    "`{reference}` must come from the image's own registry, which has it for {available}, not for \
                     {platform}"
                )
            }
            Problem::NoReference { why } => write!(f, "{why}"),
            Problem::Host { registry } => write!(
                f,
                "the host of `{reference}` is almost `{registry}`, the image's own registry, which has an image of \
                 that name"
            ),
            Problem::Collision { path, other, .. } => write!(
                f,
                "`{reference}` and `{other}` get the same path: the image's registry can hold only one of them, as \
                 `{path}`"
            ),
            Problem::Kubeadm { version, why } => {
                let own = self.file.as_str() == super::kubeadm::PROGRAM;
                write!(
                    f,
                    "{}kubeadm needs `{reference}` for Kubernetes {version}, but the image's own registry ",
                    if own { "there is no etc/kubeadm.yml; with sealer's own configuration, " } else { "" }
                )?;
                if why.is_empty() { write!(f, "does not have it") } else { write!(f, "does not have it whole: {why}") }
            }
            Problem::KubeadmRepository { .. } => write!(
                f,
                "kubeadm pulls its images from `{reference}`, which is not the image's own registry, and no engine \
                 setting in etc/ redirects it to that registry"
            ),
            Problem::Join => write!(
                f,
                "every node that joins needs `{reference}`, which the image's own registry does not have: the cluster \
                 can only have masters"
            ),
            Problem::Script { loaded } => {
                write!(f, "the script runs `{reference}`, which no archive in images/ has")?;
                if !loaded.is_empty() {
                    write!(f, " (they have `{}`)", loaded.join("`, `"))?;
                }
                write!(f, " and the image's own registry does not have")
            }
            Problem::ScriptUnknown => write!(f, "cannot tell which image `{reference}` is before the script runs"),
            Problem::Unasked { images } => {
                write!(f, "no manifest asks for `{}`", images.join("`, `"))
            }
            Problem::Template => {
                write!(f, "cannot tell which image `{reference}` is before the cluster starts")
            }
            Problem::Foreign { images } => {
                let s = if images.len() == 1 { "" } else { "s" };
                write!(f, "it names {} image{s} from other registries that the image does not have", images.len())
            }
            Problem::RepeatedKey => {
                write!(f, "the key `{reference}` is there twice; Kubernetes uses the last one")
            }
            Problem::Unread { why } => write!(f, "could not search it for images by its file type: {why}"),
        }?;
        self.write_context(f)
    }

    /// The other lines, and the base image that has to do with it.
    fn write_context(&self, f: &mut impl fmt::Write) -> fmt::Result {
        if let [_, more @ ..] = self.lines.as_slice()
            && !more.is_empty()
        {
            let lines: Vec<String> = more.iter().map(ToString::to_string).collect();
            write!(f, " (also in line{} {})", if more.len() == 1 { "" } else { "s" }, lines.join(", "))?;
        }
        if let Some(base) = &self.base {
            match &self.problem {
                problem if problem.is_of_cluster() => write!(f, "; `{base}` has the same problem")?,
                _ => write!(f, "; the file is unchanged from `{base}`")?,
            }
        }
        if let Some(base) = &self.lost_from {
            write!(f, "; `{base}`, where the file comes from, had it")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.lines.first() {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        self.write(f)
    }
}
