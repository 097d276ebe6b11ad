//! What is sent again is answered alike and written once.

use super::super::device::{On, stamp};
use super::super::{Device, changes, run, verdicts};
use super::contents::{contents, lines, rows};
use super::mixture::{VERDICTS, mixture};
use super::models::{CustomRow, FieldsRow};
use super::{CARBURETOR, Conn, Everything, Server};
use carburetor::change::{Change, Changes};
use carburetor::outcome::Outcomes;
use carburetor::upload::{Transactions, UploadError, UploadOptions};
use carburetor::{Everyone, SyncGroup};
use diesel::prelude::*;
use serde_json::{Value, json};
use std::sync::Barrier;

pub(super) type Fields = SyncGroup<(FieldsRow,)>;
type Custom = SyncGroup<(CustomRow,)>;

pub(super) fn upload_as(
    conn: &mut Conn,
    sent: &Changes,
    transactions: Transactions,
) -> Result<Outcomes, UploadError> {
    let options = UploadOptions {
        transactions,
        ..UploadOptions::default()
    };
    Everything::scoped(&Everyone).upload_with(conn, sent, &options)
}

/// Rows of `fields_rows`, one per id.
pub(super) fn inserts(device: &mut Device, ids: impl IntoIterator<Item = i32>) -> Vec<Change> {
    let row = |id| json!({"id": id, "a": format!("of {id}")});
    ids.into_iter()
        .map(|id| device.insert("fields_rows", row(id)))
        .collect()
}

#[test]
fn an_answer_that_was_lost_is_given_again_and_nothing_changes() {
    for transactions in [Transactions::One, Transactions::PerChange] {
        let server = Server::new();
        let sent = mixture(&mut server.connect());
        let first = upload_as(&mut server.connect(), &sent, transactions).unwrap();
        let told = verdicts(&first);
        // A transaction of its own knows nothing of a parent that was rejected before.
        let child = VERDICTS
            .iter()
            .position(|told| *told == "needs_parent")
            .unwrap();
        assert_eq!(told[..child], VERDICTS[..child]);
        assert_eq!(
            told[child] == "needs_parent",
            transactions == Transactions::One
        );
        assert_eq!(told[child + 1..], VERDICTS[child + 1..]);
        let before = contents(&mut server.connect());
        for again in [
            transactions,
            Transactions::One,
            Transactions::PerChange,
            transactions,
        ] {
            let conn = &mut server.connect();
            assert_eq!(upload_as(conn, &sent, again).unwrap(), first);
            assert_eq!(contents(conn), before);
        }
    }
}

#[test]
fn what_was_taken_as_a_whole_is_answered_again_as_a_whole() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut sent = mixture(conn);
    sent.changes.truncate(8);
    let first = upload_as(conn, &sent, Transactions::AllOrNothing).unwrap();
    assert_eq!(verdicts(&first), VERDICTS[..8]);
    let before = contents(conn);
    let second = upload_as(conn, &sent, Transactions::AllOrNothing).unwrap();
    assert_eq!(second, first);
    assert_eq!(contents(conn), before);
}

#[test]
fn what_was_refused_as_a_whole_is_tried_anew() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let row = json!({"id": 1, "person": "ann", "title": "t", "points": 1});
    let sent = changes([
        device.insert("fields_rows", json!({"id": 1, "a": "a"})),
        device.insert("tasks", row),
    ]);
    let before = contents(conn);
    for _ in 0..2 {
        let error = upload_as(conn, &sent, Transactions::AllOrNothing).unwrap_err();
        assert!(matches!(error, UploadError::Refused(_)), "{error}");
        assert_eq!(contents(conn), before);
    }
    run(
        conn,
        "insert into people (id, name, team, kind) values ('ann', 'Ann', 'red', 'k')",
    );
    let told = upload_as(conn, &sent, Transactions::AllOrNothing).unwrap();
    assert_eq!(verdicts(&told), ["applied"; 2]);
}

#[test]
fn parts_and_wholes_with_old_and_new_changes_write_the_new_ones_alone() {
    let server = Server::new();
    let conn = &mut server.connect();
    let all = mixture(conn);
    let (old, new) = ([0, 2, 4, 5, 6, 10], [1, 3, 7, 8, 9, 11]);
    let of = |places: &[usize]| changes(places.iter().map(|at| all.changes[*at].clone()));
    let expected =
        |places: &[usize]| -> Vec<&str> { places.iter().map(|at| VERDICTS[*at]).collect() };
    let first = Everything::upload(conn, &of(&old)).unwrap();
    assert_eq!(verdicts(&first), expected(&old));
    // A part, twice in one upload, in another order.
    let before = contents(conn);
    let part = [old[4], old[1], old[2], old[4]];
    let told = Everything::upload(conn, &of(&part)).unwrap();
    let answers = [4, 1, 2, 4].map(|place: usize| first.outcomes[place].clone());
    assert_eq!(told.outcomes, answers);
    assert_eq!(contents(conn), before);
    // The whole.
    let told = Everything::upload(conn, &all).unwrap();
    for (place, at) in old.iter().enumerate() {
        assert_eq!(told.outcomes[*at], first.outcomes[place], "{at}");
    }
    let new_verdicts: Vec<_> = new.iter().map(|at| verdicts(&told)[*at].clone()).collect();
    assert_eq!(new_verdicts, expected(&new));
    let merged = lines(conn, "select a as line from custom_rows");
    assert_eq!(merged, ["ann+bob"]);
    let before = contents(conn);
    assert_eq!(Everything::upload(conn, &all).unwrap(), told);
    assert_eq!(contents(conn), before);
}

