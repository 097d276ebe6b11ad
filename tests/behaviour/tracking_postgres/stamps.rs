//! Every writer's rows get a stamp, and are published before.

use super::{database, definition, install, line, lines, run, tracked_users, users};
use carburetor::table::{ColumnDefinition, Storage};
use carburetor::tracking::postgres;
use diesel::{Connection, ExecuteCopyFromDsl, PgConnection, RunQueryDsl};

const MOVED: &str = "select id, updated_at > '2001-01-01' as moved from users order by id";

/// One user whose stamp is old, written behind the trigger's back.
fn with_an_old_user() -> PgConnection {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "insert into users (id, team) values ('a', 'red');
         begin; alter table users disable trigger \"~carburetor_stamp\"; update users set updated_at = '2000-01-01';
         alter table users enable always trigger \"~carburetor_stamp\"; commit",
    );
    assert_eq!(lines(&mut conn, MOVED), ["a,f"]);
    conn
}

#[test]
fn a_stamp_of_the_future_is_cut_at_the_installation() {
    let mut conn = database().connect();
    run(&mut conn, super::USERS);
    run(
        &mut conn,
        "insert into users (id, updated_at) values ('a', '2099-01-01'), ('b', 'infinity'), ('c', '2001-01-01')",
    );
    install(&mut conn, &[&users()]);
    let stamps = "select id from users where updated_at between now() - interval '1 minute' and now() order by id";
    assert_eq!(lines(&mut conn, stamps), ["a", "b"]);
    let old = "select id from users where updated_at = '2001-01-01'";
    assert_eq!(lines(&mut conn, old), ["c"]);
}

#[test]
fn an_update_moves_the_stamp() {
    let mut conn = with_an_old_user();
    run(&mut conn, "update users set name = 'x'");
    assert_eq!(lines(&mut conn, MOVED), ["a,t"]);
}

#[test]
fn a_stamp_that_the_writer_gives_is_replaced() {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "insert into users (id, updated_at) values ('a', '1999-01-01'), ('b', '2999-01-01')",
    );
    assert_eq!(
        lines(
            &mut conn,
            "select id from users where updated_at between now() - interval '1 minute' and clock_timestamp()"
        ),
        ["a", "b"]
    );
}

#[test]
fn writers_without_triggers_are_stamped_too() {
    let mut conn = with_an_old_user();
    run(
        &mut conn,
        "set session_replication_role = replica; update users set name = 'x'",
    );
    assert_eq!(lines(&mut conn, MOVED), ["a,t"]);
    run(&mut conn, "delete from users");
    assert_eq!(
        lines(&mut conn, "select id, team from carburetor.removal_users"),
        ["a,red"]
    );
}

#[test]
fn copied_rows_are_stamped() {
    let mut conn = tracked_users();
    let rows = diesel::copy_from(schema::users::table)
        .from_raw_data(schema::users::table, |out: &mut dyn std::io::Write| {
            out.write_all(b"a\tname\tred\t1999-01-01\n")
                .map_err(|error| diesel::result::Error::SerializationError(error.into()))
        })
        .execute(&mut conn);
    assert_eq!(rows.ok(), Some(1));
    assert_eq!(lines(&mut conn, MOVED), ["a,t"]);
}

mod schema {
    diesel::table! {
        users (id) { id -> Text, name -> Text, team -> Nullable<Text>, updated_at -> Timestamptz, }
    }
}

#[test]
fn an_upsert_moves_the_stamp() {
    let mut conn = with_an_old_user();
    run(
        &mut conn,
        "insert into users (id) values ('a') on conflict (id) do update set name = 'x'",
    );
    assert_eq!(lines(&mut conn, MOVED), ["a,t"]);
}

#[test]
fn the_writer_holds_a_lock_with_its_start_as_key() {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "begin; insert into users (id) values ('a'), ('b'); update users set name = 'x'",
    );
    let locks = "select mode, objsubid, classid::bigint >> 19 as tag,
        timestamptz '2020-01-01 00:00:00Z' + interval '1 microsecond' * (((classid::bigint << 32) | objid::bigint) & ((1::bigint << 51) - 1)) = now() as start,
        pid = pg_backend_pid() as own
      from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
    assert_eq!(lines(&mut conn, locks), ["ShareLock,1,1441,t,t"]);
    assert_eq!(
        lines(
            &mut conn,
            "select id from users where updated_at >= now() order by id"
        ),
        ["a", "b"]
    );
    run(&mut conn, "commit");
    assert_eq!(lines(&mut conn, locks), Vec::<String>::new());
}

