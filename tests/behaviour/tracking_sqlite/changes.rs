//! A model that changes, and removals that grow old.

use super::*;
use carburetor::tracking::sqlite::{difference, down, purge, purge_deletions};
use std::time::Duration;

#[test]
fn another_visible_by_column_moves_the_horizon() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(
        conn,
        "insert into items (id, team, name) values (1, 'a', 'n'), (2, 'a', 'n'); delete from items where id = 1",
    );
    let before = clock(conn);
    let mut changed = items();
    changed.columns.push(ColumnDefinition {
        visible_by: true,
        ..ColumnDefinition::new("name")
    });

    let refused = up(&[read(conn, &changed)]);
    let error = conn
        .transaction(|conn| conn.batch_execute(&refused))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "CHECK constraint failed: the model changed since its tracking was installed: run the difference first"
    );

    let statements = difference(&[items()], &[read(conn, &changed)]);
    run(conn, &statements);
    assert_eq!(
        wrong(conn, std::slice::from_ref(&changed)),
        Vec::<String>::new()
    );
    let (generation, horizon) = registry(conn);
    assert_eq!(
        (generation, horizon, horizon > before, expired(conn)),
        (1, clock(conn), true, horizon)
    );
    run(conn, "delete from items");
    assert_eq!(
        texts(
            conn,
            "select id || team || name as value from carburetor_removal_items"
        ),
        ["2an"]
    );
}

#[test]
fn a_difference_adds_and_ends_tables_and_keeps_the_rest() {
    let mut conn = tracked(&format!(
        "{ITEMS} create table lists (id integer primary key, team text, updated_at text)"
    ));
    let conn = &mut conn;
    let before = registry(conn);
    let mut lists = items();
    lists.table = "lists".into();
    add_columns(conn, std::slice::from_ref(&lists));
    let statements = difference(&[items()], &[read(conn, &items()), read(conn, &lists)]);
    run(conn, &statements);
    assert_eq!(wrong(conn, &[items(), lists.clone()]), Vec::<String>::new());
    assert_eq!(registry(conn), before);

    let mut restamped = lists.clone();
    restamped.columns[2].storage = Storage::Timestamp;
    let statements = difference(&[items(), lists], &[read(conn, &restamped)]);
    run(conn, &statements);
    assert_eq!(wrong(conn, &[restamped]), Vec::<String>::new());
    let generations =
        "select name || generation as value from carburetor_synced_table order by name";
    assert_eq!(texts(conn, generations), ["items2", "lists2"]);
    assert_eq!(
        number(
            conn,
            "select count(*) from sqlite_schema where type = 'trigger' and tbl_name = 'items'"
        ),
        0
    );
}

#[test]
fn purge_forgets_old_removals_and_moves_the_horizon_never_past_the_clock() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(
        conn,
        "insert into items (id, team) values (1, 'a'), (2, 'b'); delete from items",
    );
    run(conn, &purge(&items(), Duration::from_secs(3600)));
    assert_eq!(removals(conn), ["1/a", "2/b"]);
    run(
        conn,
        "update carburetor_removal_items set carburetor_removed_at = 5 where id = 1",
    );
    run(conn, "update carburetor_synced_table set horizon = 1");
    let hour_ago = chrono::Utc::now().timestamp_micros() - 3_600_000_000;
    run(conn, &purge(&items(), Duration::from_secs(3600)));
    assert_eq!(removals(conn), ["2/b"]);
    let horizon = registry(conn).1;
    assert!(
        horizon >= hour_ago - 1000 && horizon < hour_ago + 60_000_000,
        "{horizon} {hour_ago}"
    );
    run(conn, &purge(&items(), Duration::from_secs(7200)));
    assert_eq!(registry(conn).1, horizon);
    run(
        conn,
        "update carburetor_clock set now = 10; update carburetor_synced_table set horizon = 1;
         update carburetor_removal_items set carburetor_removed_at = 10;
         insert into carburetor_removal_items values (3, 'c', 9)",
    );
    run(conn, &purge(&items(), Duration::ZERO));
    assert_eq!(registry(conn).1, 10);
    assert_eq!(
        removals(conn),
        ["2/b"],
        "the horizon itself is still covered"
    );
}

/// What `carburetor_synced_table.expired` says, as microseconds; 0 if nothing has expired.
fn expired(conn: &mut SqliteConnection) -> i64 {
    let expired = text(
        conn,
        "select expired from carburetor_synced_table where name = 'items'",
    );
    let Ok(clock) = expired.parse::<carburetor::clock::Clock>() else {
        assert_eq!(expired, "");
        return 0;
    };
    assert_eq!(clock.replica(), 0);
    i64::try_from(clock.millis()).unwrap() * 1000 + i64::from(clock.counter())
}

