//! Untracked tables: the open transactions of the database hold the cutoff, as far as they can be seen.

use super::{Memo, Naive, Replica, database, exact, reader, run, stamp};
use carburetor::{Assumptions, DownloadError, SyncGroup};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::time::Duration;

/// The oldest transaction that the activity shows, without a look at what is hidden or prepared.
const OLDEST: &str = "least(now(), (select min(xact_start) from pg_stat_activity where datname = current_database()))";

#[test]
fn a_row_that_was_open_during_a_download_comes_with_the_next_one() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Memo>(&mut reader);
    let mut clock = Naive::new("memos", "now()");
    let mut greatest = Naive::new("memos", "(select max(updated_at) from memos)");

    run(&mut writer, "begin; insert into memos values (1)");
    database.psql("insert into memos values (2)");
    replica.download::<Memo>(&mut reader).unwrap();
    clock.download(&mut reader);
    greatest.download(&mut reader);
    assert_eq!(replica.ids(), [2]);
    assert!(replica.since.unwrap() <= stamp(&mut writer, "memos", 1));

    run(&mut writer, "commit");
    replica.download::<Memo>(&mut reader).unwrap();
    clock.download(&mut reader);
    greatest.download(&mut reader);
    assert_eq!(replica.ids(), [1, 2]);
    assert_eq!((clock.ids, greatest.ids), (vec![2], vec![2]));
}

#[test]
fn a_transaction_that_has_not_written_yet_holds_the_cutoff() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Memo>(&mut reader);
    let mut clock = Naive::new("memos", "now()");
    run(&mut writer, "begin; select 1");
    replica.download::<Memo>(&mut reader).unwrap();
    clock.download(&mut reader);
    run(&mut writer, "insert into memos values (1); commit");
    replica.download::<Memo>(&mut reader).unwrap();
    clock.download(&mut reader);
    assert_eq!(replica.ids(), [1]);
    assert_eq!(clock.ids, [] as [i32; 0]);
}

#[test]
fn a_prepared_transaction_holds_the_cutoff_at_its_beginning() {
    let database = database();
    let mut reader = database.connect();
    let mut replica = Replica::of::<Memo>(&mut reader);
    // The instant that the server shows is that of PREPARE TRANSACTION, which comes after the stamp.
    let mut prepared = Naive::new(
        "memos",
        "least(now(), (select min(prepared) from pg_prepared_xacts where database = current_database()))",
    );
    let mut writer = database.connect();
    run(&mut writer, "begin; insert into memos values (1)");
    run(&mut writer, "prepare transaction 'memo'");
    replica.download::<Memo>(&mut reader).unwrap();
    prepared.download(&mut reader);
    run(&mut writer, "commit prepared 'memo'");
    replica.download::<Memo>(&mut reader).unwrap();
    prepared.download(&mut reader);
    assert_eq!(replica.ids(), [1]);
    assert_eq!(prepared.ids, [] as [i32; 0]);
}

#[test]
fn a_transaction_prepared_after_its_grace_is_the_assumption_that_does_not_hold() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Memo>(&mut reader);
    let none = Assumptions {
        prepare_grace: Duration::ZERO,
        ..exact()
    };
    run(&mut writer, "begin; insert into memos values (1)");
    run(&mut writer, "prepare transaction 'late_memo'");
    replica
        .download_assuming::<Memo>(none, &mut reader)
        .unwrap();
    run(&mut writer, "commit prepared 'late_memo'");
    replica
        .download_assuming::<Memo>(none, &mut reader)
        .unwrap();
    assert_eq!(replica.ids(), [] as [i32; 0]);
}

