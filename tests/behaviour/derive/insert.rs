//! The insert model.

use super::{
    Game, GameInsert, Mood, Note, NoteInsert, database, games_on_devices, noon, note, notes,
};
use diesel::prelude::*;
use serde_json::json;

fn insert() -> NoteInsert {
    NoteInsert {
        team: "blue".into(),
        number: 7,
        text: "Hello".into(),
        mood: None,
        title: None,
        stars: None,
        place: "here".into(),
        removed: None,
    }
}

fn given(conn: &mut SqliteConnection) -> Vec<(Mood, Option<String>, Option<i32>, String)> {
    notes::table
        .select((notes::mood, notes::title, notes::stars, notes::secret))
        .order(notes::number)
        .load(conn)
        .expect("a query that runs")
}

#[test]
fn what_is_left_out_takes_the_default_of_the_database() {
    let mut conn = database();
    let inserted = diesel::insert_into(notes::table)
        .values(&insert())
        .execute(&mut conn);
    assert_eq!(inserted, Ok(1));
    assert_eq!(
        given(&mut conn),
        [(Mood::Glad, None, Some(1), "shh".to_owned())]
    );
}

#[test]
fn null_is_given_where_a_default_would_stand() {
    let mut conn = database();
    let null = NoteInsert {
        stars: Some(None),
        mood: Some(Mood::InTwoMinds),
        ..insert()
    };
    let inserted = diesel::insert_into(notes::table)
        .values(null)
        .execute(&mut conn);
    assert_eq!(inserted, Ok(1));
    assert_eq!(
        given(&mut conn),
        [(Mood::InTwoMinds, None, None, "shh".to_owned())]
    );
}

#[test]
fn many_rows_are_inserted_at_once() {
    let mut conn = database();
    let two = [
        insert(),
        NoteInsert {
            number: 8,
            title: Some("Two".into()),
            ..insert()
        },
    ];
    let inserted = diesel::insert_into(notes::table)
        .values(&two.to_vec())
        .execute(&mut conn);
    assert_eq!(inserted, Ok(2));
    let titles: Vec<_> = given(&mut conn).into_iter().map(|given| given.1).collect();
    assert_eq!(titles, [None, Some("Two".to_owned())]);
}

#[test]
fn an_insert_may_meet_a_conflict() {
    let mut conn = database();
    for inserted in [1, 0] {
        let done = diesel::insert_into(notes::table)
            .values(&insert())
            .on_conflict_do_nothing()
            .execute(&mut conn);
        assert_eq!(done, Ok(inserted));
    }
}

#[test]
fn a_twin_is_inserted_into_the_table_of_sqlite() {
    let mut conn = database();
    let game = GameInsert {
        id: "a".into(),
        name: Some("Go".into()),
    };
    let inserted = diesel::insert_into(games_on_devices::table)
        .values(&game)
        .execute(&mut conn);
    assert_eq!(inserted, Ok(1));
    let stored = games_on_devices::table
        .select((games_on_devices::id, games_on_devices::name))
        .first::<(String, Option<String>)>(&mut conn);
    assert_eq!(stored, Ok(("a".to_owned(), Some("Go".to_owned()))));
}

#[test]
fn a_row_becomes_an_insert_of_everything() {
    let all = serde_json::to_value(NoteInsert::from(note())).ok();
    let expected = json!({
        "team": "blue",
        "number": "7",
        "text": "Hello",
        "mood": "in_two_minds",
        "stars": 5,
        "where": "here",
    });
    assert_eq!(all, Some(expected));
    let game = Game {
        id: "a".into(),
        at: noon().and_utc(),
        name: None,
    };
    assert_eq!(
        serde_json::to_value(GameInsert::from(game)).ok(),
        Some(json!({"id": "a"}))
    );
}

fn read(value: serde_json::Value) -> Result<NoteInsert, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn an_insert_is_read_from_the_names_and_forms_of_the_wire() {
    let full = read(json!({
        "team": "blue", "number": "7", "text": "Hello", "mood": "in_two_minds", "where": "here",
        "title": null, "stars": null, "colour": "red", "seen": "never",
    }))
    .expect("an insert");
    assert_eq!(
        (full.number, full.mood, full.title),
        (7, Some(Mood::InTwoMinds), None)
    );
    assert_eq!(full.stars, Some(None));
}

#[test]
fn an_insert_names_what_is_missing_or_wrong() {
    let missing = read(json!({"team": "blue", "number": "7", "text": "Hello"}));
    assert_eq!(missing.map(drop), Err("jottings.where: missing".to_owned()));
    let null = read(json!({"team": null}));
    let message = null.map(drop).expect_err("a team is never NULL");
    assert!(message.starts_with("jottings.team: "), "{message}");
}

#[test]
fn an_insert_has_a_default_where_its_types_have() {
    let empty = GameInsert::default();
    assert_eq!((empty.id.as_str(), empty.name), ("", None));
    assert_eq!(NoteInsert::default().clone().text, "");
}

#[test]
fn an_insert_has_what_the_model_lets_it_give() {
    let Note {
        team,
        number,
        text,
        mood,
        title,
        stars,
        place,
        removed,
        ..
    } = note();
    let all = NoteInsert {
        team,
        number,
        text,
        mood: Some(mood),
        title,
        stars: Some(stars),
        place,
        removed,
    };
    assert_eq!(
        format!("{all:?}"),
        format!("{:?}", NoteInsert::from(note()))
    );
}
