//! Triggers that are gone or switched off: whoever reads or uploads is told, and nothing is lost.

use super::*;
use carburetor::DownloadError;
use carburetor::change::Changes;
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;
use carburetor::upload::UploadError;

/// An insert of a row with the id 9.
fn insert(table: &str, row: &str) -> Changes {
    let millis = u64::try_from(Utc::now().timestamp_millis()).unwrap();
    let clock = Clock::new(millis, 0, 0x2a);
    serde_json::from_str(&format!(
        r#"{{"carburetor":1,"changes":[{{"table":"{table}","id":9,"clock":"{clock}","insert":{row}}}]}}"#
    ))
    .unwrap()
}

/// An insert of note 9, as a replica sends it.
fn note() -> Changes {
    insert("notes", r#"{"id":9,"body":"milk","team":"red"}"#)
}

/// What SQLite's documentation advises for changes that `alter table` can't make.
const REMADE: [&str; 2] = [
    "create table made (id integer primary key, body text not null default '', team text not null, stamp integer not null default 0,
       carburetor_registers text);
     insert into made select id, body, team, stamp, carburetor_registers from notes;
     drop table notes;
     alter table made rename to notes",
    "alter table notes rename to before;
     create table notes (id integer primary key, body text not null default '', team text not null, stamp integer not null default 0,
       carburetor_registers text);
     insert into notes select id, body, team, stamp, carburetor_registers from before",
];

#[test]
fn a_table_that_was_made_anew_without_its_triggers_is_an_error_until_it_is_tracked_again() {
    for remade in REMADE {
        let mut conn = tracked_file();
        conn.batch_execute(
            "insert into notes (id, body, team) values (1, 'a', 'red'), (2, 'b', 'red')",
        )
        .unwrap();
        let first = Notes::download(&mut conn, (None,)).unwrap();
        conn.batch_execute(remade).unwrap();
        conn.batch_execute(
            "insert into notes (id, body, team) values (3, 'c', 'red'); update notes set body = 'B' where id = 2; delete from notes where id = 1",
        )
        .unwrap();
        let error = Notes::download(&mut conn, first.next()).unwrap_err();
        assert!(
            matches!(&error, DownloadError::NoTrigger { table } if table == "notes"),
            "{error:?}"
        );
        assert!(error.to_string().contains("install the tracking again"));
        let error = Notes::upload(&mut conn, &note()).unwrap_err();
        assert!(
            matches!(&error, UploadError::NoTrigger { table } if table == "notes"),
            "{error:?}"
        );

        Notes::tracking::<Sqlite>().install(&mut conn).unwrap();
        let second = Notes::download(&mut conn, first.next()).unwrap();
        assert!(second.0.reset);
        let bodies: Vec<_> = second
            .0
            .rows
            .iter()
            .map(|note| note.body.as_str())
            .collect();
        assert_eq!(bodies, ["B", "c"]);
        let told = Notes::upload(&mut conn, &note()).unwrap();
        assert_eq!(told.outcomes[0].verdict, Verdict::Applied);
    }
}

#[test]
fn one_trigger_of_sqlite_that_is_gone_is_an_error() {
    let mut conn = tracked_file();
    let triggers: Vec<String> = sql_query_names(&mut conn);
    assert_eq!(triggers.len(), 8);
    for trigger in triggers {
        conn.batch_execute(&format!("drop trigger {trigger}"))
            .unwrap();
        let error = Notes::download(&mut conn, (None,)).unwrap_err();
        assert!(
            matches!(error, DownloadError::NoTrigger { .. }),
            "{trigger}: {error:?}"
        );
        Notes::tracking::<Sqlite>().install(&mut conn).unwrap();
        Notes::download(&mut conn, (None,)).unwrap();
    }
}

fn sql_query_names(conn: &mut SqliteConnection) -> Vec<String> {
    let names = sql::<Text>(
        "(select group_concat(name) from sqlite_schema where type = 'trigger' and tbl_name = 'notes')",
    );
    let names: String = diesel::select(names).get_result(conn).unwrap();
    names.split(',').map(str::to_owned).collect()
}

#[test]
fn the_tables_name_may_be_written_otherwise_than_the_model_has_it() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    conn.batch_execute(
        "create table Notes (id integer primary key, body text not null, team text not null)",
    )
    .unwrap();
    Notes::tracking::<Sqlite>().install(&mut conn).unwrap();
    conn.batch_execute("insert into notes (id, body, team) values (1, 'a', 'red')")
        .unwrap();
    assert_eq!(Notes::download(&mut conn, (None,)).unwrap().0.rows.len(), 1);
    let told = Notes::upload(&mut conn, &note()).unwrap();
    assert_eq!(told.outcomes[0].verdict, Verdict::Applied);
}

