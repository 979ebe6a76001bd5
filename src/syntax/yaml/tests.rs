use std::fmt::Write as _;

use super::*;

/// Every node with its place, its form and the bytes of its span.
fn outline(text: &str) -> String {
    let mut out = String::new();
    match parse_yaml(text, Limits::recipe()) {
        Err(error) => writeln!(out, "{:?} {error}", error.span.range()).unwrap(),
        Ok(documents) => {
            for document in documents {
                writeln!(out, "--- {:?}", &text[document.span.range()]).unwrap();
                draw(&document.root, text, 0, &mut out);
            }
        }
    }
    out
}

fn draw(node: &Node, text: &str, depth: usize, out: &mut String) {
    let properties = match &node.properties {
        None => String::new(),
        Some(properties) => format!(" with {:?}", &text[properties.span.range()]),
    };
    let bytes = &text[node.span.range()];
    write!(out, "{:depth$}{:?}@{} {bytes:?}{properties}", "", node.style, node.span.start).unwrap();
    match &node.value {
        Value::Plain(_) | Value::Alias(_) => writeln!(out).unwrap(),
        Value::Text(content) => writeln!(out, " = {content:?}").unwrap(),
        Value::Map(entries) => {
            writeln!(out).unwrap();
            for (key, value) in entries {
                draw(key, text, depth + 2, out);
                draw(value, text, depth + 4, out);
            }
        }
        Value::List(elements) => {
            writeln!(out).unwrap();
            for element in elements {
                draw(element, text, depth + 2, out);
            }
        }
    }
}

