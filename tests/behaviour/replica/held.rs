//! What a hub takes is held until the server above it has decided, and then the device hears how.

use super::super::recorder::Recorder;
use super::super::refusing::{Refusing, refusal};
use super::Server;
use super::hub::{Member, block_on, served};
use super::relay::{seen, way};
use super::world::note;
use bytes::Bytes;
use carburetor::change::{Changes, Edit};
use carburetor::outcome::Code;
use carburetor::replica::TransportError;
use carburetor::testing::{Fault, Faults, Faulty};
use std::time::Duration;

/// What a server says of uploads with a change of the note `c`.
#[derive(Clone, Copy, Debug)]
enum Says {
    Refused(u16, &'static str),
    /// An answer that is no message.
    Noise,
}

impl Says {
    /// What it answers; nothing of its own without a change of the note `c`.
    fn answer(self, message: &[u8]) -> Option<Result<Bytes, TransportError>> {
        let changes = Changes::read(message).unwrap().changes;
        let is_meant = changes.iter().any(|change| change.id == "c");
        is_meant.then(|| match self {
            Says::Noise => Ok("noise".into()),
            Says::Refused(status, code) => Err(refusal(status, code, "not this one")),
        })
    }
}

/// A device whose insert of the note `c` a hub holds, and which goes to the server itself from now on.
fn with_a_held_change(server: &Server, says: Says) -> (Member, Member) {
    let hub = Member::hub(server);
    let mut device = hub.device();
    device.run("insert into notes (id, title, team) values ('c', 'tre', 'red')");
    device.sync();
    assert_eq!(device.pending(), 1);
    let picky = Refusing::new(way(server), move |message: &[u8]| says.answer(message));
    device.replica = device.folder.open(picky).unwrap();
    (hub, device)
}

/// Runs until what others write has come, and what is edited has gone.
fn runs_both_ways(server: &Server, device: &mut Member) {
    device.run("update notes set title = 'uno' where id = 'a'");
    server.run("insert into notes (id, title, team) values ('d', 'vier', 'red')");
    let Member { replica, conn, .. } = device;
    let both = async {
        loop {
            let has_come = super::world::notes_in(conn)
                .iter()
                .any(|note| note.0 == "d");
            if has_come && server.notes()[0] == note("a", "uno") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::select! {
            ended = replica.run() => panic!("{ended:?}"),
            both = tokio::time::timeout(Duration::from_secs(30), both) => both.expect("nothing waits for it"),
        }
    });
}

#[test]
fn a_change_is_held_until_the_server_has_decided() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut devices = [hub.device(), hub.device()];
    devices[0]
        .run("update notes set title = 'uno' where id = 'a'; delete from notes where id = 'b'");
    for device in &mut devices {
        device.sync();
    }
    let expected = [note("a", "uno")];
    assert_eq!(devices[0].pending(), 2, "nobody has decided");
    for device in &mut devices {
        assert_eq!(device.notes(), expected);
    }
    assert_eq!(hub.pending(), 2);
    hub.sync();
    assert_eq!(seen(&server), expected);
    assert_eq!((hub.pending(), devices[0].pending()), (0, 2));
    devices[0].sync();
    assert_eq!(devices[0].pending(), 0);
    assert_eq!(devices[0].notes(), expected);
}

#[test]
fn a_rejection_of_the_server_reaches_the_device_that_made_the_change() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    device.run(
        "insert into notes (id, title, team) values ('z', 'not ours', 'blue'); update notes set title = 'uno' where id = 'a'",
    );
    device.sync();
    assert_eq!(hub.notes().len(), 3, "the hub shows it meanwhile");
    let synced = block_on(hub.replica.sync()).unwrap();
    assert_eq!((synced.sent, synced.rejected), (2, 0));
    assert!(hub.replica.rejected().unwrap().is_empty());
    let expected = [note("a", "uno"), note("b", "two")];
    assert_eq!(hub.notes(), expected);
    let synced = block_on(device.replica.sync()).unwrap();
    assert_eq!(synced.rejected, 1);
    let rejected = device.replica.rejected().unwrap();
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].rejection.code, Code::Forbidden);
    assert_eq!(rejected[0].change.id, "z");
    assert_eq!(device.notes(), expected);
    assert_eq!(device.pending(), 0);
    assert_eq!(seen(&server), expected);
}

