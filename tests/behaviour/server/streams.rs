//! Downloads that are read slowly.

use super::Server;
use super::world::Device;
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn whoever_stops_reading_holds_no_connection() {
    let server = Server::new();
    let limits = Limits {
        time: Duration::from_secs(60),
        streams: 2,
        ..Limits::default()
    };
    // One connection, and more than sockets buffer.
    let program = server.serve(1, limits);
    server
        .connect()
        .batch_execute("insert into notes (id, title, team) select 'n' || n, repeat('x', 1000), 'red' from generate_series(1, 60000) n")
        .unwrap();
    let client = program.client("red");
    let mut slow = program.runtime.block_on(async {
        let request = client.get(program.url("web/download?limit=1000"));
        let request = request.header("accept", "application/x-ndjson");
        request.send().await.unwrap()
    });
    let first = program.runtime.block_on(slow.chunk()).unwrap();
    assert!(first.is_some());
    std::thread::sleep(Duration::from_millis(500));
    let mut other = Device::new(&program, "blue");
    program.runtime.block_on(other.replica.sync()).unwrap();
    assert_eq!(other.notes(), server.notes("blue"));
    // And as soon as he reads on, all is there.
    let rest = program.runtime.block_on(async {
        let mut rest = first.unwrap().to_vec();
        while let Some(chunk) = slow.chunk().await.unwrap() {
            rest.extend_from_slice(&chunk);
        }
        rest
    });
    let lines: Vec<&[u8]> = rest.split(|byte| *byte == b'\n').collect();
    let pages: Vec<serde_json::Value> = lines[..lines.len() - 1]
        .iter()
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let ids: BTreeSet<&str> = pages
        .iter()
        .flat_map(|page| page["tables"]["notes"]["rows"].as_array().unwrap())
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 60_002);
    let more: Vec<bool> = pages.iter().map(|page| page["more"] == true).collect();
    assert!(more.len() > 61 && more[..more.len() - 1].iter().all(|more| *more));
    assert!(!more[more.len() - 1]);
}

#[test]
fn downloads_beyond_the_limit_are_told_to_wait() {
    let server = Server::new();
    let limits = Limits {
        streams: 0,
        ..Limits::default()
    };
    let program = server.serve(1, limits);
    let (status, problem) = program.get(&program.client("red"), "web/download");
    assert_eq!(
        (status.as_u16(), problem["code"].as_str()),
        (503, Some("busy"))
    );
}
