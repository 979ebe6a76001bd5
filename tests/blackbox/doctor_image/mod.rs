//! `sealer doctor image`: what is planted is found, what is whole is whole, and what a registry has comes back.

mod app;
mod faults;
mod marks;
mod repair;
mod whole;
