//! What all those said who were asked for the same thing.

use std::error::Error;
use std::fmt;

use crate::types::chain;

/// What each said, in their order: mirrors, then who has the thing itself. Each names the URL that was asked.
#[derive(Debug)]
pub struct Tried<E>(pub Vec<E>);

impl<E> Tried<E> {
    /// The error that counts. Whoever gave something else than was meant is news, also where somebody else did not answer
    /// at all; else mirrors may lack what they like, and who has the thing itself is asked last.
    pub(crate) fn decisive(&self, is_wrong_content: impl Fn(&E) -> bool) -> Option<&E> {
        self.0.iter().find(|error| is_wrong_content(error)).or(self.0.last())
    }
}

impl<E: Error + 'static> fmt::Display for Tried<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages: Vec<String> = self.0.iter().map(|error| chain(error)).collect();
        f.write_str(&messages.join("; "))
    }
}
