//! What stands for a value that a field's type can't read.

use super::super::{ids, run, steady};
use super::unreadable::{Later, LaterMood, Mood, filled};
use super::{Conn, DB};
use carburetor::change::{Change, Changes, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;
use carburetor::table::TableOn;
use carburetor::{Everyone, SyncGroup, SyncTable};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value, json};

mod schema {
    diesel::table! { moods (id) { id -> Integer, mood -> Text, due -> Date, at -> Timestamptz, } }
}

mod sqlite {
    diesel::table! { moods (id) { id -> Integer, mood -> Text, due -> Date, at -> TimestamptzSqlite, } }
}

/// A program that takes a mood which it doesn't know for a sad one.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = schema::moods)]
#[sync(name = "moods", sqlite(table = sqlite::moods))]
struct Careful {
    id: i32,
    #[sync(fallback = Mood::Sad)]
    mood: Mood,
    due: NaiveDate,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

type Group = SyncGroup<(Careful,)>;

fn moods(conn: &mut Conn) -> Vec<(i32, Mood)> {
    let news = Group::scoped(&Everyone)
        .assuming(steady())
        .download(conn, (None,))
        .unwrap();
    assert!(news.0.unreadable.is_empty());
    let mut moods: Vec<_> = news.0.rows.iter().map(|row| (row.id, row.mood)).collect();
    moods.sort_by_key(|(id, _)| *id);
    moods
}

#[test]
fn a_fallback_stands_for_what_the_type_can_not_read() {
    let server = filled();
    let conn = &mut server.connect();
    let (sad, fine) = (Mood::Sad, Mood::Fine);
    assert_eq!(moods(conn), [(1, fine), (2, sad), (3, fine), (4, fine)]);
    // Messages say what the column holds.
    let mut json = Vec::new();
    Group::download_json(conn, (None,), &mut json).unwrap();
    let later = SyncGroup::<(Later,)>::read_json::<DB>(&json).unwrap();
    assert!(
        later
            .0
            .rows
            .iter()
            .any(|row| row.id == 2 && row.mood == LaterMood::Great)
    );
    let careful = Group::read_json::<DB>(&json).unwrap();
    assert_eq!(ids(&careful.0), [1, 2, 3, 4]);
    assert!(
        careful
            .0
            .rows
            .iter()
            .any(|row| row.id == 2 && row.mood == sad)
    );
}

#[test]
fn null_and_what_is_no_value_of_the_column_are_no_fallback() {
    let row = |mood: Value| -> Map<String, Value> {
        let row = json!({"id": 1, "mood": mood, "due": "2026-01-01", "at": "2026-01-01T00:00:00Z"});
        row.as_object().unwrap().clone()
    };
    let decode = <Careful as TableOn<DB>>::decode;
    assert_eq!(decode(row(json!("new"))).unwrap().mood, Mood::Sad);
    for mood in [json!(null), json!(7)] {
        assert!(decode(row(mood)).is_err());
    }
}

#[test]
fn a_value_that_has_a_fallback_is_admitted_as_it_is() {
    let server = filled();
    let conn = &mut server.connect();
    run(conn, "delete from moods where id = 2");
    let columns = json!({"id": 9, "mood": "great", "due": "2026-01-01"});
    let clock = Clock::new(1_700_000_000_000, 0, 7);
    let insert = Edit::Insert(columns.as_object().unwrap().clone());
    let change = Change::new("moods", 9, clock, insert);
    let outcomes = Group::upload(conn, &Changes::new(vec![change])).unwrap();
    assert_eq!(outcomes.outcomes[0].verdict, Verdict::Applied);
    let news = SyncGroup::<(Later,)>::download(conn, (None,)).unwrap();
    assert!(
        news.0
            .rows
            .iter()
            .any(|row| row.id == 9 && row.mood == LaterMood::Great)
    );
}