#[test]
fn an_edit_that_is_gone_with_its_row_is_kept_by_the_device_of_a_hub() {
    let server = served();
    let hub = Member::hub(&server);
    let mut device = hub.device();
    device.run("update notes set title = 'uno' where id = 'a'");
    device.run("update notes set title = 'due' where id = 'b'");
    device.sync();
    server.run("delete from notes where id = 'a'");
    server.run("update notes set title = 'two, later' where id = 'b'");
    let synced = block_on(hub.replica.sync()).unwrap();
    assert_eq!((synced.sent, synced.lost), (2, 0), "it is the device's");
    assert!(hub.replica.rejected().unwrap().is_empty());
    let synced = block_on(device.replica.sync()).unwrap();
    assert_eq!((synced.rejected, synced.lost), (0, 1));
    let kept = device.replica.rejected().unwrap();
    assert_eq!(kept.len(), 1, "what gave way to a later write is not lost");
    assert_eq!(kept[0].rejection.code, Code::Gone);
    assert_eq!(kept[0].change.id, "a");
    assert_eq!(device.notes(), [note("b", "two, later")]);
    assert_eq!(device.pending(), 0);
}

#[test]
fn an_answer_that_got_lost_on_its_way_to_the_hub_is_asked_for_again() {
    let server = served();
    let faults = Faults::default();
    let mut hub = Member::hub_over(|| Faulty::new(way(&server), faults.clone()));
    let mut device = hub.device();
    device.run("insert into notes (id, title, team) values ('c', 'tre', 'red')");
    device.sync();
    faults.next(Fault::LoseAnswer);
    block_on(hub.replica.sync()).unwrap_err();
    assert_eq!(seen(&server).len(), 3, "the server has it");
    device.sync();
    assert_eq!(device.pending(), 1);
    hub.sync();
    device.sync();
    assert_eq!(device.pending(), 0);
    assert_eq!(device.notes(), seen(&server));
}

#[test]
fn a_hub_of_a_hub_holds_until_the_server_has_decided() {
    let server = served();
    let upper = Member::hub(&server);
    let mut lower = Member::hub_over(|| upper.way());
    let mut device = lower.device();
    device.run(
        "update notes set title = 'uno' where id = 'a'; insert into notes (id, title, team) values ('z', 'not ours', 'blue')",
    );
    device.sync();
    lower.sync();
    device.sync();
    assert_eq!((device.pending(), lower.pending()), (2, 2));
    block_on(upper.replica.sync()).unwrap();
    device.sync();
    assert_eq!(device.pending(), 2, "the lower hub has not asked");
    lower.sync();
    let synced = block_on(device.replica.sync()).unwrap();
    assert_eq!((synced.rejected, device.pending()), (1, 0));
    assert_eq!(seen(&server)[0], note("a", "uno"));
    lower.sync();
    device.sync();
    assert_eq!(device.notes(), seen(&server));
    assert_eq!(lower.notes(), seen(&server));
}

#[test]
fn what_is_held_is_not_confirmed() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    let recorder = Recorder::default();
    let asked = device.folder.open(recorder.clone()).unwrap();
    let confirmed = |device: &mut Member| {
        block_on(asked.sync()).unwrap_err();
        let message = Changes::read(recorder.messages().last().unwrap()).unwrap();
        device.sync();
        (message.confirmed, message.changes[0].clock)
    };
    device.run("update notes set title = 'uno' where id = 'a'");
    let (none, first) = confirmed(&mut device);
    assert_eq!(none, None);
    device.run("update notes set title = 'due' where id = 'b'");
    assert_eq!(confirmed(&mut device).0, None, "both are held");
    hub.sync();
    device.sync();
    device.run("update notes set title = 'tre' where id = 'b'");
    let (both, _) = confirmed(&mut device);
    assert!(both > Some(first), "{both:?}");
}

#[test]
fn a_device_that_follows_its_hub_hears_what_the_server_decided() {
    let server = served();
    let hub = Member::hub(&server);
    let mut device = hub.device();
    device.run("insert into notes (id, title, team) values ('z', 'not ours', 'blue')");
    device.sync();
    assert_eq!(device.pending(), 1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let heard = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        hub.replica.sync().await.unwrap();
        while device.pending() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let heard = async {
        tokio::select! {
            ended = device.replica.run() => panic!("{ended:?}"),
            () = heard => {}
        }
    };
    runtime.block_on(async {
        let heard = tokio::time::timeout(Duration::from_secs(60), heard);
        heard.await.expect("it asks again");
    });
    assert_eq!(device.replica.rejected().unwrap().len(), 1);
    assert_eq!(device.notes(), seen(&server));
}

#[test]
fn a_device_that_goes_to_the_server_itself_tells_it_what_a_hub_holds_first() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut device = hub.device();
    device.run("insert into notes (id, title, team) values ('c', 'tre', 'red')");
    device.sync();
    assert_eq!((device.pending(), seen(&server).len()), (1, 2));
    device.replica = device.folder.open(way(&server)).unwrap();
    device.run("update notes set title = 'drei' where id = 'c'");
    device.sync();
    let expected = [note("a", "one"), note("b", "two"), note("c", "drei")];
    assert_eq!(seen(&server), expected);
    assert_eq!((device.notes(), device.pending()), (expected.to_vec(), 0));
    hub.sync();
    assert_eq!(seen(&server), expected, "what comes again is no news");
    assert_eq!(hub.notes(), expected);
}

