//! The two tables: accounts and entries of teams. In every committed state, and per team, the amounts of both add up to the same.

use super::view::{Member, Published};
use carburetor::{SyncFilter, SyncScope, SyncTable, Visible};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;

/// The teams, which scopes tell apart.
pub(super) const TEAMS: [&str; 4] = ["red", "green", "blue", "grey"];

/// The ids from 1 to this one have rows in both tables that everybody contests: they are deleted and inserted again all the time.
pub(super) const CONTESTED: i64 = 4;

/// Of these, the ones up to here are for uploads alone, so that they are about them at once while they are gone.
pub(super) const OF_UPLOADS: i64 = 2;

/// The tables in SQL that both backends read; `{instant}` is the type of the stamp with its default.
pub(super) const TABLES: &str = "
create table accounts (id bigint primary key, team text not null, published boolean not null, deleted boolean not null default false,
  amount bigint not null, note text, updated_at {instant});
create table entries (id bigint primary key, team text not null, amount bigint not null, note text, updated_at {instant});
";

pub(super) mod schema {
    diesel::table! {
        accounts (id) {
            id -> BigInt, team -> Text, published -> Bool, deleted -> Bool, amount -> BigInt, note -> Nullable<Text>, updated_at -> Timestamptz,
        }
    }
    diesel::table! {
        entries (id) { id -> BigInt, team -> Text, amount -> BigInt, note -> Nullable<Text>, updated_at -> Timestamptz, }
    }

    pub(in crate::oracle) mod lite {
        diesel::table! {
            accounts (id) {
                id -> BigInt, team -> Text, published -> Bool, deleted -> Bool, amount -> BigInt, note -> Nullable<Text>,
                updated_at -> TimestamptzSqlite,
            }
        }
        diesel::table! {
            entries (id) { id -> BigInt, team -> Text, amount -> BigInt, note -> Nullable<Text>, updated_at -> TimestamptzSqlite, }
        }
    }
}

pub(super) mod tracked {
    use super::{schema::*, *};

    #[derive(Debug, Clone, PartialEq, Queryable, SyncTable)]
    #[diesel(table_name = accounts)]
    #[sync(sqlite(table = lite::accounts))]
    pub(in crate::oracle) struct Account {
        #[sync(id)]
        pub id: i64,
        #[sync(visible_by)]
        pub team: String,
        #[sync(visible_by)]
        pub published: bool,
        #[sync(deleted)]
        pub deleted: bool,
        pub amount: i64,
        pub note: Option<String>,
        #[sync(last_synced_at)]
        pub updated_at: DateTime<Utc>,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, SyncTable)]
    #[diesel(table_name = entries)]
    #[sync(sqlite(table = lite::entries))]
    pub(in crate::oracle) struct Entry {
        #[sync(id)]
        pub id: i64,
        #[sync(visible_by)]
        pub team: String,
        pub amount: i64,
        pub note: Option<String>,
        #[sync(last_synced_at)]
        pub updated_at: DateTime<Utc>,
    }
}

pub(super) mod untracked {
    use super::{schema::*, *};

    #[derive(Debug, Clone, PartialEq, Queryable, SyncTable)]
    #[diesel(table_name = accounts)]
    #[sync(untracked, backends(postgres))]
    pub(in crate::oracle) struct Account {
        #[sync(id)]
        pub id: i64,
        #[sync(visible_by, immutable)]
        pub team: String,
        #[sync(visible_by, immutable)]
        pub published: bool,
        #[sync(deleted)]
        pub deleted: bool,
        pub amount: i64,
        pub note: Option<String>,
        #[sync(last_synced_at)]
        pub updated_at: DateTime<Utc>,
    }

    #[derive(Debug, Clone, PartialEq, Queryable, SyncTable)]
    #[diesel(table_name = entries)]
    #[sync(untracked, backends(postgres))]
    pub(in crate::oracle) struct Entry {
        #[sync(id)]
        pub id: i64,
        #[sync(visible_by, immutable)]
        pub team: String,
        pub amount: i64,
        pub note: Option<String>,
        #[sync(last_synced_at)]
        pub updated_at: DateTime<Utc>,
    }
}

