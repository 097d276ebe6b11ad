//! The changeset.

use super::{
    GameChangeset, Mood, NoteChangeset, NoteInsert, database, games_on_devices, note, notes,
};
use diesel::prelude::*;
use serde_json::json;

fn stored(conn: &mut SqliteConnection) -> (String, Option<String>, Option<i32>) {
    let columns = (notes::text, notes::title, notes::stars);
    notes::table.select(columns).first(conn).expect("one row")
}

#[test]
fn an_edit_sets_what_it_gives_and_no_more() {
    let mut conn = database();
    let insert = NoteInsert {
        title: Some("One".into()),
        ..NoteInsert::from(note())
    };
    let inserted = diesel::insert_into(notes::table)
        .values(insert)
        .execute(&mut conn);
    assert_eq!(inserted, Ok(1));

    let edit = NoteChangeset {
        text: Some("Bye".into()),
        ..NoteChangeset::default()
    };
    assert_eq!(
        diesel::update(notes::table).set(&edit).execute(&mut conn),
        Ok(1)
    );
    assert_eq!(
        stored(&mut conn),
        ("Bye".to_owned(), Some("One".to_owned()), Some(5))
    );

    let null = NoteChangeset {
        title: Some(None),
        stars: Some(Some(2)),
        ..NoteChangeset::default()
    };
    assert_eq!(
        diesel::update(notes::table).set(null).execute(&mut conn),
        Ok(1)
    );
    assert_eq!(stored(&mut conn), ("Bye".to_owned(), None, Some(2)));
}

#[test]
fn a_twin_is_edited_in_the_table_of_sqlite() {
    let mut conn = database();
    let id = games_on_devices::id.eq("a");
    let inserted = diesel::insert_into(games_on_devices::table)
        .values(id)
        .execute(&mut conn);
    assert_eq!(inserted, Ok(1));
    let edit = GameChangeset {
        name: Some(Some("Go".into())),
    };
    let edited = diesel::update(games_on_devices::table)
        .set(edit.on_sqlite())
        .execute(&mut conn);
    assert_eq!(edited, Ok(1));
    let name = games_on_devices::table
        .select(games_on_devices::name)
        .first(&mut conn);
    assert_eq!(name, Ok(Some("Go".to_owned())));
}

#[test]
fn an_edit_travels_as_the_columns_that_it_gives() {
    let edit = NoteChangeset {
        title: Some(None),
        mood: Some(Mood::Glad),
        ..NoteChangeset::default()
    };
    let sent = json!({"title": null, "mood": "glad"});
    assert_eq!(serde_json::to_value(&edit).ok(), Some(sent.clone()));
    let read: NoteChangeset = serde_json::from_value(sent).expect("an edit");
    assert_eq!(format!("{read:?}"), format!("{edit:?}"));
}

#[test]
fn what_no_edit_may_change_is_skipped() {
    let sent =
        json!({"number": "8", "where": "there", "written": "now", "seen": "now", "text": "x"});
    let read: NoteChangeset = serde_json::from_value(sent).expect("an edit");
    assert_eq!(serde_json::to_value(&read).ok(), Some(json!({"text": "x"})));
}

#[test]
fn null_is_refused_where_the_column_has_none() {
    let read = serde_json::from_value::<NoteChangeset>(json!({"text": null}));
    let message = read
        .map(drop)
        .expect_err("a text is never NULL")
        .to_string();
    assert!(message.starts_with("jottings.text: "), "{message}");
}

#[test]
fn a_row_becomes_an_edit_of_everything() {
    let all = serde_json::to_value(NoteChangeset::from(note())).ok();
    let sent = json!({
        "text": "Hello",
        "mood": "in_two_minds",
        "title": null,
        "stars": 5,
        "removed": null,
    });
    assert_eq!(all, Some(sent));
}
