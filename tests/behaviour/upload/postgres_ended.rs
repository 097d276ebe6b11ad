//! Statements that the database ends for what is not in their rows, in whatever language it says so.

use super::super::{Device, changes, run, verdicts};
use super::contents::lines;
use super::models::FieldsRow;
use super::{Conn, Server};
use carburetor::SyncGroup;
use carburetor::change::Changes;
use carburetor::upload::UploadError;
use serde_json::json;

type Fields = SyncGroup<(FieldsRow,)>;

/// A trigger that fails for the row whose `a` is 'met', with the state in the table `fault`, if there is one. It counts how often it is asked.
const FAULTY: &str = "
create table fault (state text, from_here bigint default 0, to_here bigint default 1000000);
create sequence asked;
create function faulty() returns trigger language plpgsql as $$ declare code text; begin
  select state into code from fault where new.a = 'met' and nextval('asked') between from_here and to_here;
  if code is not null then raise exception using errcode = code, message = 'breche Anfrage ab'; end if;
  return new;
end $$;
";

/// No row has ever been there.
const EMPTY: &str = "delete from fields_rows; delete from carburetor.register_fields_rows";

const AT_ONCE: &str = "create trigger faulty before insert or update on fields_rows for each row execute function faulty()";
const LATE: &str = "create constraint trigger faulty after insert or update on fields_rows deferrable initially deferred
  for each row execute function faulty()";

fn faulty(trigger: &str) -> (Server, Conn) {
    let server = Server::new();
    let mut conn = server.connect();
    run(&mut conn, FAULTY);
    run(&mut conn, trigger);
    (server, conn)
}

/// Inserts of so many rows, of which one meets the trigger.
fn inserts(many: i32) -> Changes {
    let mut device = Device::new(1);
    let texts = (1..=many).map(|id| (id, if id == many / 2 + 1 { "met" } else { "sent" }));
    changes(texts.map(|(id, a)| device.insert("fields_rows", json!({"id": id, "a": a}))))
}

fn ends(conn: &mut Conn, state: &str) {
    run(
        conn,
        &format!("delete from fault; insert into fault values ('{state}')"),
    );
}

#[test]
fn what_the_database_ends_is_not_rejected_in_any_language() {
    let (server, _conn) = faulty(AT_ONCE);
    for state in [
        "57014", "55P03", "55006", "40001", "40P01", "53100", "53300", "57P01", "58030", "25006",
    ] {
        for many in [1, 3, 8] {
            // Some states say that the connection is over.
            let conn = &mut server.connect();
            let sent = inserts(many);
            ends(conn, state);
            let failed = Fields::upload(conn, &sent);
            assert!(
                matches!(failed, Err(UploadError::Query(_))),
                "{state}: {failed:?}"
            );
            let conn = &mut server.connect();
            run(conn, "delete from fault");
            let told = Fields::upload(conn, &sent).unwrap();
            assert_eq!(verdicts(&told), vec!["applied"; sent.changes.len()]);
            run(conn, EMPTY);
        }
    }
}

#[test]
fn what_the_database_says_of_a_row_is_answered_alone() {
    for trigger in [AT_ONCE, LATE] {
        let (_server, conn) = &mut faulty(trigger);
        for state in ["P0001", "P0004", "22000", "42804", "54000", "XX000"] {
            ends(conn, state);
            for many in [1, 3, 8] {
                let told = Fields::upload(conn, &inserts(many)).unwrap();
                let mut expected = vec!["applied"; told.outcomes.len()];
                expected[told.outcomes.len() / 2] = "invalid";
                assert_eq!(verdicts(&told), expected, "{state}");
                run(conn, EMPTY);
            }
        }
    }
}

#[test]
fn what_waits_for_the_commit_is_not_rejected_either() {
    let (_server, conn) = &mut faulty(LATE);
    for many in [1, 8] {
        ends(conn, "57014");
        let sent = inserts(many);
        let failed = Fields::upload(conn, &sent);
        assert!(matches!(failed, Err(UploadError::Query(_))), "{failed:?}");
        run(conn, "delete from fault");
        let told = Fields::upload(conn, &sent).unwrap();
        assert_eq!(verdicts(&told), vec!["applied"; sent.changes.len()]);
        run(conn, EMPTY);
    }
}

#[test]
fn what_was_in_the_way_for_a_while_is_not_rejected() {
    let (_server, conn) = &mut faulty(AT_ONCE);
    // Tried as a whole, and alone: then it is gone.
    run(conn, "insert into fault values ('57014', 1, 2)");
    let told = Fields::upload(conn, &inserts(1)).unwrap();
    assert_eq!(verdicts(&told), ["applied"]);
    assert_eq!(
        lines(conn, "select (last_value > 2)::text as line from asked"),
        ["true"]
    );
}
