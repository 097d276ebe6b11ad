//! Reading the conflict log.

use super::UploadTable;
use super::error::UploadError;
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::connection::runner::{Blocking, Runner, complete};
use crate::connection::{Flow, PacedRows, SyncConnection, TakeRows};
use crate::group::{Scoped, UploadTables};
use crate::statement::Statement;
use crate::table::TableDefinition;
use crate::wire::json::separate;
use crate::wire::{Codec, WireError};
use chrono::{DateTime, Utc};
use diesel::row::Row;
use serde_json::{Map, Value};

/// An entry of the conflict log: two writes of one row that contradicted each other, and which of their values stand.
///
#[doc = include_str!("../../docs/examples/conflicts.md")]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LoggedConflict {
    /// The table's name on the wire.
    pub table: String,
    /// The entry's number within its table: later ones are greater.
    pub seq: i64,
    /// The row's id as it travels.
    pub id: Value,
    /// When the change came.
    pub at: DateTime<Utc>,
    /// The replica whose change it was.
    pub sender: u64,
    /// The write whose values don't stand.
    pub lost_clock: Clock,
    /// The write whose values do.
    pub won_clock: Clock,
    /// The values that don't stand, as they travel; none where a deletion lost.
    pub lost: Map<String, Value>,
    /// The values that do; none where a deletion won.
    pub won: Map<String, Value>,
}

/// Which entries of the conflict log are wanted.
///
/// ```
/// use carburetor::upload::ConflictsOf;
/// let of_a_replica = ConflictsOf { sender: Some(42), ..ConflictsOf::default() };
/// assert_eq!(of_a_replica.limit, 1000);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictsOf {
    /// Only those that changes of this replica made.
    pub sender: Option<u64>,
    /// Only those of each table after this number.
    pub after: i64,
    /// How many of each table, the earliest ones.
    pub limit: usize,
}

impl Default for ConflictsOf {
    fn default() -> Self {
        ConflictsOf {
            sender: None,
            after: 0,
            limit: 1000,
        }
    }
}

impl<T, S> Scoped<'_, T, S> {
    /// The conflicts of rows that the scope shows, by what scopes saw of the row when they were logged: table by table, each in order.
    ///
    /// They are kept until [`purge`](crate::tracking::Tracking::purge) forgets them.
    ///
    #[doc = include_str!("../../docs/examples/conflicts.md")]
    ///
    /// # Errors
    ///
    /// A failed query, also where the tracking is not installed, and a scope that can't be used.
    pub fn conflicts<C>(
        &self,
        conn: &mut C,
        wanted: &ConflictsOf,
    ) -> Result<Vec<LoggedConflict>, UploadError>
    where
        C: SyncConnection,
        T: UploadTables<C::Backend, S>,
    {
        complete(read(
            &mut Blocking(conn),
            &T::uploads(self.scope())?,
            wanted,
        ))
    }

    /// The conflicts of rows that the scope shows. See [`conflicts`](Self::conflicts).
    ///
    #[doc = include_str!("../../docs/examples/conflicts_async.md")]
    ///
    /// # Errors
    ///
    /// As [`conflicts`](Self::conflicts).
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    #[allow(
        clippy::manual_async_fn,
        reason = "an `async fn` is not known to be `Send` for every lifetime"
    )]
    pub fn conflicts_async<C>(
        &self,
        conn: &mut C,
        wanted: &ConflictsOf,
    ) -> impl Future<Output = Result<Vec<LoggedConflict>, UploadError>> + Send
    where
        C: crate::connection::SyncConnectionAsync,
        S: Sync,
        T: UploadTables<C::Database, S>,
    {
        use crate::connection::runner::Awaiting;
        async move {
            let tables = T::uploads(self.scope())?;
            read(&mut Awaiting::on(conn), &tables, wanted).await
        }
    }
}

