//! References to images in texts that are not YAML yet: templates of manifests.

use super::FoundImage;
use crate::words::ImageRef;

/// The references in lines whose key is or ends in `image`: `image: x`, `- image: x`, `"initImage": "x"`.
///
/// For templates and other texts that no parser reads. Values with `{{` in them are left out, as are those that are no
/// references by Docker's rules. All are in document 0 and have no route.
#[must_use]
pub fn find_images_in_text(text: &str) -> Vec<FoundImage> {
    let lines = text.lines().enumerate();
    let found = lines.filter_map(|(index, line)| {
        let reference = reference(line)?.to_owned();
        Some(FoundImage { reference, line: index + 1, route: String::new(), document: 0 })
    });
    found.collect()
}

/// The values of such lines that hold a template's expression (`{{ … }}`): what image they mean is not known before the
/// template is rendered. Document and route as with [`find_images_in_text`].
#[must_use]
pub fn find_image_templates(text: &str) -> Vec<FoundImage> {
    let lines = text.lines().enumerate();
    let found = lines.filter_map(|(index, line)| {
        let reference = value(line)?.split(" #").next().filter(|value| value.contains("{{"))?.trim_end().to_owned();
        Some(FoundImage { reference, line: index + 1, route: String::new(), document: 0 })
    });
    found.collect()
}

/// The words in such lines, whether they are references or not, where they hold no template's expression.
#[must_use]
pub fn find_image_words_in_text(text: &str) -> Vec<FoundImage> {
    let lines = text.lines().enumerate();
    let found = lines.filter_map(|(index, line)| {
        let reference = word(line)?.to_owned();
        Some(FoundImage { reference, line: index + 1, route: String::new(), document: 0 })
    });
    found.collect()
}

fn reference(line: &str) -> Option<&str> {
    word(line).filter(|word| word.parse::<ImageRef>().is_ok())
}

fn word(line: &str) -> Option<&str> {
    let value = value(line)?;
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split([' ', '\t', ',', '}']).next()?,
    };
    (!value.contains("{{")).then_some(value)
}

/// What stands behind the key of a line whose key is or ends in `image`.
fn value(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['\u{feff}', ' ', '\t', '-', '{']);
    let (key, value) = line.split_once(':')?;
    let key = key.trim().trim_matches(['"', '\'']);
    // A key is one word: a sentence that ends in `image:` is none.
    let is_word = key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if !is_word || !(key.ends_with("image") || key.ends_with("Image")) || !value.starts_with([' ', '\t', '"', '\'']) {
        return None;
    }
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_name_an_image_are_found() {
        let text = "\
{{- if .x }}
      - image: quay.io/a/b:v1 # c
        image: \"nginx\"
  initImage: 'busybox:1',
\"image\": \"sea.hub:5000/x:1\",
- {image: y:1, name: z}
        image: {{ .Values.image }}
        image: \"{{ .repository }}:{{ .tag }}\"
        image: repo/x:{{ .tag }}
        imagePullPolicy: Always
  # an image: x
  image:
  image: Bad Ref
  image: ''
{{- end }}\r
image: last\r
";
        let found: Vec<_> =
            find_images_in_text(text).into_iter().map(|found| format!("{} {}", found.line, found.reference)).collect();
        let templates: Vec<_> =
            find_image_templates(text).into_iter().map(|found| format!("{} {}", found.line, found.reference)).collect();
        assert_eq!(templates, ["7 {{ .Values.image }}", "8 \"{{ .repository }}:{{ .tag }}\"", "9 repo/x:{{ .tag }}"]);
        assert_eq!(found, ["2 quay.io/a/b:v1", "3 nginx", "4 busybox:1", "5 sea.hub:5000/x:1", "6 y:1", "16 last"]);
    }
}