#[test]
fn an_edit_that_overtook_the_insert_of_another_replica_is_told_and_can_be_tried_again() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut devices = [hub.device(), hub.device()];
    devices[0].run("insert into notes (id, title, team) values ('c', 'tre', 'red')");
    for device in &mut devices {
        device.sync();
    }
    let [_, device] = &mut devices;
    device.replica = device.folder.open(way(&server)).unwrap();
    device.run("update notes set title = 'drei' where id = 'c'");
    let synced = block_on(device.replica.sync()).unwrap();
    assert_eq!((synced.sent, synced.rejected), (1, 1));
    assert_eq!(device.notes(), seen(&server), "the server has no such row");
    hub.sync();
    device.sync();
    assert_eq!(device.notes()[2], note("c", "tre"));
    let rejected = device.replica.rejected().unwrap();
    assert_eq!(rejected.len(), 1);
    let Edit::Update(columns) = &rejected[0].change.edit else {
        panic!("{rejected:?}");
    };
    assert_eq!(columns["title"], "drei", "nothing of it is lost");
    assert!(device.replica.retry(rejected[0].seq).unwrap());
    device.sync();
    assert_eq!(seen(&server)[2], note("c", "drei"));
    assert_eq!((device.notes(), device.pending()), (seen(&server), 0));
}

#[test]
fn what_can_not_be_asked_for_keeps_nothing_from_coming_or_going() {
    for says in [
        Says::Refused(403, "forbidden"),
        Says::Refused(400, "body"),
        Says::Refused(500, "server"),
        Says::Noise,
    ] {
        let server = served();
        let (_hub, mut device) = with_a_held_change(&server, says);
        runs_both_ways(&server, &mut device);
        assert_eq!(device.pending(), 1, "{says:?}: it is asked for again");
        assert_eq!(device.replica.rejected().unwrap(), [], "{says:?}");
    }
}

#[test]
fn what_is_too_much_to_be_asked_for_is_taken_back() {
    let server = served();
    let (_hub, mut device) = with_a_held_change(&server, Says::Refused(413, "body"));
    runs_both_ways(&server, &mut device);
    let rejected = device.replica.rejected().unwrap();
    assert_eq!((rejected.len(), device.pending()), (1, 0));
    assert_eq!(rejected[0].change.id, "c");
    let Edit::Insert(columns) = &rejected[0].change.edit else {
        panic!("{rejected:?}");
    };
    assert_eq!(columns["title"], "tre", "nothing of it is lost");
}

#[test]
fn what_was_held_with_a_clock_of_the_future_goes_to_the_server_with_another_one() {
    let server = served();
    let hub = Member::hub(&server);
    let mut device = hub.device();
    device.run("insert into notes (id, title, team) values ('c', 'tre', 'red')");
    device.sync();
    // As if the hub's time had been wrong when the device followed it.
    device.run(
        "update carburetor_held_change set clock = '03b4a6dc28000000' || substr(clock, 17);
update carburetor_held_change set change = json_set(change, '$.clock', clock);
update carburetor_replica set clock = 0x03b4a6dc28000000",
    );
    device.replica = device.folder.open(way(&server)).unwrap();
    device.run("update notes set title = 'drei' where id = 'c'");
    runs_both_ways(&server, &mut device);
    device.sync();
    let expected = [
        note("a", "uno"),
        note("b", "two"),
        note("c", "drei"),
        note("d", "vier"),
    ];
    assert_eq!(seen(&server), expected);
    assert_eq!((device.notes(), device.pending()), (expected.to_vec(), 0));
    assert_eq!(device.replica.rejected().unwrap(), []);
}

/// What the hub made of the change at first has no stamp, and the server has applied it: that is no word of a row that is gone.
#[test]
fn what_the_server_has_applied_stays_though_the_hub_thought_otherwise() {
    let server = served();
    let mut hub = Member::hub(&server);
    let mut devices = [hub.device(), hub.device()];
    devices[0].run("insert into notes (id, title, team) values ('d', 'first', 'red')");
    devices[1].run("insert into notes (id, title, team) values ('d', 'second', 'red')");
    // Of the later one the hub hears first, and its answer to the other one gets lost.
    devices[1].sync();
    let faults = Faults::default();
    let way = Faulty::new(hub.way(), faults.clone());
    devices[0].replica = devices[0].folder.open(way).unwrap();
    faults.next(Fault::LoseAnswer);
    block_on(devices[0].replica.sync()).unwrap_err();
    hub.sync();
    // The download comes before the answer.
    faults.next(Fault::LoseRequest);
    block_on(devices[0].replica.sync()).unwrap_err();
    devices[0].sync();
    assert_eq!(devices[0].notes(), seen(&server));
    assert_eq!(devices[0].pending(), 0);
}
