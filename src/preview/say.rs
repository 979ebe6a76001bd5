//! The preview in words: the same in text and Markdown.

use crate::types::human_size;

use super::{
    CachedPreview, Change, ChangeKind, EntryPreview, Facts, Input, InputState, InstructionPreview, Need, Pin, Verdict,
};

/// Where an input is and what pins it: `to be fetched (62.4 MB), locked as sha256:…`.
pub(super) fn input(input: &Input) -> String {
    let size = input.size.map(|size| format!(" ({})", human_size(size))).unwrap_or_default();
    let where_it_is = match &input.state {
        InputState::Store { id, other: None } => format!("in the store as {id}"),
        InputState::Store { id, other: Some(locked) } => {
            format!("in the store as {id}, which is not the locked {locked}")
        }
        InputState::Stage { stage } => format!("made by stage {stage}"),
        InputState::Cached => format!("cached{size}"),
        InputState::CachedAsLast => format!("cached{size} from last time; apply asks the server whether it changed"),
        InputState::Partly => {
            let fetch = input.fetch.map(human_size).unwrap_or_default();
            format!(
                "{fetch} to be fetched{}",
                input.size.map(|size| format!(" of {}", human_size(size))).unwrap_or_default()
            )
        }
        InputState::Absent => format!("to be fetched{}", if size.is_empty() { " (size unknown)" } else { &size }),
        InputState::Asked => "looked up in its registry".to_owned(),
        InputState::Engine => "from the Docker engine".to_owned(),
    };
    match (&input.state, input.pin, input.digest) {
        (InputState::Stage { .. } | InputState::Engine, _, _) => where_it_is,
        (_, Pin::Recipe, Some(digest)) => format!("{where_it_is}, pinned by the recipe as {digest}"),
        (_, Pin::Lock, Some(digest)) => format!("{where_it_is}, locked as {digest}"),
        (_, Pin::Recipe | Pin::Lock, None) => format!("{where_it_is}, locked"),
        (_, Pin::None, _) => format!("{where_it_is}, not locked"),
    }
}

/// An amount: `62.4 MB and 7 of unknown size`.
pub(super) fn need(need: Need) -> String {
    match need {
        Need { bytes: 0, unknown: 0 } => "nothing".to_owned(),
        Need { bytes, unknown: 0 } => human_size(bytes),
        Need { bytes: 0, unknown } => format!("{unknown} of unknown size"),
        Need { bytes, unknown } => format!("{} and {unknown} of unknown size", human_size(bytes)),
    }
}

/// How many: `1 file`, `2 files`.
pub(super) fn how_many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The files of a context entry, in lines for people.
pub(super) fn entry(entry: &EntryPreview) -> Vec<String> {
    let mut lines: Vec<String> = entry.of.iter().map(|of| format!("{} is {}", of.familiar, input(of))).collect();
    lines.extend(entry.layers.iter().map(|layer| format!("layer {}, {}", layer.index, layer.id)));
    if let (Some(files), Some(bytes)) = (entry.files, entry.bytes) {
        lines.push(format!("{}, {}", how_many(files, "file"), human_size(bytes)));
    }
    match &entry.verdict {
        Verdict::Changes(_) | Verdict::Unchanged(_) | Verdict::Skipped(_) => {}
        Verdict::Fails(_) | Verdict::NotReached | Verdict::Later(_) => lines.push(verdict(&entry.verdict)),
    }
    lines
}

/// The result of an entry or step.
pub(super) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Changes(detail) => detail.clone(),
        Verdict::Unchanged(detail) => format!("unchanged: {detail}"),
        Verdict::Skipped(why) => format!("skipped: {why}"),
        Verdict::Fails(why) => format!("fails: {why}"),
        Verdict::NotReached => "not reached: something before it fails".to_owned(),
        Verdict::Later(when) => format!("known {when}"),
    }
}

/// The change of a path: `etc/daemon.json is changed: 312 B, now 290 B`.
pub(super) fn change(change: &Change) -> String {
    let path = &change.path;
    match &change.kind {
        ChangeKind::Made { new } => format!("{path} is made: {}", facts(new)),
        ChangeKind::Written { new } => format!("{path} is written: {}", facts(new)),
        ChangeKind::Removed { old } => format!("{path} is removed: {}", facts(old)),
        ChangeKind::Moved { from } => format!("{path} is moved here from {from}"),
        ChangeKind::Changed { old, new } if old == new => format!("{path} is changed: {}", facts(new)),
        ChangeKind::Changed { old, new } => format!("{path} is changed: {}, was {}", facts(new), facts(old)),
    }
}

fn facts(facts: &Facts) -> String {
    match (facts.size, &facts.target) {
        (Some(size), _) => format!("{}, {}", facts.mode, human_size(size)),
        (None, Some(target)) => format!("symlink to {target}"),
        (None, None) => format!("{}, {}", facts.mode, facts.kind),
    }
}

/// The most shown changes of a step, and the most shown lines of a file's diff.
const MANY: usize = 200;

/// The shown changes of a step, and the number of the others.
pub(super) fn changes(changes: &[Change]) -> (&[Change], Option<String>) {
    let shown = &changes[..changes.len().min(MANY)];
    let more = changes.len() - shown.len();
    (shown, (more > 0).then(|| format!("and {more} more; `-o json` has all")))
}

/// The shown lines of a diff.
pub(super) fn lines(diff: &str) -> Vec<String> {
    let mut lines: Vec<String> = diff.lines().take(MANY).map(str::to_owned).collect();
    let more = diff.lines().count() - lines.len();
    if more > 0 {
        lines.push(format!("… {more} more lines; `-o json` has all"));
    }
    lines
}

/// Whether the base has an image already.
pub(super) fn held(image: &CachedPreview) -> Option<&'static str> {
    match (image.is_in_base, image.input.digest) {
        (true, Some(_)) => Some("the base's registry already has it"),
        (true, None) => Some("the base's registry already has one with this name"),
        (false, _) => None,
    }
}

/// The layer of an instruction; `None` if it does not make one.
pub(super) fn instruction(instruction: &InstructionPreview) -> Option<String> {
    let known = match (instruction.files, instruction.bytes) {
        (Some(files), Some(bytes)) => Some(format!("a layer of {}, {}", how_many(files, "file"), human_size(bytes))),
        (Some(files), None) => Some(format!("a layer of {}", how_many(files, "file"))),
        (None, _) => None,
    };
    if let Some(file) = &instruction.input {
        return Some(input(file));
    }
    match (known, &instruction.later) {
        (Some(known), Some(when)) => Some(format!("{known}; its size is known {when}")),
        (None, Some(when)) => Some(format!("known {when}")),
        (known, None) => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::Facts;

    #[test]
    fn long_diffs_and_many_changes_are_cut_short() {
        let diff = "+x\n".repeat(MANY + 2);
        let shown = lines(&diff);
        assert_eq!((shown.len(), shown.last().unwrap().as_str()), (MANY + 1, "… 2 more lines; `-o json` has all"));
        assert_eq!(lines("a\nb"), ["a", "b"]);
        let old = Facts { kind: "folder", mode: "0755".to_owned(), size: None, target: None };
        let one = Change { path: "a".to_owned(), kind: ChangeKind::Removed { old }, diff: None };
        let all = vec![one; MANY + 1];
        assert_eq!((changes(&all).0.len(), changes(&all).1.unwrap().as_str()), (MANY, "and 1 more; `-o json` has all"));
        assert_eq!(changes(&all[..MANY]).1, None);
    }
}
