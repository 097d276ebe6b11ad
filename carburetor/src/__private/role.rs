//! What a column must be to play its role, asked of its SQL type, because the derive sees only tokens.

use crate::backend::SyncBackend;
use crate::table::{DeletedType, StampType};
use diesel::sql_types::{SqlType, is_nullable};

/// An instant: a stamp, or when a row was inserted.
pub const fn instant<ST: StampType<DB>, DB: SyncBackend>() {}

/// A soft-delete flag.
pub const fn soft_delete<ST: DeletedType<DB>, DB: SyncBackend>() {}

/// Two instants that `coalesce` may mix.
pub const fn same_storage<A: StampType<DB>, B: StampType<DB>, DB: SyncBackend>() {
    assert!(
        A::STORAGE as u8 == B::STORAGE as u8,
        "the columns of `last_synced_at` and `created_at` have different types: give both the same one"
    );
}

/// A column that identifies rows.
pub const fn id_is_never_null<ST: SqlType<IsNull: IdentifiesRows>>() {}

/// A stamp that every row has.
pub const fn stamp_is_never_null<ST: SqlType<IsNull: DatesEveryRow>>() {}

/// A stamp, and what stands in where it is NULL.
pub const fn one_is_never_null<A: SqlType, B: SqlType>()
where
    (A::IsNull, B::IsNull): DatesEveryRow,
{
}

/// NOT NULL, as an id is.
#[diagnostic::on_unimplemented(
    message = "the id's column may be NULL",
    label = "two rows could share NULL",
    note = "declare the column NOT NULL, in the database and in its `table!`"
)]
pub trait IdentifiesRows {}

impl IdentifiesRows for is_nullable::NotNull {}

/// NOT NULL, as the stamp of an untracked table is, or what stands in for it.
#[diagnostic::on_unimplemented(
    message = "an untracked row without a stamp is never downloaded, and this column may be NULL",
    label = "NOT NULL is needed here",
    note = "mark the field of the row's insert, which is NOT NULL, by `#[sync(created_at)]`, or remove `untracked`"
)]
pub trait DatesEveryRow {}

impl DatesEveryRow for is_nullable::NotNull {}
impl DatesEveryRow for (is_nullable::NotNull, is_nullable::NotNull) {}
impl DatesEveryRow for (is_nullable::NotNull, is_nullable::IsNullable) {}
impl DatesEveryRow for (is_nullable::IsNullable, is_nullable::NotNull) {}
