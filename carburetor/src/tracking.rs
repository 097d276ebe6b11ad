//! What a database must hold so that no write goes unseen: stamps, removals, and the registry of tracked tables.
//!
//! The normal way is a migration: [`Tracking`] prints what it takes, and the text is checked in beside the program's other migrations.
//! Tests and embedded programs call [`install`](Tracking::install) instead.
//!
//! ```
//! # #[cfg(feature = "sqlite")] {
//! use carburetor::{SyncGroup, SyncTable};
//! use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};
//! diesel::table! { notes (id) { id -> Integer, body -> Text, last_synced_at -> BigInt, } }
//! #[derive(SyncTable)]
//! #[sync(backends(sqlite))]
//! struct Note {
//!     id: i32,
//!     body: String,
//!     last_synced_at: i64,
//! }
//! type Notes = SyncGroup<(Note,)>;
//!
//! let mut conn = SqliteConnection::establish(":memory:")?;
//! conn.batch_execute("create table notes (id integer primary key, body text not null)")?;
//! Notes::tracking::<Sqlite>().install(&mut conn)?;
//! conn.batch_execute("insert into notes (id, body) values (1, 'remember')")?;
//!
//! let news = Notes::download(&mut conn, (None,))?;
//! assert_eq!(news.0.rows[0].body, "remember");
//! assert!(Notes::tracking::<Sqlite>().verify(&mut conn)?.is_empty());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
mod asynchronous;
mod backend;
mod error;
mod group;
mod install;
mod installed;
mod merge;
#[cfg(feature = "postgres-backend")]
pub mod postgres;
mod print;
mod problem;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod tables;
mod touch;
mod untracked;
mod upkeep;
mod verify;

use crate::connection::runner;

#[cfg(all(
    feature = "postgres-backend",
    any(feature = "async-postgres", feature = "async-sqlite")
))]
pub use asynchronous::{adopt_origin_async, watermark_async};
#[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
pub use asynchronous::{new_origin_async, reset_async, touch_async, untracked_async};
pub use backend::TrackingBackend;
pub use error::TrackingError;
pub use installed::Installed;
pub use problem::Problem;
pub use tables::Tracking;
pub use touch::touch;
pub use untracked::untracked;
#[cfg(feature = "postgres-backend")]
pub use upkeep::{adopt_origin, watermark};
pub use upkeep::{new_origin, reset};
