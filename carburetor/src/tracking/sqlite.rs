//! Tracking on embedded SQLite, as SQL text.
//!
//! Nothing here touches a connection. A runner reads the [`surroundings`] of each table, asks [`refusals`], runs what
//! [`missing_columns`] returns, and then runs [`up`].
//!
//! ```
//! use carburetor::table::{ColumnDefinition, Storage, TableDefinition};
//! use carburetor::tracking::sqlite::{TrackedTable, up};
//! let users = TableDefinition {
//!     table: "users".into(),
//!     columns: vec![
//!         ColumnDefinition { id: true, ..ColumnDefinition::new("id") },
//!         ColumnDefinition { last_synced_at: true, storage: Storage::Timestamptz, ..ColumnDefinition::new("updated_at") },
//!     ],
//!     ..TableDefinition::default()
//! };
//! assert!(up(&[TrackedTable::new(users)]).contains(r#"after insert on "users""#));
//! ```
//!
//! # What it keeps
//!
//! * `carburetor_clock`: one row, the latest instant given to anything, in microseconds since 1970. Every stamp and
//!   every removal takes `max(now + 1, the system's time)`, so that it never goes back and no two are equal.
//!   Beside it stands the origin, which tells the file from those of other servers.
//! * `carburetor_pause`: when the clock stood still for more than a minute, or until an installation. No cutoff was ever given in between, unless by a file that this one
//!   is an older state of: so a file that has gone back in time is noticed.
//! * `carburetor_synced_table`: one row for each table: generation, horizon, definition and its hash.
//! * `carburetor_removal_<table>`: which id left which visible-by values, and when.
//! * The column `carburetor_registers` of each table: which write its columns hold, as JSON.
//! * `carburetor_register_<table>`: the clock of each id's deletion, and `carburetor_conflict_<table>`: what lost in uploads.
//! * `carburetor_outcome`: what uploads were answered.
//! * `carburetor_relay`: on a hub, the changes that the server above it decides, and how it did.
//! * `carburetor_flag`: the row `untracked` turns stamps off, inside one write transaction.
//! * `carburetor_replaced`: the clocks of rows that a statement may replace, until it is said whether it does.
//! * `carburetor_stamping`: empty outside of a statement; the stamps that triggers are writing at this moment.
//!
//! # Why the cutoff `now + 1` is truthful
//!
//! SQLite has one writer at a time, and a transaction that writes a stamp also moves the clock, in the same file: a
//! snapshot shows both or neither. So when a snapshot shows the clock at `now`, every transaction that gave a stamp up
//! to `now` is visible in it, and every other one takes its stamps from a clock that is at least `now`, thus from
//! `now + 1` on. No row below the cutoff can appear later.
//!
//! # What it does not see
//!
//! * Rows written while `untracked` is set, or while the triggers are dropped; [`up`] then moves the generation.
//! * Rows replaced through the hidden `rowid` of a table whose key is another column, or because an explicit NULL took
//!   the default of a NOT NULL column under `or replace`.
//! * With `pragma recursive_triggers`, a column that only a trigger writes, below as many of the application's triggers as the table has.
//! * `returning` shows a row before its stamp: SQLite runs AFTER triggers later.

mod ahead;
mod armed;
mod clock;
mod conflict;
mod difference;
mod format;
mod install;
mod refusal;
mod register;
mod removal;
mod replaced;
mod stamping;
mod surroundings;
mod upkeep;
mod verify;
mod warnings;

pub(super) use ahead::ahead;
pub(crate) use armed::armed;
#[cfg(feature = "replica")]
pub(crate) use clock::SYSTEM_TIME;
pub use clock::missing_shared_columns;
pub use difference::difference;
pub(crate) use format::stamp_expression;
pub use format::{StampValue, stamp_value};
pub(in crate::tracking) use install::forget;
pub use install::{down, up};
pub use refusal::{missing_columns, refusals};
#[cfg(feature = "replica")]
pub(crate) use removal::{differs, list, same};
pub use surroundings::{KeyColumn, Surroundings, TrackedTable, UniqueKey, surroundings};
pub use upkeep::{
    CLEAR_UNTRACKED, NEW_ORIGIN, SET_UNTRACKED, purge, purge_deletions, reset, touch,
};
pub use verify::verify;
pub use warnings::warnings;
