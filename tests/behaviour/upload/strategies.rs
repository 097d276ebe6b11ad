//! Who wins, by strategy.

use super::super::device::{On, stamp};
use super::super::{Device, changes, rejection, run, verdicts};
use super::models::{ClientRow, CustomRow, FieldsRow, LaterRow, ServerRow};
use super::{Conn, DB, Server};
use carburetor::change::{Change, Changes};
use carburetor::outcome::{Code, Outcomes};
use carburetor::table::TableOn;
use carburetor::upload::ConflictsOf;
use carburetor::{Everyone, SyncGroup, SyncTable};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// The answers to one change.
fn upload<M: TableOn<DB>>(conn: &mut Conn, change: Change) -> Outcomes {
    SyncGroup::<(M,)>::upload(conn, &changes([change])).unwrap()
}

/// A row with the texts a, b and c that everybody has seen; its stamp.
fn seen<M: TableOn<DB>>(conn: &mut Conn, devices: [&mut Device; 2]) -> DateTime<Utc> {
    let mut maker = Device::new(9);
    let row = maker.insert(M::NAME, json!({"id": 1, "a": "a", "b": "b", "c": "c"}));
    let outcomes = upload::<M>(conn, row);
    assert_eq!(verdicts(&outcomes), ["applied"]);
    for device in devices {
        device.observe(outcomes.clock);
    }
    stamp(&outcomes.outcomes[0])
}

/// The texts of the row.
fn row<M: TableOn<DB>>(conn: &mut Conn) -> Value {
    let news = SyncGroup::<(M,)>::download(conn, (None,)).unwrap();
    let row = news.0.rows[0].encode().unwrap();
    json!([row["a"], row["b"], row["c"]])
}

/// Two edits of one row, the first by the clock arriving last or first; what the second arrival is told and what stands.
fn race<M: TableOn<DB>>(edits: [Value; 2], late_first: bool) -> (String, Value) {
    let server = Server::new();
    let conn = &mut server.connect();
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let base = seen::<M>(conn, [&mut ann, &mut bob]);
    let [early, late] = edits;
    let early = ann.update(M::NAME, 1, early).on_stamp(base);
    bob.observe(early.clock);
    let late = bob.update(M::NAME, 1, late).on_stamp(base);
    let order = match late_first {
        true => [late, early],
        false => [early, late],
    };
    let told = order.map(|change| verdicts(&upload::<M>(conn, change)).remove(0));
    assert_eq!(told[0], "applied");
    (told[1].clone(), row::<M>(conn))
}

#[test]
fn each_column_goes_to_its_later_write_whatever_arrives_first() {
    let edits = || {
        [
            json!({"a": "ann", "c": "ann"}),
            json!({"a": "bob", "b": "bob"}),
        ]
    };
    let stands = json!(["bob", "bob", "ann"]);
    assert_eq!(
        race::<FieldsRow>(edits(), true),
        ("merged".into(), stands.clone())
    );
    assert_eq!(race::<FieldsRow>(edits(), false), ("merged".into(), stands));
}

#[test]
fn a_row_goes_to_its_later_write_whatever_arrives_first() {
    // Column c is resolved by itself.
    let edits = || {
        [
            json!({"a": "ann", "b": "b", "c": "ann"}),
            json!({"a": "a", "b": "bob"}),
        ]
    };
    let stands = json!(["a", "bob", "ann"]);
    assert_eq!(
        race::<LaterRow>(edits(), true),
        ("merged".into(), stands.clone())
    );
    assert_eq!(race::<LaterRow>(edits(), false), ("merged".into(), stands));
}

#[test]
fn an_edit_made_at_nine_and_uploaded_last_loses_to_the_one_made_at_ten() {
    let edits = [
        json!({"a": "nine", "b": "nine"}),
        json!({"a": "ten", "b": "ten"}),
    ];
    assert_eq!(
        race::<LaterRow>(edits, true),
        ("superseded".into(), json!(["ten", "ten", "c"]))
    );
}

#[test]
fn a_part_of_what_is_resolved_as_one_is_refused_by_name() {
    let server = Server::new();
    let conn = &mut server.connect();
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    seen::<LaterRow>(conn, [&mut ann, &mut bob]);
    let outcomes = upload::<LaterRow>(conn, ann.update("later_rows", 1, json!({"a": "x"})));
    assert_eq!(rejection(&outcomes, 0), (Code::Invalid, Some("b")));
}

