//! What is read of one table, and the statement that reads it.

mod legs;

use super::DownloadError;
use super::table_sql::TableSql;
use crate::backend::SyncBackend;
use crate::scope::Visibility;
use crate::statement::{Fragment, Integer, Statement};
use crate::table::{Storage, TableOn};
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment};

/// What is read of one table. Rows and removals of one statement are of one instant, and no id is among both.
#[derive(Debug, Clone)]
pub(crate) enum Reading<Id> {
    /// Every visible row.
    All,
    /// A page of every visible row, in order of the id: stamps move while the pages are read.
    AllPage { after: Option<Id>, limit: i64 },
    /// What changed since.
    Since(Beginning),
    /// A page of it.
    SincePage(SincePage<Id>),
}

/// From where what changed is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning {
    /// What changed, or went, at this instant or later.
    pub(crate) since: DateTime<Utc>,
    /// Rows from here on, which is earlier where some were set aside.
    pub(crate) rows: DateTime<Utc>,
}

impl Beginning {
    fn of(&self, kind: usize) -> DateTime<Utc> {
        match kind {
            kind::ROW => self.rows,
            _ => self.since,
        }
    }
}

/// A page of what changed since the beginning, in order of stamp and id.
#[derive(Debug, Clone)]
pub(crate) struct SincePage<Id> {
    pub(crate) beginning: Beginning,
    /// Nothing limits the first page, which is of one instant if it holds everything; the others go up to the clock at its beginning so that
    /// they don't chase the writers.
    pub(crate) until: DateTime<Utc>,
    pub(crate) places: Places<Id>,
    pub(crate) limit: i64,
}

/// Where the last page ended, for each kind of line.
#[derive(Debug, Clone)]
pub(crate) struct Places<Id>([Leg<Id>; kind::LEGS]);

/// Where the lines of one kind stand.
#[derive(Debug, Clone)]
enum Leg<Id> {
    Unread,
    After(Place<Id>),
    Finished,
}

/// The stamp and the id of the last line of a page.
#[derive(Debug, Clone)]
pub(crate) struct Place<Id> {
    pub(crate) stamp: DateTime<Utc>,
    pub(crate) id: Id,
}

/// What a line of a statement whose lines have a kind is. The second column is the horizon or the stamp, the third the generation, the fourth the greatest
/// clock that the database has accepted from ahead of its own.
pub(crate) mod kind {
    pub(crate) const ROW: usize = 0;
    pub(crate) const REMOVAL: usize = 1;
    pub(crate) const DELETED: usize = 2;
    /// How many kinds are read by pages.
    pub(crate) const LEGS: usize = 3;
    pub(crate) const HEADER: usize = 3;
    /// A row that was set aside earlier.
    pub(crate) const AGAIN: usize = 5;
    /// The caller's transaction is one in which nothing may be read; the fourth column says why.
    pub(crate) const REFUSAL: usize = 4;
    /// How many columns stand before the row's own.
    pub(crate) const COLUMNS: usize = 4;
}

