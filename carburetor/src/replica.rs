//! Replicas: a device's copy of a group, in an SQLite file that programs read and write with ordinary Diesel, online or not.
//!
#![doc = include_str!("../docs/replica.md")]

mod account;
mod again;
mod backoff;
mod batch;
mod below;
mod broken;
mod check;
mod clock;
mod conclude;
mod cut;
mod disarm;
mod doubt;
mod dropped;
mod edits;
mod elsewhere;
mod entries;
mod error;
mod fetch;
mod file;
mod former;
mod frozen;
mod held;
#[cfg(feature = "http")]
mod http;
mod hub;
mod in_process;
mod message;
mod met;
mod meter;
mod monitor;
mod moved;
mod obstacle;
mod odd;
mod open;
mod origin;
mod outbox;
mod overtaken;
mod pages;
mod portion;
#[cfg(feature = "http")]
mod problem;
mod query;
mod rebase;
mod refused;
mod rejected;
mod relay;
mod rest;
mod retry;
mod returning;
mod retyped;
mod rows;
mod run;
mod schema;
mod section;
mod sending;
mod settle;
mod show;
mod shown;
mod stage;
mod status;
mod stretch;
mod sync;
mod synced;
mod table;
mod token;
mod transport;
mod triggers;
mod unreadable;
mod untracked;

pub use disarm::disarm;
pub use error::ReplicaError;
#[cfg(feature = "http")]
pub use http::{Http, Renewal};
pub use in_process::InProcess;
pub use met::Met;
pub use obstacle::{Cause, Next, Obstacle, Task};
pub use open::{Replica, ReplicaBuilder};
pub use rejected::Rejected;
pub use status::{Phase, Status};
pub use synced::Synced;
pub use table::ReplicaGroup;
#[doc(hidden)]
pub use table::ReplicaTables;
pub use transport::{Transport, TransportError};
pub use untracked::untracked;
