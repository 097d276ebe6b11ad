//! What has changed in the tables of a group, whoever sees it: which rows and removals are new since the last look.
//!
//! As for a download, the cutoffs are read first. No row below them can become visible later, so that whatever becomes visible from then on is at or
//! above them, and is found by the next look.

use super::cutoffs;
use crate::backend::SyncBackend;
use crate::connection::{Flow, PacedRows, SharedConnection, TakeRows};
use crate::cutoff::{Assumptions, Cutoffs, TableCutoff};
use crate::download::DownloadError;
use crate::download::table_sql::TableSql;
use crate::origin::{Origin, Standing};
use crate::scope::KeyColumn;
use crate::statement::Statement;
use crate::table::{TableDefinition, literal};
use crate::wire::WireError;
use diesel::row::Row;

/// From how many rows on it is not said which ones have changed.
const MANY: usize = 10_000;

/// One table, and the columns that are asked for.
pub(crate) struct Watched<DB: SyncBackend> {
    pub(crate) definition: &'static TableDefinition,
    pub(crate) columns: Vec<KeyColumn<DB>>,
}

/// What has changed in one table.
pub(crate) struct Changed {
    /// Which of the columns are told truly: the others have values that SQL holds to be equal, and that travel as different JSON.
    pub(crate) exact: Vec<bool>,
    /// Rows and removals.
    pub(crate) rows: Vec<ChangedRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ChangedRow {
    /// Tells the row from others, and from what it was before.
    version: String,
    /// What the columns hold, as JSON.
    pub(crate) keys: Vec<String>,
}

/// The cutoffs now, and what has changed in each table since they were `known`; none if that may be anything.
pub(crate) async fn changed<X, DB>(
    conn: &X,
    tables: &[Watched<DB>],
    assumptions: &Assumptions,
    known: Option<&Cutoffs>,
) -> Result<(Cutoffs, Option<Vec<Changed>>), DownloadError>
where
    DB: SyncBackend,
    X: SharedConnection<DB>,
{
    let definitions: Vec<&'static TableDefinition> =
        tables.iter().map(|table| table.definition).collect();
    let origin = known.map_or_else(Origin::default, |known| known.origin.clone());
    let now = cutoffs(conn, &definitions, assumptions, false, &origin).await?;
    let Some(known) = known.filter(|known| goes_on(known, &now)) else {
        return Ok((now, None));
    };
    let mut all = Vec::with_capacity(tables.len());
    let mut room = MANY;
    for (table, since) in tables.iter().zip(&known.tables) {
        let mut lines = Lines::of(table, room);
        conn.run(statement(table, since)?, &mut lines).await?;
        if lines.room == 0 {
            return Ok((now, None));
        }
        room = lines.room;
        all.push(lines.changed);
    }
    Ok((now, Some(all)))
}

/// Whether what was `known` can be gone on from.
fn goes_on(known: &Cutoffs, now: &Cutoffs) -> bool {
    let same = |(known, now): (&TableCutoff, &TableCutoff)| {
        known.generation == now.generation && known.cutoff <= now.cutoff
    };
    now.standing == Standing::Same
        && known.tables.len() == now.tables.len()
        && known.tables.iter().zip(&now.tables).all(same)
}

/// Lines of a version and the columns. In the first one the version says which columns are exact.
fn statement<DB: SyncBackend>(
    table: &Watched<DB>,
    since: &TableCutoff,
) -> Result<Statement<'static, DB>, DownloadError> {
    let sql = TableSql::new(table.definition)?;
    let name = &sql.name;
    let columns = |alias: &str| -> String {
        let columns = table.columns.iter();
        columns
            .map(|column| format!(", {alias}.{}", crate::table::quoted(column.name)))
            .collect()
    };
    let ids = |alias: &str| {
        let ids = table.definition.ids();
        let ids = ids.map(|id| format!("{alias}.{}", id.quoted()));
        ids.collect::<Vec<_>>()
    };
    let version = |alias: &str, stamp: &str, table: Option<&str>| {
        let parts = [ids(alias), vec![stamp.to_owned()]].concat();
        DB::version(&parts, table)
    };
    let [before, after] = DB::since(&sql.stamp);
    let mut statement = Statement::of(format!(
        "select {}{} from {name} where {before}",
        version(name, &sql.stamp, Some(name)),
        columns(name),
    ));
    statement
        .bind(DB::bind_stamp(sql.storage, since.cutoff))
        .sql(after);
    if table.definition.untracked {
        return Ok(statement);
    }
    let removed = "carburetor_removal.carburetor_removed_at";
    let [before, after] = DB::since(removed);
    statement
        .sql(format!(
            " union all select {}{} from {} carburetor_removal where {before}",
            version("carburetor_removal", removed, None),
            columns("carburetor_removal"),
            DB::removal_table(table.definition),
        ))
        .bind(DB::bind_stamp(DB::REMOVAL_STORAGE, since.cutoff))
        .sql(after);
    let exact: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let is_exact = DB::is_exact(table.definition, column.name);
            format!("case when {is_exact} then '1' else '0' end")
        })
        .collect();
    if !exact.is_empty() {
        statement.sql(format!(
            " union all select '{EXACT}' || {}{} from {} carburetor_header left join {name} carburetor_none on 1 = 0 where carburetor_header.name = {}",
            exact.join(" || "),
            columns("carburetor_none"),
            DB::REGISTRY,
            literal(&table.definition.key()),
        ));
    }
    Ok(statement)
}

/// What the version begins with in the line that says which columns are exact; no row's does.
const EXACT: char = '=';

/// Takes the lines of one table.
struct Lines<'t, DB: SyncBackend> {
    columns: &'t [KeyColumn<DB>],
    changed: Changed,
    /// For how many rows there is room.
    room: usize,
}

impl<'t, DB: SyncBackend> Lines<'t, DB> {
    fn of(table: &'t Watched<DB>, room: usize) -> Self {
        Lines {
            columns: &table.columns,
            changed: Changed {
                exact: table.columns.iter().map(KeyColumn::is_exact).collect(),
                rows: Vec::new(),
            },
            room,
        }
    }
}

impl<DB: SyncBackend> TakeRows<DB> for Lines<'_, DB> {
    type Error = DownloadError;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, DownloadError> {
        let version = DB::text(row, 0)?.unwrap_or_default();
        if let Some(exact) = version.strip_prefix(EXACT) {
            self.changed.exact = exact.chars().map(|is_exact| is_exact == '1').collect();
            return Ok(Flow::Next);
        }
        let mut keys = Vec::with_capacity(self.columns.len());
        for (place, column) in self.columns.iter().enumerate() {
            let mut json = Vec::new();
            let field = row.get(1 + place).ok_or(DownloadError::NoCutoff)?;
            DB::write(&column.codec, &field, &mut json)?;
            // As the values of a scope are written.
            let value: serde_json::Value = serde_json::from_slice(&json)
                .map_err(|error| WireError::new(format!("{}: {error}", column.name)))?;
            keys.push(value.to_string());
        }
        self.changed.rows.push(ChangedRow { version, keys });
        self.room -= 1;
        Ok(match self.room {
            0 => Flow::Stop,
            _ => Flow::Next,
        })
    }
}

impl<DB: SyncBackend> PacedRows<DB> for Lines<'_, DB> {}
