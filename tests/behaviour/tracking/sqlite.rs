//! Installing and upkeep on SQLite.

use super::*;
use carburetor::tracking::{self, Installed, Problem, Tracking, TrackingError};
use std::time::Duration;

fn schema(conn: &mut SqliteConnection) -> String {
    diesel::select(sql::<Text>(
        "(select group_concat(sql, ';' || char(10)) from (select sql from sqlite_schema order by type, name))",
    ))
    .get_result(conn)
    .unwrap()
}

/// The notes' definition, visible by nothing.
fn invisible() -> Tracking<Sqlite> {
    let mut definitions = Notes::tracking::<Sqlite>().definitions().to_vec();
    for column in &mut definitions[0].columns {
        column.visible_by = false;
    }
    Tracking::of(definitions)
}

#[test]
fn installing_twice_changes_nothing() {
    let mut conn = tracked_file();
    let before = schema(&mut conn);
    Notes::tracking::<Sqlite>().install(&mut conn).unwrap();
    assert_eq!(schema(&mut conn), before);
    assert_eq!(Notes::tracking::<Sqlite>().verify(&mut conn).unwrap(), []);
    assert_eq!(
        number(
            &mut conn,
            "(select generation from carburetor_synced_table)"
        ),
        1
    );
}

#[test]
fn all_refusals_are_named_and_nothing_is_changed() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    conn.batch_execute("create table notes (id integer, body text not null)")
        .unwrap();
    let before = schema(&mut conn);
    let Err(TrackingError::Refused(problems)) = Notes::tracking::<Sqlite>().install(&mut conn)
    else {
        panic!("not refused");
    };
    assert_eq!(
        problems,
        [
            Problem::new(
                "notes",
                "no unique key has exactly the columns of the id",
                "declare the id as primary key"
            ),
            Problem::new(
                "notes",
                "the column team is missing",
                "add the column, or remove the field"
            ),
        ]
    );
    assert_eq!(schema(&mut conn), before);
}

#[test]
fn a_failed_installation_in_a_transaction_leaves_the_rest_of_it() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    conn.transaction(|conn| {
        conn.batch_execute("create table other (id integer)")?;
        assert!(Notes::tracking::<Sqlite>().install(conn).is_err());
        conn.batch_execute("insert into other values (1)")
    })
    .unwrap();
    assert_eq!(number(&mut conn, "(select count(*) from other)"), 1);
}

#[test]
fn a_changed_model_is_installed_over_the_old_one() {
    let mut conn = file();
    invisible().install(&mut conn).unwrap();
    conn.batch_execute("insert into notes (id, body, team) values (1, 'x', 'red')")
        .unwrap();
    let first = Notes::download(&mut conn, (None,)).unwrap();
    Notes::tracking::<Sqlite>().install(&mut conn).unwrap();
    assert_eq!(Notes::tracking::<Sqlite>().verify(&mut conn).unwrap(), []);
    // No writes went unseen, but older removals don't say what team they left.
    assert_eq!(
        number(
            &mut conn,
            "(select generation from carburetor_synced_table)"
        ),
        1
    );
    assert!(Notes::download(&mut conn, first.next()).unwrap().0.reset);
}

#[test]
fn writes_without_triggers_before_a_changed_model_are_delivered() {
    let mut conn = file();
    invisible().install(&mut conn).unwrap();
    conn.batch_execute("drop trigger carburetor_removal_delete_notes; insert into notes (id, body, team) values (1, 'x', 'red'); delete from notes")
        .unwrap();
    Notes::tracking::<Sqlite>().install(&mut conn).unwrap();
    assert_eq!(
        number(
            &mut conn,
            "(select generation from carburetor_synced_table)"
        ),
        2
    );
}

#[test]
fn tables_of_other_groups_stay_tracked() {
    let mut conn = tracked_file();
    conn.batch_execute("create table tags (id integer primary key)")
        .unwrap();
    let mut tags = Notes::tracking::<Sqlite>().definitions()[0].clone();
    tags.table = "tags".into();
    tags.columns
        .retain(|column| column.id || column.last_synced_at);
    Tracking::<Sqlite>::of([tags]).install(&mut conn).unwrap();
    assert_eq!(Notes::tracking::<Sqlite>().verify(&mut conn).unwrap(), []);
    // The difference from everything that is installed leaves only what the group has.
    let installed = Installed::read(&mut conn).unwrap();
    assert_eq!(installed.definitions().len(), 2);
    Notes::tracking_since::<Sqlite>(&installed)
        .install(&mut conn)
        .unwrap();
    assert_eq!(Installed::read(&mut conn).unwrap().definitions().len(), 1);
}

