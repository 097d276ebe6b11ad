//! Replicas, a server and a network that fails, by a seed from which everything follows.

mod database;
mod desk;
mod device;
mod door;
mod ledger;
mod models;
mod network;
mod program;
mod rejection;
mod rows;
mod run;
mod server;
mod statement;

pub use database::Backend;
pub use run::{Tally, run};
