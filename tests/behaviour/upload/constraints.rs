//! What the database refuses, and what it makes something else of.

use super::super::{Device, changes, rejection, run, verdicts};
use super::contents::lines;
use super::goods::{GOODS, Good, NAMES, Owner, Pair};
use super::{Conn, DB, Server};
use carburetor::change::Change;
use carburetor::clock::Clock;
use carburetor::outcome::{Code, Outcomes, Verdict};
use carburetor::upload::{Transactions, UploadError, UploadOptions};
use carburetor::{Everyone, SyncGroup};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) type Goods = SyncGroup<(Pair, Good, Owner)>;

/// A server with an owner, and a good that is in the way of others.
pub(super) fn goods() -> (Server, Conn) {
    let server = Server::new();
    let mut conn = server.connect();
    run(&mut conn, GOODS);
    Goods::tracking::<DB>().install(&mut conn).unwrap();
    run(
        &mut conn,
        "insert into owners (id, name) values (1, 'Ann');
         insert into goods (id, code, amount, owner, label, room, seat) values (1, 'taken', 1, 1, 'l', 'taken', 1)",
    );
    (server, conn)
}

pub(super) fn device() -> Device {
    let mut device = Device::new(1);
    device.observe(Clock::of_database(chrono::Utc::now()));
    device
}

/// A good that is in nobody's way.
pub(super) fn good(id: i32) -> Value {
    json!({"id": id, "code": format!("code {id}"), "amount": id, "owner": 1, "label": "l", "note": null, "room": null, "seat": null})
}

/// A good with one column set to what the database refuses.
pub(super) fn good_but(id: i32, column: &str, value: Value) -> Value {
    let mut row = good(id);
    row[column] = value;
    row
}

type Bad = fn(&mut Device, i32) -> Change;

/// Changes that the database refuses, with the code and the field that they are told.
fn bad() -> Vec<(Bad, Code, Option<&'static str>)> {
    let [
        unique,
        check,
        not_null,
        foreign,
        exclusion,
        deferred_unique,
        deferred_foreign,
    ] = NAMES;
    vec![
        (
            |device, id| device.insert("goods", good_but(id, "code", json!("taken"))),
            Code::Constraint,
            unique,
        ),
        (
            |device, id| device.insert("goods", good_but(id, "amount", json!(-1))),
            Code::Constraint,
            check,
        ),
        (
            |device, id| device.insert("goods", good_but(id, "label", Value::Null)),
            Code::Constraint,
            not_null,
        ),
        (
            |device, id| device.insert("goods", good_but(id, "owner", json!(99))),
            Code::Constraint,
            foreign,
        ),
        (
            |device, id| device.insert("goods", good_but(id, "room", json!("taken"))),
            Code::Constraint,
            exclusion,
        ),
        (
            |device, id| device.insert("goods", good_but(id, "seat", json!(1))),
            Code::Constraint,
            deferred_unique,
        ),
        (
            |device, id| device.insert("pairs", json!({"id": id, "other": 99, "name": "n"})),
            Code::Constraint,
            deferred_foreign,
        ),
        (
            |device, id| device.insert("goods", good_but(id, "note", json!("forbidden"))),
            Code::Invalid,
            None,
        ),
        (
            |device, _| device.update("goods", 1, json!({"amount": -5})),
            Code::Constraint,
            check,
        ),
        (
            |device, _| device.update("goods", 1, json!({"owner": 99})),
            Code::Constraint,
            foreign,
        ),
        (
            |device, _| device.delete("owners", 1),
            Code::Constraint,
            foreign,
        ),
    ]
}

fn upload_as(
    conn: &mut Conn,
    sent: Vec<Change>,
    transactions: Transactions,
) -> Result<Outcomes, UploadError> {
    let options = UploadOptions {
        transactions,
        ..UploadOptions::default()
    };
    Goods::scoped(&Everyone).upload_with(conn, &changes(sent), &options)
}