#[test]
fn transactions_hidden_from_the_role_are_an_error_until_it_may_see_them() {
    let database = database();
    let role = reader(&database);
    let mut reader = PgConnection::establish(&database.url_as(&role)).unwrap();
    let mut writer = database.connect();
    let mut replica = Replica::default();
    let mut oldest = Naive::new("memos", OLDEST);
    run(&mut writer, "begin; insert into memos values (1)");
    let error = replica.download::<Memo>(&mut reader).unwrap_err();
    assert!(
        matches!(&error, DownloadError::HiddenTransactions { role: culprit } if *culprit == role),
        "{error}"
    );
    oldest.download(&mut reader);

    database.psql(&format!("grant pg_read_all_stats to {role}"));
    replica.download::<Memo>(&mut reader).unwrap();
    run(&mut writer, "commit");
    replica.download::<Memo>(&mut reader).unwrap();
    oldest.download(&mut reader);
    assert_eq!(replica.ids(), [1]);
    assert_eq!(oldest.ids, [] as [i32; 0]);
}

#[test]
fn a_session_whose_activity_is_not_tracked_is_an_error() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Memo>(&mut reader);
    let mut oldest = Naive::new("memos", OLDEST);
    run(
        &mut writer,
        "set track_activities = off; begin; insert into memos values (1)",
    );
    let error = replica.download::<Memo>(&mut reader).unwrap_err();
    assert!(
        matches!(error, DownloadError::ActivityNotTracked),
        "{error}"
    );
    oldest.download(&mut reader);

    run(&mut writer, "commit; set track_activities = on; select 1");
    replica.download::<Memo>(&mut reader).unwrap();
    oldest.download(&mut reader);
    assert_eq!(replica.ids(), [1]);
    assert_eq!(oldest.ids, [] as [i32; 0]);
}

#[test]
fn activity_that_the_transaction_has_cached_hides_no_writer() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Memo>(&mut reader);
    // The own transaction left out, as one does who looks for others.
    let mut oldest = Naive::new(
        "memos",
        "least(statement_timestamp(), (select min(xact_start) from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()))",
    );
    run(&mut reader, "begin; select count(*) from pg_stat_activity");
    run(&mut writer, "begin; insert into memos values (1)");
    oldest.download(&mut reader);
    replica.download::<Memo>(&mut reader).unwrap();
    run(&mut reader, "commit");
    run(&mut writer, "commit");
    replica.download::<Memo>(&mut reader).unwrap();
    oldest.download(&mut reader);
    assert_eq!(replica.ids(), [1]);
    assert_eq!(oldest.ids, [] as [i32; 0]);
}

#[test]
fn a_later_version_with_an_older_stamp_comes_all_the_same() {
    let database = database();
    let (mut reader, mut early) = (database.connect(), database.connect());
    database.psql("insert into memos values (1, 'first')");
    let mut replica = Replica::of::<Memo>(&mut reader);
    run(&mut early, "begin; select 1");
    database.psql("update memos set body = 'second'");
    let second = stamp(&mut reader, "memos", 1);
    replica.download::<Memo>(&mut reader).unwrap();
    assert_eq!(replica.rows[&1], "second");
    run(&mut early, "update memos set body = 'third'; commit");
    assert!(stamp(&mut reader, "memos", 1) < second);
    replica.download::<Memo>(&mut reader).unwrap();
    assert_eq!(replica.rows[&1], "third");
}

#[test]
fn rows_of_one_stamp_come_whole_by_pages() {
    let database = database();
    let mut reader = database.connect();
    let mut replica = Replica::of::<Memo>(&mut reader);
    database.psql("insert into memos select id from generate_series(1, 20) id");
    let mut pages = SyncGroup::<(Memo,)>::pages::<Pg>((replica.since,), 3);
    let mut count = 0;
    while let Some(page) = pages.next(&mut reader).unwrap() {
        let (news,) = page.into_tables();
        assert!(news.rows.len() <= 3);
        replica.apply(news);
        count += 1;
    }
    assert_eq!(replica.ids(), Vec::from_iter(1..=20));
    assert!(count >= 7);

    // A naive page begins after the last stamp of the page before.
    let rest: i64 = diesel::select(sql::<BigInt>(
        "(select count(*) from memos where updated_at > (select updated_at from memos where id = 3))",
    ))
    .get_result(&mut reader)
    .unwrap();
    assert_eq!(rest, 0);
}
