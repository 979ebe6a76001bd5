//! Logins: the files and credential helpers that have them, and the tokens that they are exchanged for.

mod access;
mod auth_file;
mod challenge;
mod credential_helper;
mod credentials;
mod edit;
mod log_in;
mod login_file;
mod login_scope;
mod login_store;
mod login_store_error;
mod logins;
mod tokens;

pub(crate) use access::Access;
pub(crate) use auth_file::AuthFile;
pub use credentials::{Anonymous, Credentials, CredentialsError, Known, Login, Proof, Secret};
pub(crate) use credentials::{Authorization, GivenLogin};
pub(crate) use log_in::Accepted;
pub(crate) use login_scope::{LoginScope, LoginScopeError};
pub(crate) use login_store::{Erased, LoginStore, Stored};
pub(crate) use logins::{AuthPlaces, Logins};
pub(crate) use tokens::Tokens;
