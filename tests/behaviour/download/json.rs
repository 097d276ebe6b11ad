//! Downloads as JSON.

use super::super::{Everything, Game, Mobile, Seat, User, ids, removed, run, steady};
use super::{Conn, DB, Server, by_hand};
use carburetor::{Everyone, SyncGroup, Timestamps};
use serde_json::{Value, json};

/// A whole message with data that never change, the cutoffs and the token left out.
const GOLDEN: &str = include_str!("../../wire/download.json");

fn fixed(conn: &mut Conn) {
    run(
        conn,
        r#"insert into users (id, name, team) values ('ä"\', 'Ann' || '
', 'red'), ('b', '', null);
        insert into games (id, title, team, published) values (-1, null, 'red', false), (2147483647, 'Go', 'blue', true);
        insert into seats (room, place, holder) values ('a', 1, 'x'), ('a', 2, null);
        insert into tasks (id, team, done_at) values (1, 'red', null), (2, 'red', '2026-01-01 00:00:00.000000')"#,
    );
    let (zoned, naive) = (
        "'2026-01-02 03:04:05.000006+00:00'",
        "'2026-01-02 03:04:05.120000'",
    );
    by_hand(
        conn,
        "users",
        &format!("update users set updated_at = {zoned}"),
    );
    by_hand(
        conn,
        "games",
        &format!("update games set updated_at = {zoned}"),
    );
    by_hand(conn, "seats", &format!("update seats set at = {naive}"));
    by_hand(conn, "tasks", "update tasks set at = null");
}

fn written<T, S: Sync>(
    conn: &mut Conn,
    scope: &S,
    timestamps: impl Into<Timestamps<SyncGroup<T, S>>>,
) -> Vec<u8>
where
    T: carburetor::group::DownloadTables<DB, S>,
{
    let mut json = Vec::new();
    SyncGroup::<T, S>::scoped(scope)
        .assuming(steady())
        .download_json(conn, timestamps, &mut json)
        .unwrap();
    json
}

/// The message without what differs each time.
fn lasting(json: &[u8]) -> Value {
    let mut message: Value = serde_json::from_slice(json).unwrap();
    assert!(message["next"].take().is_string());
    assert_eq!(message["origin"].take().as_str().map(str::len), Some(16));
    for table in message["tables"].as_object_mut().unwrap().values_mut() {
        let cutoff = table["cutoff"].take();
        let cutoff = cutoff.as_str().unwrap();
        assert_eq!((cutoff.len(), &cutoff[cutoff.len() - 1..]), (27, "Z"));
    }
    message
}

#[test]
fn a_message_is_written_as_it_always_was() {
    let server = Server::new();
    let conn = &mut server.connect();
    fixed(conn);
    let json = written(conn, &Everyone, Timestamps::<Everything>::default());
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    assert_eq!(
        lasting(&json),
        golden,
        "{}",
        serde_json::to_string_pretty(&lasting(&json)).unwrap()
    );
    // The order of the members counts too: a reader may take them one by one.
    let text = String::from_utf8(json).unwrap();
    let order = [
        "{\"carburetor\":1,\"tables\":{\"users\":{\"reset\":true,\"removed\":[],\"rows\":[{\"id\":",
        "],\"cutoff\":\"",
        "},\"games\":{",
        "},\"seats\":{",
        "}},\"clock\":\"",
        "\",\"scope\":\"",
        "\",\"origin\":\"",
        "\",\"next\":\"",
    ];
    let mut rest = text.as_str();
    for part in order {
        rest = &rest[rest
            .find(part)
            .unwrap_or_else(|| panic!("{part} in {rest}"))
            + part.len()..];
    }
}

#[test]
fn a_message_is_read_as_it_was_downloaded() {
    let server = Server::new();
    let conn = &mut server.connect();
    fixed(conn);
    let response = Everything::download(conn, Timestamps::default()).unwrap();
    let json = written(conn, &Everyone, Timestamps::<Everything>::default());
    let read = Everything::read_json::<DB>(&json).unwrap();
    assert_eq!(
        (&read.0.rows, &read.1.rows, &read.3.rows, &read.4.rows),
        (
            &response.0.rows,
            &response.1.rows,
            &response.3.rows,
            &response.4.rows
        )
    );
    let again = Everything::read_json::<DB>(&response.to_json::<DB>().unwrap()).unwrap();
    assert_eq!(
        (again.next(), again.0.cutoff),
        (response.next(), response.0.cutoff)
    );
    assert_eq!(lasting(&response.to_json::<DB>().unwrap()), lasting(&json));
}

