//! What happened to the contested rows, one after the other: who waits for a row, or for the clock of its deletion, comes after whom he waited for.

use super::journal::Table;
use crate::oracle::ledger::CONTESTED;
use carburetor::clock::Clock;
use chrono::{DateTime, Utc};
use diesel::connection::LoadConnection;
use diesel::prelude::*;
use diesel::query_builder::SqlQuery;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use std::collections::HashMap;

/// The table of the trace on PostgreSQL, and what writes it. Tracking must be installed.
pub(in crate::oracle) fn postgres() -> String {
    let table = |name: &str| {
        format!(
            "create trigger trace_rows after insert or delete on {name} for each row execute function trace();
             create trigger trace_writes after update on {name} for each row execute function trace();
             create trigger trace_deletions after insert or update on carburetor.register_{name}
               for each row when (new.id <= {CONTESTED}) execute function trace_deletion('{name}');"
        )
    };
    format!(
        "create unlogged table trace (seq bigint generated always as identity, relation text not null, id bigint not null, what text not null,
           value text, stamp bigint, is_deleted boolean not null default false, writer text not null default pg_current_xact_id()::text,
           at bigint not null default extract(epoch from clock_timestamp()) * 1000000);
         create function trace() returns trigger language plpgsql set search_path from current as $$
         begin
           if tg_op <> 'INSERT' and old.id <= {CONTESTED} and (tg_op = 'DELETE' or old.id <> new.id) then
             insert into trace (relation, id, what) values (tg_table_name, old.id, 'deleted');
           end if;
           if tg_op <> 'DELETE' and new.id <= {CONTESTED} then
             insert into trace (relation, id, what, value, stamp, is_deleted) values (
               tg_table_name, new.id, case when tg_op = 'INSERT' or old.id <> new.id then 'inserted' else 'written' end,
               new.carburetor_registers::text, extract(epoch from new.updated_at) * 1000000, coalesce((to_jsonb(new) ->> 'deleted')::boolean, false));
           end if;
           return null;
         end $$;
         create function trace_deletion() returns trigger language plpgsql set search_path from current as $$
         begin insert into trace (relation, id, what, value) values (tg_argv[0], new.id, 'dated', new.carburetor_clock); return null; end $$;
         {}{}",
        table("accounts"),
        table("entries")
    )
}

/// The same on SQLite, where nobody waits and it doesn't matter who writes.
pub(in crate::oracle) fn sqlite() -> String {
    let table = |name: &str| {
        let row = |what: &str| {
            format!(
                "when new.id <= {CONTESTED} begin insert into trace (relation, id, what, value) values ('{name}', new.id, '{what}', new.carburetor_registers); end;"
            )
        };
        let dated = format!(
            "when new.id <= {CONTESTED} begin insert into trace (relation, id, what, value) values ('{name}', new.id, 'dated', new.carburetor_clock); end;"
        );
        format!(
            "create trigger trace_insert_{name} after insert on {name} {}
             create trigger trace_update_{name} after update on {name} {}
             create trigger trace_date_{name} after insert on carburetor_register_{name} {dated}
             create trigger trace_date_again_{name} after update on carburetor_register_{name} {dated}",
            row("inserted"),
            row("written"),
        )
    };
    format!(
        "create table trace (seq integer primary key, relation text not null, id bigint not null, what text not null,
           value text, stamp bigint, is_deleted boolean not null default false, writer text not null default '', at bigint not null default 0);
         {}{}",
        table("accounts"),
        table("entries")
    )
}

/// One event as it is stored.
#[derive(QueryableByName)]
pub(in crate::oracle) struct Noted {
    #[diesel(sql_type = Text)]
    relation: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    stamp: Option<i64>,
    #[diesel(sql_type = Bool)]
    is_deleted: bool,
    #[diesel(sql_type = Text)]
    writer: String,
    #[diesel(sql_type = BigInt)]
    at: i64,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Inserted,
    Written,
    Deleted,
    /// The clock of its deletion was set.
    Dated,
}

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub what: What,
    /// The row's registers, the first one that of its existence; or the clock of the deletion.
    pub clocks: Vec<Clock>,
    pub is_deleted: bool,
    /// The transaction; nothing where it isn't known.
    pub writer: String,
    pub at: Clock,
}

/// The events of each contested row, in their order.
pub(super) struct Trace(pub(super) HashMap<(Table, i64), Vec<Event>>);

impl Trace {
    pub(super) fn read<C>(conn: &mut C) -> Result<Self, String>
    where
        C: LoadConnection,
        SqlQuery: for<'a> LoadQuery<'a, C, Noted>,
    {
        let query = "select relation, id, what, value, stamp, is_deleted, writer, at from trace order by seq";
        let noted = diesel::sql_query(query).load::<Noted>(conn);
        let mut events: HashMap<_, Vec<Event>> = HashMap::new();
        for noted in noted.map_err(|error| error.to_string())? {
            let key = (Table::named(&noted.relation), noted.id);
            let event = Event::of(noted)?;
            if let (Some(table), id) = key {
                events.entry((table, id)).or_default().push(event);
            }
        }
        Ok(Trace(events))
    }
}

impl Event {
    fn of(noted: Noted) -> Result<Self, String> {
        let what = match &*noted.what {
            "inserted" => What::Inserted,
            "written" => What::Written,
            "dated" => What::Dated,
            _ => What::Deleted,
        };
        let stamp = noted.stamp.map(of_micros);
        let clocks = match (what, &noted.value) {
            (What::Dated, Some(clock)) => vec![clock.parse().map_err(|error| format!("{error}"))?],
            (_, Some(registers)) => {
                let registers = crate::registers(registers).map_err(|error| error.to_string())?;
                let clocks = registers.iter().filter(|(name, _)| *name != "+");
                clocks.map(|(_, clock)| *clock).collect()
            }
            (_, None) => stamp.into_iter().collect(),
        };
        Ok(Event {
            what,
            clocks,
            is_deleted: noted.is_deleted,
            writer: noted.writer,
            at: of_micros(noted.at),
        })
    }
}

fn of_micros(micros: i64) -> Clock {
    Clock::of_database(DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default())
}
