//! Many changes of one upload that the database refuses.

use super::super::{changes, rejection, verdicts};
use super::constraints::{Goods, device, good, good_but, goods};
use super::contents::lines;
use super::goods::NAMES;
use super::{Conn, FEW_STATEMENTS};
use carburetor::outcome::Code;
use diesel::connection::{Connection, InstrumentationEvent};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What uploads of `many` changes cost, most of which are refused: statements and savepoints.
fn cost(many: i32) -> (usize, usize) {
    let (_server, conn) = &mut goods();
    let mut device = device();
    let ids = 100..100 + many;
    let sent = ids.clone().map(|id| match id % 8 {
        0 => device.insert("goods", good(id)),
        1 => device.insert("goods", good_but(id, "code", json!("taken"))),
        2 => device.insert("goods", good_but(id, "amount", json!(-1))),
        3 => device.insert("goods", good_but(id, "label", Value::Null)),
        4 => device.insert("goods", good_but(id, "owner", json!(99))),
        5 => device.insert("goods", good_but(id, "note", json!("forbidden"))),
        6 => device.insert("goods", good_but(id, "room", json!("taken"))),
        _ => device.insert("goods", good_but(id, "seat", json!(1))),
    });
    let sent = changes(sent.collect::<Vec<_>>());
    let counted = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let counts = counted.clone();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { .. } => {
            counts[0].fetch_add(1, Ordering::Relaxed);
        }
        InstrumentationEvent::BeginTransaction { .. } => {
            counts[1].fetch_add(1, Ordering::Relaxed);
        }
        _ => {}
    });
    let told = Goods::upload(conn, &sent).unwrap();
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let [unique, check, not_null, foreign, exclusion, seat, _] = NAMES;
    for (place, id) in ids.clone().enumerate() {
        let expected = match id % 8 {
            0 => {
                assert_eq!(verdicts(&told)[place], "applied");
                continue;
            }
            1 => (Code::Constraint, unique),
            2 => (Code::Constraint, check),
            3 => (Code::Constraint, not_null),
            4 => (Code::Constraint, foreign),
            5 => (Code::Invalid, None),
            6 => (Code::Constraint, exclusion),
            _ => (Code::Constraint, seat),
        };
        assert_eq!(rejection(&told, place), expected, "{id}");
    }
    assert_eq!(stored(conn), 1 + ids.filter(|id| id % 8 == 0).count());
    let [statements, savepoints] = [&counted[0], &counted[1]];
    (
        statements.load(Ordering::Relaxed),
        savepoints.load(Ordering::Relaxed),
    )
}

fn stored(conn: &mut Conn) -> usize {
    lines(conn, "select code as line from goods").len()
}

#[test]
fn many_changes_that_are_refused_cost_few_savepoints() {
    let ((few, _), (many, savepoints)) = (cost(160), cost(640));
    match FEW_STATEMENTS {
        true => assert_eq!(many, few, "statements"),
        // Each has a statement, and one more when others are there.
        false => {
            assert!(
                many - few < 5 * (640 - 160) / 2,
                "{few} and {many} statements"
            );
            assert!(savepoints < 20, "{savepoints} savepoints");
        }
    }
}
