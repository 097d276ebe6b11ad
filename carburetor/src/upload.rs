//! Uploads: a replica's changes, applied on the server and answered one by one.

mod admit;
mod apply;
mod backend;
mod conflicts;
mod contest;
mod decide;
mod deletions;
mod digest;
mod error;
mod found;
mod group;
mod judged;
mod options;
mod order;
mod outcomes;
mod own;
mod plan;
mod procedure;
mod receipt;
mod references;
mod rejection;
#[cfg_attr(
    not(any(feature = "postgres-backend", feature = "sqlite")),
    allow(dead_code, reason = "only the backends read it")
)]
mod sent;
mod session;
mod settle;
mod sieve;
mod sql;
mod surroundings;
mod table;
mod told;
mod types;
mod unmet;

pub use backend::UploadBackend;
#[cfg(feature = "replica")]
pub(crate) use backend::push_value;
pub use conflicts::{ConflictsOf, LoggedConflict};
#[cfg(feature = "replica")]
pub(crate) use decide::{missing_unit_columns, unit};
pub use error::UploadError;
pub use options::{Transactions, UploadOptions};
#[cfg(feature = "replica")]
pub(crate) use sent::{Cells, Sent};
#[cfg(feature = "replica")]
pub(crate) use table::Admit;
pub(crate) use table::UploadTable;
pub(crate) use types::Types;
