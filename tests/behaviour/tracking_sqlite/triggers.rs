//! Beside the application's own triggers.

use super::*;

fn with_triggers(triggers: &str) -> SqliteConnection {
    tracked(&format!(
        "{ITEMS} alter table items add column parent integer; alter table items add column n integer default 0; {triggers}"
    ))
}

#[test]
fn an_unguarded_touch_trigger_does_not_defeat_the_stamp() {
    let touch = "create trigger touch after update on items begin
        update items set updated_at = current_timestamp where id = new.id; end;";
    for installed_first in [true, false] {
        let mut conn = if installed_first {
            tracked(ITEMS)
        } else {
            with_triggers(touch)
        };
        let conn = &mut conn;
        if installed_first {
            run(conn, touch);
        }
        assert_eq!(
            stamped_by(conn, "insert into items (id) values (1), (2)"),
            [1, 2]
        );
        assert_eq!(stamped_by(conn, "update items set name = 'x'"), [1, 2]);
        assert_eq!(
            stamped_by(
                conn,
                "insert into items (id) values (2) on conflict do update set name = 'y'"
            ),
            [2]
        );
    }
}

#[test]
fn two_touch_triggers_do_not_defeat_the_stamp() {
    let mut conn = with_triggers(
        "create trigger one after update on items begin update items set updated_at = 'one' where id = new.id; end;
         create trigger two after update on items begin update items set updated_at = 'two' where id = new.id; end;
         create trigger three after update of updated_at on items begin update items set updated_at = 'three' where id = new.id; end;",
    );
    let conn = &mut conn;
    assert_eq!(
        stamped_by(conn, "insert into items (id) values (1), (2)"),
        [1, 2]
    );
    assert_eq!(
        stamped_by(conn, "update items set name = 'x' where id = 2"),
        [2]
    );
}

#[test]
fn guarded_triggers_end_and_are_stamped_with_recursive_triggers() {
    for guarded in [
        "create trigger touch after update on items when new.updated_at is old.updated_at begin
           update items set updated_at = '2001-01-01' where id = new.id; end;",
        "create trigger count after update on items when new.n = old.n begin
           update items set n = n + 1 where id = new.id; end;",
    ] {
        let mut conn = with_triggers(guarded);
        let conn = &mut conn;
        run(conn, "pragma recursive_triggers = on");
        assert_eq!(
            stamped_by(conn, "insert into items (id) values (1), (2)"),
            [1, 2]
        );
        assert_eq!(
            stamped_by(conn, "update items set name = 'x' where id = 2"),
            [2]
        );
    }
}

#[test]
fn rows_that_a_trigger_writes_in_reaction_to_a_stamp_are_stamped() {
    let parent = "create trigger parent after update of updated_at on items begin
        update items set n = n + 1 where id = new.parent; end;";
    for recursive in ["off", "on"] {
        let mut conn = with_triggers(parent);
        let conn = &mut conn;
        run(conn, &format!("pragma recursive_triggers = {recursive}"));
        run(
            conn,
            "insert into items (id, parent) values (1, null), (2, 1), (3, 2)",
        );
        let expected: &[i64] = if recursive == "on" {
            &[1, 2, 3]
        } else {
            &[2, 3]
        };
        assert_eq!(
            stamped_by(conn, "update items set name = 'x' where id = 3"),
            expected
        );
    }
}

#[test]
fn rows_that_a_trigger_inserts_are_stamped() {
    let mut conn = with_triggers(
        "create trigger history after update on items when new.id < 100 begin
           insert into items (id, name) values ((select max(id) from items) + 100, old.name); end;",
    );
    let conn = &mut conn;
    run(conn, "insert into items (id, name) values (1, 'x')");
    assert_eq!(
        stamped_by(conn, "update items set name = 'y' where id = 1").len(),
        3
    );
    assert_eq!(
        number(conn, "select count(*) from items where updated_at is null"),
        0
    );
}

#[test]
fn triggers_between_two_tables_keep_both_stamped() {
    let mut lists = items();
    lists.table = "lists".into();
    let mut conn = database(&format!(
        "{ITEMS} create table lists (id integer primary key, team text, updated_at text, n integer default 0);
         create trigger down after update on lists begin update items set name = 'd' || new.n where id = new.id; end;
         create trigger up after update on items begin update lists set n = n + 1 where id = new.id; end;"
    ));
    let conn = &mut conn;
    track(conn, &[items(), lists]);
    run(
        conn,
        "insert into items (id) values (1), (2); insert into lists (id) values (1), (2)",
    );
    let before = clock(conn);
    assert_eq!(
        stamped_by(conn, "update items set email = 'x' where id = 1"),
        [1]
    );
    let list = format!(
        "select updated_at > strftime('%Y-%m-%d %H:%M:%S', {before} / 1000000, 'unixepoch') || printf('.%06d', {before} % 1000000) from lists where id = 1"
    );
    assert_eq!(number(conn, &list), 1);
}

#[test]
fn a_statement_that_stops_half_way_leaves_later_writes_stamped() {
    let mut conn = with_triggers(
        "create trigger fails after update of updated_at on items when new.name = 'bad' begin
           select raise(fail, 'bad'); end;",
    );
    let conn = &mut conn;
    run(
        conn,
        "insert into items (id, name) values (1, 'x'), (2, 'x')",
    );
    conn.batch_execute("update items set name = 'bad' where id = 1")
        .unwrap_err();
    assert_eq!(
        number(conn, "select count(*) from carburetor_stamping"),
        1,
        "the failure leaves its mark"
    );
    let failed = text(conn, "select updated_at from items where id = 1");
    let millisecond = texts(conn, "select at as value from carburetor_stamping").remove(0);
    while text(conn, "select julianday('now')") == millisecond {}
    assert_eq!(
        stamped_by(
            conn,
            &format!("update items set updated_at = '{failed}', name = 'good'")
        ),
        [1, 2]
    );
}

#[test]
fn a_row_deleted_by_a_trigger_leaves_a_removal() {
    let mut conn = with_triggers(
        "create trigger gone after insert on items when new.name = 'gone' begin delete from items where id = new.id; end;",
    );
    run(
        &mut conn,
        "insert into items (id, team, name) values (1, 'a', 'gone'), (2, 'a', 'x')",
    );
    assert_eq!(removals(&mut conn), ["1/a"]);
}
