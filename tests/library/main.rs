//! The library without the program: recipes as files, and the network, which is servers on loopback.

#![expect(clippy::unwrap_used, reason = "all of it is test code; clippy only knows functions with `#[test]` as such")]

mod recipe_files;
mod recipe_hostile;
mod world;
