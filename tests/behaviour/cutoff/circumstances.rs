//! Downloads inside a transaction of the caller.

use super::{Note, Replica, database, exact, run};
use carburetor::{DownloadError, Everyone, SyncGroup};
use diesel::prelude::*;

#[test]
fn a_download_inside_a_transaction_that_has_its_snapshot_is_an_error() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Note>(&mut reader);

    // What would be lost: the snapshot is older than the lock, and the clock later than the stamp.
    run(
        &mut reader,
        "begin isolation level repeatable read; select count(*) from notes",
    );
    database.psql("insert into notes values (1)");
    let visible: i64 = super::notes::table.count().get_result(&mut reader).unwrap();
    assert_eq!(visible, 0);
    let error = replica.download::<Note>(&mut reader).unwrap_err();
    assert!(matches!(error, DownloadError::Snapshot), "{error}");
    run(&mut reader, "rollback");

    run(
        &mut writer,
        "begin isolation level serializable; select count(*) from notes",
    );
    let error = replica.download::<Note>(&mut writer).unwrap_err();
    assert!(matches!(error, DownloadError::Snapshot), "{error}");
    run(&mut writer, "rollback");

    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [1]);
}

#[test]
fn a_download_inside_a_transaction_that_has_written_is_an_error() {
    let database = database();
    let mut conn = database.connect();
    let mut replica = Replica::of::<Note>(&mut conn);
    run(&mut conn, "begin; insert into notes values (1)");
    let error = replica.download::<Note>(&mut conn).unwrap_err();
    assert!(matches!(error, DownloadError::Written), "{error}");
    run(&mut conn, "rollback");
    replica.download::<Note>(&mut conn).unwrap();
    assert_eq!(replica.ids(), [] as [i32; 0]);
}

#[test]
fn a_download_inside_a_transaction_that_only_reads_sees_what_commits_meanwhile() {
    let database = database();
    let mut conn = database.connect();
    let mut replica = Replica::of::<Note>(&mut conn);
    conn.transaction(|conn| {
        run(conn, "select count(*) from notes");
        database.psql("insert into notes values (1)");
        replica.download::<Note>(conn)
    })
    .unwrap();
    assert_eq!(replica.ids(), [1]);
}

#[test]
fn a_consistent_download_inside_a_transaction_is_an_error() {
    let mut conn = database().connect();
    let error = conn
        .transaction(|conn| {
            let group = SyncGroup::<(Note,)>::scoped(&Everyone).assuming(exact());
            group.download_consistent(conn, (None,)).map(|_| ())
        })
        .unwrap_err();
    assert!(matches!(error, DownloadError::Snapshot), "{error}");
}