fn stored(conn: &mut Conn) -> Vec<String> {
    lines(
        conn,
        "select cast(id as text) || ' ' || code || ' ' || cast(amount as text) || ' ' || cast(owner as text) as line from goods order by goods.id",
    )
}

/// Five good inserts, with bad changes at these places of the batch.
fn batch(device: &mut Device, first: i32, bad: &BTreeMap<usize, Bad>) -> Vec<Change> {
    (0..5 + bad.len())
        .zip(first..)
        .map(|(place, id)| match bad.get(&place) {
            Some(bad) => bad(device, id),
            None => device.insert("goods", good(id)),
        })
        .collect()
}

#[test]
fn wherever_bad_changes_stand_the_others_are_applied() {
    let (_server, conn) = &mut goods();
    let mut device = device();
    let kinds = bad();
    let mut first = 100;
    for (kind, (make, ..)) in kinds.iter().enumerate() {
        // Another kind beside it.
        let (other, ..) = kinds[(kind + 3) % kinds.len()];
        let batches: [&[(usize, Bad)]; 5] = [
            &[(0, *make)],
            &[(2, *make)],
            &[(5, *make)],
            &[(1, *make), (4, other)],
            &[(0, other), (6, *make)],
        ];
        for bad in batches {
            let bad: BTreeMap<usize, Bad> = bad.iter().copied().collect();
            for transactions in [Transactions::One, Transactions::PerChange] {
                first += 10;
                let sent = batch(&mut device, first, &bad);
                let before = stored(conn).len();
                let told = upload_as(conn, sent, transactions)
                    .unwrap_or_else(|error| panic!("kind {kind} {transactions:?}: {error}"));
                for (place, verdict) in verdicts(&told).into_iter().enumerate() {
                    let Some(make) = bad.get(&place) else {
                        assert_eq!(
                            verdict, "applied",
                            "kind {kind} {transactions:?} at {place}"
                        );
                        continue;
                    };
                    let is_same = |(other, ..): &&(Bad, _, _)| std::ptr::fn_addr_eq(*make, *other);
                    let (_, code, field) = kinds.iter().find(is_same).unwrap();
                    assert_eq!(rejection(&told, place), (*code, *field), "kind {kind}");
                }
                assert_eq!(stored(conn).len(), before + 5, "kind {kind}");
            }
        }
    }
    // What the bad ones were about is as it was.
    assert_eq!(stored(conn)[0], "1 taken 1 1");
}

#[test]
fn a_rejected_reference_names_the_other_table() {
    let (_server, conn) = &mut goods();
    let why = |told: Outcomes| match &told.outcomes[0].verdict {
        Verdict::Rejected(rejection) => rejection.message.clone(),
        verdict => panic!("{verdict:?}"),
    };
    let deletes = device().delete("owners", 1);
    let told = why(upload_as(conn, vec![deletes], Transactions::One).unwrap());
    assert!(told.starts_with("owners: rows of goods"), "{told}");
    assert!(
        told.ends_with(": delete them first, or let them refer to another one"),
        "{told}"
    );
    // The other table is outside of the group.
    let sent = changes([device().insert("goods", good_but(2, "owner", json!(99)))]);
    let told = why(SyncGroup::<(Good,)>::scoped(&Everyone)
        .upload(conn, &sent)
        .unwrap());
    assert!(
        told.contains(": owners by owner = 99; write that row first"),
        "{told}"
    );
}

