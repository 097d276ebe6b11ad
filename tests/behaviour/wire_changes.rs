//! The messages of an upload: changes on their way to the server, outcomes on their way back.

use carburetor::SyncTable;
use carburetor::change::{Change, Changes, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::{Code, Outcome, Outcomes, Rejection, Verdict};
use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use serde_json::{Map, Value, json};

/// Whole messages. A change here is a new version of the protocol.
const CHANGES: &str = include_str!("../wire/changes.json");
const OUTCOMES: &str = include_str!("../wire/outcomes.json");

diesel::table! {
    users (id) { id -> Text, name -> Nullable<Text>, score -> BigInt, updated_at -> Timestamp, }
}

diesel::table! {
    seats (room, place) { room -> Text, place -> Integer, last_synced_at -> Timestamp, }
}

#[derive(SyncTable, Debug, PartialEq)]
struct User {
    id: String,
    name: Option<String>,
    score: i64,
    #[sync(last_synced_at)]
    updated_at: NaiveDateTime,
}

#[derive(SyncTable, Debug, PartialEq)]
struct Seat {
    #[sync(id)]
    room: String,
    #[sync(id)]
    place: i32,
    last_synced_at: NaiveDateTime,
}

fn clock(counter: u16) -> Clock {
    Clock::new(1_700_000_000_000, counter, 42)
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn ann(name: Option<&str>) -> User {
    User {
        id: "ann".into(),
        name: name.map(str::to_owned),
        score: 9_007_199_254_740_993,
        updated_at: instant("2026-01-31T23:59:59.123456Z").naive_utc(),
    }
}

/// What [`CHANGES`] says, from structs.
fn changes() -> Changes {
    let insert = UserInsert {
        id: "ann".into(),
        name: Some("Ann".into()),
        score: 9_007_199_254_740_993,
    };
    let edit = UserChangeset {
        name: Some(None),
        ..UserChangeset::default()
    };
    let early = instant("2026-01-31T23:59:59.120Z");
    let late = instant("2026-01-31T23:59:59.123456Z");
    let mut changes = Changes::new(vec![
        Change::insert::<User, Sqlite>(&insert, clock(1)).unwrap(),
        Change::update::<User, Pg>(&"ann".into(), &edit, early, clock(2))
            .unwrap()
            .on::<User, Pg>(&ann(Some("Ann")))
            .unwrap(),
        Change::delete::<Seat, Pg>(&("a".into(), 2), late, clock(3)).unwrap(),
    ]);
    changes.confirmed = Some(clock(0));
    changes
}

/// What [`OUTCOMES`] says.
fn outcomes() -> Outcomes {
    let outcome = |counter, verdict, row: Value| {
        let mut outcome = Outcome::new(clock(counter), verdict);
        outcome.row = (!row.is_null()).then(|| object(row));
        outcome
    };
    let stamped = |counter, verdict, stamp: &str| {
        let mut outcome = Outcome::new(clock(counter), verdict);
        outcome.stamp = Some(instant(stamp));
        outcome
    };
    let rejected = |code, message: &str, field: Option<&str>| {
        let mut rejection = Rejection::new(code, message);
        rejection.field = field.map(str::to_owned);
        Verdict::Rejected(rejection)
    };
    let unique = "duplicate key value violates unique constraint \"users_name_key\"";
    let hidden = "the row is outside of what this caller may see";
    let row = json!({
        "id": "ann",
        "name": "Anna",
        "score": "9007199254740993",
        "updated_at": "2026-01-31T23:59:59.123456Z",
    });
    let constraint = rejected(Code::Constraint, unique, Some("users_name_key"));
    let forbidden = rejected(Code::Forbidden, hidden, None);
    let mut met = outcome(8, Verdict::Merged, row.clone());
    met.met = Some(object(json!({"name": "Ann"})));
    let mut lost = outcome(9, Verdict::Superseded, row.clone());
    lost.lost = true;
    let mut outcomes = Outcomes::new(
        Clock::new(1_700_000_000_000, 255, 0),
        vec![
            stamped(1, Verdict::Applied, "2026-01-31T23:59:59.120Z"),
            outcome(2, Verdict::Merged, row),
            outcome(3, Verdict::Superseded, Value::Null),
            outcome(4, constraint, Value::Null),
            outcome(5, forbidden, Value::Null),
            stamped(6, Verdict::Held, "2026-01-31T23:59:59.130Z"),
            outcome(7, Verdict::Held, Value::Null),
            met,
            lost,
        ],
    );
    outcomes.scope = Some("598f2354d6ebd51b".into());
    outcomes
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn an_upload_is_written_and_read_as_it_always_was() {
    assert_eq!(serde_json::to_value(changes()).unwrap(), value(CHANGES));
    assert_eq!(Changes::read(CHANGES.as_bytes()).unwrap(), changes());
}

#[test]
fn outcomes_are_written_and_read_as_they_always_were() {
    assert_eq!(serde_json::to_value(outcomes()).unwrap(), value(OUTCOMES));
    assert_eq!(Outcomes::read(OUTCOMES.as_bytes()).unwrap(), outcomes());
}

#[test]
fn members_come_in_their_order() {
    let text = serde_json::to_string(&changes()).unwrap();
    let keys = [
        r#"{"carburetor":1,"confirmed":"#,
        r#","changes":[{"table":"#,
        r#","id":"ann","clock":"#,
        r#","base":null,"insert":{"#,
        r#","update":{"name":null},"was":{"#,
        r#","delete":true}"#,
    ];
    let mut rest = text.as_str();
    for key in keys {
        let at = rest.find(key).unwrap_or_else(|| panic!("{key} in {rest}"));
        rest = &rest[at + key.len()..];
    }
    let text = serde_json::to_string(&outcomes()).unwrap();
    assert!(text.starts_with(
        r#"{"carburetor":1,"clock":"018bcfe5680000ff0000000000000000","scope":"598f2354d6ebd51b","outcomes":[{"clock":"018bcfe568000001000000000000002a","verdict":"applied","stamp":"#
    ));
}

#[test]
fn an_instant_of_a_change_is_cut_to_microseconds_and_moved_to_utc() {
    let json = r#"{"table":"t","id":1,"clock":"018bcfe568000001000000000000002a","base":"2026-02-01T00:59:59.1234569+01:00","delete":true}"#;
    let change: Change = serde_json::from_str(json).unwrap();
    assert_eq!(change.base, Some(instant("2026-01-31T23:59:59.123456Z")));
}

#[test]
fn unknown_members_of_changes_and_outcomes_are_skipped() {
    let upload = r#"{"carburetor":1,"more":{"a":[1]},"changes":[
        {"table":"t","id":1,"clock":"018bcfe568000001000000000000002a","more":[{}],"delete":true}]}"#;
    let read = Changes::read(upload.as_bytes()).unwrap();
    assert_eq!((read.confirmed, read.changes.len()), (None, 1));
    assert_eq!(read.changes[0].base, None);
    assert!(read.changes[0].was.is_empty());
    let answer = r#"{"carburetor":1,"clock":"018bcfe568000001000000000000002a","more":1,"outcomes":[
        {"clock":"018bcfe568000001000000000000002a","verdict":"superseded","more":null}]}"#;
    let read = Outcomes::read(answer.as_bytes()).unwrap();
    assert_eq!(read.outcomes[0].verdict, Verdict::Superseded);
}

