//! The clocks of deletions, and rows that are new under an old id.

use super::*;

#[test]
fn a_row_replaced_under_its_id_is_a_new_row() {
    for recursive in ["off", "on"] {
        let mut conn = two();
        let conn = &mut conn;
        run(
            conn,
            &format!(
                "pragma recursive_triggers = {recursive}; update items set n = 1;
                 replace into items (id, team, name) values (1, 'a', 'one')"
            ),
        );
        assert_eq!(stored(conn, 1), "null");
        assert_ne!(stored(conn, 2), "null");
        let before = stamped(conn, 1);
        // With recursive triggers the replaced row was deleted, before the new one came.
        assert!(deletions(conn).values().all(|clock| *clock < before));
    }
}

#[test]
fn a_row_replaced_by_another_id_counts_as_deleted() {
    for recursive in ["off", "on"] {
        for replace in [
            "replace into items (id, email) values (9, 'e')",
            "update or replace items set email = 'e' where id = 2",
            "update or replace items set id = 1 where id = 2",
        ] {
            let mut conn = two();
            let conn = &mut conn;
            run(conn, &format!("pragma recursive_triggers = {recursive}"));
            let before = at(clock(conn));
            run(conn, replace);
            let deletions = deletions(conn);
            let gone = if replace.contains("id = 1") { 2 } else { 1 };
            assert!(deletions[&gone] > before, "{replace}");
            let others = deletions.keys().filter(|id| **id != gone).count();
            let same_id = usize::from(recursive == "on" && gone == 2);
            assert_eq!(others, same_id, "{replace} {recursive}");
        }
    }
}

#[test]
fn a_changed_id_is_a_deletion_and_a_new_row() {
    let mut conn = two();
    let conn = &mut conn;
    run(conn, "update items set n = 1 where id = 1");
    let before = at(clock(conn));
    run(conn, "update items set id = 10, name = 'x' where id = 1");
    assert_eq!(stored(conn, 10), "null");
    let deletions = deletions(conn);
    assert_eq!(deletions.keys().collect::<Vec<_>>(), [&1]);
    assert!(deletions[&1] > before);
    run(conn, "update items set rowid = 11 where id = 10");
    assert_eq!(stored(conn, 11), "null");
    assert_eq!(removals(conn), ["1/a", "10/a"]);
    assert_eq!(
        super::number(conn, "select count(*) from carburetor_register_items"),
        2
    );
}

#[test]
fn a_move_between_teams_deletes_nothing() {
    let mut conn = two();
    run(&mut conn, "update items set team = 'z' where id = 1");
    assert_eq!(deletions(&mut conn), BTreeMap::new());
    assert_eq!(removals(&mut conn), ["1/a"]);
}

#[test]
fn a_deletion_keeps_the_greatest_clock_and_the_last_team() {
    let mut conn = two();
    let conn = &mut conn;
    run(conn, "delete from items where id = 1");
    let first = deletions(conn)[&1];
    assert_eq!(first, at(clock(conn)));
    run(
        conn,
        "insert into items (id, team) values (1, 'z'); delete from items where id = 1",
    );
    assert!(deletions(conn)[&1] > first);
    assert_eq!(
        texts(conn, "select team as value from carburetor_register_items"),
        ["z"]
    );
    let later = Clock::new(99_999_999_999_999, 0, 7);
    run(
        conn,
        &format!(
            "update carburetor_register_items set carburetor_clock = '{later}';
             insert into items (id) values (1); delete from items"
        ),
    );
    assert_eq!(deletions(conn)[&1], later);
}

#[test]
fn deletions_are_kept_under_every_conflict_policy() {
    for policy in ["abort", "fail", "ignore", "replace", "rollback"] {
        let mut conn = two();
        let conn = &mut conn;
        run(
            conn,
            "update items set id = 20 where id = 2; insert into items (id, email) values (2, 'g')",
        );
        let before = deletions(conn)[&2];
        run(
            conn,
            &format!("update or {policy} items set id = 3 where id = 2"),
        );
        assert!(deletions(conn)[&2] > before, "{policy}");
    }
}

#[test]
fn the_deletion_of_a_row_written_ahead_of_the_clock_is_its_successor() {
    let last = Clock::new(99_999_999_999_999, 0, 7);
    for delete in [
        "delete from items where id = 1",
        "update items set id = 10 where id = 1",
        "replace into items (id, email) values (9, 'e')",
        "update or replace items set email = 'e' where id = 2",
    ] {
        let mut conn = two();
        let conn = &mut conn;
        upload(conn, 1, UPLOADED_AT, &of(&[("", last), ("+", last)]));
        run(conn, delete);
        assert_eq!(deletions(conn)[&1], last.successor(), "{delete}");
        assert_eq!(ahead(conn), last.successor().to_string(), "{delete}");
    }
}
