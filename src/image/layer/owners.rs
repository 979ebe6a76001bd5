//! Which owner a file of a tree has in the layer's stream.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::types::Digest;

/// Numbers and names of owners, as the machine's passwd and group know them.
///
/// 0:0 is `root`, `root` whatever they say. Without root, our own user counts as 0:0, because it cannot create files of
/// root.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owners {
    users: HashMap<u32, Vec<u8>>,
    groups: HashMap<u32, Vec<u8>>,
    own: Option<u32>,
}

/// An owner in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamOwner<'a> {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) user: &'a [u8],
    pub(super) group: &'a [u8],
}

impl Owners {
    /// Owners by the text of a passwd and a group file; `own` is the user that stands for 0:0, or `None` for root.
    #[must_use]
    pub(crate) fn new(passwd: &[u8], group: &[u8], own: Option<u32>) -> Self {
        Self { users: numbers(passwd), groups: numbers(group), own }
    }

    /// The owners of this machine and this process. Missing files count as empty.
    #[must_use]
    pub(crate) fn of_this_machine() -> Self {
        let read = |path| fs_err::read(Path::new(path)).unwrap_or_default();
        let uid = rustix::process::geteuid();
        let own = if uid.is_root() { None } else { Some(uid.as_raw()) };
        Self::new(&read("/etc/passwd"), &read("/etc/group"), own)
    }

    /// A digest of all known owners: with other owners the same tree may hash to another id.
    #[must_use]
    pub(crate) fn digest(&self) -> Digest {
        let sorted = |names: &HashMap<u32, Vec<u8>>| names.clone().into_iter().collect::<BTreeMap<_, _>>();
        Digest::of(format!("{:?} {:?} {:?}", self.own, sorted(&self.users), sorted(&self.groups)).as_bytes())
    }

    pub(super) fn in_stream(&self, uid: u32, gid: u32) -> StreamOwner<'_> {
        let (uid, gid) = if self.own == Some(uid) { (0, 0) } else { (uid, gid) };
        StreamOwner { uid, gid, user: name(&self.users, uid), group: name(&self.groups, gid) }
    }
}

fn name(names: &HashMap<u32, Vec<u8>>, number: u32) -> &[u8] {
    if number == 0 { b"root" } else { names.get(&number).map_or(b"", Vec::as_slice) }
}

/// `name:password:number:…` a line, in passwd and group alike; the first of a number counts.
fn numbers(text: &[u8]) -> HashMap<u32, Vec<u8>> {
    let mut numbers = HashMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut fields = line.split(|byte| *byte == b':');
        let (name, number) = (fields.next().unwrap_or_default(), fields.nth(1).unwrap_or_default());
        let number = str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        if let (Some(number), false) = (number, name.is_empty() || name.starts_with(b"#")) {
            numbers.entry(number).or_insert_with(|| name.to_owned());
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_passwd_and_group_and_our_own_user_is_root() {
        let passwd = b"root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/:\nother:x:1000:5::/:\n+::::::\n#c:x:7:\n";
        let owners = Owners::new(passwd, b"staff:x:50:\n", Some(1001));
        let names = |uid, gid| {
            let owner = owners.in_stream(uid, gid);
            (owner.uid, owner.gid, owner.user.to_owned(), owner.group.to_owned())
        };
        assert_eq!(names(0, 0), (0, 0, b"root".to_vec(), b"root".to_vec()));
        assert_eq!(names(1000, 50), (1000, 50, b"me".to_vec(), b"staff".to_vec()));
        assert_eq!(names(7, 8), (7, 8, vec![], vec![]));
        assert_eq!(names(1001, 50), (0, 0, b"root".to_vec(), b"root".to_vec()));
    }
}
