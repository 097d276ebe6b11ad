//! Registers beside the application's own triggers.

use super::*;

#[test]
fn an_installed_trigger_moves_the_registers_of_the_columns_it_writes() {
    let count = "create trigger count after update of name on items begin
        update items set n = ifnull(n, 0) + 1 where id = new.id; end;";
    for recursive in ["off", "on"] {
        for installed_first in [true, false] {
            let mut conn = two();
            let conn = &mut conn;
            if !installed_first {
                run(conn, &down(&[named()]));
            }
            run(
                conn,
                &format!("{count} pragma recursive_triggers = {recursive}"),
            );
            if !installed_first {
                track(conn, &[named()]);
            }
            let inserted = stamped(conn, 1);
            run(conn, "update items set name = 'x' where id = 1");
            let now = stamped(conn, 1);
            let held = registers(conn, 1);
            assert_eq!(held.keys().collect::<Vec<_>>(), ["", "n", "name"]);
            assert_eq!(held[""], inserted);
            assert!(inserted < held["n"] && held["n"] <= now);
            assert!(inserted < held["name"] && held["name"] <= now);
        }
    }
}

#[test]
fn a_trigger_that_reacts_to_our_own_update_moves_registers() {
    for recursive in ["off", "on"] {
        let mut conn = registered(&format!(
            "{NAMED} create trigger react after update of updated_at on items when new.n is null begin
               update items set n = 5 where id = new.id; end;
             pragma recursive_triggers = {recursive};"
        ));
        let conn = &mut conn;
        run(conn, "insert into items (id) values (1)");
        assert_eq!(number(conn, "select n from items"), 5);
        let (held, now) = (registers(conn, 1), stamped(conn, 1));
        assert_eq!(
            held["n"], now,
            "the trigger wrote after the insert had its stamp"
        );
        assert!(held[""] < now);
        run(conn, "update items set n = null, name = 'y'");
        let (later, now) = (registers(conn, 1), stamped(conn, 1));
        assert!(later["name"] <= later["n"] && later["n"] <= now);
        assert!(held["n"] < later["name"]);
        assert_eq!(later[""], held[""]);
    }
}

#[test]
fn a_trigger_that_writes_while_an_upload_runs_moves_its_columns_only() {
    for recursive in ["off", "on"] {
        let mut conn = registered(&format!(
            "{NAMED} create trigger count after update on items when new.n is old.n begin
               update items set n = ifnull(n, 0) + 1 where id = new.id; end;
             create trigger made after insert on items begin update items set email = 'made' || new.id where id = new.id; end;
             pragma recursive_triggers = {recursive};"
        ));
        let conn = &mut conn;
        let (old, new) = (Clock::new(1, 0, 1), Clock::new(2, 0, 1));
        run(
            conn,
            &format!(
                "insert into items (id, updated_at, carburetor_registers) values (1, '2020-01-01 00:00:00.000002+00:00', '{{\"\":\"{old}\"}}')"
            ),
        );
        let made = registers(conn, 1);
        assert_eq!(made[""], old);
        assert!(made["email"] <= stamped(conn, 1) && made["email"] > new);
        let given = of(&[("", old), ("email", made["email"]), ("name", new)]);
        upload(conn, 1, &format!("name = 'x', {UPLOADED_AT}"), &given);
        let (held, now) = (registers(conn, 1), stamped(conn, 1));
        assert!(held["n"] > made["email"] && held["n"] <= now);
        assert_eq!((held[""], held["name"]), (old, new));
        assert_eq!(held["email"], made["email"]);
    }
}

#[test]
fn a_stamp_written_by_the_application_does_not_become_the_rows_age() {
    let touch = "create trigger touch after update of name on items begin
        update items set updated_at = '1999-01-01 00:00:00.000000+00:00' where id = new.id; end;";
    for installed_first in [true, false] {
        let mut conn = if installed_first {
            registered(NAMED)
        } else {
            registered(&format!("{NAMED} {touch}"))
        };
        let conn = &mut conn;
        if installed_first {
            run(conn, touch);
        }
        run(conn, "insert into items (id) values (1)");
        let inserted = stamped(conn, 1);
        run(
            conn,
            "update items set name = 'x', updated_at = '2999-01-01 00:00:00.000000+00:00'",
        );
        let held = registers(conn, 1);
        assert_eq!(held[""], inserted);
        assert!(held["name"] > inserted && held["name"] <= stamped(conn, 1));
    }
}

#[test]
fn what_a_trigger_writes_before_ours_is_as_new_as_the_inserted_row() {
    let mut conn = two();
    let conn = &mut conn;
    run(
        conn,
        "create trigger made after insert on items begin update items set email = 'made' where id = new.id; end;
         insert into items (id) values (3)",
    );
    assert_eq!(text(conn, "select email from items where id = 3"), "made");
    assert_eq!(stored(conn, 3), "null");
}
