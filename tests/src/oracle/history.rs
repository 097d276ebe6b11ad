//! Which teams each id has ever belonged to, so that a removal that a scope must not show is recognised.

use super::view::Member;
use diesel::connection::LoadConnection;
use diesel::prelude::*;
use diesel::query_builder::SqlQuery;
use diesel::query_dsl::LoadQuery;
use diesel::sql_types::{BigInt, Text};
use std::collections::{HashMap, HashSet};

/// A table, and an id in it.
pub(super) type Key = (&'static str, i64);

/// The teams of each id since the beginning, as the database has noted them.
pub(super) struct History(HashMap<(String, i64), Vec<String>>);

/// One note.
#[derive(QueryableByName)]
pub(super) struct Note {
    #[diesel(sql_type = Text)]
    relation: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    team: String,
}

/// The table of the notes, and for PostgreSQL the triggers that write them.
pub(super) const POSTGRES: &str = "
create table history (relation text not null, id bigint not null, team text not null);
create function note() returns trigger language plpgsql as $$
begin insert into history values (tg_table_name, new.id, new.team); return null; end $$;
create trigger note_insert after insert on accounts for each row execute function note();
create trigger note_insert after insert on entries for each row execute function note();
create trigger note_update after update on accounts for each row
  when (old.id <> new.id or old.team <> new.team) execute function note();
create trigger note_update after update on entries for each row
  when (old.id <> new.id or old.team <> new.team) execute function note();
";

/// The same for SQLite.
pub(super) const SQLITE: &str = "
create table history (relation text not null, id bigint not null, team text not null);
create trigger note_insert_accounts after insert on accounts begin insert into history values ('accounts', new.id, new.team); end;
create trigger note_insert_entries after insert on entries begin insert into history values ('entries', new.id, new.team); end;
create trigger note_update_accounts after update of id, team on accounts when old.id <> new.id or old.team <> new.team
  begin insert into history values ('accounts', new.id, new.team); end;
create trigger note_update_entries after update of id, team on entries when old.id <> new.id or old.team <> new.team
  begin insert into history values ('entries', new.id, new.team); end;
";

/// Reads the notes.
pub(super) fn read<C>(conn: &mut C) -> QueryResult<History>
where
    C: LoadConnection,
    SqlQuery: for<'a> LoadQuery<'a, C, Note>,
{
    let query = diesel::sql_query("select distinct relation, id, team from history");
    let mut teams: HashMap<_, Vec<String>> = HashMap::new();
    for note in query.load::<Note>(conn)? {
        let key = (note.relation, note.id);
        teams.entry(key).or_default().push(note.team);
    }
    Ok(History(teams))
}

impl History {
    /// How many of the removed ids never belonged to what the scope covers.
    pub(super) fn foreign(&self, removed: &HashSet<Key>, member: &Member) -> u64 {
        let foreign = removed.iter().filter(|(relation, id)| {
            let teams = self.0.get(&((*relation).to_owned(), *id));
            !teams.is_some_and(|teams| teams.iter().any(|team| member.sees(team)))
        });
        foreign.count() as u64
    }
}