#[test]
fn the_servers_row_stands_in_a_conflict_and_only_then() {
    let edits = || {
        [
            json!({"a": "ann", "c": "ann"}),
            json!({"a": "bob", "c": "bob"}),
        ]
    };
    // The later clock doesn't count but in column c.
    assert_eq!(
        race::<ServerRow>(edits(), false),
        ("merged".into(), json!(["ann", "b", "bob"]))
    );
    assert_eq!(
        race::<ServerRow>(edits(), true),
        ("superseded".into(), json!(["bob", "b", "bob"]))
    );
}

#[test]
fn the_replicas_edit_stands_whatever_its_clock() {
    let edits = || {
        [
            json!({"a": "ann", "c": "ann"}),
            json!({"a": "bob", "c": "bob"}),
        ]
    };
    assert_eq!(
        race::<ClientRow>(edits(), true),
        ("merged".into(), json!(["ann", "b", "bob"]))
    );
}

#[test]
fn the_models_own_merge_sees_both_rows_and_runs_once() {
    let server = Server::new();
    let conn = &mut server.connect();
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let base = seen::<CustomRow>(conn, [&mut ann, &mut bob]);
    let first = ann
        .update("custom_rows", 1, json!({"a": "ann"}))
        .on_stamp(base);
    let second = bob
        .update("custom_rows", 1, json!({"a": "bob"}))
        .on_stamp(base);
    assert_eq!(verdicts(&upload::<CustomRow>(conn, first)), ["applied"]);
    let sent = changes([second]);
    let told = SyncGroup::<(CustomRow,)>::upload(conn, &sent).unwrap();
    assert_eq!(verdicts(&told), ["merged"]);
    assert_eq!(row::<CustomRow>(conn), json!(["ann+bob", "b", "c"]));
    // The answer was lost.
    let again: Changes = sent;
    let told_again = SyncGroup::<(CustomRow,)>::upload(conn, &again).unwrap();
    assert_eq!(told_again.outcomes, told.outcomes);
    assert_eq!(row::<CustomRow>(conn), json!(["ann+bob", "b", "c"]));
    // Neither value stands.
    let log = SyncGroup::<(CustomRow,)>::scoped(&Everyone)
        .conflicts(conn, &ConflictsOf::default())
        .unwrap();
    let gave_way: Vec<_> = log
        .iter()
        .map(|entry| (&entry.lost["a"], &entry.won["a"]))
        .collect();
    let merged = &json!("ann+bob");
    assert_eq!(gave_way, [(&json!("bob"), merged), (&json!("ann"), merged)]);
    assert!(
        log.iter().all(|entry| entry.lost_clock <= entry.won_clock),
        "{log:?}"
    );
}

#[test]
fn a_write_by_hand_is_a_write_like_any_other() {
    let server = Server::new();
    let conn = &mut server.connect();
    let (mut ann, mut bob) = (Device::new(1), Device::new(2));
    let base = seen::<FieldsRow>(conn, [&mut ann, &mut bob]);
    let before = ann
        .update("fields_rows", 1, json!({"a": "ann", "b": "ann"}))
        .on_stamp(base);
    std::thread::sleep(std::time::Duration::from_millis(5));
    run(conn, "update fields_rows set a = 'by hand'");
    let outcomes = upload::<FieldsRow>(conn, before);
    assert_eq!(verdicts(&outcomes), ["merged"]);
    assert_eq!(row::<FieldsRow>(conn), json!(["by hand", "ann", "c"]));
}

#[test]
fn a_base_of_another_server_counts_as_none() {
    let hour = chrono::Duration::hours(1);
    let own = |conn: &mut Conn| {
        let news = SyncGroup::<(FieldsRow,)>::download(conn, (None,)).unwrap();
        news.next().origin().map(str::to_owned)
    };
    let another = |_: &mut Conn| Some("another".to_owned());
    let told = |origin: &dyn Fn(&mut Conn) -> Option<String>, later| {
        let server = Server::new();
        let conn = &mut server.connect();
        let (mut ann, mut bob) = (Device::new(1), Device::new(2));
        let base = seen::<FieldsRow>(conn, [&mut ann, &mut bob]);
        let change = ann.update(FieldsRow::NAME, 1, json!({"a": "ann"}));
        let mut changes = changes([change.on_stamp(base + later)]);
        changes.origin = origin(conn);
        let outcomes = SyncGroup::<(FieldsRow,)>::upload(conn, &changes).unwrap();
        verdicts(&outcomes).remove(0)
    };
    let none = chrono::Duration::zero();
    assert_eq!(told(&own, none), "applied");
    assert_eq!(told(&|_| None, none), "applied");
    assert_eq!(told(&another, none), "merged");
    // Of what this server was before it went back.
    assert_eq!(told(&own, hour), "merged");
}
