//! What a program can watch of its servers and replicas.

use super::super::program::{Feed, Program};
use super::super::recorder::figures;
use super::models::Note;
use super::world::{Device, Team};
use super::{NAME, Server};
use carburetor::SyncGroup;
use carburetor::server::Sync;
use diesel::connection::SimpleConnection;

#[test]
fn servers_and_replicas_give_figures() {
    figures();
    let server = Server::new();
    let program = Program::start(|| {
        Sync::new(server.pool(2))
            .group::<SyncGroup<(Note,), Team>, Team>(NAME)
            .router()
    });
    let mut device = Device::of_group(&program, "red", NAME);
    program.runtime.block_on(device.replica.sync()).unwrap();
    device
            .conn
            .batch_execute("insert into notes (id, title, team) values ('c', 'three', 'red'), ('y', 'away', 'blue')")
            .unwrap();
    program.runtime.block_on(device.replica.sync()).unwrap();
    program.get(&program.client("red"), &format!("{NAME}/download?limit=0"));
    let mut feed = Feed::lines(&program, "red", &format!("{NAME}/feed"));
    feed.next(&program).unwrap();
    let mut conn = server.connect();
    conn.batch_execute("update notes set title = 'news' where id = 'a'")
        .unwrap();
    feed.next(&program).unwrap();
    let figures = figures();
    let of = |name: &str, labels: &str| {
        let key = format!("{name} {labels}");
        *figures
            .get(&key)
            .unwrap_or_else(|| panic!("{key} is not in {figures:?}"))
    };
    assert_eq!(
        of("carburetor_requests_total", &format!("{NAME} download 200")),
        2.0
    );
    assert_eq!(
        of("carburetor_requests_total", &format!("{NAME} download 400")),
        1.0
    );
    assert_eq!(
        of("carburetor_requests_total", &format!("{NAME} upload 200")),
        1.0
    );
    assert_eq!(
        of("carburetor_changes_total", &format!("{NAME} applied")),
        1.0
    );
    assert_eq!(
        of("carburetor_changes_total", &format!("{NAME} rejected")),
        1.0
    );
    assert!(of("carburetor_request_seconds", &format!("{NAME} upload")) >= 1.0);
    assert!(of("carburetor_body_seconds", NAME) >= 1.0);
    assert!(of("carburetor_download_bytes_total", NAME) > 100.0);
    assert!(of("carburetor_upload_bytes_total", NAME) > 100.0);
    assert!(of("carburetor_cutoff_age_seconds", NAME) < 3600.0);
    assert_eq!(of("carburetor_feeds", NAME), 1.0);
    assert!(of("carburetor_feed_delay_seconds", NAME) >= 1.0);
    assert!(of("carburetor_replica_rows_total", "") >= 3.0);
    assert!(of("carburetor_replica_rejected_total", "") >= 1.0);
    for gauge in [
        "carburetor_replica_pending",
        "carburetor_replica_oldest_pending_seconds",
    ] {
        assert!(of(gauge, "") >= 0.0);
    }
}
