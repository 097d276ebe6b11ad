//! What uploads need to know of a backend, and what the tables hold at the end.

use super::super::ledger::Stored;
use super::super::ledger::tracked::{Account, Entry};
use super::journal::Table;
use carburetor::clock::Clock;
use diesel::connection::{LoadConnection, SimpleConnection};
use diesel::prelude::*;
use diesel::query_builder::SqlQuery;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// A backend as uploads know it.
pub(in crate::oracle) trait Site: Connection + Sized {
    /// What uploaders say when they have connected.
    const GREETING: &'static str;
    /// Entries that make up for what the transaction did to the sums, with ids from `{first}` on.
    const SETTLE: &'static str;
    /// What a table's deletion clocks are named, with `{table}`.
    const DELETIONS: &'static str;

    /// REPLACE puts a row into another's place, which forgets clocks that were ahead of the database.
    const REPLACES: bool;

    /// Whether it gave way to another transaction, which any application tries again.
    fn gave_way(error: &diesel::result::Error) -> bool {
        use diesel::result::{DatabaseErrorKind::SerializationFailure, Error::DatabaseError};
        let text = error.to_string();
        matches!(error, DatabaseError(SerializationFailure, _))
            || text.contains("deadlock")
            || text.contains("is locked")
    }
}

impl Site for PgConnection {
    const GREETING: &'static str = "set oracle.uploads = 'on'";
    const SETTLE: &'static str = "
insert into entries (id, team, amount, note) select {first} + row_number() over () - 1, team, amount, 'settled' from (
  select team, cast(sum(amount) as bigint) as amount from weights where writer = pg_current_xact_id() group by team having sum(amount) <> 0
) sums";
    const DELETIONS: &'static str = "carburetor.register_{table}";
    const REPLACES: bool = false;
}

impl Site for SqliteConnection {
    const GREETING: &'static str = "";
    const SETTLE: &'static str = super::super::sqlite::SETTLE;
    const DELETIONS: &'static str = "carburetor_register_{table}";
    const REPLACES: bool = true;
}

/// What PostgreSQL's uploaders settle by: how much each of their transactions has moved accounts away from entries.
pub(in crate::oracle) const WEIGHTS: &str = "
create unlogged table weights (writer xid8 not null, team text not null, amount bigint not null);
create function weigh() returns trigger language plpgsql as $$
declare sign integer := tg_argv[0];
begin
  if tg_op <> 'INSERT' and not coalesce((to_jsonb(old) ->> 'deleted')::boolean, false) then
    insert into weights values (pg_current_xact_id(), old.team, -sign * old.amount);
  end if;
  if tg_op <> 'DELETE' and not coalesce((to_jsonb(new) ->> 'deleted')::boolean, false) then
    insert into weights values (pg_current_xact_id(), new.team, sign * new.amount);
  end if;
  return null;
end $$;
create trigger weigh after insert or update or delete on accounts for each row
  when (current_setting('oracle.uploads', true) = 'on') execute function weigh('1');
create trigger weigh after insert or update or delete on entries for each row
  when (current_setting('oracle.uploads', true) = 'on') execute function weigh('-1');
create index on weights (writer);
";

/// A row at the end.
pub(super) struct Row {
    /// The columns as they travel.
    pub columns: Map<String, Value>,
    pub is_deleted: bool,
    pub stamp: Clock,
    /// The clocks by their names; `""` is the existence.
    pub registers: BTreeMap<String, Clock>,
    /// The clock of the last deletion of the id.
    pub after: Option<Clock>,
}

impl Row {
    pub(super) fn existence(&self) -> Clock {
        let forgotten = self.forgotten();
        forgotten.map_or_else(|| self.stored(), Clock::successor)
    }

    fn stored(&self) -> Clock {
        self.registers.get("").copied().unwrap_or(self.stamp)
    }

    /// The deletion that was before the row and ahead of the database: what is not later than its successor is as old as that.
    fn forgotten(&self) -> Option<Clock> {
        self.after.filter(|deleted| *deleted >= self.stored())
    }