impl<Id: Clone + Send + Sync + 'static> Reading<Id> {
    /// Whether each line begins with its kind.
    pub(crate) fn has_kind(&self) -> bool {
        !matches!(self, Reading::All)
    }

    /// The columns before those of a row or a removal. Only pages go on from a stamp, and only that of a removal doesn't come with it; any other
    /// may be one that has no number, like infinity.
    fn lead<DB: SyncBackend>(&self, kind: usize, stamp: &str, storage: Storage) -> String {
        let at = match (self, kind) {
            (_, kind::AGAIN) => "null".into(),
            (Reading::SincePage(_), _) | (_, kind::REMOVAL) => DB::micros(stamp, storage),
            _ => "null".into(),
        };
        format!(
            "cast({kind} as bigint), cast({at} as bigint), cast(null as bigint), cast(null as text)"
        )
    }

    /// The statement. The binds of the visibility come first, because the removals use them again. `left` is the
    /// column whose values left, if the database has to be asked whether they can be told from others. `inside`: the caller's transaction is to be
    /// judged, and whether Diesel knows of one. `again`: rows that were set aside earlier.
    pub(crate) fn statement<'a, M, DB>(
        &self,
        visibility: &'a Visibility<'a, DB>,
        joined: Option<&'a Fragment<'a, DB>>,
        left: Option<&str>,
        inside: Option<bool>,
        again: &[Id],
    ) -> Result<Statement<'a, DB>, DownloadError>
    where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        let table = TableSql::new(visibility.definition())?;
        let mut statement = Statement::new();
        if !self.has_kind() {
            self.rows::<M, DB>(&table, visibility, joined, &mut statement);
            return Ok(statement);
        }
        statement.sql("with carburetor_row as (");
        self.rows::<M, DB>(&table, visibility, joined, &mut statement);
        statement.sql(")");
        if let Some(circumstance) = inside.and_then(DB::circumstance) {
            statement
                .sql(table.refusal(&circumstance))
                .sql(" union all");
        }
        if !table.definition.untracked {
            statement.sql(table.header::<DB>(left)).sql(" union all");
        }
        if let Reading::Since(_) | Reading::SincePage(_) = self {
            self.deleted::<M, DB>(&table, visibility, &mut statement);
            self.removals::<M, DB>(&table, visibility, &mut statement);
            self.again::<M, DB>(&table, visibility, again, &mut statement);
        }
        statement.sql(" select * from carburetor_row");
        Ok(statement)
    }

    fn rows<'a, M, DB>(
        &self,
        table: &TableSql,
        visibility: &'a Visibility<'a, DB>,
        joined: Option<&'a Fragment<'a, DB>>,
        statement: &mut Statement<'a, DB>,
    ) where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        let name = &table.name;
        let lead = match self.has_kind() {
            true => self.lead::<DB>(kind::ROW, &table.stamp, table.storage) + ", ",
            false => String::new(),
        };
        statement.sql(format!(
            "select {lead}{} from {name} where 1 = 1",
            table.columns(name)
        ));
        visibility.push(statement);
        if let Some(deleted) = table.deleted() {
            statement.sql(format!(" and not {deleted}"));
        }
        let ids = table.ids(name);
        match self {
            Reading::All => {}
            Reading::AllPage { after, limit } => {
                if let Some(after) = after {
                    statement.sql(format!(" and ({ids}) > ("));
                    push_id::<M, DB>(after, table, statement);
                    statement.sql(")");
                }
                statement
                    .sql(format!(" order by {ids} limit "))
                    .bind(Integer(*limit));
            }
            Reading::Since(beginning) if joined.is_some() => {
                let since = DB::bind_stamp(table.storage, beginning.rows);
                statement
                    .sql(format!(" and ({} >= ", table.stamp))
                    .bind(since)
                    .sql(" or ");
                if let Some(joined) = joined {
                    statement.fragment(joined);
                }
                statement.sql(")");
            }
            Reading::Since(_) | Reading::SincePage(_) => {
                self.changed::<M, DB>(
                    &table.stamp,
                    &ids,
                    table.storage,
                    kind::ROW,
                    table,
                    statement,
                );
            }
        }
    }

    /// Appends the bounds on the stamp, and for a page its beginning, order and length.
    fn changed<'a, M, DB>(
        &self,
        stamp: &str,
        ids: &str,
        storage: Storage,
        leg: usize,
        table: &TableSql,
        statement: &mut Statement<'a, DB>,
    ) where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        let bind = |instant| DB::bind_stamp(storage, instant);
        match self {
            Reading::All | Reading::AllPage { .. } => {}
            Reading::Since(beginning) => {
                let [before, after] = DB::since(stamp);
                statement
                    .sql(format!(" and {before}"))
                    .bind(bind(beginning.of(leg)))
                    .sql(after);
            }
            Reading::SincePage(page) => {
                statement
                    .sql(format!(" and {stamp} >= "))
                    .bind(bind(page.beginning.of(leg)));
                statement
                    .sql(format!(" and {stamp} <= "))
                    .bind(bind(page.until));
                match &page.places.0[leg] {
                    Leg::Unread => {}
                    Leg::After(place) => {
                        statement
                            .sql(format!(" and ({stamp}, {ids}) > ("))
                            .bind(bind(place.stamp))
                            .sql(", ");
                        push_id::<M, DB>(&place.id, table, statement);
                        statement.sql(")");
                    }
                    Leg::Finished => {
                        statement.sql(" and 1 = 0");
                    }
                }
                statement
                    .sql(format!(" order by {stamp}, {ids} limit "))
                    .bind(Integer(page.limit));
            }
        }
    }
}

impl<Id> Default for Places<Id> {
    fn default() -> Self {
        Places([Leg::Unread, Leg::Unread, Leg::Unread])
    }
}

/// The last instant of year 9999: later ones don't travel, and infinity has no number.
pub(crate) fn end_of_time() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(253_402_300_799_999_999).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl<Id: Clone> Places<Id> {
    /// A page has been read.
    pub(crate) fn is_begun(&self) -> bool {
        self.0.iter().any(|leg| !matches!(leg, Leg::Unread))
    }

    /// Goes on where the last page ended: a kind that filled the page after its last line, the others nowhere.
    pub(crate) fn follow(&mut self, last: [Option<Place<Id>>; kind::LEGS]) {
        self.0 = last.map(|place| place.map_or(Leg::Finished, Leg::After));
    }

    /// From where rows are read next; `None` if no more are.
    pub(crate) fn rows(&self, beginning: Beginning) -> Option<DateTime<Utc>> {
        match &self.0[kind::ROW] {
            Leg::Unread => Some(beginning.rows),
            Leg::After(place) => Some(place.stamp),
            Leg::Finished => None,
        }
    }

    /// The stamp up to which every kind has been read; `None` if one has not begun or all have ended.
    pub(crate) fn reached(&self) -> Option<DateTime<Utc>> {
        let places = self.0.iter().filter_map(|leg| match leg {
            Leg::After(place) => Some(place.stamp),
            Leg::Unread | Leg::Finished => None,
        });
        places.min()
    }
}

/// The parts of an id as binds, between commas.
fn push_id<'a, M, DB>(id: &M::Id, table: &TableSql, statement: &mut Statement<'a, DB>)
where
    DB: SyncBackend,
    M: TableOn<DB>,
{
    for part in 0..table.definition.ids().count() {
        if part > 0 {
            statement.sql(", ");
        }
        statement.bind(IdPart::<M> {
            id: id.clone(),
            part,
        });
    }
}

struct IdPart<M: crate::table::SyncTable> {
    id: M::Id,
    part: usize,
}

impl<M, DB> QueryFragment<DB> for IdPart<M>
where
    DB: SyncBackend,
    M: TableOn<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        M::bind_id(&self.id, self.part, out)
    }
}
