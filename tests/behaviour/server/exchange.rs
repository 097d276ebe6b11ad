//! Devices and a server over HTTP.

use super::Server;
use super::world::Device;
use carburetor::outcome::Code;
use carburetor::replica::{ReplicaError, TransportError};
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;

fn pair(id: &str, title: &str) -> (String, String) {
    (id.into(), title.into())
}

#[test]
fn what_is_written_offline_arrives_when_the_server_is_back() {
    let server = Server::new();
    let program = server.serve(4, Limits::default());
    let [mut first, mut second] = [(); 2].map(|()| Device::new(&program, "red"));
    for device in [&mut first, &mut second] {
        program.runtime.block_on(device.replica.sync()).unwrap();
        assert_eq!(device.notes(), [pair("a", "one"), pair("b", "two")]);
    }
    program.stop();
    let writes = "insert into notes (id, title, team) values ('c', 'three', 'red'); update notes set title = 'uno' where id = 'a'; delete from notes where id = 'b'";
    first.conn.batch_execute(writes).unwrap();
    // The connection that was kept may still be answered once.
    let gone = (0..10)
        .find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            program.runtime.block_on(second.replica.sync()).err()
        })
        .expect("the server is gone");
    assert!(
        matches!(gone, ReplicaError::Transport(TransportError::Offline(_))),
        "{gone}"
    );
    let program = server.serve(4, Limits::default());
    let mut late = Device::new(&program, "red");
    first = first.reopen(&program, "red");
    program.runtime.block_on(first.replica.sync()).unwrap();
    program.runtime.block_on(late.replica.sync()).unwrap();
    let expected = [pair("a", "uno"), pair("c", "three")];
    assert_eq!(server.notes("red"), expected);
    assert_eq!(late.notes(), expected);
    assert_eq!(first.notes(), expected);
    assert_eq!(first.replica.pending().unwrap(), 0);
}

#[test]
fn many_pages_come_as_one() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let values: Vec<String> = (0..25_000)
        .map(|number| format!("('n{number:05}', 'note {number}', 'red')"))
        .collect();
    let insert = format!(
        "insert into notes (id, title, team) values {}",
        values.join(", ")
    );
    server.connect().batch_execute(&insert).unwrap();
    let mut device = Device::new(&program, "red");
    let synced = program.runtime.block_on(device.replica.sync()).unwrap();
    assert!(synced.rows >= 25_002, "{synced:?}");
    assert_eq!(device.notes(), server.notes("red"));
}

#[test]
fn another_teams_rows_neither_come_nor_change() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let mut red = Device::new(&program, "red");
    program.runtime.block_on(red.replica.sync()).unwrap();
    red.conn
        .batch_execute("insert into notes (id, title, team) values ('x', 'mine', 'red'), ('y', 'away', 'blue')")
        .unwrap();
    let synced = program.runtime.block_on(red.replica.sync()).unwrap();
    assert_eq!(synced.rejected, 2);
    let rejected = red.replica.rejected().unwrap();
    for change in rejected {
        assert_eq!(change.rejection.code, Code::Forbidden);
        assert!(!format!("{change:?}").contains("else"), "{change:?}");
    }
    assert_eq!(red.notes(), [pair("a", "one"), pair("b", "two")]);
    assert_eq!(server.notes("blue"), [pair("x", "else")]);
}