#[test]
fn spans_are_exact_in_block_style() {
    insta::assert_snapshot!(outline("a: 1\nb:\n  - x\n  -\n  - - y\n    - z # c\n\nc: |\n  li\n   x\n\n# cc\nd: >- # e\n    fo\n\n    ld\n\n\nh:\n# - x\n- - a\n-\ni:\n"), @r#"
    --- "a: 1\nb:\n  - x\n  -\n  - - y\n    - z # c\n\nc: |\n  li\n   x\n\n# cc\nd: >- # e\n    fo\n\n    ld\n\n\nh:\n# - x\n- - a\n-\ni:\n"
    Block@0 "a: 1\nb:\n  - x\n  -\n  - - y\n    - z # c\n\nc: |\n  li\n   x\n\n# cc\nd: >- # e\n    fo\n\n    ld\n\n\nh:\n# - x\n- - a\n-\ni:"
      Plain@0 "a"
        Plain@3 "1"
      Plain@5 "b"
        Block@10 "- x\n  -\n  - - y\n    - z"
          Plain@12 "x"
          Plain@17 ""
          Block@22 "- y\n    - z"
            Plain@24 "y"
            Plain@32 "z"
      Plain@39 "c"
        Literal@42 "|\n  li\n   x" = "li\n x\n"
      Plain@60 "d"
        Folded@63 ">- # e\n    fo\n\n    ld" = "fo\nld"
      Plain@87 "h"
        Block@96 "- - a\n-"
          Block@98 "- a"
            Plain@100 "a"
          Plain@103 ""
      Plain@104 "i"
        Plain@106 ""
    "#);
}

#[test]
fn spans_are_exact_in_flow_style_with_windows_line_ends_and_a_mark_of_byte_order() {
    insta::assert_snapshot!(outline("\u{feff}ä: {a: b, c: , \"d\" : [1, 2,],e}\r\nb: |+\r\n  x\r\n\r\nc: [a: 1, ? b : 2, 'x\r\n  y']\r\n"), @r#"
    --- "\u{feff}ä: {a: b, c: , \"d\" : [1, 2,],e}\r\nb: |+\r\n  x\r\n\r\nc: [a: 1, ? b : 2, 'x\r\n  y']\r\n"
    Block@3 "ä: {a: b, c: , \"d\" : [1, 2,],e}\r\nb: |+\r\n  x\r\n\r\nc: [a: 1, ? b : 2, 'x\r\n  y']"
      Plain@3 "ä"
        Flow@7 "{a: b, c: , \"d\" : [1, 2,],e}"
          Plain@8 "a"
            Plain@11 "b"
          Plain@14 "c"
            Plain@16 ""
          DoubleQuoted@19 "\"d\"" = "d"
            Flow@25 "[1, 2,]"
              Plain@26 "1"
              Plain@29 "2"
          Plain@33 "e"
            Plain@34 ""
      Plain@37 "b"
        Literal@40 "|+\r\n  x\r\n" = "x\n\n"
      Plain@51 "c"
        Flow@54 "[a: 1, ? b : 2, 'x\r\n  y']"
          Pair@55 "a: 1"
            Plain@55 "a"
              Plain@58 "1"
          Pair@61 "? b : 2"
            Plain@63 "b"
              Plain@67 "2"
          SingleQuoted@70 "'x\r\n  y'" = "x y"
    "#);
}

#[test]
fn properties_and_aliases_are_kept() {
    insta::assert_snapshot!(outline("e: &x !!str\nf: !t &y\n  k: v\ng: *x\n&k l: &m |2-\n    x\n*m : !u {a: *y}\n? p\n: q\n? r\n"), @r#"
    --- "e: &x !!str\nf: !t &y\n  k: v\ng: *x\n&k l: &m |2-\n    x\n*m : !u {a: *y}\n? p\n: q\n? r\n"
    Block@0 "e: &x !!str\nf: !t &y\n  k: v\ng: *x\n&k l: &m |2-\n    x\n*m : !u {a: *y}\n? p\n: q\n? r"
      Plain@0 "e"
        Plain@11 "" with "&x !!str"
      Plain@12 "f"
        Block@23 "k: v" with "!t &y"
          Plain@23 "k"
            Plain@26 "v"
      Plain@28 "g"
        Alias@31 "*x"
      Plain@37 "l" with "&k"
        Literal@43 "|2-\n    x" with "&m" = "  x"
      Alias@53 "*m"
        Flow@61 "{a: *y}" with "!u"
          Plain@62 "a"
            Alias@65 "*y"
      Plain@71 "p"
        Plain@75 "q"
      Plain@79 "r"
        Plain@80 ""
    "#);
}

#[test]
fn documents_tile_the_text() {
    insta::assert_snapshot!(outline("# one\na: b\n---\n# two\n--- |\n c\n...\nd\n"), @r##"
    --- "# one\na: b\n"
    Block@6 "a: b"
      Plain@6 "a"
        Plain@9 "b"
    --- "---\n# two\n"
    Plain@14 ""
    --- "--- |\n c\n"
    Literal@25 "|\n c" = "c\n"
    --- "...\nd\n"
    Plain@34 "d"
    "##);
    insta::assert_snapshot!(outline("# nothing\n"), @"");
    insta::assert_snapshot!(outline("%YAML 1.2\n---\n- a: b\n  c:\n- ? d\n"), @r#"
    --- "%YAML 1.2\n---\n- a: b\n  c:\n- ? d\n"
    Block@14 "- a: b\n  c:\n- ? d"
      Block@16 "a: b\n  c:"
        Plain@16 "a"
          Plain@19 "b"
        Plain@23 "c"
          Plain@25 ""
      Block@28 "? d"
        Plain@30 "d"
          Plain@31 ""
    "#);
}

#[test]
fn odd_block_scalars() {
    insta::assert_snapshot!(outline("a: |\nb: >\n\n\nc: |+\n\n\nd:\n  # a | b\n  |\n  x  \n\n  \ne: |\n  y"), @r#"
    --- "a: |\nb: >\n\n\nc: |+\n\n\nd:\n  # a | b\n  |\n  x  \n\n  \ne: |\n  y"
    Block@0 "a: |\nb: >\n\n\nc: |+\n\n\nd:\n  # a | b\n  |\n  x  \n\n  \ne: |\n  y"
      Plain@0 "a"
        Literal@3 "|" = ""
      Plain@5 "b"
        Folded@8 ">" = ""
      Plain@12 "c"
        Literal@15 "|+\n\n" = "\n\n"
      Plain@20 "d"
        Literal@35 "|\n  x  " = "x  \n"
      Plain@47 "e"
        Literal@50 "|\n  y" = "y"
    "#);
}

#[test]
fn deep_wide_and_long_texts_are_refused_at_once() {
    let refused = |text: &str| parse_yaml(text, Limits::recipe()).unwrap_err().to_string();
    let nested = |open: &str, times: usize| open.repeat(times);
    assert!(parse_yaml(&(nested("[", 64) + &nested("]", 64)), Limits::recipe()).is_ok());
    for deep in ["[", "{a: ", "- ", "? ", "[{a: "] {
        for times in [65, 1000, 200_000] {
            assert_eq!(refused(&nested(deep, times)), "nested too deeply: the limit is 64 levels", "{deep} {times}");
        }
    }
    assert_eq!(refused(&" ".repeat((1 << 20) + 1)), "the text has 1048577 bytes; the limit is 1 MiB");
    let many = "too many values, including those that aliases repeat: the limit is 100000";
    assert_eq!(refused(&("[".to_owned() + &"a,".repeat(100_000) + "]")), many);
}

#[test]
fn aliases_may_repeat_only_so_much() {
    let refused = |text: &str| parse_yaml(text, Limits::recipe()).unwrap_err().to_string();
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for i in 1..40 {
        writeln!(bomb, "a{i}: &a{i} [*a{0}, *a{0}]", i - 1).unwrap();
    }
    assert_eq!(refused(&bomb), "too many values, including those that aliases repeat: the limit is 100000");
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for i in 1..10_000 {
        writeln!(chain, "a{i}: &a{i} [*a{}]", i - 1).unwrap();
    }
    assert_eq!(refused(&chain), "nested too deeply: the limit is 64 levels");
    let opening: Vec<String> = (0..60).map(|i| format!("&a{i} [")).collect();
    let onion = opening.concat() + &"x,".repeat(40_000) + &"]".repeat(60);
    assert_eq!(refused(&onion), "too many values, including those that aliases repeat: the limit is 100000");
    assert_eq!(refused("&a [*a]"), "the alias `*a` is inside the value that it repeats");
    assert_eq!(refused("a: *b"), "the anchor of this alias does not exist; a string that starts with `*` needs quotes");
}

#[test]
fn keys_are_scalars_and_there_once() {
    insta::assert_snapshot!(outline("a: 1\nb:\n  c: 1\n  d: 1\n  \"c\": 2\n  d: 3\n"), @"24..27 the key `c` is there twice; first in line 3");
    insta::assert_snapshot!(outline("[a]: 1"), @"0..3 a key must be a string, not a list or a map");
    insta::assert_snapshot!(outline("{{ values.x }}: 1"), @"1..13 a key must be a string, not a list or a map; a string that starts with `{{` needs quotes");
}

#[test]
fn quoted_lines_need_no_indentation() {
    insta::assert_snapshot!(outline("a:\n  b: 'x\n  y\n\n  it''s' # c\n"), @r#"
    --- "a:\n  b: 'x\n  y\n\n  it''s' # c\n"
    Block@0 "a:\n  b: 'x\n  y\n\n  it''s'"
      Plain@0 "a"
        Block@5 "b: 'x\n  y\n\n  it''s'"
          Plain@5 "b"
            SingleQuoted@8 "'x\n  y\n\n  it''s'" = "x y\nit's"
    "#);
    insta::assert_snapshot!(outline("- k: &x \"x\\\n  y\\\"\r\n  z\"\n  l: >\n   'x\n  m: {a: 'b', c: \"d\"}\n  \"n\": 'ä\n  ö'\n- it's: 'x\n y'\n"), @r#"
    --- "- k: &x \"x\\\n  y\\\"\r\n  z\"\n  l: >\n   'x\n  m: {a: 'b', c: \"d\"}\n  \"n\": 'ä\n  ö'\n- it's: 'x\n y'\n"
    Block@0 "- k: &x \"x\\\n  y\\\"\r\n  z\"\n  l: >\n   'x\n  m: {a: 'b', c: \"d\"}\n  \"n\": 'ä\n  ö'\n- it's: 'x\n y'"
      Block@2 "k: &x \"x\\\n  y\\\"\r\n  z\"\n  l: >\n   'x\n  m: {a: 'b', c: \"d\"}\n  \"n\": 'ä\n  ö'"
        Plain@2 "k"
          DoubleQuoted@8 "\"x\\\n  y\\\"\r\n  z\"" with "&x" = "xy\" z"
        Plain@26 "l"
          Folded@29 ">\n   'x" = "'x\n"
        Plain@39 "m"
          Flow@42 "{a: 'b', c: \"d\"}"
            Plain@43 "a"
              SingleQuoted@46 "'b'" = "b"
            Plain@51 "c"
              DoubleQuoted@54 "\"d\"" = "d"
        DoubleQuoted@61 "\"n\"" = "n"
          SingleQuoted@66 "'ä\n  ö'" = "ä ö"
      Block@78 "it's: 'x\n y'"
        Plain@78 "it's"
          SingleQuoted@84 "'x\n y'" = "x y"
    "#);
    insta::assert_snapshot!(outline("a:\n  b: [1, 'x\n  y', 2]\n  c: 'x\n  y'\n"), @r#"
    --- "a:\n  b: [1, 'x\n  y', 2]\n  c: 'x\n  y'\n"
    Block@0 "a:\n  b: [1, 'x\n  y', 2]\n  c: 'x\n  y'"
      Plain@0 "a"
        Block@5 "b: [1, 'x\n  y', 2]\n  c: 'x\n  y'"
          Plain@5 "b"
            Flow@8 "[1, 'x\n  y', 2]"
              Plain@9 "1"
              SingleQuoted@12 "'x\n  y'" = "x y"
              Plain@21 "2"
          Plain@26 "c"
            SingleQuoted@29 "'x\n  y'" = "x y"
    "#);
    insta::assert_snapshot!(outline("a:\n  b: 'x\n  y\nc: 1\n"), @"8..9 a quoted string is not closed");
    insta::assert_snapshot!(outline("a:\n  b: 'x\n  y' z\n"), @"16..17 there is more text after the closing quote");
    insta::assert_snapshot!(outline("a:\n  b: 'x\n  y\n---\n  y'\n"), @"8..9 a `---` or `...` inside a quoted string");
}

#[test]
fn kept_line_ends_end_with_the_block() {
    insta::assert_snapshot!(outline("- a: |+\n    x\n\n  b: 1\n- |+\n x "), @r#"
    --- "- a: |+\n    x\n\n  b: 1\n- |+\n x "
    Block@0 "- a: |+\n    x\n\n  b: 1\n- |+\n x "
      Block@2 "a: |+\n    x\n\n  b: 1"
        Plain@2 "a"
          Literal@5 "|+\n    x\n" = "x\n\n"
        Plain@17 "b"
          Plain@20 "1"
      Literal@24 "|+\n x " = "x "
    "#);
}

#[test]
fn what_is_not_written_stands_behind_its_dash_or_colon() {
    insta::assert_snapshot!(outline("k:\n- - # c\n-   # c\n- \n-\n- k: # c\n  l:   \n- [{a: # c\n }]\n- ? # c\n"), @r#"
    --- "k:\n- - # c\n-   # c\n- \n-\n- k: # c\n  l:   \n- [{a: # c\n }]\n- ? # c\n"
    Block@0 "k:\n- - # c\n-   # c\n- \n-\n- k: # c\n  l:   \n- [{a: # c\n }]\n- ? # c\n"
      Plain@0 "k"
        Block@3 "- - # c\n-   # c\n- \n-\n- k: # c\n  l:   \n- [{a: # c\n }]\n- ? # c\n"
          Block@5 "-"
            Plain@6 ""
          Plain@12 ""
          Plain@20 ""
          Plain@23 ""
          Block@26 "k: # c\n  l:"
            Plain@26 "k"
              Plain@28 ""
            Plain@35 "l"
              Plain@37 ""
          Flow@43 "[{a: # c\n }]"
            Flow@44 "{a: # c\n }"
              Plain@45 "a"
                Plain@47 ""
          Block@58 "? # c\n"
            Plain@64 ""
              Plain@64 ""
    "#);
}
