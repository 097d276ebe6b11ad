//! A model that changes, and removals that grow old.

use super::*;
use carburetor::tracking::sqlite::{difference, purge};
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
        (generation, horizon, horizon > before),
        (1, clock(conn), true)
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
