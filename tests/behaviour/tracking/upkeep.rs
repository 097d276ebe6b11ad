//! Touching, verifying, purging and resetting on PostgreSQL, and the rights that it takes.

use super::*;
use carburetor::tracking;
use carburetor::{Assumptions, Everyone};
use std::time::Duration;

#[test]
fn a_touched_row_is_delivered_again() {
    let (_, mut conn) = tracked_server();
    let conn = &mut conn;
    conn.batch_execute("insert into users values ('a', 'Ann', 'red'), ('b', 'Bob', 'red')")
        .unwrap();
    let settled = settled(conn);
    assert!(tracking::touch::<User, _>(conn, &"b".to_owned()).unwrap());
    assert!(!tracking::touch::<User, _>(conn, &"c".to_owned()).unwrap());
    let news = Mobile::download(conn, (Some(settled), None)).unwrap();
    let ids: Vec<_> = news.0.rows.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["b"]);
}

#[test]
fn verify_names_what_is_broken_and_installing_mends_it() {
    for (harm, problem) in [
        (
            "drop trigger \"~carburetor_stamp\" on users",
            "users has no trigger ~carburetor_stamp",
        ),
        (
            "alter table users disable trigger \"~carburetor_removal_delete\"",
            "the trigger ~carburetor_removal_delete of users is disabled, or not enabled always",
        ),
        (
            "drop index carburetor_users",
            "no valid index begins with (updated_at, id)",
        ),
        (
            "update carburetor.synced_table set hash = 'x' where name = 'users'",
            "its definition changed since it was tracked",
        ),
    ] {
        let (database, mut conn) = tracked_server();
        let tracking = Mobile::tracking::<Pg>();
        assert_eq!(tracking.verify(&mut conn).unwrap(), []);
        database.psql(harm);
        let problems = tracking.verify(&mut conn).unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(
            (problems[0].table.as_str(), problems[0].problem.as_str()),
            ("users", problem)
        );
        assert!(!problems[0].remedy.is_empty());
        tracking.install(&mut conn).unwrap();
        assert_eq!(tracking.verify(&mut conn).unwrap(), []);
    }
}

#[test]
fn nothing_is_tracked_where_nothing_is_installed() {
    let mut conn = server().connect();
    let problems = Mobile::tracking::<Pg>().verify(&mut conn).unwrap();
    let named: Vec<_> = problems.iter().map(|problem| problem.to_string()).collect();
    assert_eq!(
        named,
        [
            "games: it is not tracked; run up.sql of its group",
            "users: it is not tracked; run up.sql of its group"
        ]
    );
}

/// The database's clock after all that was written, beyond what a cutoff stays behind.
fn settled(conn: &mut PgConnection) -> DateTime<Utc> {
    diesel::select(sql::<diesel::sql_types::Timestamptz>("clock_timestamp()"))
        .get_result(conn)
        .unwrap()
}

#[test]
fn a_replica_behind_a_purge_starts_again() {
    let (_, mut conn) = tracked_server();
    let conn = &mut conn;
    let old: DateTime<Utc> = "2020-01-01T00:00:00Z".parse().unwrap();
    conn.batch_execute("insert into users values ('a', 'Ann', 'red'); delete from users; update carburetor.synced_table set horizon = '2019-01-01'; update carburetor.removal_users set carburetor_removed_at = '2020-06-01'")
        .unwrap();
    let before = Mobile::download(conn, (Some(old), None)).unwrap();
    assert!(!before.0.reset);
    assert_eq!(before.0.removed, ["a"]);
    Mobile::tracking::<Pg>()
        .purge(conn, Duration::from_secs(3600))
        .unwrap();
    assert_eq!(
        number(conn, "(select count(*) from carburetor.removal_users)"),
        0
    );
    assert!(Mobile::download(conn, (Some(old), None)).unwrap().0.reset);
}

#[test]
fn a_reset_table_starts_again() {
    let (_, mut conn) = tracked_server();
    let conn = &mut conn;
    // Without slack, because the installation is no second ago.
    let mobile = Mobile::scoped(&Everyone).assuming(Assumptions {
        slack: Duration::ZERO,
        ..Assumptions::default()
    });
    let first = mobile.download(conn, (None, None)).unwrap();
    tracking::reset::<User, _>(conn).unwrap();
    let news = mobile.download(conn, first.next()).unwrap();
    assert!(news.0.reset);
    assert!(!news.1.reset);
}

#[test]
fn the_watermark_moves_to_the_cutoff_and_not_past_a_writer() {
    let (database, mut conn) = tracked_server();
    let first = tracking::watermark(&mut conn).unwrap();
    let mut writer = database.connect();
    writer
        .batch_execute("begin; insert into users values ('a', 'Ann', 'red')")
        .unwrap();
    let started = settled(&mut writer);
    assert!(tracking::watermark(&mut conn).unwrap() < started);
    assert!(tracking::watermark(&mut conn).unwrap() >= first);
}

#[test]
fn a_writer_needs_no_rights_and_a_downloader_those_that_are_printed() {
    let (database, _) = tracked_server();
    let (writer, web) = (
        format!("{}_writer", database.name()),
        format!("{}_web", database.name()),
    );
    database.psql(&format!(
        "create role {writer} login; create role {web} login;
         grant select, insert, update, delete on users, games to {writer}; grant select on users, games to {web};"
    ));
    let mut writing = PgConnection::establish(&database.url_as(&writer)).unwrap();
    writing
        .batch_execute(
            "insert into users values ('a', 'Ann', 'red'), ('b', 'Bob', 'red'); update users set id = 'c' where id = 'b'; delete from users where id = 'a'",
        )
        .unwrap();
    carburetor::untracked(&mut writing, |conn| {
        conn.batch_execute("update users set name = 'Bert'")
    })
    .unwrap();
    let mut reading = PgConnection::establish(&database.url_as(&web)).unwrap();
    assert!(Mobile::download(&mut reading, (None, None)).is_err());
    database.psql(&Mobile::tracking::<Pg>().grants_sql(&web));
    let since = Some("2020-01-01T00:00:00Z".parse().unwrap());
    database.psql("update carburetor.synced_table set horizon = '2019-01-01'");
    let mut news = Mobile::download(&mut reading, (since, None)).unwrap();
    news.0.removed.sort();
    assert_eq!(news.0.removed, ["a", "b"]);
    assert_eq!(news.0.rows[0].name, "Bert");
}
