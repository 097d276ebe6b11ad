//! Rows with a value that can't be read, or can't travel: each is told and set aside, and everything else goes on.

use super::super::{ids, run, steady};
use super::{Conn, DB, JUDGES_TRANSACTIONS, Server};
use carburetor::table::TableOn;
use carburetor::{DownloadError, Everyone, SyncGroup, SyncTable, TableNews, Timestamps, Token};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use serde_json::{Value, json};
use std::collections::HashMap;

mod schema {
    diesel::table! { moods (id) { id -> Integer, mood -> Text, due -> Date, at -> Timestamptz, } }
}

mod sqlite {
    diesel::table! { moods (id) { id -> Integer, mood -> Text, due -> Date, at -> TimestamptzSqlite, } }
}

/// The labels that the programs of one version know.
macro_rules! mood {
    ($name:ident: $($label:literal => $variant:ident),+) => {
        #[derive(Debug, Clone, Copy, PartialEq, diesel::AsExpression)]
        #[diesel(sql_type = Text)]
        pub(super) enum $name {
            $($variant),+
        }

        impl<B: Backend> FromSql<Text, B> for $name
        where
            String: FromSql<Text, B>,
        {
            fn from_sql(value: B::RawValue<'_>) -> deserialize::Result<Self> {
                match String::from_sql(value)?.as_str() {
                    $($label => Ok($name::$variant),)+
                    other => Err(format!("Unrecognized enum variant: {other}").into()),
                }
            }
        }

        impl<B: Backend> ToSql<Text, B> for $name
        where
            str: ToSql<Text, B>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, B>) -> serialize::Result {
                match self {
                    $($name::$variant => <str as ToSql<Text, B>>::to_sql($label, out),)+
                }
            }
        }
    };
}

mood!(Mood: "sad" => Sad, "fine" => Fine);
mood!(LaterMood: "sad" => Sad, "fine" => Fine, "great" => Great);

/// A row as the first version of the program knows it.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::moods)]
#[sync(name = "moods", sqlite(table = sqlite::moods))]
pub(super) struct Row {
    pub(super) id: i32,
    pub(super) mood: Mood,
    pub(super) due: NaiveDate,
    #[sync(last_synced_at)]
    pub(super) at: DateTime<Utc>,
}

/// The same with a mood more.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::moods)]
#[sync(name = "moods", sqlite(table = sqlite::moods))]
pub(super) struct Later {
    pub(super) id: i32,
    pub(super) mood: LaterMood,
    pub(super) due: NaiveDate,
    #[sync(last_synced_at)]
    pub(super) at: DateTime<Utc>,
}

pub(super) type Rows = SyncGroup<(Row,)>;
pub(super) type Laters = SyncGroup<(Later,)>;

/// A date that neither a model nor the wire has.
pub(super) const NEVER: &str = if JUDGES_TRANSACTIONS {
    "infinity"
} else {
    "never"
};

pub(super) fn filled() -> Server {
    let server = Server::new();
    let conn = &mut server.connect();
    let at = match JUDGES_TRANSACTIONS {
        true => "due date not null default '2026-01-01', at timestamptz not null default now()",
        false => {
            "due text not null default '2026-01-01', at text not null default '1970-01-01 00:00:00.000000+00:00'"
        }
    };
    run(
        conn,
        &format!(
            "create table moods (id integer primary key, mood text not null default 'fine', {at})"
        ),
    );
    Rows::tracking::<DB>().install(conn).unwrap();
    run(
        conn,
        "insert into moods (id) values (1), (3), (4); insert into moods (id, mood) values (2, 'great')",
    );
    server
}

pub(super) fn download<M: TableOn<DB>>(
    conn: &mut Conn,
    since: impl Into<Timestamps<SyncGroup<(M,)>>>,
) -> (TableNews<M>, Token) {
    let response = SyncGroup::<(M,)>::scoped(&Everyone)
        .assuming(steady())
        .download(conn, since)
        .unwrap();
    let next = response.next();
    (response.into_tables().0, next)
}

pub(super) fn told<M: SyncTable>(news: &TableNews<M>) -> Vec<(String, Option<Value>)> {
    let told = news.unreadable.iter();
    told.map(|error| (error.column.clone(), error.id.clone()))
        .collect()
}