#[test]
fn a_message_of_one_backend_is_read_on_the_other() {
    let message = format!(
        r#"{},"next":"{}"}}"#,
        GOLDEN
            .replace(
                "\"cutoff\": null",
                "\"cutoff\": \"2026-01-02T03:04:05.000006Z\""
            )
            .trim_end()
            .strip_suffix(",\n  \"next\": null\n}")
            .unwrap(),
        carburetor::Token::default()
    );
    let pg = Everything::read_json::<diesel::pg::Pg>(message.as_bytes()).unwrap();
    let sqlite = Everything::read_json::<diesel::sqlite::Sqlite>(message.as_bytes()).unwrap();
    assert_eq!(
        (&pg.0.rows, &pg.1.rows, &pg.3.rows, &pg.4.rows),
        (
            &sqlite.0.rows,
            &sqlite.1.rows,
            &sqlite.3.rows,
            &sqlite.4.rows
        )
    );
    assert_eq!((pg.0.rows.len(), pg.4.rows[1].holder.as_deref()), (2, None));
}

#[test]
fn removals_come_before_rows_and_are_values_or_arrays() {
    let server = Server::new();
    let conn = &mut server.connect();
    fixed(conn);
    type Both = (Game, Seat);
    let first = SyncGroup::<Both>::scoped(&Everyone)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    run(
        conn,
        "delete from seats where place = 1; delete from games where id = -1; update games set title = 'x'",
    );
    let json = written::<Both, _>(conn, &Everyone, first.next());
    let message = lasting(&json);
    assert_eq!(
        message["tables"]["seats"],
        json!({"reset": false, "removed": [["a", 1]], "rows": [], "cutoff": null})
    );
    assert_eq!(message["tables"]["games"]["removed"], json!([-1]));
    assert_eq!(message["tables"]["games"]["rows"][0]["title"], "x");
    let read = SyncGroup::<Both>::read_json::<DB>(&json).unwrap();
    assert_eq!(
        (removed(&read.1), removed(&read.0), ids(&read.0)),
        (vec![("a".to_owned(), 1)], vec![-1], vec![2147483647])
    );
}

#[test]
fn tables_without_news_are_empty_and_not_left_out() {
    let server = Server::new();
    let conn = &mut server.connect();
    let first = Mobile::scoped(&Everyone)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    let json = written::<(User, Game), _>(conn, &Everyone, first.next());
    let empty = json!({"reset": false, "removed": [], "rows": [], "cutoff": null});
    assert_eq!(
        lasting(&json)["tables"],
        json!({"users": empty, "games": empty})
    );
}

#[test]
fn a_bad_message_is_an_error_that_names_the_culprit() {
    let error = |json: &str| {
        Mobile::read_json::<DB>(json.as_bytes())
            .unwrap_err()
            .to_string()
    };
    let message = |users: &str| {
        format!(
            r#"{{"carburetor":1,"tables":{{"users":{users}}},"next":"{}"}}"#,
            carburetor::Token::default()
        )
    };
    assert_eq!(
        error("{}"),
        "not a download: the member `carburetor` with the version is missing"
    );
    assert_eq!(
        error(r#"{"carburetor":2,"tables":{},"next":null}"#),
        "the download is of version 2 of the protocol, this library reads version 1: update the older side"
    );
    assert_eq!(
        error(r#"{"carburetor":1,"tables":{}}"#),
        "the download ends early: the member `next` with the token is missing"
    );
    assert!(error(&message("[]")).starts_with("users: "));
    let row = |row: &str| {
        message(&format!(
            r#"{{"reset":true,"removed":[],"rows":[{row}],"cutoff":"2026-01-01T00:00:00Z"}}"#
        ))
    };
    let wrong = r#"{"id":"a","name":1,"team":"t","updated_at":"2026-01-01T00:00:00Z"}"#;
    let read = Mobile::read_json::<DB>(row(wrong).as_bytes()).unwrap();
    assert!(read.0.rows.is_empty());
    assert_eq!(
        read.0.unreadable[0].to_string(),
        "users.name of \"a\": expected a string, got 1"
    );
    assert!(
        error(&row(
            r#"{"id":"a","team":"t","updated_at":"2026-01-01T00:00:00Z"}"#
        ))
        .starts_with("users.name of \"a\": ")
    );
    assert!(Mobile::read_json::<DB>(b"{\"carburetor\":1,\xff").is_err());
    let more = format!(
        r#"{{"carburetor":1,"more":1,"tables":{{"other":{{"rows":7}}}},"next":"{}"}}"#,
        carburetor::Token::default()
    );
    assert!(
        Mobile::read_json::<DB>(more.as_bytes())
            .unwrap()
            .0
            .rows
            .is_empty()
    );
}
