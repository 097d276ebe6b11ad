//! A whole table as JSON, beside COPY.

use crate::Options;
use crate::items::{self, Item, process, process_async};
use crate::process::memory_growth;
use crate::race::{Runner, figure_line, race, runtime};
use carburetor::SyncGroup;
use diesel::PgConnection;
use futures_util::TryStreamExt;
use std::hint::black_box;
use std::io::{self, Write};
use std::time::SystemTime;
use tokio_postgres::binary_copy::BinaryCopyOutStream;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, CopyOutStream};

type Group = SyncGroup<(Item,)>;

/// `download_json` of a tracked table, and COPY in the binary format.
pub fn json(options: &Options) {
    let rows = options.rows;
    let database = items::tracked_items(rows);
    let conn = &mut database.connect();
    let mut bytes = 0;
    let growth = memory_growth(|| bytes = download(conn));
    println!("  {} bytes of JSON per row", bytes / rows);
    figure_line("json_memory_mib", growth, "at most 8");

    let runtime = &runtime();
    let client = &runtime.block_on(database.client());
    let copier = runtime.block_on(async {
        let row = client.query_one("select pg_backend_pid()", &[]).await;
        row.expect("every connection has a process").get(0)
    });
    let server = process(conn);
    let values = || {
        Runner::new("COPY, binary, each value read", || {
            assert_eq!(runtime.block_on(values(client)), rows);
        })
        .served_by(copier)
    };
    race(
        options.runs,
        values(),
        Runner::new("download_json", || assert_eq!(download(conn), bytes)).served_by(server),
    )
    .speed("json/copy", rows, "at least 0.9");
    race(
        options.runs,
        Runner::new("COPY, binary, bytes only", || {
            assert!(runtime.block_on(copied(client)) > rows);
        })
        .served_by(copier),
        Runner::new("download_json", || assert_eq!(download(conn), bytes)).served_by(server),
    )
    .speed("json/copy_bytes", rows, "no target");

    let conn = &mut runtime.block_on(database.connect_async());
    let server = runtime.block_on(process_async(conn));
    race(
        options.runs,
        values(),
        Runner::new("download_json_async", || {
            runtime
                .block_on(Group::download_json_async(
                    conn,
                    (None,),
                    &mut tokio::io::sink(),
                ))
                .expect("the table can be downloaded");
        })
        .served_by(server),
    )
    .speed("json_async/copy", rows, "no target");
}

async fn copy(client: &Client) -> CopyOutStream {
    let statement = format!(
        "copy (select {} from items) to stdout (format binary)",
        items::COLUMNS
    );
    client.copy_out(&statement).await.expect("COPY starts")
}

/// Reads every value as tokio-postgres has it: numbers, and text without a copy.
pub async fn values(client: &Client) -> usize {
    let types = [
        Type::INT4,
        Type::TEXT,
        Type::TEXT,
        Type::INT8,
        Type::BOOL,
        Type::TIMESTAMPTZ,
    ];
    BinaryCopyOutStream::new(copy(client).await, &types)
        .try_fold(0, async |rows, row| {
            black_box((
                row.get::<i32>(0),
                row.get::<&str>(1),
                row.get::<Option<&str>>(2),
            ));
            black_box((
                row.get::<i64>(3),
                row.get::<bool>(4),
                row.get::<SystemTime>(5),
            ));
            Ok(rows + 1)
        })
        .await
        .expect("COPY ends")
}

async fn copied(client: &Client) -> usize {
    copy(client)
        .await
        .try_fold(0, async |bytes, part| Ok(bytes + part.len()))
        .await
        .expect("COPY ends")
}

fn download(conn: &mut PgConnection) -> usize {
    let mut counted = Counted(0);
    Group::download_json(conn, (None,), &mut counted).expect("the table can be downloaded");
    counted.0
}

/// Throws away what it is given.
pub struct Counted(pub usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