#[test]
fn a_rejection_with_a_code_of_a_later_version_is_read_with_its_message() {
    let answer = r#"{"carburetor":1,"clock":"018bcfe568000001000000000000002a","outcomes":[
        {"clock":"018bcfe568000001000000000000002a","verdict":"rejected","code":"of_a_later_version","message":"not on Sundays"}]}"#;
    let read = Outcomes::read(answer.as_bytes()).unwrap();
    let Verdict::Rejected(rejection) = &read.outcomes[0].verdict else {
        panic!("{read:?}")
    };
    assert_eq!(rejection.code, Code::Other);
    assert_eq!(rejection.message, "not on Sundays");
}

#[test]
fn a_change_that_is_none_is_refused_with_its_place() {
    let good = r#"{"table":"t","id":1,"clock":"018bcfe568000001000000000000002a","delete":true}"#;
    let error = |change: &str| {
        let json = format!(r#"{{"carburetor":1,"changes":[{good},{change}]}}"#);
        Changes::read(json.as_bytes()).unwrap_err().to_string()
    };
    let rest = |rest: &str| {
        error(&format!(
            r#"{{"table":"t","id":1,"clock":"018bcfe568000001000000000000002a"{rest}}}"#
        ))
    };
    for (message, expected) in [
        (
            rest(""),
            "expected one of `insert`, `update` and `delete`, got none",
        ),
        (
            rest(r#","insert":{},"delete":true"#),
            "expected one of `insert`, `update` and `delete`, got several",
        ),
        (rest(r#","delete":false"#), "`delete` takes `true`"),
        (
            rest(r#","update":[]"#),
            "invalid type: sequence, expected a map",
        ),
        (
            error(r#"{"table":"t","id":1,"clock":"12","delete":true}"#),
            "not a clock: 32 lower-case hexadecimal digits are expected",
        ),
        (
            error(r#"{"table":"t","id":1,"delete":true}"#),
            "missing field `clock`",
        ),
        (
            error(r#"{"table":"t","clock":"018bcfe568000001000000000000002a","delete":true}"#),
            "missing field `id`",
        ),
        (
            rest(r#","base":"yesterday","delete":true"#),
            "input contains invalid characters",
        ),
        (error("7"), "invalid type: integer `7`, expected an object"),
        (
            rest(&format!(r#","update":{{"a":{}"#, "[".repeat(200))),
            "recursion limit exceeded",
        ),
    ] {
        let expected = format!("not an upload: changes[1]: {expected}");
        assert!(message.starts_with(&expected), "{message}");
        assert!(message.contains(" at line 1 column "), "{message}");
    }
}

#[test]
fn messages_of_another_version_are_refused() {
    let error = Changes::read(br#"{"carburetor":2,"changes":[{"new":1}]}"#).unwrap_err();
    let expected = "not an upload: the message is of version 2 of the protocol, this library reads version 1: update the older side";
    assert!(error.to_string().starts_with(expected), "{error}");
    let error = Outcomes::read(br#"{"carburetor":2,"outcomes":[{"new":1}]}"#).unwrap_err();
    let expected = "not the answer to an upload: the message is of version 2 of the protocol";
    assert!(error.to_string().starts_with(expected), "{error}");
    let error = Changes::read(br#"{"changes":[]}"#).unwrap_err();
    let expected = "not an upload: missing field `carburetor`";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn an_outcome_that_is_none_is_refused_with_its_place() {
    let error = |outcome: &str| {
        let json = format!(
            r#"{{"carburetor":1,"clock":"018bcfe568000001000000000000002a","outcomes":[{outcome}]}}"#
        );
        Outcomes::read(json.as_bytes()).unwrap_err().to_string()
    };
    for (message, expected) in [
        (
            error(r#"{"clock":"018bcfe568000001000000000000002a","verdict":"lost"}"#),
            "unknown variant `lost`",
        ),
        (
            error(r#"{"clock":"018bcfe568000001000000000000002a","verdict":"rejected"}"#),
            "a rejection without its `code`",
        ),
    ] {
        let expected = format!("not the answer to an upload: outcomes[0]: {expected}");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn an_id_of_several_columns_travels_as_an_array() {
    let seat = SeatInsert {
        room: "a".into(),
        place: 2,
    };
    let change = Change::insert::<Seat, Sqlite>(&seat, clock(1)).unwrap();
    assert_eq!(change.id, json!(["a", 2]));
    assert_eq!(
        change.edit,
        Edit::Insert(object(json!({"room": "a", "place": 2})))
    );
}

#[test]
fn only_an_update_tells_what_was() {
    let deletion = Change::delete::<User, Pg>(&"ann".into(), None, clock(1)).unwrap();
    let deletion = deletion.on::<User, Pg>(&ann(None)).unwrap();
    assert!(deletion.was.is_empty());
}

#[test]
fn the_row_of_an_outcome_is_the_models() {
    let [applied, merged, superseded, ..] = &outcomes().outcomes[..] else {
        panic!("five outcomes");
    };
    assert_eq!(applied.row::<User, Pg>().unwrap(), None);
    assert_eq!(merged.row::<User, Pg>().unwrap(), Some(ann(Some("Anna"))));
    assert_eq!(
        merged.row::<User, Sqlite>().unwrap(),
        Some(ann(Some("Anna")))
    );
    assert_eq!(superseded.row::<User, Pg>().unwrap(), None);
    let error = merged.row::<Seat, Pg>().unwrap_err();
    assert_eq!(error.to_string(), "seats.room: missing");
}