#[test]
fn two_connections_may_install_at_once() {
    let path = std::env::temp_dir().join(format!("carburetor-{}.sqlite", std::process::id()));
    let connect = || {
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute("pragma busy_timeout = 30000").unwrap();
        conn
    };
    connect()
        .batch_execute("pragma journal_mode = wal; create table notes (id integer primary key, body text not null, team text not null)")
        .unwrap();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| Notes::tracking::<Sqlite>().install(&mut connect()).unwrap());
        }
    });
    assert_eq!(
        Notes::tracking::<Sqlite>().verify(&mut connect()).unwrap(),
        []
    );
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}

#[test]
fn verify_names_what_is_broken() {
    for (harm, name, problem) in [
        (
            "drop trigger carburetor_removal_delete_notes",
            "carburetor_removal_delete_notes",
            "the trigger is missing",
        ),
        (
            "drop index carburetor_stamp_notes",
            "carburetor_stamp_notes",
            "the index is missing",
        ),
        (
            "insert into carburetor_flag values ('untracked')",
            "carburetor_flag",
            "stamps are turned off in committed data",
        ),
        (
            "update carburetor_synced_table set hash = 'x'",
            "notes",
            "its tracking was installed for another definition of the model",
        ),
    ] {
        let mut conn = tracked_file();
        conn.batch_execute(harm).unwrap();
        let problems = Notes::tracking::<Sqlite>().verify(&mut conn).unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(
            (problems[0].table.as_str(), problems[0].problem.as_str()),
            (name, problem)
        );
        assert!(!problems[0].remedy.is_empty());
    }
}

#[test]
fn a_touched_row_is_delivered_again() {
    let mut conn = tracked_file();
    let conn = &mut conn;
    conn.batch_execute(
        "insert into notes (id, body, team) values (1, 'x', 'red'), (2, 'y', 'red')",
    )
    .unwrap();
    let first = Notes::download(conn, (None,)).unwrap();
    assert!(tracking::touch::<Note, _>(conn, &2).unwrap());
    assert!(!tracking::touch::<Note, _>(conn, &3).unwrap());
    let news = Notes::download(conn, first.next()).unwrap();
    assert_eq!(
        news.0.rows.iter().map(|note| note.id).collect::<Vec<_>>(),
        [2]
    );
}

#[test]
fn a_replica_behind_a_purge_starts_again() {
    let mut conn = tracked_file();
    let conn = &mut conn;
    let first = Notes::download(conn, (None,)).unwrap();
    conn.batch_execute(
        "insert into notes (id, body, team) values (1, 'x', 'red'); delete from notes",
    )
    .unwrap();
    let seen = Some(first.0.cutoff);
    assert_eq!(Notes::download(conn, (seen,)).unwrap().0.removed, [1]);
    Notes::tracking::<Sqlite>()
        .purge(conn, Duration::ZERO)
        .unwrap();
    assert!(Notes::download(conn, (seen,)).unwrap().0.reset);
}

#[test]
fn a_bare_timestamp_from_before_a_gap_or_an_interruption_starts_again_once() {
    for unseen in [
        "drop trigger carburetor_stamp_insert_1_notes; insert into notes (id, body, team) values (1, 'x', 'red')".to_owned(),
        format!("{}; insert into notes (id, body, team) values (1, 'x', 'red')", Notes::tracking::<Sqlite>().down_sql(&mut file()).unwrap()),
    ] {
        let mut conn = tracked_file();
        let conn = &mut conn;
        // The clock is ahead of the system's, so that only the tracking moves it.
        conn.batch_execute("update carburetor_clock set now = now + 3600000000").unwrap();
        let first = Notes::download(conn, (None,)).unwrap();
        conn.batch_execute(&unseen).unwrap();
        Notes::tracking::<Sqlite>().install(conn).unwrap();
        let again = Notes::download(conn, (Some(first.0.cutoff),)).unwrap();
        assert!(again.0.reset, "after {unseen}");
        assert_eq!(again.0.rows.len(), 1);
        let last = Notes::download(conn, (Some(again.0.cutoff),)).unwrap();
        assert!(!last.0.reset, "after {unseen}");
    }
}

#[test]
fn a_reset_table_starts_again_once() {
    let mut conn = tracked_file();
    let conn = &mut conn;
    let first = Notes::download(conn, (None,)).unwrap();
    tracking::reset::<Note, _>(conn).unwrap();
    let again = Notes::download(conn, (Some(first.0.cutoff),)).unwrap();
    assert!(again.0.reset);
    assert!(
        !Notes::download(conn, (Some(again.0.cutoff),))
            .unwrap()
            .0
            .reset
    );
}
