//! Replicas, a server and a network that fails, by a seed from which everything follows.

mod check;
mod device;
mod models;
mod network;
mod run;
mod server;

pub use run::{Tally, run};