#[test]
fn a_row_that_can_not_be_read_is_told_once_and_the_others_come() {
    let server = filled();
    let conn = &mut server.connect();
    let (news, token) = download::<Row>(conn, (None,));
    assert_eq!(ids(&news), [1, 3, 4]);
    assert_eq!(told(&news), [("mood".to_owned(), Some(json!(2)))]);
    assert_eq!(
        news.unreadable[0].to_string(),
        "moods.mood of 2: Unrecognized enum variant: great"
    );
    let (news, token) = download::<Row>(conn, token);
    assert_eq!((ids(&news), told(&news)), (vec![], vec![]));
    // Another change of it is told again, because something else may be wrong.
    run(
        conn,
        &format!(
            "update moods set due = '{NEVER}', mood = 'sad' where id = 2; update moods set mood = 'sad' where id = 1"
        ),
    );
    let (news, token) = download::<Row>(conn, token);
    assert_eq!(ids(&news), [1]);
    run(conn, "update moods set due = '2026-02-02' where id = 2");
    let (news, token) = download::<Row>(conn, token);
    assert_eq!((ids(&news), told(&news)), (vec![2], vec![]));
    assert_eq!(ids(&download::<Row>(conn, token).0), [] as [i32; 0]);
}

#[test]
fn a_row_comes_when_the_program_can_read_it_though_its_stamp_stands_still() {
    let server = filled();
    let conn = &mut server.connect();
    let mut token = download::<Row>(conn, (None,)).1;
    for _ in 0..2 {
        run(conn, "update moods set mood = 'sad' where id = 1");
        token = download::<Row>(conn, token).1;
    }
    let (news, token) = download::<Later>(conn, token);
    assert_eq!(ids(&news), [2]);
    let (news, _) = download::<Later>(conn, token);
    assert_eq!(ids(&news), [] as [i32; 0]);
}

#[test]
fn a_copy_keeps_the_older_version() {
    let server = filled();
    let conn = &mut server.connect();
    run(conn, "update moods set mood = 'sad' where id = 2");
    let mut copy: HashMap<i32, Row> = HashMap::new();
    let (news, token) = download::<Row>(conn, (None,));
    news.apply(&mut copy);
    run(
        conn,
        "update moods set mood = 'great' where id = 2; delete from moods where id = 3",
    );
    let (news, token) = download::<Row>(conn, token);
    assert_eq!(news.removed, [3]);
    news.apply(&mut copy);
    assert_eq!((copy[&2].mood, copy.len()), (Mood::Sad, 3));
    // So it does when the table begins again.
    let (news, _) = download::<Row>(conn, (None,));
    assert!(news.reset);
    news.apply(&mut copy);
    assert_eq!((copy[&2].mood, copy.len()), (Mood::Sad, 3));
    run(conn, "delete from moods where id = 2");
    let (news, token) = download::<Row>(conn, token);
    assert_eq!(news.removed, [2]);
    news.apply(&mut copy);
    assert!(!copy.contains_key(&2));
    assert_eq!(ids(&download::<Later>(conn, token).0), [] as [i32; 0]);
}

#[test]
fn a_bare_timestamp_is_held_back_by_what_can_not_be_read() {
    let server = filled();
    let conn = &mut server.connect();
    let (news, _) = download::<Row>(conn, (None,));
    run(conn, "update moods set mood = 'sad' where id = 4");
    let (news, _) = download::<Row>(conn, (Some(news.cutoff),));
    assert!(!news.reset && ids(&news).contains(&4));
    let (news, _) = download::<Later>(conn, (Some(news.cutoff),));
    assert!(!news.reset && ids(&news).contains(&2));
}

