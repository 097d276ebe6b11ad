//! Copies of database tables on many devices: a derive on Diesel models, and downloads that lose nothing.

pub mod backend;
pub mod stamp;
pub mod table;
pub mod tracking;
pub mod wire;

pub use carburetor_derive::SyncTable;
pub use table::SyncTable;

#[doc(hidden)]
pub mod __private;
