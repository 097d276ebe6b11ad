//! A server: groups over HTTP, as routes of the program's own axum router.
//!
#![doc = include_str!("../docs/server.md")]

mod apart;
mod asking;
mod body;
mod caller;
mod database;
mod document;
mod download;
mod everyone;
mod feed;
mod handover;
mod kept;
mod limits;
mod loan;
mod meter;
mod negotiation;
#[cfg(feature = "async-postgres")]
mod notified;
mod origin;
mod patient;
mod problem;
mod refresh;
mod room;
mod serve;
mod served;
mod shutdown;
mod sync;
mod unreadable;
mod upload;
mod watcher;

pub use database::Database;
#[cfg(feature = "async-sqlite")]
pub use database::sqlite_pool;
pub use limits::Limits;
#[cfg(feature = "async-postgres")]
pub use notified::Notified;
pub use patient::{Patient, PatientStream};
pub use problem::Problem;
pub use refresh::Refresh;
pub use serve::serve;
pub use served::ServedGroup;
pub use shutdown::Shutdown;
pub use sync::Sync;
