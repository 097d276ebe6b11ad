//! Columns whose type in the database is another than that in the `table!`.

use super::super::ids;
use super::types::Mood;
use super::{run, steady, tracked};
use carburetor::{Everyone, SyncGroup, SyncScope, SyncTable, Visible, tracking};
use chrono::NaiveDateTime;
use diesel::pg::Pg;

diesel::table! { codes (id) { id -> Text, kind -> Text, at -> Timestamp, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = codes)]
#[sync(backends(postgres))]
struct Code {
    #[sync(id)]
    id: String,
    #[sync(visible_by)]
    kind: String,
    #[sync(last_synced_at)]
    at: NaiveDateTime,
}

const CODES: &str = "create table codes (id char(4) primary key, kind char(4) not null default 'a', at timestamp not null default '1970-01-01');
    insert into codes (id) values ('ar'), (E'ar\\t'), ('as')";

#[test]
fn pages_go_in_the_order_of_padded_characters() {
    let (_, mut conn) = tracked::<(Code,)>(CODES);
    let conn = &mut conn;
    let all: Vec<String> = ["ar  ", "ar\t ", "as  "].map(Into::into).into();
    for limit in [1, 2] {
        let group = || SyncGroup::<(Code,)>::scoped(&Everyone).assuming(steady());
        let (mut pages, mut seen) = (group().pages((None,), limit), Vec::new());
        while let Some(page) = pages.next(conn).unwrap() {
            seen.extend(ids(&page.0));
        }
        seen.sort_by_key(|id| id.replace('\t', "!"));
        let mut expected = all.clone();
        expected.sort_by_key(|id| id.replace('\t', "!"));
        assert_eq!(seen, expected, "by pages of {limit}");
    }
}

#[test]
fn a_row_with_a_padded_id_is_touched() {
    let (_, mut conn) = tracked::<(Code,)>(CODES);
    for id in ["ar  ", "ar\t ", "as"] {
        assert!(
            tracking::touch::<Code, _>(&mut conn, &id.into()).unwrap(),
            "{id:?}"
        );
    }
    assert!(!tracking::touch::<Code, _>(&mut conn, &"none".into()).unwrap());
}

struct Kinds(&'static [&'static str]);

impl SyncScope<Code, Pg> for Kinds {
    fn filter(&self) -> Visible<'_, codes::table, Pg> {
        Visible::keys(codes::kind, self.0.iter().map(|&kind| kind.to_owned()))
    }
}

#[test]
fn padded_characters_that_left_reset_the_table() {
    let (_, mut conn) = tracked::<(Code,)>(CODES);
    let group = |scope| SyncGroup::<(Code,), Kinds>::scoped(scope).assuming(steady());
    let first = group(&Kinds(&["a", "b"]))
        .download(&mut conn, (None,))
        .unwrap();
    assert_eq!(first.0.rows.len(), 3);
    let second = group(&Kinds(&["b"]))
        .download(&mut conn, first.next())
        .unwrap();
    assert_eq!((second.0.reset, second.0.rows.len()), (true, 0));
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::download::postgres::types::MoodMapping;
    marks (mood, day, key, n, code) { mood -> MoodMapping, day -> Date, key -> Uuid, n -> BigInt, code -> Text, at -> Timestamp, }
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = marks)]
#[sync(backends(postgres))]
struct Mark {
    #[sync(id)]
    mood: Mood,
    #[sync(id)]
    day: chrono::NaiveDate,
    #[sync(id)]
    key: uuid::Uuid,
    #[sync(id)]
    n: i64,
    #[sync(id)]
    code: String,
    #[sync(last_synced_at)]
    at: NaiveDateTime,
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_any_type_are_compared_as_their_columns() {
    let (database, mut conn) = tracked::<(Mark,)>(
        "create type mood as enum ('sad', 'ok');
         create table marks (mood mood, day date, key uuid, n bigint, code varchar(8), at timestamp not null default '1970-01-01', primary key (mood, day, key, n, code));
         insert into marks select m::mood, date '2024-02-29' - d, gen_random_uuid(), d, m from unnest(array['sad', 'ok']) m, generate_series(1, 5) d",
    );
    let mut asynchronous = database.connect_async().await;
    let group = || SyncGroup::<(Mark,)>::scoped(&Everyone).assuming(steady());
    let whole = group().download(&mut conn, (None,)).unwrap();
    run(&mut conn, "update marks set n = n + 10");
    for since in [None, Some(whole.next())] {
        let (mut blocking, mut pipelined) = (
            group().pages(since.clone().unwrap_or_default(), 3),
            group().pages(since.clone().unwrap_or_default(), 3),
        );
        let (mut rows, mut gone) = (0, 0);
        while let Some(page) = blocking.next(&mut conn).unwrap() {
            let same = pipelined
                .next_async(&mut asynchronous)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                (&page.0.rows, &page.0.removed),
                (&same.0.rows, &same.0.removed)
            );
            rows += page.0.rows.len();
            gone += page.0.removed.len();
        }
        assert_eq!((rows, gone), (10, if since.is_some() { 10 } else { 0 }));
        assert!(
            pipelined
                .next_async(&mut asynchronous)
                .await
                .unwrap()
                .is_none()
        );
    }
    let id = whole.0.rows[0].id();
    assert!(!tracking::touch::<Mark, _>(&mut conn, &id).unwrap());
    let moved = (id.0, id.1, id.2, id.3 + 10, id.4);
    assert!(tracking::touch::<Mark, _>(&mut conn, &moved).unwrap());
}
