//! Downloads from a hot standby: the watermark holds the cutoff.

use super::{Memo, Naive, Note, Replica, prepared, run, stamp};
use carburetor::{DownloadError, tracking};
use carburetor_tests::Cluster;

#[test]
fn a_standby_without_a_watermark_is_an_error_and_so_is_an_untracked_table() {
    let cluster = Cluster::start();
    let database = prepared(cluster.database());
    let Some(standby) = cluster.standby() else {
        return;
    };
    standby.wait_caught_up();
    let mut conn = standby.database(&database).connect();
    let error = Replica::default().download::<Note>(&mut conn).unwrap_err();
    assert!(matches!(error, DownloadError::NoWatermark), "{error}");
    let error = Replica::default().download::<Memo>(&mut conn).unwrap_err();
    assert!(
        matches!(&error, DownloadError::Standby { table } if table == "memos"),
        "{error}"
    );
}

#[test]
fn a_watermark_on_a_standby_holds_for_writers_of_the_primary_that_it_cannot_see() {
    let cluster = Cluster::start();
    let database = prepared(cluster.database());
    let Some(standby) = cluster.standby() else {
        return;
    };
    // The watermark stays a second behind, and would otherwise lie before the installation.
    database.wait_until(
        "statement_timestamp() - interval '1100 milliseconds' > (select max(horizon) from carburetor.synced_table)",
    );
    let (mut primary, mut writer) = (database.connect(), database.connect());
    let watermark = |primary: &mut _| {
        tracking::watermark(primary).unwrap();
        standby.wait_caught_up();
    };
    watermark(&mut primary);
    let mut conn = standby.database(&database).connect();
    let mut replica = Replica::of::<Note>(&mut conn);
    // The standby's own locks: there are none.
    let mut locks = Naive::new(
        "notes",
        "least(statement_timestamp(), (select timestamptz '2020-01-01 00:00:00Z' + interval '1 microsecond' *
           min(((l.classid::bigint << 32) | l.objid::bigint) & ((1::bigint << 51) - 1)) from pg_locks l
           where l.locktype = 'advisory' and (l.classid::bigint >> 19) = 1441))",
    );

    run(&mut writer, "begin; insert into notes values (1)");
    let opened = stamp(&mut writer, "notes", 1);
    run(&mut primary, "insert into notes values (2)");
    database.wait_until(&format!(
        "statement_timestamp() - interval '1100 milliseconds' > timestamptz '{}'",
        opened.to_rfc3339()
    ));
    watermark(&mut primary);
    replica.download::<Note>(&mut conn).unwrap();
    locks.download(&mut conn);
    assert_eq!(replica.ids(), [2]);
    assert!(replica.since.unwrap() <= opened);

    run(&mut writer, "commit");
    // A pause that came before the commit would keep it away.
    standby.wait_caught_up();
    standby.pause();
    run(&mut primary, "insert into notes values (3)");
    tracking::watermark(&mut primary).unwrap();
    replica.download::<Note>(&mut conn).unwrap();
    locks.download(&mut conn);
    assert_eq!(replica.ids(), [1, 2], "the standby lags");

    standby.resume();
    watermark(&mut primary);
    replica.download::<Note>(&mut conn).unwrap();
    locks.download(&mut conn);
    assert_eq!(replica.ids(), [1, 2, 3]);
    assert_eq!(locks.ids, [2], "what committed later was lost");
}