async fn read<R: Runner>(
    runner: &mut R,
    tables: &[UploadTable<'_, R::Backend>],
    wanted: &ConflictsOf,
) -> Result<Vec<LoggedConflict>, UploadError> {
    let mut log = Vec::new();
    let registered = |table: &&UploadTable<'_, R::Backend>| table.definition.has_registers();
    for table in tables.iter().filter(registered) {
        let mut entries = Entries {
            table,
            log: Vec::new(),
        };
        runner.run(question(table, wanted), &mut entries).await?;
        log.append(&mut entries.log);
    }
    Ok(log)
}

fn question<'t, DB: SyncBackend>(
    table: &'t UploadTable<'_, DB>,
    wanted: &ConflictsOf,
) -> Statement<'t, DB> {
    let definition = table.definition;
    let name = definition.sql_name();
    // The scope's conditions are written for the table itself; a query of it that runs never gives them their binds.
    let mut statement = Statement::of(format!("with never as (select 1 from {name} where 1 = 0"));
    table.visibility.push(&mut statement);
    let ids: Vec<String> = definition
        .ids()
        .map(|id| format!("c.{}", id.quoted()))
        .collect();
    let sender = wanted
        .sender
        .map(|sender| format!(" and c.carburetor_sender = '{sender:016x}'"))
        .unwrap_or_default();
    statement.sql(format!(
        ") select c.carburetor_seq, c.carburetor_at, c.carburetor_sender, c.carburetor_lost_clock, c.carburetor_won_clock, \
         c.carburetor_lost, c.carburetor_won, {} from {} c where c.carburetor_seq > {}{}{sender} order by c.carburetor_seq limit {}",
        ids.join(", "),
        DB::conflict_table(definition),
        wanted.after,
        table.visibility.over("c"),
        wanted.limit,
    ));
    statement
}

/// Takes the entries of one table.
struct Entries<'t, 's, DB: SyncBackend> {
    table: &'t UploadTable<'s, DB>,
    log: Vec<LoggedConflict>,
}

/// How many columns stand before the id.
const BEFORE_ID: usize = 7;

impl<DB: SyncBackend> TakeRows<DB> for Entries<'_, '_, DB> {
    type Error = UploadError;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, UploadError> {
        let definition = self.table.definition;
        let unread = |what: &str| {
            WireError::new(format!("a logged {what} can't be read")).at(&definition.wire_name, "")
        };
        let text = |column| DB::text(row, column).map(Option::unwrap_or_default);
        let at =
            DB::instant(row, 1, DB::REMOVAL_STORAGE)?.and_then(DateTime::from_timestamp_micros);
        let clock = |column| -> Result<Clock, UploadError> {
            Ok(text(column)?.parse().map_err(|_| unread("clock"))?)
        };
        let values = |column| -> Result<Map<String, Value>, UploadError> {
            Ok(serde_json::from_str(&text(column)?).map_err(|_| unread("value"))?)
        };
        self.log.push(LoggedConflict {
            table: definition.wire_name.clone(),
            seq: DB::integer(row, 0)?.unwrap_or_default(),
            id: id(definition, self.table.codecs, row)?,
            at: at.ok_or_else(|| unread("instant"))?,
            sender: u64::from_str_radix(&text(2)?, 16).map_err(|_| unread("sender"))?,
            lost_clock: clock(3)?,
            won_clock: clock(4)?,
            lost: values(5)?,
            won: values(6)?,
        });
        Ok(Flow::Next)
    }
}

impl<DB: SyncBackend> PacedRows<DB> for Entries<'_, '_, DB> {}

/// The id of an entry as it travels.
fn id<'r, DB: SyncBackend>(
    definition: &TableDefinition,
    codecs: &[Codec<DB>],
    row: &impl Row<'r, DB>,
) -> Result<Value, WireError> {
    let columns = definition
        .downloaded()
        .zip(codecs)
        .filter(|(column, _)| column.id);
    let mut json = b"[".to_vec();
    for (place, (column, codec)) in columns.enumerate() {
        let at = |error: WireError| error.at(&definition.wire_name, &column.name);
        let field = row
            .get(BEFORE_ID + place)
            .ok_or_else(|| at(WireError::new("not in the result")))?;
        separate(&mut json);
        DB::write(codec, &field, &mut json).map_err(at)?;
    }
    json.push(b']');
    let mut parts: Vec<Value> = serde_json::from_slice(&json)
        .map_err(|error| WireError::new(error.to_string()).at(&definition.wire_name, ""))?;
    Ok(match parts.len() {
        1 => parts.remove(0),
        _ => Value::Array(parts),
    })
}
