//! Synced tables: what `#[derive(SyncTable)]` writes.

mod conflict;
mod definition;
mod field;
mod name;
mod role;

pub use conflict::Conflict;
pub use definition::{ColumnDefinition, Storage, TableDefinition};
pub(crate) use definition::{literal, quoted};
pub use field::SyncField;
pub(crate) use name::split_name;
pub use role::{DeletedType, StampType};

use crate::backend::SyncBackend;
use crate::connection::SyncConnection;
use crate::download::{DownloadError, TableNews, Timestamps};
use crate::group::SyncGroup;
use crate::merge::Merging;
use crate::since::Since;
use crate::wire::{Codec, WireError};
use diesel::deserialize;
use diesel::query_builder::AstPass;
use diesel::row::Row;
use serde_json::{Map, Value};

/// A Diesel model whose rows are synced. Made by `#[derive(SyncTable)]`, never by hand.
///
#[doc = include_str!("../docs/examples/sync_table_trait.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a synced table",
    label = "add `#[derive(SyncTable)]` to `{Self}`"
)]
pub trait SyncTable: Sized + Send + Sync + 'static {
    /// The table that `#[diesel(table_name = ..)]` names.
    type Table: diesel::Table;
    /// The type of the `#[sync(id)]` field; a tuple where there are several.
    type Id: Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static;
    /// The insert model: every field that an insert may give, usable with `insert_into`.
    type Insert;
    /// The changeset: every field that an edit may change, usable with `update`.
    type Changeset;
    /// The table's name on the wire.
    const NAME: &'static str;
    /// Where the model is written, which no other model shares.
    #[doc(hidden)]
    const MODEL: &'static str;

    /// The row's id.
    ///
    #[doc = include_str!("../docs/examples/sync_table_id.md")]
    fn id(&self) -> Self::Id;

    /// Downloads this table alone, every row to everybody.
    ///
    #[doc = include_str!("../docs/examples/table_download_alone.md")]
    ///
    /// # Errors
    ///
    /// As [`Scoped::download`](crate::Scoped::download).
    fn download<C>(conn: &mut C, since: impl Into<Since>) -> Result<TableNews<Self>, DownloadError>
    where
        C: SyncConnection,
        Self: TableOn<C::Backend>,
    {
        let timestamps = Timestamps::bare(vec![since.into()]);
        Ok(SyncGroup::<(Self,)>::download(conn, timestamps)?
            .into_tables()
            .0)
    }
}

/// A synced table on one backend: its columns there, and how a row is read. Made by the derive.
///
/// "A downloaded row" below is the columns of [`definition`](TableOn::definition) that are neither `skip` nor `local`, in order.
///
#[doc = include_str!("../docs/examples/table_on.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a synced table on `{DB}`",
    note = "the features of carburetor, or `#[sync(backends(..))]` on the model, leave this backend out"
)]
pub trait TableOn<DB: SyncBackend>: SyncTable {
    /// The `diesel::table!` on this backend: `SyncTable::Table`, or that of `#[sync(sqlite(table = ..))]`.
    type Source: diesel::Table;

    /// Names and roles.
    ///
    #[doc = include_str!("../docs/examples/table_on_definition.md")]
    fn definition() -> &'static TableDefinition;

    /// How each column of a downloaded row travels, in order.
    ///
    #[doc = include_str!("../docs/examples/table_on_codecs.md")]
    fn codecs() -> &'static [Codec<DB>];

    /// Reads a downloaded row whose first column is number `at` of `row`.
    fn read<'a>(row: &impl Row<'a, DB>, at: usize) -> deserialize::Result<Self>;

    /// Reads the id from a downloaded row whose first column is number `at` of `row`; the other columns may be NULL.
    fn read_id<'a>(row: &impl Row<'a, DB>, at: usize) -> deserialize::Result<Self::Id>;

    /// Pushes part `part` of `id` (in the order of [`TableDefinition::ids`]) as a bind that is compared as its column is.
    fn bind_id<'b>(
        id: &'b Self::Id,
        part: usize,
        out: AstPass<'_, 'b, DB>,
    ) -> diesel::QueryResult<()>;

    /// The row as it travels.
    ///
    #[doc = include_str!("../docs/examples/table_on_encode.md")]
    fn encode(&self) -> Result<Map<String, Value>, WireError>;

    /// Only the downloaded column of this number, as it travels.
    #[doc(hidden)]
    fn encode_column(&self, number: usize) -> Result<Map<String, Value>, WireError>;

    /// A row that travelled. Unknown columns are skipped; a missing one without `#[sync(default = ..)]` is an error that names it.
    ///
    #[doc = include_str!("../docs/examples/table_on_decode.md")]
    fn decode(row: Map<String, Value>) -> Result<Self, WireError>;

    /// The id as it travels: its value, or an array of values.
    ///
    #[doc = include_str!("../docs/examples/table_on_encode_id.md")]
    fn encode_id(id: &Self::Id) -> Result<Value, WireError>;

    /// An id that travelled.
    ///
    #[doc = include_str!("../docs/examples/table_on_decode_id.md")]
    fn decode_id(id: Value) -> Result<Self::Id, WireError>;

    /// The SQL value of the downloaded column of this number, checked by the field's type; none is NULL.
    #[doc(hidden)]
    fn admit(number: usize, value: &Value) -> Result<Option<DB::WireValue>, WireError>;

    /// The model's own merge, if a column's conflicts are settled by it.
    #[doc(hidden)]
    fn merging() -> Option<Merging> {
        None
    }
}
