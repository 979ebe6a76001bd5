//! Prepared root file systems, bad and good.

mod bad;
mod good;
mod root;
mod shapes;

use super::*;
