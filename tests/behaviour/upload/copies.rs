//! A copied replica file: the same clock with other content.

use super::super::device::{On, stamp};
use super::super::{Device, changes, verdicts};
use super::Server;
use super::contents::contents;
use super::repeats::{Fields, inserts, upload_as};
use carburetor::change::Change;
use carburetor::upload::{Transactions, UploadError};
use serde_json::json;

#[test]
fn a_copied_replica_is_recognised_by_whatever_its_clock_says_twice() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut original = Device::new(1);
    let first = changes(inserts(&mut original, 1..=2));
    Fields::upload(conn, &first).unwrap();
    // The file is copied here: what both do next has the same clocks.
    let mut copy = original.clone();
    let millis = first.changes[1].clock.millis() + 1;
    let next = |device: &mut Device, make: &dyn Fn(&mut Device) -> Change| {
        let mut change = make(device);
        change.clock = device.tick_at(millis);
        change
    };
    let taken = next(&mut original, &|device| {
        device.update("fields_rows", 1, json!({"a": "x", "b": null}))
    });
    let rejected = next(&mut original, &|device| {
        device.update("nowhere", 1, json!({"a": "x"}))
    });
    let clocks = [taken.clock, rejected.clock];
    let told = Fields::upload(conn, &changes([taken.clone(), rejected])).unwrap();
    assert_eq!(verdicts(&told), ["merged", "invalid"]);
    let before = contents(conn);
    let others: [&dyn Fn(&mut Device) -> Change; 7] = [
        &|device| device.update("fields_rows", 1, json!({"a": "y", "b": null})),
        &|device| device.update("fields_rows", 1, json!({"a": "x"})),
        &|device| device.update("fields_rows", 1, json!({"a": "x", "b": null, "c": null})),
        &|device| device.update("fields_rows", 2, json!({"a": "x", "b": null})),
        &|device| device.update("later_rows", 1, json!({"a": "x", "b": null})),
        &|device| device.insert("fields_rows", json!({"id": 1, "a": "x", "b": null})),
        &|device| device.delete("fields_rows", 1),
    ];
    for (number, other) in others.iter().enumerate() {
        for clock in clocks {
            let mut sent = inserts(&mut copy, [10, 11, 12]);
            // First, in the middle, last; beside what both know and what is new.
            let mut change = other(&mut copy);
            change.clock = clock;
            sent.insert(number % 4, change);
            sent.extend(first.changes.clone());
            for transactions in [Transactions::One, Transactions::AllOrNothing] {
                let told = upload_as(conn, &changes(sent.clone()), transactions);
                let Err(UploadError::Copied { clock: named }) = told else {
                    panic!("{number}: {told:?}")
                };
                assert_eq!(named, clock);
                assert_eq!(contents(conn), before, "{number}");
            }
        }
    }
    // The original goes on.
    let more = changes(inserts(&mut original, [10]));
    assert_eq!(verdicts(&Fields::upload(conn, &more).unwrap()), ["applied"]);
}

#[test]
fn what_a_replica_saw_in_the_meantime_makes_no_other_change() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let first = Fields::upload(conn, &changes(inserts(&mut device, [1]))).unwrap();
    device.observe(first.clock);
    let edit = device
        .update("fields_rows", 1, json!({"a": "x", "b": "y"}))
        .on_stamp(stamp(&first.outcomes[0]));
    let told = Fields::upload(conn, &changes([edit.clone()])).unwrap();
    let before = contents(conn);
    let mut again = edit;
    again.base = told.outcomes[0].stamp;
    again.was = json!({"a": "of 1"}).as_object().unwrap().clone();
    assert_eq!(Fields::upload(conn, &changes([again])).unwrap(), told);
    assert_eq!(contents(conn), before);
}

#[test]
fn one_clock_with_two_contents_in_one_upload_is_refused() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut device = Device::new(1);
    let mut sent = inserts(&mut device, 1..=2);
    sent[1].clock = sent[0].clock;
    let before = contents(conn);
    let error = Fields::upload(conn, &changes(sent)).unwrap_err();
    assert!(matches!(error, UploadError::Copied { .. }), "{error}");
    assert_eq!(contents(conn), before);
}
