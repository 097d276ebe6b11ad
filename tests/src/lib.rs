//! What the tests stand on: PostgreSQL servers of their own, and what lies before, behind and inside them.

mod account;
mod cluster;
mod database;
mod sandbox;
mod server;

pub use cluster::Cluster;
pub use database::Database;
