//! Downloads on an asynchronous connection, where the rows are asked for before the cutoff has arrived.

use super::{Note, database, exact, reader, stamp};
use carburetor::{Assumptions, Everyone, SyncGroup};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use std::time::Duration;

/// Notes, in a setting of the session, in which order rows of the registry and of the table are read.
const ORDER: &str = "
create function note_order(label text) returns boolean language plpgsql as $$
begin perform set_config('test.trace', current_setting('test.trace', true) || label || ' ', false); return true; end $$;
alter table notes enable row level security;
create policy noted on notes using (note_order('rows'));
alter table carburetor.synced_table enable row level security;
create policy noted on carburetor.synced_table using (note_order('registry'));
insert into notes values (1);
";

async fn download(
    conn: &mut AsyncPgConnection,
    assumptions: Assumptions,
    since: DateTime<Utc>,
) -> String {
    conn.batch_execute("set test.trace = ''").await.unwrap();
    let group = SyncGroup::<(Note,)>::scoped(&Everyone).assuming(assumptions);
    let news = group.download_async(conn, (Some(since),)).await.unwrap();
    assert_eq!(news.0.rows.len(), 1);
    diesel::select(sql::<Text>("current_setting('test.trace')"))
        .get_result(conn)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_cutoff_runs_before_the_rows_whichever_statement_is_prepared_already() {
    let database = database();
    database.psql(ORDER);
    let role = reader(&database);
    let mut conn = AsyncPgConnection::establish(&database.url_as(&role))
        .await
        .unwrap();
    let since = stamp(&mut database.connect(), "notes", 1);
    // The cutoff reads the registry, and the statement of the rows reads it once more before the rows.
    for attempt in 0..3 {
        let order = download(&mut conn, exact(), since).await;
        assert_eq!(order, "registry registry rows ", "download {attempt}");
    }
    // Other assumptions make another cutoff statement, which is new to the connection; the rows' is not.
    for millis in 1..4 {
        let other = Assumptions {
            slack: Duration::from_millis(millis),
            ..exact()
        };
        let order = download(&mut conn, other, since).await;
        assert_eq!(order, "registry registry rows ", "slack of {millis} ms");
    }
}