#[test]
fn what_came_first_in_two_uploads_is_answered_as_it_was_in_each() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let all = inserts(&mut device, 1..=9);
    // The ranges of clocks that are stored overlap.
    let [odd, even] = [1, 0].map(|rest| {
        let of = all
            .iter()
            .enumerate()
            .filter(|(at, _)| (at + 1) % 2 == rest);
        changes(of.map(|(_, change)| change.clone()))
    });
    let first = Fields::upload(conn, &odd).unwrap();
    let second = Fields::upload(conn, &even).unwrap();
    let mut known: Vec<_> = [first.outcomes, second.outcomes].concat();
    known.sort_by_key(|outcome| outcome.clock);
    let before = contents(conn);
    let told = Fields::upload(conn, &changes(all)).unwrap();
    assert_eq!(told.outcomes, known);
    assert_eq!(contents(conn), before);
}

#[test]
fn what_the_caller_rolled_back_is_applied_when_it_comes_again() {
    let server = Server::new();
    let conn = &mut server.connect();
    let sent = mixture(conn);
    let before = contents(conn);
    let mut told = None;
    let rolled_back = conn.transaction(|conn| {
        told = Some(Everything::upload(conn, &sent)?);
        assert_ne!(contents(conn), before);
        Err::<(), _>(diesel::result::Error::RollbackTransaction)
    });
    assert!(rolled_back.is_err());
    assert_eq!(verdicts(&told.unwrap()), VERDICTS);
    assert_eq!(contents(conn), before);
    // A savepoint of the caller's that is rolled back, within a transaction that isn't.
    conn.transaction(|conn| {
        let _ = conn.transaction(|conn| {
            Everything::upload(conn, &sent)?;
            Err::<(), _>(diesel::result::Error::RollbackTransaction)
        });
        let told = Everything::upload(conn, &sent)?;
        assert_eq!(verdicts(&told), VERDICTS);
        diesel::QueryResult::Ok(())
    })
    .unwrap();
    let after = contents(&mut server.connect());
    assert_ne!(after, before);
    let told = Everything::upload(conn, &sent).unwrap();
    assert_eq!(verdicts(&told), VERDICTS);
    assert_eq!(contents(conn), after);
    assert_eq!(
        lines(conn, "select a as line from custom_rows"),
        ["ann+bob"]
    );
}

#[test]
fn the_same_upload_twice_at_once_is_applied_once_and_both_are_told_the_same() {
    let server = Server::new();
    let conn = &mut server.connect();
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    for round in 1..=12 {
        let row: Value = json!({"id": round, "a": "before", "b": "b", "c": "c"});
        let seen = Custom::upload(conn, &changes([ann.insert("custom_rows", row)])).unwrap();
        ann.observe(seen.clock);
        let edit = |device: &mut Device, id: i32, a: &str| {
            device
                .update("custom_rows", id, json!({"a": a}))
                .on_stamp(stamp(&seen.outcomes[0]))
        };
        let told = Custom::upload(conn, &changes([edit(&mut ann, round, "ann")])).unwrap();
        bob.observe(told.clock);
        let sent = changes([
            edit(&mut bob, round, "bob"),
            bob.insert("custom_rows", json!({"id": 1000 + round, "a": "new"})),
            bob.delete("custom_rows", round - 1),
        ]);
        let start = Barrier::new(2);
        let told: Vec<Outcomes> = std::thread::scope(|scope| {
            let uploads = [(); 2].map(|()| {
                let mut conn = server.connect();
                let (start, sent) = (&start, &sent);
                scope.spawn(move || {
                    start.wait();
                    Custom::upload(&mut conn, sent).unwrap()
                })
            });
            uploads.map(|upload| upload.join().unwrap()).into()
        });
        assert_eq!(told[0], told[1]);
        assert_eq!(verdicts(&told[0]), ["merged", "applied", "applied"]);
        let of_round = format!("select a as line from custom_rows where id = {round}");
        assert_eq!(lines(conn, &of_round), ["ann+bob"]);
        let log = rows(conn, &format!("{CARBURETOR}conflict_custom_rows"));
        let of_bob = log.iter().filter(|line| line.contains("0000000000000002"));
        // One entry for either side of the merge, and one for the deletion of what the round before merged.
        let known = usize::try_from(3 * round - 1).unwrap();
        assert_eq!(of_bob.count(), known, "{log:#?}");
    }
}
