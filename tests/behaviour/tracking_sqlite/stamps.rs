//! Every write gives a stamp above all earlier ones.

use super::*;
use carburetor::tracking::sqlite::{
    CLEAR_UNTRACKED, SET_UNTRACKED, StampValue, stamp_value, touch,
};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Timestamp, TimestamptzSqlite};

#[test]
fn every_kind_of_write_is_stamped_with_recursive_triggers_off_and_on() {
    for recursive in ["off", "on"] {
        let mut conn = tracked(ITEMS);
        let conn = &mut conn;
        run(conn, &format!("pragma recursive_triggers = {recursive}"));
        assert_eq!(
            stamped_by(
                conn,
                "insert into items (id, email) values (1, 'a'), (2, 'b'), (3, 'c')"
            ),
            [1, 2, 3]
        );
        assert_eq!(
            stamped_by(conn, "update items set name = 'x' where id > 1"),
            [2, 3]
        );
        assert_eq!(
            stamped_by(conn, "update items set name = name where id = 3"),
            [3]
        );
        assert_eq!(
            stamped_by(
                conn,
                "insert or replace into items (id, email) values (2, 'b')"
            ),
            [2]
        );
        assert_eq!(
            stamped_by(
                conn,
                "insert or replace into items (id, email) values (4, 'c')"
            ),
            [4]
        );
        assert_eq!(
            stamped_by(conn, "update or replace items set email = 'a' where id = 4"),
            [4]
        );
        assert_eq!(
            stamped_by(conn, "update or replace items set id = 2 where id = 4"),
            [2]
        );
        assert_eq!(
            stamped_by(
                conn,
                "insert into items (id) values (2), (7) on conflict (id) do update set name = 'up'"
            ),
            [2, 7]
        );
        assert_eq!(
            stamped_by(conn, "insert or ignore into items (id) values (2), (8)"),
            [8]
        );
        assert_eq!(
            stamped_by(
                conn,
                "insert into items (id, name) select id + 10, name from items"
            ),
            [12, 17, 18]
        );
        assert_eq!(
            stamped_by(conn, "update items set id = 20 where id = 12"),
            [20]
        );
        assert_eq!(
            stamped_by(conn, "delete from items where id = 20"),
            Vec::<i64>::new()
        );
    }
}

#[test]
fn the_rows_of_one_statement_get_different_stamps() {
    let mut conn = tracked(ITEMS);
    run(
        &mut conn,
        "insert into items (id) values (1), (2), (3), (4)",
    );
    run(&mut conn, "update items set name = 'x'");
    assert_eq!(
        number(&mut conn, "select count(distinct updated_at) from items"),
        4
    );
    let latest = clock(&mut conn);
    assert_eq!((1..=4).map(|id| stamp(&mut conn, id)).max(), Some(latest));
}

#[test]
fn a_stamp_that_the_application_writes_is_replaced() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(conn, "insert into items (id) values (1), (2)");
    assert_eq!(
        stamped_by(
            conn,
            "update items set updated_at = '2001-01-01' where id = 1"
        ),
        [1]
    );
    assert_eq!(
        stamped_by(
            conn,
            "update items set updated_at = null, name = 'x' where id = 1"
        ),
        [1]
    );
    assert_eq!(
        stamped_by(
            conn,
            "insert into items (id, updated_at) values (3, '2999-01-01 00:00:00.000000+00:00')"
        ),
        [3]
    );
    let soon = chrono::Utc::now() + chrono::TimeDelta::days(1);
    assert!(clock(conn) < soon.timestamp_micros());
}

#[test]
fn a_copied_stamp_is_replaced_also_when_it_is_the_clocks_own() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(conn, "insert into items (id) values (1), (2)");
    assert_eq!(stamp(conn, 2), clock(conn));
    assert_eq!(
        stamped_by(
            conn,
            "update items set updated_at = (select max(updated_at) from items)"
        ),
        [1, 2]
    );
    assert_eq!(
        stamped_by(
            conn,
            "update items set updated_at = updated_at where id = 2"
        ),
        [2]
    );
}

#[test]
fn composite_ids_and_tables_without_rowid_are_stamped() {
    let mut definition = items();
    definition.columns.insert(
        1,
        ColumnDefinition {
            id: true,
            ..ColumnDefinition::new("part")
        },
    );
    let mut conn = database(
        "create table items (id integer, part text, team text, updated_at text, primary key (part, id)) without rowid;",
    );
    track(&mut conn, &[definition]);
    let conn = &mut conn;
    assert_eq!(
        stamped_by(
            conn,
            "insert into items (id, part) values (1, 'a'), (2, 'a')"
        ),
        [1, 2]
    );
    assert_eq!(
        stamped_by(
            conn,
            "insert or replace into items (id, part, team) values (2, 'a', 'x')"
        ),
        [2]
    );
    assert_eq!(
        stamped_by(conn, "update items set id = 5, part = 'b' where id = 1"),
        [5]
    );
    assert_eq!(removals(conn), ["1/-", "2/-"]);
}

