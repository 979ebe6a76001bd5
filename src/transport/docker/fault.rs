//! What went wrong between us and an engine.

use std::error::Error;
use std::io::{self, ErrorKind};

use bollard::errors::Error as ApiError;

use crate::types::printable;

/// The most characters of what an engine says that are repeated.
const LONGEST: usize = 500;

/// Why an engine gives no answer, or not a useful one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EngineFault {
    /// `DOCKER_HOST` is not supported.
    #[error("{0}")]
    Host(&'static str),
    /// The socket does not exist.
    #[error("there is no such socket")]
    NoSocket,
    /// The socket is not for this user.
    #[error("permission denied")]
    Denied,
    /// There is no answer.
    #[error("{0}")]
    Unreachable(String),
    /// It answers with an error.
    #[error("{message} (status {status})")]
    Answer {
        /// The HTTP status.
        status: u16,
        /// The engine's message, printable.
        message: String,
    },
    /// The answer stopped coming, or is too long.
    #[error("{0}")]
    Broken(String),
    /// The answer is not from an engine.
    #[error("{0}")]
    Strange(String),
}

impl EngineFault {
    pub(super) fn of_system(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NoSocket,
            ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::ConnectionRefused => Self::Unreachable("connection refused: nothing listens there".to_owned()),
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => Self::Broken("the connection ended before the answer did".to_owned()),
            _ => Self::Unreachable(first_line(&error.to_string())),
        }
    }
}

impl From<ApiError> for EngineFault {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::DockerResponseServerError { status_code: status, message } => {
                return Self::Answer { status, message: first_line(&message) };
            }
            ApiError::JsonDataError { message, .. } => return Self::Strange(first_line(&message)),
            // The client has many kinds of errors; the system's reason is deeper in the chain.
            _ => {}
        }
        let mut last: &(dyn Error + 'static) = &error;
        loop {
            if let Some(error) = last.downcast_ref() {
                return Self::of_system(error);
            }
            match last.source() {
                Some(source) => last = source,
                None => return Self::Broken(first_line(&last.to_string())),
            }
        }
    }
}

fn first_line(text: &str) -> String {
    printable(text.trim()).lines().next().unwrap_or_default().chars().take(LONGEST).collect()
}
