//! Retention, resets, truncation and the watermark.

use super::{USERS, database, install, line, lines, run, tracked_users, users};
use carburetor::tracking::postgres;
use diesel::{PgConnection, RunQueryDsl};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

fn age_removals(conn: &mut PgConnection) {
    run(
        conn,
        "insert into users (id) values ('old'), ('new'); delete from users;
         update carburetor.removal_users set carburetor_removed_at = clock_timestamp() - interval '2 days' where id = 'old';
         update carburetor.synced_table set horizon = clock_timestamp() - interval '9 days'",
    );
}

#[test]
fn a_purge_deletes_old_removals_and_moves_the_horizon() {
    let mut conn = tracked_users();
    age_removals(&mut conn);
    assert_eq!(
        diesel::sql_query(postgres::purge(&users(), DAY)).execute(&mut conn),
        Ok(1)
    );
    assert_eq!(
        lines(&mut conn, "select id from carburetor.removal_users"),
        ["new"]
    );
    let age = "select (clock_timestamp() - horizon) between interval '1 day' and interval '1 day 1 minute' as moved, generation from carburetor.synced_table";
    assert_eq!(line(&mut conn, age), "t,1");
    assert_eq!(
        diesel::sql_query(postgres::purge(&users(), 5 * DAY)).execute(&mut conn),
        Ok(0)
    );
    assert_eq!(line(&mut conn, age), "t,1");
}

#[test]
fn the_horizon_stays_below_the_oldest_writer() {
    let database = database();
    let (mut conn, mut writer) = (database.connect(), database.connect());
    run(&mut conn, USERS);
    install(&mut conn, &[&users()]);
    age_removals(&mut conn);
    run(
        &mut writer,
        "create table start (at timestamptz); begin; insert into start values (now()); insert into users (id) values ('w')",
    );
    diesel::sql_query(postgres::purge(&users(), Duration::ZERO))
        .execute(&mut conn)
        .expect("purged");
    run(&mut writer, "commit");
    assert_eq!(
        line(
            &mut conn,
            "select horizon <= at from carburetor.synced_table, start"
        ),
        "t"
    );
}

#[test]
fn a_truncation_moves_generation_and_horizon() {
    let database = database();
    let (mut conn, mut watcher) = (database.connect(), database.connect());
    run(&mut conn, USERS);
    install(&mut conn, &[&users()]);
    run(
        &mut conn,
        "create table before as table carburetor.synced_table; insert into users (id) values ('a')",
    );
    run(&mut conn, "begin; truncate users");
    // Until it is visible it is published, so that no cutoff passes the horizon.
    assert_eq!(line(&mut watcher, "select count(*) from pg_locks where locktype = 'advisory' and classid::bigint >> 19 = 1441
        and database = (select oid from pg_database where datname = current_database())"), "1");
    assert_eq!(
        line(
            &mut conn,
            "select generation, horizon > now() as later from carburetor.synced_table"
        ),
        "2,t"
    );
    run(&mut conn, "rollback");
    assert_eq!(
        line(
            &mut conn,
            "select (s.*) = (b.*) from carburetor.synced_table s, before b"
        ),
        "t"
    );
    run(
        &mut conn,
        "set session_replication_role = replica; truncate users",
    );
    assert_eq!(
        line(
            &mut conn,
            "select s.generation, s.horizon > b.horizon as later from carburetor.synced_table s, before b"
        ),
        "2,t"
    );
}

#[test]
fn a_reset_moves_generation_and_horizon() {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "create table before as table carburetor.synced_table",
    );
    run(&mut conn, &postgres::reset(&users()));
    assert_eq!(
        line(
            &mut conn,
            "select s.generation, s.horizon > b.horizon as later from carburetor.synced_table s, before b"
        ),
        "2,t"
    );
    let error = diesel::sql_query("select carburetor.reset_table('games')")
        .execute(&mut conn)
        .expect_err("not tracked")
        .to_string();
    assert_eq!(error, "carburetor: games is not tracked");
}

#[derive(diesel::QueryableByName)]
struct Watermark {
    #[diesel(sql_type = diesel::sql_types::Timestamptz)]
    cutoff: chrono::DateTime<chrono::Utc>,
}

fn watermark(conn: &mut PgConnection) -> chrono::DateTime<chrono::Utc> {
    let watermark: Watermark = diesel::sql_query(postgres::watermark())
        .get_result(conn)
        .expect("a watermark");
    watermark.cutoff
}

#[test]
fn the_watermark_follows_the_oldest_writer_and_never_goes_back() {
    let database = database();
    let (mut conn, mut writer) = (database.connect(), database.connect());
    run(&mut conn, USERS);
    install(&mut conn, &[&users()]);
    let first = watermark(&mut conn);
    let second = watermark(&mut conn);
    assert!(first < second, "{first} {second}");
    run(
        &mut writer,
        "create table start (at timestamptz, key timestamptz); begin; insert into users (id) values ('w'); insert into start values (now(), null)",
    );
    run(
        &mut conn,
        "update carburetor.watermark set cutoff = '2000-01-01'",
    );
    let held = watermark(&mut conn);
    run(&mut conn, "set carburetor.none = ''");
    run(&mut writer, "commit");
    assert_eq!(
        line(
            &mut conn,
            &format!("select timestamptz '{held}' <= at from start")
        ),
        "t"
    );
    run(
        &mut conn,
        "update carburetor.watermark set cutoff = '2999-01-01'",
    );
    assert_eq!(
        watermark(&mut conn).to_rfc3339(),
        "2999-01-01T00:00:00+00:00"
    );
    assert_eq!(
        line(&mut conn, "select count(*) from carburetor.watermark"),
        "1"
    );
}

#[test]
fn a_download_that_began_before_a_purge_sees_what_was_before() {
    let database = database();
    let (mut conn, mut reader) = (database.connect(), database.connect());
    run(&mut conn, USERS);
    install(&mut conn, &[&users()]);
    age_removals(&mut conn);
    let read = "select r.id, s.horizon < clock_timestamp() - interval '8 days' as before from carburetor.synced_table s left join carburetor.removal_users r on true order by r.id";
    run(&mut reader, "begin isolation level repeatable read");
    assert_eq!(lines(&mut reader, read), ["new,t", "old,t"]);
    diesel::sql_query(postgres::purge(&users(), DAY))
        .execute(&mut conn)
        .expect("purged");
    assert_eq!(lines(&mut reader, read), ["new,t", "old,t"]);
    assert_eq!(lines(&mut conn, read), ["new,f"]);
}