/// An insert of game 9, as a replica sends it.
fn game() -> Changes {
    insert("games", r#"{"id":9,"title":"Go"}"#)
}

#[test]
fn triggers_of_postgres_that_are_off_or_gone_are_an_error_of_downloads_and_uploads() {
    let (_database, mut conn) = tracked_server();
    for broken in [
        "alter table games disable trigger all",
        "alter table games disable trigger user",
        r#"alter table games disable trigger "~carburetor_stamp""#,
        r#"alter table games enable trigger "~carburetor_removal_delete""#,
        r#"alter table games enable replica trigger "~carburetor_stamp""#,
        r#"drop trigger "~carburetor_removal_update" on games"#,
        "drop function carburetor.removal_games() cascade",
    ] {
        conn.batch_execute(broken).unwrap();
        let error = Mobile::download(&mut conn, (None, None)).unwrap_err();
        assert!(
            matches!(&error, DownloadError::NoTrigger { table } if table == "games"),
            "{broken}: {error:?}"
        );
        let error = Mobile::upload(&mut conn, &game()).unwrap_err();
        assert!(
            matches!(&error, UploadError::NoTrigger { table } if table == "games"),
            "{broken}: {error:?}"
        );
        Mobile::tracking::<Pg>().install(&mut conn).unwrap();
        Mobile::download(&mut conn, (None, None)).unwrap();
    }
    let told = Mobile::upload(&mut conn, &game()).unwrap();
    assert_eq!(told.outcomes[0].verdict, Verdict::Applied);
}

#[test]
fn a_trigger_on_truncate_that_is_off_or_gone_is_an_error() {
    let (_database, mut conn) = tracked_server();
    for broken in [
        r#"alter table games disable trigger "~carburetor_truncate""#,
        r#"drop trigger "~carburetor_truncate" on games"#,
    ] {
        conn.batch_execute(broken).unwrap();
        let error = Mobile::download(&mut conn, (None, None)).unwrap_err();
        assert!(
            matches!(&error, DownloadError::NoTrigger { table } if table == "games"),
            "{broken}: {error:?}"
        );
        Mobile::tracking::<Pg>().install(&mut conn).unwrap();
        Mobile::download(&mut conn, (None, None)).unwrap();
    }
}

#[test]
fn a_session_that_switches_triggers_off_is_tracked_all_the_same() {
    let (_database, mut conn) = tracked_server();
    let first = Mobile::download(&mut conn, (None, None)).unwrap();
    conn.batch_execute(
        "set session_replication_role = replica; insert into games (id, title) values (1, 'Go'), (2, 'Chess');
         delete from games where id = 2; set session_replication_role = origin",
    )
    .unwrap();
    let news = &Mobile::download(&mut conn, first.next()).unwrap().1;
    assert_eq!(news.rows.len(), 1);
    assert_eq!(
        number(&mut conn, "(select count(*) from carburetor.removal_games)"),
        1
    );
}

#[test]
fn a_table_that_inherits_from_a_tracked_one_is_an_error() {
    let (_database, mut conn) = tracked_server();
    conn.batch_execute("create table old_games () inherits (games)")
        .unwrap();
    let error = Mobile::download(&mut conn, (None, None)).unwrap_err();
    assert!(
        matches!(&error, DownloadError::Inherited { table } if table == "games"),
        "{error:?}"
    );
    conn.batch_execute("drop table old_games").unwrap();
    Mobile::download(&mut conn, (None, None)).unwrap();
}

#[test]
fn a_stamp_that_is_rounded_is_an_error_until_it_has_its_digits_again() {
    let (_database, mut conn) = tracked_server();
    let verify = |conn: &mut PgConnection| Mobile::tracking::<Pg>().verify(conn).unwrap();
    for kind in ["timestamptz(3)", "timestamp"] {
        conn.batch_execute(&format!("alter table games alter updated_at type {kind}"))
            .unwrap();
        let error = Mobile::download(&mut conn, (None, None)).unwrap_err();
        assert!(
            matches!(&error, DownloadError::Stamp { table, stamp } if table == "games" && stamp.starts_with("updated_at timestamp")),
            "{error:?}"
        );
        assert!(
            verify(&mut conn)[0]
                .problem
                .starts_with("its stamp updated_at is of type")
        );
        conn.batch_execute("alter table games alter updated_at type timestamptz")
            .unwrap();
        Mobile::download(&mut conn, (None, None)).unwrap();
    }
}
