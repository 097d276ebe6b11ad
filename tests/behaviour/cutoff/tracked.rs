//! Tracked tables: the locks of the writers hold the cutoff.

use super::{Naive, Note, Replica, database, reader, run, stamp};
use carburetor::DownloadError;
use diesel::prelude::*;

#[test]
fn a_row_that_was_open_during_a_download_comes_with_the_next_one() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Note>(&mut reader);
    let mut clock = Naive::new("notes", "now()");
    let mut greatest = Naive::new("notes", "(select max(updated_at) from notes)");

    run(&mut writer, "begin; insert into notes values (1)");
    let opened = stamp(&mut writer, "notes", 1);
    database.psql("insert into notes values (2)");
    replica.download::<Note>(&mut reader).unwrap();
    clock.download(&mut reader);
    greatest.download(&mut reader);
    assert_eq!(replica.ids(), [2]);
    assert!(replica.since.unwrap() <= opened);

    run(&mut writer, "commit");
    replica.download::<Note>(&mut reader).unwrap();
    clock.download(&mut reader);
    greatest.download(&mut reader);
    assert_eq!(replica.ids(), [1, 2]);
    assert_eq!((clock.ids, greatest.ids), (vec![2], vec![2]));
}

#[test]
fn visible_rows_come_while_a_long_writer_holds_the_cutoff() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Note>(&mut reader);
    run(&mut writer, "begin; insert into notes values (1)");
    replica.download::<Note>(&mut reader).unwrap();
    let held = replica.since;
    for id in [2, 3] {
        database.psql(&format!("insert into notes values ({id})"));
        replica.download::<Note>(&mut reader).unwrap();
        assert!(replica.ids().contains(&id));
        assert_eq!(replica.since, held);
    }
    run(&mut writer, "commit");
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [1, 2, 3]);
    assert!(replica.since.unwrap() > stamp(&mut reader, "notes", 3));
}

#[test]
fn an_open_transaction_that_wrote_nothing_tracked_holds_nothing() {
    let database = database();
    let (mut reader, mut other) = (database.connect(), database.connect());
    run(&mut other, "begin; insert into memos values (1)");
    database.psql("insert into notes values (1)");
    let replica = Replica::of::<Note>(&mut reader);
    assert!(replica.since.unwrap() > stamp(&mut reader, "notes", 1));
}

#[test]
fn a_prepared_transaction_holds_the_cutoff_until_another_connection_commits_it() {
    let database = database();
    let mut reader = database.connect();
    let mut replica = Replica::of::<Note>(&mut reader);
    let mut clock = Naive::new("notes", "now()");
    database.psql("begin; insert into notes values (1); prepare transaction 'note'");
    replica.download::<Note>(&mut reader).unwrap();
    clock.download(&mut reader);
    assert_eq!(replica.ids(), [] as [i32; 0]);
    database.psql("commit prepared 'note'");
    replica.download::<Note>(&mut reader).unwrap();
    clock.download(&mut reader);
    assert_eq!(replica.ids(), [1]);
    assert_eq!(clock.ids, [] as [i32; 0]);
}

#[test]
fn what_a_writer_may_do_does_not_give_up_its_place() {
    for (number, statements) in [
        "insert into notes values (1); select pg_advisory_unlock_all()",
        "insert into notes values (1); reset all",
        "insert into notes values (1); set local role none; reset session authorization",
        "savepoint s; insert into notes values (9); rollback to s; insert into notes values (1)",
        "insert into notes values (1); savepoint s; insert into notes values (9); rollback to s",
        "savepoint s; insert into notes values (1); release s",
        "set local session_replication_role = replica; insert into notes values (1)",
        "do $$ begin insert into notes values (1); begin insert into notes values (1); exception when others then null; end; end $$",
        "insert into notes values (1); declare c cursor for select * from notes; fetch all from c; close c",
    ]
    .into_iter()
    .enumerate()
    {
        let database = database();
        let (mut reader, mut writer) = (database.connect(), database.connect());
        let mut replica = Replica::of::<Note>(&mut reader);
        let mut clock = Naive::new("notes", "now()");
        run(&mut writer, &format!("begin; {statements}"));
        replica.download::<Note>(&mut reader).unwrap();
        clock.download(&mut reader);
        run(&mut writer, "commit");
        replica.download::<Note>(&mut reader).unwrap();
        clock.download(&mut reader);
        assert_eq!(replica.ids(), [1], "{number}: {statements}");
        assert_eq!(clock.ids, [] as [i32; 0], "{number}: {statements}");
    }
}

#[test]
fn rows_that_are_copied_in_hold_the_cutoff() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Note>(&mut reader);
    run(&mut writer, "begin");
    diesel::copy_from(super::notes::table)
        .from_raw_data(
            (super::notes::id, super::notes::body),
            |copy| -> QueryResult<()> {
                copy.write_all(b"1\tone\n2\ttwo\n").unwrap();
                Ok(())
            },
        )
        .execute(&mut writer)
        .unwrap();
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [] as [i32; 0]);
    run(&mut writer, "commit");
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [1, 2]);
}

#[test]
fn writers_of_other_roles_and_with_hidden_activity_are_seen() {
    let database = database();
    let role = reader(&database);
    let mut reader = PgConnection::establish(&database.url_as(&role)).unwrap();
    let mut writer = database.connect();
    let mut replica = Replica::of::<Note>(&mut reader);
    run(
        &mut writer,
        "set track_activities = off; begin; insert into notes values (1)",
    );
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [] as [i32; 0]);
    run(&mut writer, "commit");
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [1]);
}

#[test]
fn a_trigger_that_fires_after_the_stamp_is_an_error_and_one_before_it_is_harmless() {
    let database = database();
    let (mut reader, mut writer) = (database.connect(), database.connect());
    let mut replica = Replica::of::<Note>(&mut reader);

    run(&mut writer, "begin; select 1");
    replica.download::<Note>(&mut reader).unwrap();
    run(
        &mut writer,
        "create trigger \"~zero\" before insert or update on notes for each row execute function touch();
         insert into notes values (1)",
    );
    let changed = stamp(&mut writer, "notes", 1);
    assert!(changed < replica.since.unwrap(), "it would be lost");
    run(&mut writer, "commit");
    let error = replica.download::<Note>(&mut reader).unwrap_err();
    assert!(
        matches!(&error, DownloadError::LateTrigger { trigger, .. } if trigger == "~zero"),
        "{error}"
    );

    run(
        &mut writer,
        "alter trigger \"~zero\" on notes rename to touch",
    );
    run(&mut writer, "begin; select 1");
    replica.download::<Note>(&mut reader).unwrap();
    run(&mut writer, "insert into notes values (2); commit");
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.ids(), [2]);
}

#[test]
fn a_later_version_never_has_an_older_stamp() {
    let database = database();
    let (mut reader, mut early) = (database.connect(), database.connect());
    database.psql("insert into notes values (1, 'first')");
    let mut replica = Replica::of::<Note>(&mut reader);
    run(&mut early, "begin; select 1");
    database.psql("update notes set body = 'second'");
    let second = stamp(&mut reader, "notes", 1);
    replica.download::<Note>(&mut reader).unwrap();
    run(&mut early, "update notes set body = 'third'; commit");
    assert!(stamp(&mut reader, "notes", 1) > second);
    replica.download::<Note>(&mut reader).unwrap();
    assert_eq!(replica.rows[&1], "third");
}