/// A row of either table.
pub(super) trait Line: SyncTable<Id = i64> + Clone + PartialEq {
    fn team(&self) -> &str;
    fn amount(&self) -> i64;
    fn stamp(&self) -> DateTime<Utc>;
    /// The filter keeps it.
    fn published(&self) -> bool {
        true
    }
    /// It is softly deleted, so nobody sees it.
    fn deleted(&self) -> bool {
        false
    }
}

/// A row that Diesel alone reads from `C`, without the library.
pub(super) trait Stored<C>: Line {
    /// Every row with this stamp or a later one; without a stamp every row.
    fn load(conn: &mut C, since: Option<DateTime<Utc>>) -> QueryResult<Vec<Self>>;
}

macro_rules! line {
    ($Row:path { $($method:ident: $type:ty),* }) => {
        impl Line for $Row {
            fn team(&self) -> &str {
                &self.team
            }
            fn amount(&self) -> i64 {
                self.amount
            }
            fn stamp(&self) -> DateTime<Utc> {
                self.updated_at
            }
            $(fn $method(&self) -> $type {
                self.$method
            })*
        }
    };
}

macro_rules! stored {
    ($Row:path, $($table:ident)::+, $DB:ident, $Conn:ident, $cast:literal) => {
        impl Stored<$Conn> for $Row {
            fn load(conn: &mut $Conn, since: Option<DateTime<Utc>>) -> QueryResult<Vec<Self>> {
                let rows = $($table)::+::table.into_boxed();
                let Some(since) = since else {
                    return rows.load(conn);
                };
                // The form that stamps have on SQLite, whose text is compared as text.
                let since = since.format("%Y-%m-%d %H:%M:%S%.6f+00:00").to_string();
                let condition = sql::<Bool>("updated_at >= ").bind::<Text, _>(since).sql($cast);
                rows.filter(condition).load(conn)
            }
        }

        impl SyncScope<$Row, $DB> for Member {
            fn filter(&self) -> Visible<'_, $($table)::+::table, $DB> {
                match &self.teams {
                    Some(teams) => Visible::only($($table)::+::team.eq_any(teams)),
                    None => Visible::all(),
                }
            }
        }
    };
}

line!(tracked::Account {
    published: bool,
    deleted: bool
});
line!(tracked::Entry {});
line!(untracked::Account {
    published: bool,
    deleted: bool
});
line!(untracked::Entry {});
stored!(
    tracked::Account,
    schema::accounts,
    Pg,
    PgConnection,
    "::timestamptz"
);
stored!(
    tracked::Entry,
    schema::entries,
    Pg,
    PgConnection,
    "::timestamptz"
);
stored!(
    untracked::Account,
    schema::accounts,
    Pg,
    PgConnection,
    "::timestamptz"
);
stored!(
    untracked::Entry,
    schema::entries,
    Pg,
    PgConnection,
    "::timestamptz"
);
stored!(
    tracked::Account,
    schema::lite::accounts,
    Sqlite,
    SqliteConnection,
    ""
);
stored!(
    tracked::Entry,
    schema::lite::entries,
    Sqlite,
    SqliteConnection,
    ""
);

impl SyncFilter<tracked::Account, Pg> for Published {
    fn filter() -> Visible<'static, schema::accounts::table, Pg> {
        Visible::only(schema::accounts::published.eq(true))
    }
}

impl SyncFilter<untracked::Account, Pg> for Published {
    fn filter() -> Visible<'static, schema::accounts::table, Pg> {
        Visible::only(schema::accounts::published.eq(true))
    }
}

impl SyncFilter<tracked::Account, Sqlite> for Published {
    fn filter() -> Visible<'static, schema::lite::accounts::table, Sqlite> {
        Visible::only(schema::lite::accounts::published.eq(true))
    }
}