#[test]
fn with_all_or_nothing_every_bad_change_is_named_and_nothing_is_written() {
    let (_server, conn) = &mut goods();
    let mut device = device();
    let kinds = bad();
    let before = stored(conn);
    for (kind, (make, ..)) in kinds.iter().enumerate() {
        let (other, ..) = kinds[(kind + 3) % kinds.len()];
        let bad = BTreeMap::from([(2, *make), (5, other)]);
        let sent = batch(&mut device, 100, &bad);
        let error = upload_as(conn, sent, Transactions::AllOrNothing).unwrap_err();
        let UploadError::Refused(rejections) = error else {
            panic!("kind {kind}: {error}")
        };
        let places: Vec<usize> = rejections.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, [2, 5], "kind {kind}");
        let fields: Vec<_> = rejections
            .iter()
            .map(|(_, rejection)| (rejection.code, rejection.field.as_deref()))
            .collect();
        let expected = [kind, (kind + 3) % kinds.len()].map(|kind| (kinds[kind].1, kinds[kind].2));
        assert_eq!(fields, expected, "kind {kind}");
        assert_eq!(stored(conn), before);
    }
}

#[test]
fn a_trigger_that_refuses_a_row_says_why() {
    let (_server, conn) = &mut goods();
    let mut device = device();
    let sent = [
        device.insert("goods", good_but(2, "note", json!("forbidden"))),
        device.update("goods", 1, json!({"note": "forbidden"})),
        device.update("goods", 1, json!({"note": "noted"})),
    ];
    let told = Goods::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&told), ["invalid", "invalid", "merged"]);
    let said = serde_json::to_string(&told.outcomes[0]).unwrap();
    assert!(said.contains("this is not noted"), "{said}");
    let note = lines(conn, "select note as line from goods");
    assert_eq!(note, ["noted"]);
}

#[test]
fn what_a_trigger_makes_of_a_value_is_a_write_of_the_servers() {
    let (_server, conn) = &mut goods();
    let mut device = device();
    let sent = [
        device.insert("goods", good_but(2, "note", json!("  note "))),
        device.insert("goods", good_but(3, "note", json!("note"))),
    ];
    let clock = sent[0].clock;
    let told = Goods::upload(conn, &changes(sent)).unwrap();
    assert_eq!(verdicts(&told), ["merged", "applied"]);
    let row = told.outcomes[0].row.as_ref().unwrap();
    assert_eq!(row["note"], "note");
    let registers = lines(
        conn,
        "select cast(carburetor_registers as text) as line from goods where id = 2",
    );
    let registers = carburetor_tests::registers(&registers[0]).unwrap();
    assert_eq!(registers[""], clock);
    assert!(registers["note"] > clock && registers["note"].replica() == 0);
    // The sender's next edit, who has seen it, wins.
    device.observe(told.clock);
    let edit = device.update("goods", 2, json!({"note": " again "}));
    let told = Goods::upload(conn, &changes([edit])).unwrap();
    assert_eq!(verdicts(&told), ["merged"]);
    let note = lines(conn, "select note as line from goods where id = 2");
    assert_eq!(note, ["again"]);
}

/// As it would if each had come by itself: whatever the order of the ids and of the message is, and however many changes come.
#[test]
fn of_two_that_want_the_same_the_earlier_one_gets_it() {
    for (others, is_backwards) in [(0, false), (1, false), (10, false), (0, true), (10, true)] {
        let (_server, conn) = &mut goods();
        let mut device = device();
        // Each is a second later than the one before it.
        let by = |number| Device::ahead(1 + number, number);
        let mut sent = vec![
            by(1).insert("goods", good_but(50, "code", json!("both"))),
            by(2).insert("goods", good_but(40, "code", json!("both"))),
            by(3).update("goods", 1, json!({"code": "edited"})),
            by(4).insert("goods", good_but(41, "code", json!("edited"))),
        ];
        sent.extend((60..60 + others).map(|id| device.insert("goods", good(id))));
        if is_backwards {
            sent.reverse();
        }
        let mut verdicts = verdicts(&Goods::upload(conn, &changes(sent)).unwrap());
        if is_backwards {
            verdicts.reverse();
        }
        let expected = ["applied", "constraint", "merged", "constraint"];
        assert_eq!(
            verdicts[..4],
            expected,
            "beside {others}, backwards: {is_backwards}"
        );
    }
}
