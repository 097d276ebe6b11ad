//! The tables of the simulation, and who sees what of them.

use carburetor::{SyncGroup, SyncScope, SyncTable, Visible};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

diesel::table! {
    lists (id) { id -> Text, team -> Text, title -> Text, note -> Nullable<Text>, at -> TimestamptzSqlite, }
}

diesel::table! {
    tasks (id) { id -> Text, team -> Text, list -> Text, title -> Text, points -> BigInt, at -> TimestamptzSqlite, }
}

diesel::table! {
    pads (id) { id -> Text, team -> Text, left -> Text, right -> Text, at -> TimestamptzSqlite, }
}

/// Edits of different columns both survive.
#[derive(Debug, SyncTable)]
#[diesel(table_name = lists)]
#[sync(backends(sqlite))]
pub(super) struct List {
    id: String,
    #[sync(visible_by)]
    team: String,
    title: String,
    note: Option<String>,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

/// Refers to a list.
#[derive(Debug, SyncTable)]
#[diesel(table_name = tasks)]
#[sync(backends(sqlite))]
pub(super) struct Task {
    id: String,
    #[sync(visible_by)]
    team: String,
    list: String,
    title: String,
    points: i64,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

/// The later edit wins as a whole.
#[derive(Debug, SyncTable)]
#[diesel(table_name = pads)]
#[sync(backends(sqlite), conflict = "last_write_wins")]
pub(super) struct Pad {
    id: String,
    #[sync(visible_by)]
    team: String,
    left: String,
    right: String,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

/// The server's tables; those of a replica make themselves.
pub(super) const TABLES: &str = "
create table lists (id text primary key, team text not null, title text not null unique, note text);
create table tasks (id text primary key, team text not null, list text not null references lists (id), title text not null,
  points bigint not null check (points >= 0));
create table pads (id text primary key, team text not null, left text not null, right text not null);
";

/// A table as the simulation writes and compares it.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What a program edits.
    pub(super) columns: &'static [&'static str],
}

/// In the group's order.
pub(super) const ALL: [Table; 3] = [
    Table {
        name: "lists",
        columns: &["team", "title", "note"],
    },
    Table {
        name: "tasks",
        columns: &["team", "list", "title", "points"],
    },
    Table {
        name: "pads",
        columns: &["team", "left", "right"],
    },
];

/// Every row belongs to one of these.
pub(super) const TEAMS: [&str; 3] = ["blue", "green", "red"];

/// Who sees the rows of some teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) teams: Vec<String>,
}

pub(super) type Web = SyncGroup<(List, Task, Pad), Member>;

// By the set of teams: joined ones come, left ones go.
impl SyncScope<List, Sqlite> for Member {
    fn filter(&self) -> Visible<'_, lists::table, Sqlite> {
        Visible::keys(lists::team, self.teams.clone())
    }
}

// By any expression: other teams start the table again.
impl SyncScope<Task, Sqlite> for Member {
    fn filter(&self) -> Visible<'_, tasks::table, Sqlite> {
        Visible::only(tasks::team.eq_any(&self.teams))
    }
}

impl SyncScope<Pad, Sqlite> for Member {
    fn filter(&self) -> Visible<'_, pads::table, Sqlite> {
        Visible::keys(pads::team, self.teams.clone())
    }
}
