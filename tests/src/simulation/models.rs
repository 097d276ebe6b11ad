//! The tables of the simulation, and who sees what of them.

macro_rules! models {
    ($stamp:ident, $name:ident, $backend:ty) => {
        use super::super::words::Words;
        use super::Member;
        use carburetor::{SyncScope, SyncTable, Visible};
        use chrono::{DateTime, Utc};
        use diesel::prelude::*;

        diesel::table! {
            lists (id) { id -> Text, team -> Text, title -> Text, note -> Nullable<Text>, at -> $stamp, }
        }

        diesel::table! {
            tasks (id) { id -> Text, team -> Text, list -> Text, title -> Text, points -> BigInt, at -> $stamp, }
        }

        diesel::table! {
            remarks (id) { id -> Text, team -> Text, task -> Text, words -> Text, at -> $stamp, }
        }

        diesel::table! {
            pads (id) { id -> Text, team -> Text, left -> Text, right -> Text, at -> $stamp, }
        }

        /// Edits of different columns both survive.
        #[derive(Debug, SyncTable)]
        #[diesel(table_name = lists)]
        #[sync(backends($name))]
        pub(in super::super) struct List {
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
        #[sync(backends($name))]
        pub(in super::super) struct Task {
            id: String,
            #[sync(visible_by)]
            team: String,
            list: String,
            title: String,
            points: i64,
            #[sync(last_synced_at)]
            at: DateTime<Utc>,
        }

        /// Goes along with its task.
        #[derive(Debug, SyncTable)]
        #[diesel(table_name = remarks)]
        #[sync(backends($name))]
        pub(in super::super) struct Remark {
            id: String,
            #[sync(visible_by)]
            team: String,
            task: String,
            words: Words,
            #[sync(last_synced_at)]
            at: DateTime<Utc>,
        }

        /// The later edit wins as a whole.
        #[derive(Debug, SyncTable)]
        #[diesel(table_name = pads)]
        #[sync(backends($name), conflict = "last_write_wins")]
        pub(in super::super) struct Pad {
            id: String,
            #[sync(visible_by)]
            team: String,
            left: String,
            right: String,
            #[sync(last_synced_at)]
            at: DateTime<Utc>,
        }

        // By the set of teams: joined ones come, left ones go.
        impl SyncScope<List, $backend> for Member {
            fn filter(&self) -> Visible<'_, lists::table, $backend> {
                Visible::keys(lists::team, self.teams.clone())
            }
        }

        // By any expression: other teams start the table again.
        impl SyncScope<Task, $backend> for Member {
            fn filter(&self) -> Visible<'_, tasks::table, $backend> {
                Visible::only(tasks::team.eq_any(&self.teams))
            }
        }

        impl SyncScope<Remark, $backend> for Member {
            fn filter(&self) -> Visible<'_, remarks::table, $backend> {
                Visible::keys(remarks::team, self.teams.clone())
            }
        }

        impl SyncScope<Pad, $backend> for Member {
            fn filter(&self) -> Visible<'_, pads::table, $backend> {
                Visible::keys(pads::team, self.teams.clone())
            }
        }
    };
}

pub(super) mod sqlite {
    models!(TimestamptzSqlite, sqlite, diesel::sqlite::Sqlite);

    pub(in super::super) type Served = carburetor::SyncGroup<(List, Task, Remark, Pad), Member>;
}

pub(super) mod postgres {
    models!(Timestamptz, postgres, diesel::pg::Pg);

    pub(in super::super) type Served = carburetor::SyncGroup<(List, Task, Remark, Pad), Member>;
}

/// The server's tables; those of a replica make themselves.
pub(super) const TABLES: &str = r#"
create table lists (id text primary key, team text not null, title text not null unique, note text);
create table tasks (id text primary key, team text not null, list text not null references lists (id), title text not null,
  points bigint not null check (points >= 0));
create table remarks (id text primary key, team text not null, task text not null references tasks (id) on delete cascade, words text not null);
create table pads (id text primary key, team text not null, "left" text not null, "right" text not null);
"#;

/// A table as the simulation writes and compares it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What a program edits.
    pub(super) columns: &'static [&'static str],
    /// An edit of one column wins or loses with all.
    pub(super) is_unit: bool,
}

/// In the group's order.
pub(super) const ALL: [Table; 4] = [
    Table {
        name: "lists",
        columns: &["team", "title", "note"],
        is_unit: false,
    },
    Table {
        name: "tasks",
        columns: &["team", "list", "title", "points"],
        is_unit: false,
    },
    Table {
        name: "remarks",
        columns: &["team", "task", "words"],
        is_unit: false,
    },
    Table {
        name: "pads",
        columns: &["team", "left", "right"],
        is_unit: true,
    },
];

impl Table {
    pub(super) fn of(name: &str) -> &'static Self {
        let mut all = ALL.iter();
        all.find(|table| table.name == name)
            .expect("a message is of the group's tables")
    }
}

/// Every row belongs to one of these.
pub(super) const TEAMS: [&str; 3] = ["blue", "green", "red"];

/// Who sees the rows of some teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) teams: Vec<String>,
}

impl Member {
    pub(super) fn sees(&self, team: Option<&str>) -> bool {
        self.teams.iter().any(|own| Some(own.as_str()) == team)
    }
}

/// What a replica keeps, whatever the server runs on.
pub(super) type Web = sqlite::Served;
