//! Values at the end of their type, which Rust's types take for others: downloads of structs say what messages say.

use super::{run, steady, tracked};
use bigdecimal::BigDecimal;
use carburetor::change::{Change, Changes, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;
use carburetor::{Everyone, SyncGroup, SyncTable, TableNews};
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use diesel::pg::Pg;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::{Map, Value, json};
use std::time::SystemTime;

diesel::table! {
    edges (id) {
        id -> Integer,
        start -> Time,
        starts -> Array<Time>,
        due -> Date,
        day -> Timestamp,
        span -> Nullable<Interval>,
        price -> Numeric,
        code -> Bpchar,
        at -> Timestamptz,
    }
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = edges)]
#[sync(backends(postgres))]
struct Row {
    id: i32,
    start: NaiveTime,
    starts: Vec<NaiveTime>,
    due: NaiveDate,
    day: SystemTime,
    span: Option<Duration>,
    price: BigDecimal,
    code: String,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

type Edges = SyncGroup<(Row,)>;

const TABLE: &str = "create table edges (id int primary key, start time not null default '10:00', starts time[] not null default '{10:00}',
  due date not null default '2026-01-01', day timestamp not null default '2026-01-01', span interval, price numeric not null default 1, code char(5) not null default 'a',
  at timestamptz not null default now())";

/// What a row holds, the column that a model can't read of it, and whether that travels nevertheless.
type Case = (&'static str, &'static str, Option<(&'static str, bool)>);

const ROWS: [Case; 14] = [
    ("start", "23:59:59.999999", None),
    ("start", "24:00", Some(("start", true))),
    ("starts", "{10:00,24:00}", Some(("starts", true))),
    ("day", "infinity", Some(("day", false))),
    ("day", "-infinity", Some(("day", false))),
    ("day", "294276-12-31", None),
    ("day", "0044-03-15 BC", None),
    ("due", "infinity", Some(("due", false))),
    ("due", "0044-03-15 BC", None),
    ("due", "5874897-12-31", Some(("due", true))),
    ("span", "178956970 years", Some(("span", true))),
    ("span", "1 month", None),
    ("price", "NaN", Some(("price", true))),
    ("code", "b", None),
];

fn is_as_expected(news: &TableNews<Row>, way: &str) {
    let ids: Vec<i32> = news.rows.iter().map(|row| row.id).collect();
    let numbered = || (1..).zip(ROWS);
    let readable = numbered().filter(|(_, (.., wrong))| wrong.is_none());
    assert_eq!(ids, readable.map(|(id, _)| id).collect::<Vec<_>>(), "{way}");
    let mut told: Vec<(i64, &str)> = news
        .unreadable
        .iter()
        .map(|error| (error.id.as_ref().unwrap().as_i64().unwrap(), &*error.column))
        .collect();
    told.sort_unstable();
    let expected = numbered().filter_map(|(id, (.., wrong))| Some((id.into(), wrong?.0)));
    assert_eq!(told, expected.collect::<Vec<_>>(), "{way}");
    let row = |id: i32| news.rows.iter().find(|row| row.id == id).unwrap();
    assert_eq!(row(12).span, Some(Duration::days(30)));
    assert_eq!(row(14).code, "b    ");
}

/// What travels, by id.
fn travelled(json: &[u8]) -> Vec<i64> {
    let message: Value = serde_json::from_slice(json).unwrap();
    let rows = message["tables"]["edges"]["rows"].as_array().unwrap();
    let mut ids: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn structs_are_told_of_what_they_would_take_for_another_value() {
    let (database, mut conn) = tracked::<(Row,)>(TABLE);
    for (id, (column, value, _)) in (1..).zip(ROWS) {
        run(
            &mut conn,
            &format!("insert into edges (id, {column}) values ({id}, '{value}')"),
        );
    }
    let group = || Edges::scoped(&Everyone).assuming(steady());
    let by_structs = group().download(&mut conn, (None,)).unwrap();
    is_as_expected(&by_structs.0, "structs");
    let travels: Vec<i64> = (1..)
        .zip(ROWS)
        .filter(|(_, (.., wrong))| wrong.is_none_or(|(_, travels)| travels))
        .map(|(id, _)| id)
        .collect();
    let mut json = Vec::new();
    group()
        .download_json(&mut conn, (None,), &mut json)
        .unwrap();
    assert_eq!(travelled(&json), travels);
    is_as_expected(&Edges::read_json::<Pg>(&json).unwrap().0, "a message");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut conn = AsyncPgConnection::establish(&database.url()).await.unwrap();
        let news = group().download_async(&mut conn, (None,)).await.unwrap();
        is_as_expected(&news.0, "structs, asynchronously");
        let mut json = Vec::new();
        group()
            .download_json_async(&mut conn, (None,), &mut json)
            .await
            .unwrap();
        assert_eq!(travelled(&json), travels);
    });
}

#[test]
fn an_upload_of_such_a_value_is_rejected() {
    let (_database, mut conn) = tracked::<(Row,)>(TABLE);
    let change = |number: u16, column: &str, value: Value| {
        let mut row: Map<String, Value> = json!({"id": number, "start": "10:00:00", "starts": ["10:00:00"], "due": "2026-01-01", "day": "2026-01-01T00:00:00Z",
            "price": "1", "code": "a"})
        .as_object()
        .unwrap()
        .clone();
        row.insert(column.into(), value);
        let clock = Clock::new(1_700_000_000_000, number, 7);
        Change::new("edges", number, clock, Edit::Insert(row))
    };
    let sent = vec![
        change(1, "start", json!("24:00:00")),
        change(2, "starts", json!(["10:00:00", "24:00:00"])),
        change(3, "span", json!("P178956970Y")),
        change(4, "span", json!("P1M")),
    ];
    let outcomes = Edges::upload(&mut conn, &Changes::new(sent))
        .unwrap()
        .outcomes;
    let fields: Vec<Option<&str>> = outcomes
        .iter()
        .map(|outcome| match &outcome.verdict {
            Verdict::Rejected(rejection) => rejection.field.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(fields, [Some("start"), Some("starts"), Some("span"), None]);
    assert!(!matches!(outcomes[3].verdict, Verdict::Rejected(_)));
}