#[test]
fn purged_deletions_can_no_longer_be_judged() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(
        conn,
        "insert into items (id) values (1), (2); delete from items",
    );
    let clocks = "select id as value from carburetor_register_items order by id";
    assert_eq!(expired(conn), 0);
    run(conn, &purge_deletions(&items(), Duration::from_secs(3600)));
    let hour_ago = chrono::Utc::now().timestamp_micros() - 3_600_000_000;
    assert!((hour_ago - 60_000_000..=hour_ago).contains(&expired(conn)));
    assert_eq!(texts(conn, clocks), ["1", "2"]);
    run(
        conn,
        "update carburetor_register_items set carburetor_clock = '0000000003e800000000000000000000' where id = 1",
    );
    run(conn, &purge_deletions(&items(), Duration::from_secs(3600)));
    assert_eq!(texts(conn, clocks), ["2"]);
    let before = expired(conn);
    run(conn, &purge_deletions(&items(), Duration::from_secs(7200)));
    assert_eq!(expired(conn), before);
    run(conn, "update carburetor_clock set now = now - 1000000");
    run(conn, &purge_deletions(&items(), Duration::ZERO));
    assert_eq!(expired(conn), clock(conn), "never past the clock");
    assert_eq!(texts(conn, clocks), ["2"]);
    let read_only = TableDefinition {
        read_only: true,
        ..items()
    };
    assert_eq!(purge_deletions(&read_only, Duration::ZERO), "");
}

#[test]
fn purge_forgets_old_conflicts_and_outcomes() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    let now = chrono::Utc::now().timestamp_micros();
    for at in [now - 7_200_000_000, now] {
        run(
            conn,
            &format!(
                "insert into carburetor_conflict_items (id, team, carburetor_at, carburetor_sender, carburetor_lost_clock, carburetor_won_clock, carburetor_lost, carburetor_won)
                   values (1, 'a', {at}, 's', 'l', 'w', '{{}}', '{{}}');
                 insert into carburetor_outcome (replica, first, last, outcomes, at) values ('r', 'f', 'l', '[]', {at})"
            ),
        );
    }
    run(conn, &purge(&items(), Duration::from_secs(3600)));
    assert_eq!(
        texts(
            conn,
            "select carburetor_seq || typeof(team) as value from carburetor_conflict_items"
        ),
        ["2text"]
    );
    assert_eq!(number(conn, "select count(*) from carburetor_outcome"), 1);
    run(conn, "delete from carburetor_conflict_items");
    run(
        conn,
        "insert into carburetor_conflict_items select null, 1, 'a', 0, 's', 'l', 'w', '{}', '{}'",
    );
    assert_eq!(
        number(conn, "select carburetor_seq from carburetor_conflict_items"),
        3,
        "a number is never given again"
    );
}

#[test]
fn deletions_that_go_unseen_expire_what_came_before() {
    for harm in [
        "drop trigger carburetor_removal_delete_items",
        "drop trigger carburetor_replace_insert_items",
    ] {
        let mut conn = tracked(ITEMS);
        let conn = &mut conn;
        run(conn, harm);
        let before = clock(conn);
        install(conn, &[items()]);
        assert!((before..=clock(conn)).contains(&expired(conn)));
    }
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(conn, &down(&[items()]));
    let before = clock(conn);
    track(conn, &[items()]);
    assert!(expired(conn) >= before);
}

#[test]
fn a_table_that_becomes_read_only_loses_its_registers_and_gets_them_back_anew() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    let read_only = TableDefinition {
        read_only: true,
        ..items()
    };
    let kept = "select name as value from sqlite_schema where name in ('carburetor_register_items', 'carburetor_conflict_items')
        union all select name from pragma_table_info('items') where name = 'carburetor_registers' order by 1";
    let all = [
        "carburetor_conflict_items",
        "carburetor_register_items",
        "carburetor_registers",
    ];
    assert_eq!(texts(conn, kept), all);
    let before = registry(conn);
    for (from, to) in [(items(), read_only.clone()), (read_only, items())] {
        add_columns(conn, std::slice::from_ref(&to));
        let statements = difference(std::slice::from_ref(&from), &[read(conn, &to)]);
        run(conn, &statements);
        assert_eq!(wrong(conn, std::slice::from_ref(&to)), Vec::<String>::new());
        let expected: &[&str] = if to.read_only { &[] } else { &all };
        assert_eq!(texts(conn, kept), expected);
    }
    assert_eq!(registry(conn), before);
    assert_eq!(expired(conn), clock(conn));
}