    fn own(&self, name: &str) -> Option<Clock> {
        let clock = self.registers.get(name).copied();
        let forgotten = self.forgotten().map(Clock::successor);
        clock.filter(|clock| forgotten.is_none_or(|forgotten| forgotten < *clock))
    }

    pub(super) fn column(&self, name: &str) -> Clock {
        self.own(name).unwrap_or_else(|| self.existence())
    }

    /// The clock of the last time that the row was deleted softly, or brought back.
    pub(super) fn flagged(&self) -> Option<Clock> {
        self.own("deleted")
    }

    /// The clocks of its writes.
    pub(super) fn clocks(&self) -> impl Iterator<Item = Clock> {
        let clocks = self.registers.iter().filter(|(name, _)| *name != "+");
        clocks.map(|(_, clock)| *clock)
    }

    /// Nothing says that some clock was ahead.
    pub(super) fn is_timely(&self) -> bool {
        !self.registers.contains_key("+")
    }
}

/// A row's registers, or the clock of a deletion.
#[derive(QueryableByName)]
pub(in crate::oracle) struct Line {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// Everything at the end.
#[derive(Default)]
pub(super) struct Ground {
    pub rows: HashMap<(Table, i64), Row>,
    pub deletions: HashMap<(Table, i64), Clock>,
    /// What was ahead may have been forgotten.
    pub forgets: bool,
}

impl Ground {
    pub(super) fn read<C>(conn: &mut C) -> Result<Self, String>
    where
        C: Site + LoadConnection + SimpleConnection,
        Account: Stored<C>,
        Entry: Stored<C>,
        SqlQuery: for<'a> LoadQuery<'a, C, Line>,
    {
        let mut ground = Ground {
            forgets: C::REPLACES,
            ..Ground::default()
        };
        let mut registers = HashMap::new();
        for table in [Table::Accounts, Table::Entries] {
            let name = table.name();
            let held =
                format!("select id, cast(carburetor_registers as text) as value from {name}");
            for line in lines(conn, held)? {
                let stored: BTreeMap<String, Clock> = match &line.value {
                    Some(text) => crate::registers(text)
                        .map_err(|error| format!("{name} {}: {error}", line.id))?,
                    None => BTreeMap::new(),
                };
                registers.insert((table, line.id), stored);
            }
            let gone = C::DELETIONS.replace("{table}", name);
            for line in lines(
                conn,
                format!("select id, carburetor_clock as value from {gone}"),
            )? {
                let clock = line
                    .value
                    .unwrap_or_default()
                    .parse()
                    .map_err(|error| format!("{name} {}: {error}", line.id))?;
                ground.deletions.insert((table, line.id), clock);
            }
        }
        let mut take = |key: (Table, i64), is_deleted, stamp, columns: Value| {
            let registers = registers.remove(&key).unwrap_or_default();
            let columns = columns.as_object().cloned().unwrap_or_default();
            let stamp = Clock::of_database(stamp);
            let after = ground.deletions.get(&key).copied();
            ground.rows.insert(
                key,
                Row {
                    columns,
                    is_deleted,
                    stamp,
                    registers,
                    after,
                },
            );
        };
        for row in Account::load(conn, None).map_err(|error| error.to_string())? {
            let columns = json!({"team": row.team, "published": row.published, "amount": row.amount.to_string(), "note": row.note});
            take(
                (Table::Accounts, row.id),
                row.deleted,
                row.updated_at,
                columns,
            );
        }
        for row in Entry::load(conn, None).map_err(|error| error.to_string())? {
            let columns =
                json!({"team": row.team, "amount": row.amount.to_string(), "note": row.note});
            take((Table::Entries, row.id), false, row.updated_at, columns);
        }
        Ok(ground)
    }
}

fn lines<C>(conn: &mut C, query: String) -> Result<Vec<Line>, String>
where
    C: LoadConnection,
    SqlQuery: for<'a> LoadQuery<'a, C, Line>,
{
    diesel::sql_query(query)
        .load(conn)
        .map_err(|error| error.to_string())
}
