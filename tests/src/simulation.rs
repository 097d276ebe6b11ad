//! Replicas, a server and a network that fails, by a seed from which everything follows.

mod along;
mod aside;
mod database;
mod desk;
mod device;
mod disk;
mod door;
mod held;
mod hub;
mod ledger;
mod line;
mod looks;
mod models;
mod network;
mod open;
mod program;
mod rejection;
mod rows;
mod run;
mod server;
mod statement;
mod together;
mod triggers;
mod troubles;
mod words;

pub use database::Backend;
pub use run::{Tally, run};
pub use troubles::Trouble;
