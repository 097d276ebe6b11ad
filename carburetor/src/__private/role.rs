//! What a column must be to play its role, asked of its SQL type where the derive sees only tokens.

use super::column::Nullability;
use crate::backend::SyncBackend;
use crate::table::{DeletedType, StampType};
use diesel::sql_types::SqlType;

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
pub const fn id_is_never_null<ST: SqlType<IsNull: Nullability>>() {
    assert!(
        !<ST::IsNull as Nullability>::NULLABLE,
        "the id's column is nullable in `table!`: two rows could share NULL; declare it NOT NULL"
    );
}

/// A stamp, or what stands in for one, that every row has.
pub const fn stamp_is_never_null<ST: SqlType<IsNull: Nullability>>() {
    assert!(
        !<ST::IsNull as Nullability>::NULLABLE,
        "an untracked table's new rows need a stamp, and this column may be NULL: add a field `#[sync(created_at)]` that is NOT NULL, or remove `untracked`"
    );
}