#[test]
fn the_stamps_of_a_row_only_grow() {
    let mut conn = tracked_users();
    run(&mut conn, "begin; insert into users (id) values ('a'); alter table users disable trigger user;
        update users set updated_at = '2200-01-01'; alter table users enable always trigger \"~carburetor_stamp\"; commit;
        update users set name = 'x'; update users set name = 'y'");
    assert_eq!(
        line(&mut conn, "select updated_at - '2200-01-01' from users"),
        "\"00:00:00.000002\"".trim_matches('"')
    );
}

#[test]
fn a_stamp_without_zone_is_utc() {
    let mut conn = database().connect();
    run(
        &mut conn,
        "create table notes (id int primary key, updated_at timestamp); insert into notes values (1)",
    );
    let mut notes = definition("notes", &["id"], &[]);
    notes.columns[1] = ColumnDefinition {
        storage: Storage::Timestamp,
        nullable: true,
        ..notes.columns[1].clone()
    };
    install(&mut conn, &[&notes]);
    run(
        &mut conn,
        "set timezone = 'Asia/Kathmandu'; insert into notes values (2); insert into notes values (3, '1999-01-01')",
    );
    let minute = "abs(extract(epoch from updated_at at time zone 'UTC' - clock_timestamp())) < 60";
    assert_eq!(
        lines(
            &mut conn,
            &format!("select id, {minute} as now from notes order by id")
        ),
        ["1,", "2,t", "3,t"]
    );
    run(&mut conn, "update notes set id = id");
    assert_eq!(
        lines(
            &mut conn,
            &format!("select id from notes where {minute} order by id")
        ),
        ["1", "2", "3"]
    );
}

#[test]
fn an_untracked_write_keeps_the_stamp_and_still_leaves_a_removal() {
    let mut conn = with_an_old_user();
    run(
        &mut conn,
        "begin; select set_config('carburetor.untracked', 'on', true); update users set name = 'x', team = 'blue', updated_at = '1990-01-01';
         insert into users (id) values ('b'); insert into users (id, updated_at) values ('c', '1980-01-01'); commit;
         insert into users (id) values ('d')",
    );
    assert_eq!(
        lines(
            &mut conn,
            "select id, (updated_at at time zone 'UTC')::date from users where id < 'd' order by id"
        ),
        ["a,2000-01-01", "b,1970-01-01", "c,1980-01-01"]
    );
    assert_eq!(
        lines(
            &mut conn,
            "select id from users where updated_at > '2001-01-01'"
        ),
        ["d"]
    );
    assert_eq!(
        lines(&mut conn, "select id, team from carburetor.removal_users"),
        ["a,red"]
    );
}

#[test]
fn a_touched_row_is_synced_again() {
    let mut conn = with_an_old_user();
    run(
        &mut conn,
        "begin; select set_config('carburetor.untracked', 'on', true); insert into users (id) values ('b'); commit",
    );
    let touched = diesel::sql_query(postgres::touch(&users()))
        .bind::<diesel::sql_types::Text, _>("a")
        .execute(&mut conn);
    assert_eq!(touched, Ok(1));
    assert_eq!(lines(&mut conn, MOVED), ["a,t", "b,f"]);
}

#[test]
fn a_prepared_transaction_stays_published() {
    let mut conn = tracked_users();
    let published =
        "select count(*) from pg_locks where locktype = 'advisory' and classid::bigint >> 19 = 1441
        and database = (select oid from pg_database where datname = current_database())";
    run(
        &mut conn,
        "begin; insert into users (id) values ('a'); prepare transaction 'tracking_prepared'",
    );
    assert_eq!(line(&mut conn, published), "1");
    run(&mut conn, "commit prepared 'tracking_prepared'");
    assert_eq!(line(&mut conn, published), "0");
}

#[test]
fn a_rolled_back_savepoint_takes_nothing_from_later_writes() {
    let mut conn = tracked_users();
    let locks =
        "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()";
    let counts = conn.test_transaction::<_, diesel::result::Error, _>(|conn| {
        run(
            conn,
            "savepoint s; insert into users (id) values ('a'); rollback to s",
        );
        let before = line(conn, locks);
        run(conn, "insert into users (id) values ('b')");
        Ok((before, line(conn, locks)))
    });
    assert_eq!(counts, ("0".to_owned(), "1".to_owned()));
}

#[test]
fn a_search_path_of_the_writer_changes_nothing() {
    let mut conn = tracked_users();
    run(
        &mut conn,
        "create schema evil;
         create function evil.now() returns timestamptz language sql as $$ select timestamptz '1999-01-01' $$;
         create function evil.clock_timestamp() returns timestamptz language sql as $$ select timestamptz '1999-01-01' $$;
         create function evil.same(text, text) returns boolean language sql as $$ select true $$;
         create operator evil.= (leftarg = text, rightarg = text, function = evil.same);
         set search_path = evil, pg_catalog, public; insert into public.users (id, team) values ('a', 'red');
         delete from public.users; insert into public.users (id) values ('a'); reset search_path",
    );
    assert_eq!(lines(&mut conn, MOVED), ["a,t"]);
    assert_eq!(
        lines(
            &mut conn,
            "select id from carburetor.removal_users where carburetor_removed_at > '2001-01-01'"
        ),
        ["a"]
    );
}
