//! What the derive's output calls. No part of the interface: it changes with any release.

mod column;
mod companion;
mod given;
mod merging;
mod role;
mod row;

pub use crate::merge::Merging;
pub use column::{base, column, dates, nullable, plain};
pub use companion::{Companion, deserialize, serialize};
pub use given::{Given, Set, set};
pub use merging::merge;
pub use role::{
    id_is_never_null, instant, one_is_never_null, same_storage, soft_delete, stamp_is_never_null,
};
pub use row::{
    Admit, Received, Sent, admit, admit_or, decode, decode_or, encode, no_such_part, parts, read,
    read_or,
};

pub use diesel;
pub use serde;
pub use serde_json::Value;
pub use std::sync::OnceLock;

/// A row as it travels.
pub type Row = serde_json::Map<String, Value>;

/// What [`__codec`](crate::__codec) stands on.
pub mod probe {
    pub use crate::wire::probe::*;
}

/// Keeps what only PostgreSQL needs, because the features of this library decide, not those of the crate that derives.
#[cfg(feature = "postgres-backend")]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_postgres {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Leaves out what only PostgreSQL needs.
#[cfg(not(feature = "postgres-backend"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_postgres {
    ($($tokens:tt)*) => {};
}

/// Keeps what only SQLite needs.
#[cfg(feature = "sqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_sqlite {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Leaves out what only SQLite needs.
#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_sqlite {
    ($($tokens:tt)*) => {};
}

/// Keeps what stands in where there is no SQLite.
#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_sqlite {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Leaves out what stands in where there is no SQLite.
#[cfg(feature = "sqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_sqlite {
    ($($tokens:tt)*) => {};
}

/// Keeps what SQLite does where PostgreSQL isn't there to do it.
#[cfg(all(feature = "sqlite", not(feature = "postgres-backend")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_only_sqlite {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Leaves to PostgreSQL what either backend can do.
#[cfg(not(all(feature = "sqlite", not(feature = "postgres-backend"))))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_only_sqlite {
    ($($tokens:tt)*) => {};
}

/// Keeps what names a table that a program with SQLite alone needs not have.
#[cfg(not(all(feature = "sqlite", not(feature = "postgres-backend"))))]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_only_sqlite {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Leaves out the table that only PostgreSQL has.
#[cfg(all(feature = "sqlite", not(feature = "postgres-backend")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_only_sqlite {
    ($($tokens:tt)*) => {};
}
