//! Two texts, line by line.

use std::collections::BTreeSet;
use std::fmt::Write;

use similar::TextDiff;

use super::Change;
use super::secret;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 2;
/// Lines of a diff that are kept.
const LONGEST: usize = 200;
/// Comparing takes at most so many steps: lines of the one times lines of the other, those at both ends left out that
/// are the same. Beyond that, only numbers are reported.
const STEPS: usize = 50_000_000;

/// What differs between two texts that are not the same.
pub(super) fn compare(old: &str, new: &str) -> Change {
    let (olds, news): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let head = olds.iter().zip(&news).take_while(|(old, new)| old == new).count();
    let tail = olds[head..].iter().rev().zip(news[head..].iter().rev()).take_while(|(old, new)| old == new).count();
    let (removed, added) = (olds.len() - head - tail, news.len() - head - tail);
    if removed.saturating_mul(added) > STEPS {
        return Change::Lines { removed, added, diff: None };
    }
    let diff = TextDiff::configure().newline_terminated(true).diff_slices(&olds, &news);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    let (removed, added) = (count(similar::ChangeTag::Delete), count(similar::ChangeTag::Insert));
    let hidden: BTreeSet<&str> =
        [&olds, &news].into_iter().flat_map(|lines| secret::lines_of_secrets(lines)).map(str::trim_end).collect();
    let shown = |line: &str| match line.split_at_checked(1) {
        Some((mark, line)) if hidden.contains(line.trim_end()) && !line.trim().is_empty() => {
            format!("{mark}{}", secret::without_value(line))
        }
        Some(_) | None => secret::without_secrets(line).into_owned(),
    };
    let mut text = String::new();
    let mut lines = 0;
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        for line in hunk.to_string().lines() {
            lines += 1;
            if lines <= LONGEST {
                text.push_str(&shown(line));
                text.push('\n');
            }
        }
    }
    if lines > LONGEST {
        writeln!(text, "… {} more lines", lines - LONGEST).expect("a String takes all that is written");
    }
    Change::Lines { removed, added, diff: Some(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_with_those_around_them() {
        let old = "one\ntwo\nthree\nfour\nfive\nsix\n";
        let new = "one\ntwo\nthree\n4\nfive\nsix";
        let Change::Lines { removed, added, diff } = compare(old, new) else { panic!("lines") };
        assert_eq!((removed, added), (2, 2));
        insta::assert_snapshot!(diff.unwrap(), @r"
        @@ -2,5 +2,5 @@
         two
         three
        -four
        +4
         five
        -six
        +six
        \ No newline at end of file
        ");
    }

    #[test]
    fn passwords_are_not_shown() {
        let Change::Lines { diff, .. } = compare("a\npassword: one\n", "a\npassword: two\n") else { panic!("lines") };
        let diff = diff.unwrap();
        assert!(diff.contains("-password: (hidden)\n+password: (hidden)\n"), "{diff}");
    }

    #[test]
    fn what_templates_of_secrets_hold_is_not_shown() {
        let secret = |value: &str| {
            format!(
                "kind: Secret\nmetadata: {{name: a}}\ndata:\n  key: {value}\n  text: |\n    {value}\n{{{{ if x }}}}\n  b: {value}\n{{{{ end }}}}\ntype: {value}\n---\nkind: ConfigMap\ndata:\n  k: {value}v\n"
            )
        };
        let Change::Lines { diff, .. } = compare(&secret("b25l"), &secret("dHdv")) else { panic!("lines") };
        insta::assert_snapshot!(diff.unwrap(), @"
        @@ -2,13 +2,13 @@
         metadata: {name: a}
         data:
        -  key: (hidden)
        +  key: (hidden)
           text: (hidden)
        -(hidden)
        +(hidden)
         (hidden)
        -  b: (hidden)
        +  b: (hidden)
         (hidden)
        -type: b25l
        +type: dHdv
         ---
         kind: ConfigMap
         data:
        -  k: b25lv
        +  k: dHdvv
        ");
    }

    #[test]
    fn long_texts_without_a_line_in_common_are_only_counted() {
        let text = |word: &str| (0..8000).map(|line| format!("{word} {line}\n")).collect::<Vec<_>>().concat();
        let expected = Change::Lines { removed: 8000, added: 8000, diff: None };
        assert_eq!(compare(&text("one"), &text("two")), expected);
        let Change::Lines { diff, .. } = compare("", &text("one")) else { panic!("lines") };
        assert!(diff.unwrap().ends_with("… 7801 more lines\n"));
    }
}
