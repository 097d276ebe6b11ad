//! Plans that run in parallel send lines in any order, so the statements forbid them where the order counts.

use super::super::on_postgres::Server;
use super::super::{Game, Note, removed};
use super::{run, steady, tracked};
use carburetor::group::{DownloadTables, SyncTables};
use carburetor::wire::WireTables;
use carburetor::{Everyone, SyncGroup, SyncTable, Token};
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use diesel::pg::Pg;

/// Makes every plan parallel that may be.
fn in_parallel(conn: &mut PgConnection) {
    run(
        conn,
        "set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0; set min_parallel_index_scan_size = 0;
         set max_parallel_workers_per_gather = 4; set enable_indexscan = off; set enable_bitmapscan = off;
         select set_config(case when current_setting('server_version_num')::int < 160000 then 'force_parallel_mode' else 'debug_parallel_query' end, 'on', false)",
    );
}

/// The news since `token`, by way of JSON, which says it if the order is wrong.
fn news<T>(conn: &mut PgConnection, token: Token) -> carburetor::Response<T>
where
    T: DownloadTables<Pg, Everyone> + SyncTables + WireTables<Pg>,
{
    let mut json = Vec::new();
    SyncGroup::<T>::scoped(&Everyone)
        .assuming(steady())
        .download_json(conn, token, &mut json)
        .unwrap();
    SyncGroup::<T>::read_json::<Pg>(&json).unwrap()
}

#[test]
fn removals_come_before_rows_whatever_the_plan() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) select n, 'red' from generate_series(1, 20000) n; insert into notes (id, body) select n, 'b' from generate_series(1, 20000) n",
    );
    let first = SyncGroup::<(Game, Note)>::scoped(&Everyone)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    run(
        conn,
        "delete from games where id % 2 = 0; update games set title = 'x'; update notes set gone = true where id % 2 = 0; update notes set body = 'c' where id % 2 = 1; analyze",
    );
    in_parallel(conn);
    let read = news::<(Game, Note)>(conn, first.next());
    assert_eq!((removed(&read.0).len(), read.0.rows.len()), (10000, 10000));
    assert_eq!((removed(&read.1).len(), read.1.rows.len()), (10000, 10000));
}

diesel::table! { old (id) { id -> Integer, gone -> Bool, at -> Timestamptz, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = old)]
#[sync(backends(postgres), untracked)]
struct Old {
    id: i32,
    #[sync(deleted)]
    gone: bool,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

#[test]
fn so_do_those_of_an_untracked_table() {
    let (_, mut conn) = tracked::<(Old,)>(
        "create table old (id int primary key, gone boolean not null default false, at timestamptz not null default now())",
    );
    let conn = &mut conn;
    let first = SyncGroup::<(Old,)>::download(conn, (None,)).unwrap();
    run(
        conn,
        "insert into old select n, n % 2 = 0, now() from generate_series(1, 20000) n; analyze old",
    );
    in_parallel(conn);
    let read = news::<(Old,)>(conn, first.next());
    assert_eq!((removed(&read.0).len(), read.0.rows.len()), (10000, 10000));
}
