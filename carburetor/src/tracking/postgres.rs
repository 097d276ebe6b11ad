//! Tracking on PostgreSQL, as SQL text: nothing here connects.
//!
//! Per table there are a stamping trigger that every writer meets, triggers that keep the removals, a table of removals and an
//! index on (stamp, id). Tables whose definition says `untracked` are left alone: there the application keeps the stamp.

mod down;
mod install;
mod publish;
mod triggers;
mod up;
mod upkeep;
mod verify;

pub use down::down;
pub use up::{Index, Up, difference, up};
pub use upkeep::{grants, purge, reset, touch, watermark};
pub use verify::verify;
