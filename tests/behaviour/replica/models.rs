//! The tables of the suite, on both backends.

macro_rules! models {
    ($stamp:ident, $backend:ident) => {
        use carburetor::SyncTable;
        use chrono::{DateTime, Utc};

        diesel::table! {
            notes (id) { id -> Text, title -> Text, body -> Nullable<Text>, team -> Text, pinned -> Bool, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, diesel::Queryable, SyncTable)]
        #[diesel(table_name = notes)]
        #[sync(backends($backend))]
        pub struct Note {
            pub id: String,
            pub title: String,
            pub body: Option<String>,
            #[sync(visible_by)]
            pub team: String,
            #[sync(local)]
            pub pinned: bool,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        diesel::table! {
            seats (room, place) { room -> Text, place -> Integer, guest -> Text, kind -> Text, price -> BigInt, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, diesel::Queryable, SyncTable)]
        #[diesel(table_name = seats)]
        #[sync(backends($backend), conflict = "last_write_wins")]
        pub struct Seat {
            #[sync(id)]
            pub room: String,
            #[sync(id)]
            pub place: i32,
            pub guest: String,
            #[sync(immutable)]
            pub kind: String,
            #[sync(read_only)]
            pub price: i64,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        diesel::table! {
            chores (id) { id -> Integer, name -> Text, gone -> Bool, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, diesel::Queryable, SyncTable)]
        #[diesel(table_name = chores)]
        #[sync(backends($backend))]
        pub struct Chore {
            pub id: i32,
            pub name: String,
            #[sync(deleted)]
            pub gone: bool,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        diesel::table! {
            prices (id) { id -> Integer, amount -> Double, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, diesel::Queryable, SyncTable)]
        #[diesel(table_name = prices)]
        #[sync(backends($backend), read_only)]
        pub struct Price {
            pub id: i32,
            pub amount: f64,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
}

pub(super) mod postgres {
    models!(Timestamptz, postgres);
}

pub(super) mod sqlite {
    models!(TimestamptzSqlite, sqlite);
}

/// What a program makes on a device: only it knows the default of a local column. The others are made when the replica is opened.
pub(super) const NOTES: &str = "
create table if not exists notes (id text primary key, title text not null, body text, team text not null,
  pinned boolean not null default false, at text not null default '1970-01-01 00:00:00.000000+00:00');
";

/// The tables of a server.
pub(super) const TABLES: &str = "
create table notes (id text primary key, title text not null, body text, team text not null);
create table seats (room text, place integer, guest text not null, kind text not null, price bigint not null default 0, primary key (room, place));
create table chores (id integer primary key, name text not null, gone boolean not null default false);
create table prices (id integer primary key, amount double precision not null);
";