#[test]
fn untracked_writes_keep_their_stamp_but_leave_removals() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(
        conn,
        "insert into items (id, team) values (1, 'a'), (2, 'b')",
    );
    let before = (stamp(conn, 1), stamp(conn, 2));
    conn.transaction(|conn| {
        conn.batch_execute(SET_UNTRACKED)?;
        conn.batch_execute("update items set name = 'x'; update items set team = 'c' where id = 1; insert into items (id) values (3)")?;
        conn.batch_execute(CLEAR_UNTRACKED)
    })
    .unwrap();
    assert_eq!((stamp(conn, 1), stamp(conn, 2)), before);
    assert_eq!(
        text(conn, "select updated_at from items where id = 3"),
        "null"
    );
    assert_eq!(removals(conn), ["1/a"]);
    assert_eq!(
        stamped_by(conn, "update items set name = 'y' where id = 3"),
        [3]
    );
}

#[test]
fn a_touched_row_gets_a_new_stamp() {
    let mut conn = tracked(ITEMS);
    run(&mut conn, "insert into items (id) values (1), (2)");
    let before = stamp(&mut conn, 2);
    let touched = diesel::sql_query(touch(&items()))
        .bind::<BigInt, _>(1)
        .execute(&mut conn)
        .unwrap();
    assert_eq!(touched, 1);
    assert_eq!(
        (stamp(&mut conn, 1) > before, stamp(&mut conn, 2)),
        (true, before)
    );
}

#[test]
fn the_clock_never_goes_back_with_the_systems() {
    let mut conn = tracked(ITEMS);
    run(
        &mut conn,
        "update carburetor_clock set now = now + 3600000000; insert into items (id) values (1)",
    );
    let ahead = clock(&mut conn);
    run(&mut conn, "update items set name = 'x'; delete from items");
    assert_eq!(clock(&mut conn), ahead + 2);
    install(&mut conn, &[items()]);
    assert_eq!(clock(&mut conn), ahead + 2);
}

#[test]
fn the_clock_follows_the_systems_time() {
    let mut conn = tracked(ITEMS);
    run(&mut conn, "update carburetor_clock set now = 0");
    let before = Utc::now().timestamp_millis() * 1000;
    run(&mut conn, "insert into items (id) values (1)");
    let after = Utc::now().timestamp_micros();
    let stamp = stamp(&mut conn, 1);
    assert!(
        before <= stamp && stamp <= after,
        "{before} {stamp} {after}"
    );
}

#[test]
fn stamps_of_every_storage_are_read_by_diesel_and_equal_the_bound_form() {
    #[derive(QueryableByName)]
    struct Zoned {
        #[diesel(sql_type = TimestamptzSqlite)]
        updated_at: DateTime<Utc>,
    }
    #[derive(QueryableByName)]
    struct Naive {
        #[diesel(sql_type = Timestamp)]
        updated_at: chrono::NaiveDateTime,
    }
    for (storage, declared) in [
        (Storage::Timestamptz, "timestamptz"),
        (Storage::Timestamptz, "text"),
        (Storage::Timestamp, "datetime not null default ''"),
        (Storage::Integer, "bigint not null default 0"),
        (Storage::Integer, "text"),
        (Storage::Integer, "real"),
        (Storage::Integer, ""),
    ] {
        let mut definition = items();
        definition.columns[2].storage = storage;
        let mut conn = database(&format!(
            "create table items (id integer primary key, team text, updated_at {declared})"
        ));
        let conn = &mut conn;
        track(conn, &[definition]);
        // A stamp that isn't recognised would be stamped without end.
        run(conn, "pragma recursive_triggers = on");
        // The last microsecond digits differ from zero after the first row.
        run(
            conn,
            "insert into items (id) values (1), (2), (3); update items set team = team where id = 2",
        );
        let now = clock(conn);
        let instant = DateTime::from_timestamp_micros(now).unwrap();
        let query = "select updated_at from items where id = 2";
        match storage {
            Storage::Timestamptz => {
                assert_eq!(
                    diesel::sql_query(query)
                        .get_result::<Zoned>(conn)
                        .unwrap()
                        .updated_at,
                    instant
                );
            }
            Storage::Timestamp => {
                let read = diesel::sql_query(query)
                    .get_result::<Naive>(conn)
                    .unwrap()
                    .updated_at;
                assert_eq!(read.and_utc(), instant);
            }
            _ => assert_eq!(
                number(conn, &format!("select cast(({query}) as integer)")),
                now
            ),
        }
        match stamp_value(storage, instant) {
            StampValue::Text(bound) => assert_eq!(text(conn, query), bound),
            StampValue::Micros(bound) => {
                assert_eq!(
                    number(conn, &format!("select cast(({query}) as integer)")),
                    bound
                );
            }
        }
    }
}
