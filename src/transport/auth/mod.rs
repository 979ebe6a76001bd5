//! Logins: the files and credential helpers that have them, and the tokens that they are exchanged for.

mod auth_file;
mod challenge;
mod credential_helper;
mod credentials;
mod edit;
mod log_in;
mod log_in_error;
mod login_file;
mod login_scope;
mod login_store;
mod login_store_error;
mod logins;
mod secret;
mod tokens;

pub use credentials::{Anonymous, Credentials, CredentialsError, Known, Login, LoginError, Proof};
pub(crate) use credentials::{Authorization, GivenLogin};
pub use log_in::Accepted;
pub use log_in_error::LogInError;
pub use login_scope::{LoginScope, LoginScopeError};
pub use login_store::{Forgotten, Kept, LoginKeeper, Place};
pub use login_store_error::KeepError;
pub use logins::{AuthPlaces, Logins};
pub use secret::Secret;
pub use tokens::Access;
pub(crate) use tokens::Tokens;
