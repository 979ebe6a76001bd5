//! The arguments of a build: what ARG says and what overrides it.

use std::collections::BTreeMap;

use crate::kubefile::Kubefile;
use crate::types::{Failure, FailureKind, nearest};

use super::{BuildFailure, BuildPlace};

/// The values for a build. Overriding an argument that the Kubefile does not have is an error; the error names all such
/// arguments, but not their values.
pub(super) fn effective(
    kubefile: &Kubefile,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Vec<BuildFailure>> {
    let mut args = kubefile.args();
    let unmatched = given.keys().filter(|name| !args.contains_key(*name)).map(|name| {
        let failure = Failure::new(FailureKind::Invalid, format!("the Kubefile has no `ARG {name}` to override"));
        let failure = match nearest(name, args.keys().map(String::as_str)) {
            Some(near) => failure.with_help(format!("did you mean `{near}`?")),
            None if args.is_empty() => failure.with_help("it has no ARG at all"),
            None => {
                let names: Vec<&str> = args.keys().map(String::as_str).collect();
                failure.with_help(format!("its arguments are {}", names.join(", ")))
            }
        };
        BuildFailure { at: BuildPlace::Whole, failure }
    });
    let unmatched: Vec<BuildFailure> = unmatched.collect();
    if !unmatched.is_empty() {
        return Err(unmatched);
    }
    args.extend(given.clone());
    Ok(args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubefile;

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_given_wins_and_the_last_of_a_name_counts() {
        let kubefile = kubefile::parse("ARG A=1\nFROM scratch\nARG B=2,C=\nARG A=3\n").unwrap();
        let args = effective(&kubefile, &given(&[("B", "x,y")])).unwrap();
        assert_eq!(args, given(&[("A", "3"), ("B", "x,y"), ("C", "")]));
    }

    #[test]
    fn what_the_kubefile_does_not_have_is_named_without_its_value() {
        let messages = |text: &str| {
            let failures = effective(&kubefile::parse(text).unwrap(), &given(&[("VERSOIN", "hunter2"), ("X", "")]));
            let failures: Vec<_> = failures.unwrap_err().into_iter().map(|failed| failed.failure).collect();
            assert!(failures.iter().all(|failure| failure.kind == FailureKind::Invalid));
            failures.iter().map(|failure| failure.render(None, false)).collect::<String>()
        };
        insta::assert_snapshot!(messages("FROM scratch\nARG VERSION=1\n"), @"
        error: the Kubefile has no `ARG VERSOIN` to override
          help: did you mean `VERSION`?
        error: the Kubefile has no `ARG X` to override
          help: its arguments are VERSION
        ");
        insta::assert_snapshot!(messages("FROM scratch\n"), @"
        error: the Kubefile has no `ARG VERSOIN` to override
          help: it has no ARG at all
        error: the Kubefile has no `ARG X` to override
          help: it has no ARG at all
        ");
    }
}
