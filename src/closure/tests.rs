//! Prepared root file systems, bad and good.

mod bad;
mod good;
mod root;

use super::*;
