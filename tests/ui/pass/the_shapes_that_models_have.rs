//! Every shape of a model that the derive takes, on both backends.

use carburetor::SyncTable;
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;

mod schema {
    diesel::table! {
        plain (id) {
            id -> Integer,
            name -> Text,
            note -> Nullable<Text>,
            last_synced_at -> Timestamp,
            not_in_the_model -> Text,
        }
    }

    diesel::table! {
        memberships (team, member) {
            team -> Integer,
            member -> Text,
            #[sql_name = "type"]
            type_ -> Text,
            r#match -> Nullable<Bool>,
            seen -> Timestamp,
        }
    }

    diesel::table! {
        use diesel::sql_types::*;
        use crate::MoodMapping;
        play.documents (key) {
            key -> Text,
            mood -> MoodMapping,
            moods -> Nullable<MoodMapping>,
            size -> BigInt,
            ratio -> Double,
            body -> Binary,
            day -> Date,
            hour -> Time,
            hidden_at -> Nullable<Timestamp>,
            inserted -> Timestamp,
            touched -> Nullable<Timestamp>,
            secret -> Text,
            draft -> Nullable<Text>,
        }
    }

    diesel::table! {
        rich (id) {
            id -> Uuid,
            owner -> Uuid,
            price -> Numeric,
            data -> Jsonb,
            tags -> Array<Text>,
            labels -> Nullable<Array<Nullable<Text>>>,
            bytes -> Bytea,
            removed -> Bool,
            at -> Timestamptz,
        }
    }

    diesel::table! {
        twins (id) { id -> Text, at -> Timestamptz, }
    }

    diesel::table! {
        twins_on_a_device (id) { id -> Text, at -> TimestamptzSqlite, }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, diesel_derive_enum::DbEnum)]
#[db_enum(existing_type_path = "crate::MoodMapping")]
pub enum Mood {
    Sad,
    Ok,
}

#[derive(diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(name = "mood"), sqlite_type(name = "Text"))]
pub struct MoodMapping;

#[derive(Debug, Clone, PartialEq, Eq, Hash, diesel::FromSqlRow, diesel::AsExpression)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct Key(String);

impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for Key
where
    DB: diesel::backend::Backend,
    String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        String::from_sql(value).map(Key)
    }
}

impl<DB> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for Key
where
    DB: diesel::backend::Backend,
    String: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
{
    fn to_sql<'b>(
        &'b self,
        out: &mut diesel::serialize::Output<'b, '_, DB>,
    ) -> diesel::serialize::Result {
        self.0.to_sql(out)
    }
}

/// Attributes of other derives change nothing.
#[derive(
    SyncTable, Queryable, Selectable, Insertable, AsChangeset, Identifiable, serde::Serialize,
)]
#[diesel(table_name = schema::plain)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite, diesel::pg::Pg), treat_none_as_null = true)]
#[serde(rename_all = "camelCase")]
pub struct Plain {
    pub id: i32,
    #[serde(rename = "title")]
    pub name: String,
    pub note: Option<String>,
    #[serde(skip)]
    pub last_synced_at: NaiveDateTime,
}

#[cfg_attr(all(), derive(SyncTable))]
#[diesel(table_name = crate::schema::memberships)]
#[sync(name = "members", conflict = "server_wins", online_only)]
struct Membership {
    #[sync(id, visible_by)]
    team: i32,
    #[sync(id)]
    member: String,
    #[diesel(column_name = type_)]
    r#type: String,
    #[diesel(column_name = "match")]
    matches: Option<bool>,
    #[cfg(any())]
    gone: Nothing,
    #[sync(last_synced_at)]
    seen: NaiveDateTime,
}

#[derive(Debug, Default, Clone)]
struct NotOnTheWire;

#[derive(SyncTable)]
#[diesel(table_name = schema::documents)]
#[sync(untracked)]
struct Document {
    #[sync(id)]
    key: Key,
    #[sync(visible_by, immutable)]
    mood: Mood,
    #[sync(default = None)]
    moods: Option<Mood>,
    #[sync(read_only)]
    size: i64,
    #[sync(default = f64::from(1_u8), conflict = "client_wins")]
    ratio: f64,
    body: Vec<u8>,
    day: chrono::NaiveDate,
    hour: chrono::NaiveTime,
    #[sync(deleted)]
    hidden_at: Option<NaiveDateTime>,
    #[sync(created_at, skip)]
    inserted: NaiveDateTime,
    #[sync(last_synced_at)]
    touched: Option<NaiveDateTime>,
    #[sync(skip)]
    #[diesel(deserialize_as = String)]
    secret: NotOnTheWire,
    #[sync(local)]
    draft: Option<String>,
    #[sync(skip)]
    #[diesel(embed)]
    address: NotOnTheWire,
}

#[derive(SyncTable)]
#[diesel(table_name = schema::rich)]
#[sync(backends(postgres))]
struct Rich {
    id: uuid::Uuid,
    #[sync(visible_by)]
    owner: uuid::Uuid,
    price: bigdecimal::BigDecimal,
    data: serde_json::Value,
    tags: Vec<String>,
    labels: Option<Vec<Option<String>>>,
    bytes: Vec<u8>,
    #[sync(deleted)]
    removed: bool,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

#[derive(SyncTable)]
#[diesel(table_name = schema::twins)]
#[sync(sqlite(table = schema::twins_on_a_device), backends(postgres, sqlite))]
struct Twin {
    id: String,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

mod inferred {
    use chrono::NaiveDateTime;

    diesel::table! {
        game_scores (id) { id -> BigInt, last_synced_at -> BigInt, }
    }

    /// A table with nothing to edit, called as Diesel calls it.
    #[derive(carburetor::SyncTable)]
    #[sync(backends(sqlite), crate = carburetor)]
    pub struct GameScore {
        #[sync(read_only)]
        pub id: i64,
        pub last_synced_at: i64,
    }

    diesel::table! {
        dates (id) { id -> BigInt, last_synced_at -> Timestamp, }
    }

    #[derive(carburetor::SyncTable)]
    pub struct Date {
        pub id: i64,
        pub last_synced_at: NaiveDateTime,
    }
}

fn synced<M: SyncTable>() -> &'static str {
    M::NAME
}

fn main() {
    assert_eq!(synced::<Plain>(), "plain");
    assert_eq!(synced::<Membership>(), "members");
    assert_eq!(synced::<Document>(), "documents");
    assert_eq!(synced::<Rich>(), "rich");
    assert_eq!(synced::<Twin>(), "twins");
    assert_eq!(synced::<inferred::GameScore>(), "game_scores");
    assert_eq!(synced::<inferred::Date>(), "dates");
}
