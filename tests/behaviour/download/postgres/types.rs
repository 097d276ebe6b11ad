//! Columns of PostgreSQL's own types: each leg of a download has them all.

use super::{run, steady, tracked};
use bigdecimal::BigDecimal;
use carburetor::table::TableOn;
use carburetor::{Everyone, SyncGroup, SyncScope, SyncTable, Visible};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, diesel_derive_enum::DbEnum)]
#[db_enum(existing_type_path = "crate::download::postgres::types::MoodMapping")]
pub enum Mood {
    Sad,
    Ok,
}

#[derive(Clone, Copy, diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(name = "mood"))]
pub struct MoodMapping;

diesel::table! {
    use diesel::sql_types::*;
    use crate::download::postgres::types::MoodMapping;
    rich (id) {
        id -> Uuid,
        mood -> MoodMapping,
        price -> Numeric,
        data -> Jsonb,
        raw -> Nullable<Json>,
        tags -> Array<Text>,
        labels -> Nullable<Array<Nullable<Text>>>,
        bytes -> Bytea,
        code -> Text,
        gone -> Bool,
        at -> Timestamptz,
    }
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = rich)]
#[sync(backends(postgres))]
struct Rich {
    id: Uuid,
    #[sync(visible_by)]
    mood: Mood,
    price: BigDecimal,
    #[sync(visible_by)]
    data: Value,
    raw: Option<Value>,
    #[sync(visible_by)]
    tags: Vec<String>,
    labels: Option<Vec<Option<String>>>,
    bytes: Vec<u8>,
    #[sync(visible_by)]
    code: String,
    #[sync(deleted)]
    gone: bool,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

const RICH: &str = "create type mood as enum ('sad', 'ok');
    create table rich (id uuid primary key default gen_random_uuid(), mood mood not null default 'ok', price numeric not null default 1.50,
        data jsonb not null default '{\"a\": 1}', raw json default '{ }', tags text[] not null default '{x}', labels text[] default '{a,null}',
        bytes bytea not null default '\\x00ff', code char(5) not null default 'ab', gone boolean not null default false,
        at timestamptz not null default now())";

struct Cheerful;

impl SyncScope<Rich, Pg> for Cheerful {
    fn filter(&self) -> Visible<'_, rich::table, Pg> {
        Visible::only(
            rich::mood
                .eq(Mood::Ok)
                .and(rich::tags.contains(vec!["x"]))
                .and(rich::data.has_key("a"))
                .and(
                    rich::data
                        .contains(json!({"a": 1}))
                        .or(rich::data.has_any_key(vec!["b"])),
                )
                .and(rich::code.eq("ab")),
        )
    }
}

#[test]
fn rows_and_removals_of_any_type_come_in_every_way() {
    let (_, mut conn) = tracked::<(Rich,)>(RICH);
    let conn = &mut conn;
    run(
        conn,
        "insert into rich default values; insert into rich default values; insert into rich default values; insert into rich default values;
         insert into rich (mood) values ('sad'); insert into rich (tags) values ('{y}'); insert into rich (data) values ('{}'); insert into rich (code) values ('b')",
    );
    let group = || SyncGroup::<(Rich,), Cheerful>::scoped(&Cheerful).assuming(steady());
    let first = group().download(conn, (None,)).unwrap();
    assert_eq!(first.0.rows.len(), 4);
    let row = &first.0.rows[0];
    assert_eq!(
        (&row.data, &row.tags, &row.bytes),
        (&json!({"a": 1}), &vec!["x".to_owned()], &vec![0, 255])
    );
    let ids: Vec<Uuid> = first.0.rows.iter().map(|row| row.id).collect();
    run(
        conn,
        &format!(
            "update rich set mood = 'sad' where id = '{}'; delete from rich where id = '{}'; update rich set gone = true where id = '{}'; update rich set price = 2 where id = '{}'",
            ids[0], ids[1], ids[2], ids[3]
        ),
    );
    let mut gone = ids[..3].to_vec();
    gone.sort();
    let whole = group().download(conn, first.next()).unwrap();
    assert_eq!(
        (super::super::removed(&whole.0), whole.0.rows.len()),
        (gone.clone(), 1)
    );
    assert_eq!(whole.0.rows[0].price, BigDecimal::from(2));
    for limit in [1, 2, 10] {
        let mut pages = group().pages(first.next(), limit);
        let (mut removed, mut rows) = (Vec::new(), Vec::new());
        while let Some(page) = pages.next(conn).unwrap() {
            removed.extend(page.0.removed.clone());
            rows.extend(page.0.rows.clone());
        }
        removed.sort();
        assert_eq!(
            (removed, &rows),
            (gone.clone(), &whole.0.rows),
            "by pages of {limit}"
        );
    }
    let mut message = Vec::new();
    group()
        .download_json(conn, first.next(), &mut message)
        .unwrap();
    let read = SyncGroup::<(Rich,), Cheerful>::read_json::<Pg>(&message).unwrap();
    assert_eq!(
        (super::super::removed(&read.0), &read.0.rows),
        (gone, &whole.0.rows)
    );
}

diesel::table! { words (id, code) { id -> Text, code -> Text, n -> Integer, at -> Timestamp, } }

/// Known by a domain and by characters of a fixed length.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = words)]
#[sync(backends(postgres))]
struct Word {
    #[sync(id)]
    id: String,
    #[sync(id)]
    code: String,
    #[sync(visible_by)]
    n: i32,
    #[sync(last_synced_at)]
    at: chrono::NaiveDateTime,
}

#[test]
fn a_domain_and_padded_characters_are_ids() {
    let (_, mut conn) = tracked::<(Word,)>(
        "create domain label as text check (value <> ''); create domain count as int;
         create table words (id label, code char(4), n count not null default 1, at timestamp not null default '1970-01-01', primary key (id, code))",
    );
    let conn = &mut conn;
    run(
        conn,
        "insert into words (id, code) values ('a', 'x'), ('a', 'xy'), ('a', 'xyzz'), ('b', 'x'), ('B', 'x'), ('ä', '')",
    );
    let group = || SyncGroup::<(Word,)>::scoped(&Everyone).assuming(steady());
    for limit in [1, 2, 3, 10] {
        let mut pages = group().pages((None,), limit);
        let mut seen = Vec::new();
        while let Some(page) = pages.next(conn).unwrap() {
            seen.extend(
                page.0
                    .rows
                    .iter()
                    .map(|row| (row.id.clone(), row.code.trim_end().to_owned())),
            );
        }
        seen.sort();
        let pair = |id: &str, code: &str| (id.to_owned(), code.to_owned());
        let all = [
            pair("B", "x"),
            pair("a", "x"),
            pair("a", "xy"),
            pair("a", "xyzz"),
            pair("b", "x"),
            pair("ä", ""),
        ];
        assert_eq!(seen, all, "by pages of {limit}");
    }
    let first = group().download(conn, (None,)).unwrap();
    run(
        conn,
        "delete from words where code = 'x'; update words set n = 2 where code = 'xy'",
    );
    let mut removed = Vec::new();
    let mut pages = group().pages(first.next(), 1);
    while let Some(page) = pages.next(conn).unwrap() {
        removed.extend(page.0.removed.clone());
    }
    removed.sort();
    assert_eq!(
        removed,
        ["B", "a", "b"].map(|id| (id.to_owned(), "x   ".to_owned()))
    );
    assert_eq!(
        <Word as TableOn<Pg>>::encode_id(&removed[0]).unwrap(),
        json!(["B", "x   "])
    );
}
