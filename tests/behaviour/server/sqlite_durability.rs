//! What was answered is on disk.

use super::super::program::device;
use super::models::Note;
use super::{Conn, DB, Server};
use carburetor::Everyone;
use carburetor::SyncGroup;
use carburetor::replica::{InProcess, Replica};
use carburetor_tests::Folder;
use diesel::connection::{Connection, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Integer;

const FULL: i32 = 2;

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Integer)]
    synchronous: i32,
}

fn setting(conn: &mut Conn) -> i32 {
    let asked = diesel::sql_query("pragma synchronous");
    let setting: Setting = diesel::RunQueryDsl::get_result(asked, conn).unwrap();
    setting.synchronous
}

#[tokio::test]
async fn every_connection_of_a_servers_pool_commits_to_disk() {
    let server = Server::new();
    let pool = server.pool(4);
    let mut lent = Vec::new();
    for _ in 0..pool.status().max_size {
        lent.push(pool.get().await.unwrap());
    }
    for conn in &mut lent {
        let asked = diesel::sql_query("pragma synchronous");
        let asked = diesel_async::RunQueryDsl::get_result(asked, conn);
        let setting: Setting = asked.await.unwrap();
        assert_eq!(setting.synchronous, FULL);
    }
}

#[test]
fn a_connection_that_answers_before_its_commit_is_on_disk_is_told_of() {
    let server = Server::new();
    let conn = &mut server.connect();
    let tracking = SyncGroup::<(Note,)>::tracking::<DB>();
    assert_eq!(tracking.verify(conn).unwrap(), []);
    for less in ["normal", "off"] {
        conn.batch_execute(&format!("pragma synchronous = {less}"))
            .unwrap();
        let problems = tracking.verify(conn).unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].remedy.contains("pragma synchronous = full"));
    }
}

#[test]
fn a_hub_commits_to_disk_and_a_devices_own_file_need_not() {
    let server = Server::new();
    let url = server.path();
    let above = || {
        let url = url.clone();
        InProcess::<SyncGroup<(Note,)>, Everyone, Conn>::new(Everyone, move || {
            Conn::establish(&url)
        })
    };
    let folder = Folder::new();
    let plain =
        Replica::<SyncGroup<(device::Note,)>>::open(folder.file("device"), above()).unwrap();
    assert!(setting(&mut plain.connection().unwrap()) < FULL);
    // The server's own file, which others send their changes to.
    let hub = Replica::<SyncGroup<(Note,)>>::open(server.path(), above()).unwrap();
    assert_eq!(setting(&mut hub.connection().unwrap()), FULL);
}
