//! What uploads are to each backend.

#[cfg(feature = "postgres-backend")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "replica")]
pub(crate) use sqlite::push_value;

use super::Types;
use super::sent::Sent;
use crate::backend::SyncBackend;
use crate::statement::Statement;
use crate::table::TableDefinition;

/// The uploads' part of a [`SyncBackend`], which seals it.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// fn takes_a_backend<DB: carburetor::upload::UploadBackend>() {}
/// takes_a_backend::<diesel::sqlite::Sqlite>();
/// # }
/// ```
#[allow(
    private_interfaces,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
pub trait UploadBackend: crate::wire::WireBackend {
    /// Keeps other writers away, where that is done for the whole database.
    #[doc(hidden)]
    const LOCK_ALL: Option<&'static str>;
    /// What a query ends with that locks the rows it reads: those that may be deleted, and those that keep their ids.
    #[doc(hidden)]
    const LOCK_ROWS: Option<[&'static str; 2]>;
    /// Has the commit wait until what it says is on disk, where a session may be set not to wait.
    #[doc(hidden)]
    const DURABLE: Option<&'static str>;
    /// Has statements planned for the tables as they are, until the transaction ends.
    #[doc(hidden)]
    const PLAN_AGAIN: Option<&'static str>;
    /// Makes constraints that wait for the commit tell now, and wait on.
    #[doc(hidden)]
    const CHECK_DEFERRED: Option<&'static str>;
    /// Counts the rows that refer to none, where constraints that wait for the commit can't be made to tell before.
    #[doc(hidden)]
    const COUNT_DEFERRED: Option<&'static str>;
    /// What a statement says after its verb that may leave its rows half written when it fails, because the whole transaction begins anew then.
    #[doc(hidden)]
    const OR_FAIL: &'static str;
    /// What registers are cast to when they are written.
    #[doc(hidden)]
    const REGISTERS_TYPE: &'static str;
    /// The table with the greatest clock that was ahead.
    #[doc(hidden)]
    const CLOCK_TABLE: &'static str;
    /// The table of stored outcomes.
    #[doc(hidden)]
    const OUTCOME_TABLE: &'static str;
    /// The table of changes that another server decides, where a database can be a hub.
    #[doc(hidden)]
    const RELAY_TABLE: Option<&'static str>;
    /// The instant of what is stored now.
    #[doc(hidden)]
    const NOW: &'static str;
    /// For how long confirmed outcomes are kept, taken from [`NOW`](Self::NOW): an upload that the network repeats may come after later ones.
    #[doc(hidden)]
    const WHILE_AGO: &'static str;
    /// What is said of a foreign key that refers to no row.
    #[doc(hidden)]
    const NO_PARENT: &'static str;
    /// And the name of the foreign key.
    #[doc(hidden)]
    const NAMES_REFERENCES: bool;
    /// The triggers leave the stamp of an upload's writes to it.
    #[doc(hidden)]
    const WRITES_STAMPS: bool;

    /// How many rows of so many columns a statement takes.
    #[doc(hidden)]
    fn most_rows(columns: usize) -> usize;

    /// Appends a query of the rows; returns how many binds it has.
    #[doc(hidden)]
    fn push_sent<'v>(
        sent: Sent<'v, Self>,
        types: &Types,
        statement: &mut Statement<'v, Self>,
    ) -> usize
    where
        Self: SyncBackend;

    /// The table with the deletion clocks of `definition`.
    #[doc(hidden)]
    fn register_table(definition: &TableDefinition) -> String;

    /// The conflict log of `definition`.
    #[doc(hidden)]
    fn conflict_table(definition: &TableDefinition) -> String;

    /// Waits until no other upload of `replica` runs; none where uploads never overlap.
    #[doc(hidden)]
    fn lock_replica(replica: u64) -> Option<String>;

    /// The statements that read what the database says of `definitions`: the time, the columns, the foreign keys.
    #[doc(hidden)]
    fn surroundings(definitions: &[&'static TableDefinition]) -> Vec<Statement<'static, Self>>
    where
        Self: SyncBackend;

    /// The instant in a column of this storage that a write gives to a row's stamp, or to the instant of its soft deletion.
    #[doc(hidden)]
    fn moment(storage: crate::table::Storage) -> String;

    /// That `stored` is another value than `sent`. `is_comparable`: values of the type that are equal in SQL are the same.
    #[doc(hidden)]
    fn differs(stored: &str, sent: &str, is_comparable: bool) -> String;

    /// What gives the rows of `sent` to statements that run `text` for each of them, keep apart what fails, and leave what is told of that in the
    /// setting `carburetor.told`; `is_checked`: with constraints that wait for the commit. None where a statement that fails leaves those before it alone, so that
    /// each row can have one of its own.
    #[doc(hidden)]
    fn each<'v>(
        sent: Sent<'v, Self>,
        types: &Types,
        text: &str,
        is_checked: bool,
    ) -> Option<(Statement<'v, Self>, String)>
    where
        Self: SyncBackend;

    /// That `stored` is another text than `sent`, though the database takes the two for the same.
    #[doc(hidden)]
    fn is_other_text(stored: &str, sent: &str) -> String;

    /// `stored` as it is written.
    #[doc(hidden)]
    fn text_of(stored: &str) -> String;

    /// The columns by which a recursive query knows the row `alias`, of a table whose id has at most `parts`. Rows of no definition need not be
    /// told apart.
    #[doc(hidden)]
    fn identity(alias: &str, definition: Option<&TableDefinition>, parts: usize) -> Vec<String>;

    /// That the row `alias` is the one that `reached` names.
    #[doc(hidden)]
    fn is_reached(alias: &str, definition: &TableDefinition) -> String;

    /// The clock of a row's existence in its `registers`; NULL where they can't be read.
    #[doc(hidden)]
    fn existence(registers: &str) -> String;

    /// The part of a recursive query `reached` that names itself.
    #[doc(hidden)]
    fn steps(steps: &[Step]) -> String;
}

/// One way on from what a recursive query has reached.
#[derive(Debug)]
#[cfg_attr(
    not(any(feature = "postgres-backend", feature = "sqlite")),
    allow(dead_code, reason = "a backend reads it")
)]
#[doc(hidden)]
pub struct Step {
    /// What is reached.
    pub(super) columns: String,
    pub(super) source: String,
    pub(super) condition: String,
}
