#![doc = include_str!("../docs/crate.md")]

pub mod backend;
pub mod change;
mod clip;
pub mod clock;
mod connection;
mod cutoff;
pub mod download;
pub mod group;
#[cfg(doc)]
pub mod guide;
mod hex;
pub mod merge;
mod origin;
pub mod outcome;
#[cfg(any(
    feature = "replica",
    all(
        feature = "axum",
        any(feature = "async-postgres", feature = "async-sqlite")
    )
))]
mod refusal;
mod register;
mod remedy;
#[cfg(feature = "replica")]
pub mod replica;
mod scope;
#[cfg(all(
    feature = "axum",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
pub mod server;
mod since;
pub mod stamp;
mod statement;
pub mod table;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
pub mod tracking;
pub mod upload;
pub mod wire;

#[doc = include_str!("../docs/sync_table.md")]
pub use carburetor_derive::SyncTable;
pub use connection::SyncConnection;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub use connection::{SharedConnection, SyncConnectionAsync};
pub use cutoff::Assumptions;
pub use download::{DownloadError, Pages, Response, TableNews, Timestamps};
pub use group::{Scoped, SyncGroup};
pub use scope::{
    DownloadTable, Everyone, Filtered, GroupTable, Left, ScopeError, SyncFilter, SyncScope, Visible,
};
pub use since::Since;
pub use table::SyncTable;
pub use token::{Token, TokenError};
pub use tracking::untracked;
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub use tracking::untracked_async;

#[doc(hidden)]
pub mod __private;

/// The README's program is compiled and run, but not where a crate lies alone.
#[cfg(all(doctest, feature = "postgres", feature = "sqlite"))]
#[doc = include_str!("../../README.md")]
struct Readme;