#[test]
fn a_message_tells_of_a_row_that_can_not_travel() {
    let server = filled();
    let conn = &mut server.connect();
    run(
        conn,
        &format!("update moods set due = '{NEVER}' where id = 3"),
    );
    let page = |conn: &mut Conn, since: Timestamps<Rows>| {
        let mut pages = Rows::scoped(&Everyone)
            .assuming(steady())
            .pages::<DB>(since, 100);
        pages.next_json(conn).unwrap().unwrap()
    };
    let first = page(conn, Timestamps::default());
    let message: Value = serde_json::from_slice(first.json()).unwrap();
    let table = &message["tables"]["moods"];
    let sent: Vec<&Value> = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["id"])
        .collect();
    assert_eq!(sent, [&json!(1), &json!(2), &json!(4)]);
    assert_eq!(
        (
            &table["unreadable"][0]["id"],
            &table["unreadable"][0]["column"]
        ),
        (&json!(3), &json!("due"))
    );
    assert_eq!(first.unreadable()[0].id, Some(json!(3)));
    assert!(!first.is_empty());
    let token: Token = first.next().parse().unwrap();
    let second = page(conn, token.into());
    assert!(second.is_empty() && second.unreadable().is_empty());
    run(conn, "update moods set due = '2026-03-03' where id = 3");
    let token: Token = second.next().parse().unwrap();
    let third = Laters::read_json::<DB>(page(conn, token.into()).json()).unwrap();
    assert_eq!((ids(&third.0), third.0.unreadable.len()), (vec![3], 0));
    // Read back, it says what it said.
    let read = Laters::read_json::<DB>(first.json()).unwrap();
    assert_eq!(told(&read.0), [("due".to_owned(), Some(json!(3)))]);
    assert_eq!(read.0.unreadable, first.unreadable());
    let mut whole = Vec::new();
    Rows::download_json(conn, (None,), &mut whole).unwrap();
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(
        whole["tables"]["moods"]["rows"].as_array().unwrap().len(),
        4
    );
}

#[test]
fn a_program_may_prefer_that_the_whole_download_fails() {
    let server = filled();
    let conn = &mut server.connect();
    let group = || {
        Rows::scoped(&Everyone)
            .assuming(steady())
            .refuse_unreadable()
    };
    let error = group().download(conn, (None,)).unwrap_err();
    assert!(matches!(error, DownloadError::Wire(_)), "{error:?}");
    assert!(
        error.to_string().starts_with("moods.mood of 2: "),
        "{error}"
    );
    assert!(group().pages::<DB>((None,), 10).next(conn).is_err());
    run(
        conn,
        &format!("update moods set due = '{NEVER}' where id = 3"),
    );
    let error = group()
        .download_json(conn, (None,), &mut Vec::new())
        .unwrap_err();
    assert!(error.to_string().starts_with("moods.due of 3: "), "{error}");
    let error = group()
        .pages::<DB>((None,), 10)
        .next_json(conn)
        .unwrap_err();
    assert!(error.to_string().starts_with("moods.due of 3: "), "{error}");
}

#[test]
fn a_message_is_read_but_for_what_the_model_can_not_read() {
    let server = filled();
    let conn = &mut server.connect();
    let mut json = Vec::new();
    Rows::scoped(&Everyone)
        .assuming(steady())
        .download_json(conn, (None,), &mut json)
        .unwrap();
    let read = Rows::read_json::<DB>(&json).unwrap();
    assert_eq!(ids(&read.0), [1, 3, 4]);
    assert_eq!(told(&read.0), [("mood".to_owned(), Some(json!(2)))]);
    // The next version of the program is brought it by the token, and by the bare timestamp.
    assert_eq!(ids(&download::<Later>(conn, read.next()).0), [2]);
    let (news, _) = download::<Later>(conn, (Some(read.0.cutoff),));
    assert!(!news.reset && ids(&news).contains(&2));
    // So it is by messages.
    let mut json = Vec::new();
    Rows::scoped(&Everyone)
        .assuming(steady())
        .download_json(conn, read.next(), &mut json)
        .unwrap();
    let again = Rows::read_json::<DB>(&json).unwrap();
    assert_eq!((ids(&again.0), told(&again.0).len()), (vec![], 1));
    assert_eq!(ids(&Laters::read_json::<DB>(&json).unwrap().0), [2]);
    // What left and is no id of the model's is told, and the others go.
    let text = String::from_utf8(json).unwrap();
    let text = text.replace(r#""removed":[]"#, r#""removed":["x",3]"#);
    let read = Rows::read_json::<DB>(text.as_bytes()).unwrap();
    assert_eq!(read.0.removed, [3]);
    assert_eq!(read.0.unreadable[0].id, Some(json!("x")));
}
