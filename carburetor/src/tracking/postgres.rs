//! Tracking on PostgreSQL, as SQL text: nothing here connects.
//!
//! Per table there are a stamping trigger that every writer meets, triggers that keep the removals, a table of removals and an
//! index on (stamp, id). Where replicas may write, rows have registers, and tables of deletion clocks and of conflicts are beside. Tables whose definition says `untracked` are left alone: there the application keeps the stamp.
//!
//! # Writes without a stamp
//!
//! While the setting `carburetor.untracked` is `on`, an update keeps the stamp that the row had, and an insert the one that it was given; a
//! stamp equal to `now()`, which is what a column's default gives, becomes 1970. Such rows are delivered by full downloads
//! only, until something touches them. Removals are written all the same. Any role may set it: it is a tool against needless traffic, not a right.
//!
//! # Registers
//!
//! The column `carburetor_registers` says how late each column of a row was written: the stamping trigger compares old values with new ones and
//! moves the clocks of those that differ. It is NULL until the first update. A statement that writes the column itself, as uploads do, is taken
//! as given. The models don't name it. A table that is attached as a partition must have it, and so must a copy that is filled
//! by `insert .. select *`; `copy` from a file without it needs a list of columns. A value of many kilobytes is read, though an update leaves it alone, to see that it is the same.
//!
//! A deletion leaves its clock in a table of its own until [`purge_deletions`]. An update that moves a row to another
//! partition leaves one as well, which nobody asks for while the row exists.
//!
//! # What triggers can't see
//!
//! A partition that is attached with rows, or that is detached, and a table that another one replaces by renaming: [`verify`] tells, and
//! running [`up`] again moves the table's generation. A partition that left and came back looks as before, and
//! needs [`reset`], which a migration calls as `select carburetor.reset_table('users')`. A new
//! empty partition only lacks its trigger on TRUNCATE until `up` runs again.
//!
//! Restoring a dump of the data alone stamps every row. A column that is part of the id or of `visible_by` changes its type
//! only after `drop trigger "~carburetor_removal_update"`; `up` puts it back and resets the replicas.

mod ahead;
mod down;
mod install;
mod notify;
mod origin;
mod publish;
mod refusals;
mod registers;
mod removal;
mod schema;
mod stamping;
mod triggers;
mod up;
mod upkeep;
mod verify;
mod warnings;

pub(crate) use origin::{HOME, hashed, origin};

pub(super) use ahead::ahead;
pub use down::down;
pub use notify::notify;
pub use refusals::refusals;
pub use up::{Index, Up, difference, up};
pub use upkeep::{grants, purge, purge_deletions, reset, touch, upload_grants, watermark};
pub use verify::verify;
pub use warnings::warnings;

/// A query for problems that finds none.
const NO_PROBLEM: &str =
    "select null::text as name, null::text as problem, null::text as remedy where false";
