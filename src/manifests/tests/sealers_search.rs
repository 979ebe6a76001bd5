//! Sealer v0.8.5's search, written again as the reference: line by line, whatever stands behind a key that ends in
//! `image`.

use proptest::prelude::*;

use super::*;

/// What sealer takes from a file, with its line.
fn sealers(text: &str) -> Vec<(usize, String)> {
    let found = text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.replace('"', "");
        let mut halves = line.splitn(2, ':');
        let (key, value) = (halves.next()?, halves.next()?);
        let is_image = key.ends_with("image") && !key.contains('#');
        is_image.then(|| (index + 1, value.replace(' ', "")))
    });
    found.filter(|(_, value)| value.parse::<ImageRef>().is_ok()).collect()
}

/// Whether the builder says something about it.
fn is_told(problem: &Problem) -> bool {
    problem.doubt("").is_some() || matches!(problem, Problem::NotAReference { .. } | Problem::Utf16)
}

/// Sealer's finds in a text that are neither found nor told of.
fn missed(text: &str) -> Vec<(usize, String)> {
    let scanned = scanned(text, &[]);
    let is_known = |line: usize, reference: &str| {
        let image: ImageRef = reference.parse().unwrap();
        // A reference whose repository ends in `image` is a key and its tag for sealer.
        let is_it = |mention: &Mention| {
            let is_here = mention.place.line == line;
            let is_tag = is_here && mention.reference.ends_with(&format!("image:{reference}"));
            mention.image == image || is_tag || (is_here && mention.kind == Kind::Parts)
        };
        scanned.mentions.iter().any(is_it)
            || scanned.findings.iter().any(|finding| finding.place.line == line && is_told(&finding.problem))
    };
    sealers(text).into_iter().filter(|(line, reference)| !is_known(*line, reference)).collect()
}

#[test]
fn what_sealer_finds_in_manifests_is_found_or_told() {
    for shape in shapes::ALL {
        assert_eq!(missed(shape.text), [], "{}", shape.name);
    }
    // The reference itself finds what sealer does.
    let found =
        sealers("- image: \"a/b:1\"\n  sidecar-image: gcr.io/k/q:v1\n# image: x\nimageID: y\nthe image: z\nimage:\n");
    let found: Vec<_> = found.iter().map(|(line, image)| format!("{line} {image}")).collect();
    assert_eq!(found, ["1 a/b:1", "2 gcr.io/k/q:v1", "5 z"]);
}

proptest! {
    #[test]
    fn what_sealer_finds_anywhere_is_found_or_told(
        lines in prop::collection::vec(
            prop::sample::select(&[
                "kind: Pod", "---", "a:", "  image: nginx:1", "image: quay.io/a/b", "- image: x", "  sidecar-image: busybox",
                "text: |", "    image: busybox", "    the image: z", "spec: {image: 'a/b:1'}", "status:", "  - b", "image: true",
                "\"image\": \"x:1\",", "# image: c", "  b: 'it''s", "}", "{", "image: {{ .x }}", "\timage: tab:1", "image: \"\\x\"",
                "  schema: >", "kind: CustomResourceDefinition", "spec:", "  validation:", "    image: not",
            ][..]),
            0..12,
        ),
        end in prop::sample::select(&["\n", "\r\n"][..]),
    ) {
        let text = lines.join(end);
        prop_assert_eq!(missed(&text), vec![], "{}", text);
    }
}
