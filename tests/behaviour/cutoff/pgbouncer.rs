//! Downloads through PgBouncer in transaction mode, where two statements may run on two server connections.

use super::{Memo, Naive, Note, Replica, database, exact, run};
use carburetor::{Everyone, SyncGroup};
use carburetor_tests::Pgbouncer;
use diesel::connection::{CacheSize, Connection, SimpleConnection};

#[test]
fn downloads_through_pgbouncer_lose_nothing() {
    let database = database();
    let bouncer = Pgbouncer::without_prepared_statements(&database);
    let (mut reader, mut other) = (bouncer.database().connect(), bouncer.database().connect());
    // Diesel's own remedy: a statement with a name exists on one server connection only.
    reader.set_prepared_statement_cache_size(CacheSize::Disabled);
    // Two server connections, so that there is a choice.
    run(&mut other, "begin");
    run(&mut reader, "select 1");
    run(&mut other, "commit");

    let mut notes = Replica::of::<Note>(&mut reader);
    let mut memos = Replica::of::<Memo>(&mut reader);
    let mut clock = Naive::new("notes", "now()");
    run(
        &mut other,
        "begin; insert into notes values (1); insert into memos values (1)",
    );
    notes.download::<Note>(&mut reader).unwrap();
    memos.download::<Memo>(&mut reader).unwrap();
    clock.download(&mut reader);
    other.batch_execute("commit").unwrap();
    let group = SyncGroup::<(Note,)>::scoped(&Everyone).assuming(exact());
    let news = group
        .download_consistent(&mut reader, (notes.since,))
        .unwrap();
    notes.apply(news.into_tables().0);
    memos.download::<Memo>(&mut reader).unwrap();
    clock.download(&mut reader);
    assert_eq!((notes.ids(), memos.ids()), (vec![1], vec![1]));
    assert_eq!(clock.ids, [] as [i32; 0]);
}
