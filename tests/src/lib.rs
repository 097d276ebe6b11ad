//! What the tests stand on: PostgreSQL servers of their own, what lies before and behind them, and real data.

pub mod oracle;
pub mod processes;
pub mod simulation;

mod account;
mod cluster;
mod data;
mod database;
mod folder;
mod pgbouncer;
mod registers;
mod sandbox;
mod server;
mod standby;

pub use cluster::Cluster;
pub use data::Dataset;
pub use database::Database;
pub use folder::Folder;
pub use pgbouncer::Pgbouncer;
pub use registers::registers;
pub use standby::Standby;
