//! A server: groups over HTTP, as routes of the program's own axum router.
//!
#![doc = include_str!("../docs/server.md")]

mod database;
mod document;
mod download;
mod everyone;
mod limits;
mod meter;
mod problem;
mod sync;
mod upload;

pub use database::Database;
#[cfg(feature = "async-sqlite")]
pub use database::sqlite_pool;
pub use limits::Limits;
pub use problem::Problem;
pub use sync::{ServedGroup, Sync};
