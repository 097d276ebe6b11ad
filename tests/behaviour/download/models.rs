//! The tables that the suite downloads. One struct serves both backends.

use carburetor::SyncTable;
use chrono::{DateTime, NaiveDateTime, Utc};

/// The tables on PostgreSQL; those that SQLite stores in the same types serve both.
pub(super) mod schema {
    diesel::table! { users (id) { id -> Text, name -> Text, team -> Nullable<Text>, updated_at -> Timestamptz, } }
    diesel::table! { games (id) { id -> Integer, title -> Nullable<Text>, team -> Text, published -> Bool, updated_at -> Timestamptz, } }
    diesel::table! { notes (id) { id -> Integer, body -> Text, gone -> Bool, at -> Timestamp, } }
    diesel::table! { tasks (id) { id -> Integer, team -> Text, done_at -> Nullable<Timestamp>, at -> Nullable<Timestamp>, } }
    diesel::table! { seats (room, place) { room -> Text, place -> Integer, holder -> Nullable<Text>, at -> Timestamp, } }
    diesel::table! {
        order (size) {
            #[sql_name = "größe"]
            size -> Integer,
            name -> Text,
            generation -> Integer,
            horizon -> Text,
            relation -> Nullable<Text>,
            #[sql_name = "a \"kind\""]
            kind -> Text,
            at -> Timestamp,
        }
    }
}

/// The tables on SQLite.
pub(super) mod sqlite {
    pub(crate) use super::schema::{notes, order};

    diesel::table! { users (id) { id -> Text, name -> Text, team -> Nullable<Text>, updated_at -> TimestamptzSqlite, } }
    diesel::table! { games (id) { id -> Integer, title -> Nullable<Text>, team -> Text, published -> Bool, updated_at -> TimestamptzSqlite, } }
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::users)]
#[sync(sqlite(table = sqlite::users))]
pub(super) struct User {
    #[sync(id)]
    pub(super) id: String,
    pub(super) name: String,
    #[sync(visible_by)]
    pub(super) team: Option<String>,
    #[sync(last_synced_at)]
    pub(super) updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::games)]
#[sync(sqlite(table = sqlite::games))]
pub(super) struct Game {
    #[sync(id)]
    pub(super) id: i32,
    pub(super) title: Option<String>,
    #[sync(visible_by)]
    pub(super) team: String,
    #[sync(visible_by)]
    pub(super) published: bool,
    #[sync(last_synced_at)]
    pub(super) updated_at: DateTime<Utc>,
}

/// Deleted softly, by a flag.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::notes)]
pub(super) struct Note {
    #[sync(id)]
    pub(super) id: i32,
    pub(super) body: String,
    #[sync(deleted)]
    pub(super) gone: bool,
    #[sync(last_synced_at)]
    pub(super) at: NaiveDateTime,
}

/// Deleted softly, by an instant; and without a stamp until it is written.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::tasks)]
pub(super) struct Task {
    #[sync(id)]
    pub(super) id: i32,
    #[sync(visible_by)]
    pub(super) team: String,
    #[sync(deleted)]
    pub(super) done_at: Option<NaiveDateTime>,
    #[sync(last_synced_at)]
    pub(super) at: Option<NaiveDateTime>,
}

/// Known by two columns, one of which scopes look at.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::seats)]
pub(super) struct Seat {
    #[sync(id, visible_by)]
    pub(super) room: String,
    #[sync(id)]
    pub(super) place: i32,
    pub(super) holder: Option<String>,
    #[sync(last_synced_at)]
    pub(super) at: NaiveDateTime,
}

/// Named like a keyword, its columns like the library's own and like nothing that goes without quotes.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::order)]
pub(super) struct Order {
    #[sync(id)]
    #[diesel(column_name = size)]
    pub(super) number: i32,
    pub(super) name: String,
    #[sync(visible_by)]
    pub(super) generation: i32,
    #[sync(visible_by)]
    pub(super) horizon: String,
    #[sync(visible_by)]
    pub(super) relation: Option<String>,
    #[sync(visible_by)]
    pub(super) kind: String,
    #[sync(last_synced_at)]
    pub(super) at: NaiveDateTime,
}

/// The tables as SQL, given the type of a stamp with an offset and of one without.
pub(super) fn tables(zoned: &str, naive: &str, nullable: &str) -> String {
    format!(
        r#"create table users (id text primary key, name text not null, team text, updated_at {zoned});
        create table games (id integer primary key, title text, team text not null, published boolean not null default true, updated_at {zoned});
        create table notes (id integer primary key, body text not null, gone boolean not null default false, at {naive});
        create table tasks (id integer primary key, team text not null default 'red', done_at {nullable}, at {nullable});
        create table seats (room text not null, place integer not null, holder text, at {naive}, primary key (room, place));
        create table "order" ("größe" integer primary key, name text not null, generation integer not null, horizon text not null,
            relation text, "a ""kind""" text not null, at {naive});"#
    )
}
