//! What was committed together, on lines and servers that bear only so much at once.

use super::*;

/// What servers, and what stands before them, say while they are away for a moment.
const AWAY: [Refusal; 4] = [
    Refusal::Status(503, "busy"),
    Refusal::Status(503, "database"),
    Refusal::Status(502, ""),
    Refusal::Status(504, ""),
];

#[test]
fn transactions_get_through_a_gateway_that_bears_little_by_and_by() {
    for refusal in AWAY {
        let server = Server::new();
        let mut device = Device::new(&server);
        for number in 0..10 {
            device.bears(0, 0, Refusal::Status(401, ""));
            device.write(&format!("a{number}n"), 50);
            device.sync().unwrap_err();
        }
        device.bears(100_000, 1000, refusal);
        let syncs = device.syncs();
        assert!(syncs <= 10, "{refusal:?}: {syncs} {:?}", device.uploads());
        assert_eq!((server.notes().len(), device.pending()), (500, 0));
    }
}

#[test]
fn a_short_outage_cuts_no_transaction() {
    for refusal in AWAY {
        let server = Server::new();
        let mut device = Device::new(&server);
        device.write("a", 1);
        device.bears(0, 0, refusal);
        for _ in 0..12 {
            device.sync().unwrap_err();
        }
        device.restart();
        device.sync().unwrap();
        // What waits meanwhile, and what is written after it.
        for (prefix, count) in [("b", 2), ("c", 1500)] {
            device.restart();
            device.bears(0, 0, refusal);
            device.write(prefix, count);
            for _ in 0..12 {
                device.sync().unwrap_err();
            }
            device.restart();
            device.sync().unwrap();
            assert_eq!(device.uploads(), [(count, true)], "{refusal:?}");
        }
        device.restart();
        device.write("d", 2);
        device.sync().unwrap();
        assert_eq!(device.uploads(), [(2, true)], "{refusal:?}");
        assert_eq!(server.notes().len(), 1505);
    }
}

#[test]
fn a_line_that_breaks_now_and_then_cuts_no_transaction() {
    let server = Server::new();
    let mut device = Device::new(&server);
    for number in 0..6 {
        device.bears(0, 0, Refusal::Cut);
        device.write(&format!("a{number}n"), 2);
        device.sync().unwrap_err();
        device.sync().unwrap_err();
        *device.line.state() = State::default();
        device.sync().unwrap();
        assert_eq!(device.uploads(), [(2, true)]);
    }
}

#[test]
fn a_transaction_is_cut_only_where_it_was_too_much_itself() {
    for refusal in [
        Refusal::Status(408, "slow"),
        Refusal::Status(503, "time"),
        Refusal::Status(413, "batch"),
    ] {
        let server = Server::new();
        let mut device = Device::new(&server);
        device.bears(usize::MAX, 10, refusal);
        device.write("a", 15);
        device.sync().unwrap();
        assert_eq!(device.uploads()[..2], [(15, false), (7, true)]);
        // The one before it was too much, but this one is not.
        device.restart();
        device.bears(usize::MAX, 10, refusal);
        device.write("b", 10);
        device.sync().unwrap();
        assert_eq!(device.uploads(), [(10, true)], "{refusal:?}");
        assert_eq!(device.replica.rejected().unwrap(), []);
    }
}

#[test]
fn what_was_too_much_is_known_when_the_program_begins_again() {
    let server = Server::new();
    let mut device = Device::new(&server);
    device.bears(usize::MAX, 40, Refusal::Cut);
    device.write("a", 100);
    for _ in 0..6 {
        device.sync().unwrap_err();
    }
    device.restart();
    device.bears(usize::MAX, 40, Refusal::Cut);
    device.syncs();
    assert_eq!(device.uploads()[0], (31, true), "{:?}", device.uploads());
    assert_eq!((server.notes().len(), device.pending()), (100, 0));
}

#[test]
fn of_transactions_that_are_too_much_at_once_each_goes_whole() {
    let server = Server::new();
    let mut device = Device::new(&server);
    for (prefix, count) in [("a", 70), ("b", 30)] {
        device.bears(0, 0, Refusal::Status(401, ""));
        device.write(prefix, count);
        device.sync().unwrap_err();
    }
    device.bears(usize::MAX, 80, Refusal::Status(413, "batch"));
    device.sync().unwrap();
    let uploads = device.uploads();
    let passed = uploads.into_iter().filter(|(_, passed)| *passed);
    assert_eq!(passed.collect::<Vec<_>>(), [(70, true), (30, true)]);
}
