//! A whole table as JSON, beside COPY.

use crate::Options;
use crate::items::{self, Item, process};
use crate::process::memory_growth;
use crate::race::{Runner, figure_line, race};
use carburetor::SyncGroup;
use diesel::PgConnection;
use futures_util::TryStreamExt;
use std::io::{self, Write};
use tokio_postgres::Client;

/// `download_json` of a tracked table, and COPY in the binary format, of which only the bytes are counted.
pub fn json(options: &Options) {
    let rows = options.rows;
    let database = items::tracked_items(rows);
    let conn = &mut database.connect();
    let mut bytes = 0;
    let growth = memory_growth(|| bytes = download(conn));
    println!("  {} bytes of JSON per row", bytes / rows);
    figure_line("json_memory_mib", growth, "at most 8");

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let client = runtime.block_on(database.client());
    let copier = runtime.block_on(async {
        let row = client.query_one("select pg_backend_pid()", &[]).await;
        row.expect("every connection has a process").get(0)
    });
    let server = process(conn);
    race(
        options.runs,
        Runner::new("COPY, binary, bytes only", || {
            assert!(runtime.block_on(copy(&client)) > rows);
        })
        .served_by(copier),
        Runner::new("download_json", || {
            assert_eq!(download(conn), bytes);
        })
        .served_by(server),
    )
    .speed("json/copy", rows, "at least 0.9");
}

async fn copy(client: &Client) -> usize {
    let statement = format!(
        "copy (select {} from items) to stdout (format binary)",
        items::COLUMNS
    );
    let stream = client.copy_out(&statement).await.expect("COPY starts");
    stream
        .try_fold(0, async |bytes, part| Ok(bytes + part.len()))
        .await
        .expect("COPY ends")
}

fn download(conn: &mut PgConnection) -> usize {
    let mut counted = Counted(0);
    SyncGroup::<(Item,)>::download_json(conn, (None,), &mut counted)
        .expect("the table can be downloaded");
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
