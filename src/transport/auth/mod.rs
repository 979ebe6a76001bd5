//! Logins: the files and credential helpers that have them, and the tokens that they are exchanged for.

mod auth_file;
mod challenge;
mod credential_helper;
mod credentials;
mod edit;
mod log_in;
mod login_file;
mod login_scope;
mod login_store;
mod logins;
mod tokens;

pub(crate) use auth_file::AuthFile;
pub use credentials::{Anonymous, Credentials, CredentialsError, Known, Login, LoginError, Proof, Secret};
pub(crate) use credentials::{Authorization, GivenLogin};
pub use log_in::{Accepted, LogInError};
pub use login_scope::{LoginScope, LoginScopeError};
pub use login_store::{Erased, LoginLocation, LoginStore, LoginStoreError, Stored};
pub use logins::{AuthPlaces, Logins};
pub use tokens::Access;
pub(crate) use tokens::Tokens;
