//! Lines and servers that bear only so much at once.

mod cut;

use super::super::device::{Folder, Group, run};
use super::world::{Served, Teams, notes_in};
use super::{Conn, Server};
use bytes::Bytes;
use carburetor::change::Changes;
use carburetor::replica::{InProcess, Replica, ReplicaError, Transport, TransportError};
use diesel::sqlite::SqliteConnection;
use futures_util::{Stream, StreamExt};
use std::sync::{Arc, Mutex, MutexGuard};

type Inner = InProcess<Served, Teams, Conn>;

/// What becomes of an upload that is too long.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    /// It breaks off.
    Cut,
    Status(u16, &'static str),
}

/// What a line bears, and what was tried.
#[derive(Default)]
struct State {
    /// How many bytes an upload has at most, and how many changes.
    up: Option<(usize, usize)>,
    refusal: Option<Refusal>,
    /// How many bytes come of a download, in all.
    down: Option<usize>,
    /// Changes of each upload, and whether it got through.
    uploads: Vec<(usize, bool)>,
    /// Bytes that have come, whole or not.
    moved: usize,
    limits: Vec<u32>,
}

#[derive(Clone)]
struct Line {
    inner: Inner,
    state: Arc<Mutex<State>>,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn pages(
        &self,
        lines: impl Stream<Item = Result<Bytes, TransportError>> + Send,
    ) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
        let mut left = self.state().down.unwrap_or(usize::MAX);
        let state = self.state.clone();
        lines.map(move |line| {
            let line = line?;
            state.lock().unwrap().moved += line.len().min(left);
            left = left.saturating_sub(line.len());
            match left {
                0 => Err(TransportError::Offline("the line breaks".into())),
                _ => Ok(line),
            }
        })
    }
}

impl Transport for Line {
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.state().limits.push(limit);
        Ok(self.pages(self.inner.download(since, limit).await?))
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let count = Changes::read(&changes).unwrap().changes.len();
        {
            let mut state = self.state();
            let (bytes, most) = state.up.unwrap_or((usize::MAX, usize::MAX));
            let passes = changes.len() <= bytes && count <= most;
            state.uploads.push((count, passes));
            match state.refusal.filter(|_| !passes) {
                None => {}
                Some(Refusal::Cut) => {
                    return Err(TransportError::Offline("the line breaks".into()));
                }
                Some(Refusal::Status(status, code)) => {
                    return Err(TransportError::Refused {
                        status,
                        code: code.into(),
                        detail: "too much".into(),
                        remedy: String::new(),
                        server_time: None,
                    });
                }
            }
        }
        self.inner.upload(changes).await
    }
}

struct Device {
    folder: Folder,
    line: Line,
    replica: Replica<Group>,
    conn: SqliteConnection,
}

impl Device {
    fn new(server: &Server) -> Self {
        let inner = InProcess::new(Teams(vec!["red".into()]), server.connector());
        let (folder, state) = (Folder::new(), Arc::default());
        let line = Line { inner, state };
        let replica = folder.open(line.clone()).unwrap();
        let conn = replica.connection().unwrap();
        Device {
            folder,
            line,
            replica,
            conn,
        }
    }

    fn restart(&mut self) {
        self.replica = self.folder.open(self.line.clone()).unwrap();
        self.conn = self.replica.connection().unwrap();
        *self.line.state() = State::default();
    }

    fn sync(&self) -> Result<(), ReplicaError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(self.replica.sync()).map(|_| ())
    }

    /// How many syncs it takes until one succeeds.
    #[track_caller]
    fn syncs(&self) -> usize {
        let syncs = (1..=30).find(|_| self.sync().is_ok());
        syncs.expect("it gets through")
    }

    fn bears(&self, bytes: usize, changes: usize, refusal: Refusal) {
        let mut state = self.line.state();
        (state.up, state.refusal) = (Some((bytes, changes)), Some(refusal));
    }

    fn write(&mut self, prefix: &str, count: usize) {
        run(&mut self.conn, &notes(prefix, count));
    }

    fn pending(&self) -> u64 {
        self.replica.pending().unwrap()
    }

    fn uploads(&self) -> Vec<(usize, bool)> {
        self.line.state().uploads.clone()
    }

    fn refused(&self) -> usize {
        let uploads = self.uploads();
        uploads.iter().filter(|(_, passed)| !passed).count()
    }
}

/// So many notes of a thousand bytes.
fn notes(prefix: &str, count: usize) -> String {
    let body = "x".repeat(850);
    format!(
        "with recursive n(n) as (select 1 union all select n + 1 from n where n < {count})
insert into notes (id, title, team, body) select '{prefix}' || n, 'one', 'red', '{body}' from n"
    )
}

#[test]
fn an_upload_that_comes_too_slowly_becomes_less_until_it_passes() {
    for refusal in [
        Refusal::Status(408, "slow"),
        Refusal::Status(503, "time"),
        Refusal::Status(413, "body"),
    ] {
        let server = Server::new();
        let mut device = Device::new(&server);
        device.bears(100_000, 1000, refusal);
        device.write("a", 1000);
        device.sync().unwrap();
        assert_eq!((server.notes().len(), device.pending()), (1000, 0));
        let uploads = device.uploads();
        assert!(uploads.len() <= 30, "{refusal:?}: {uploads:?}");
        assert_eq!(device.replica.rejected().unwrap(), []);

        device.restart();
        device.bears(100_000, 1000, refusal);
        device.write("b", 500);
        device.sync().unwrap();
        assert_eq!(server.notes().len(), 1500);
        assert!(device.refused() <= 2, "remembered: {:?}", device.uploads());
    }
}

#[test]
fn an_upload_over_a_line_that_breaks_gets_through_by_and_by() {
    let server = Server::new();
    let mut device = Device::new(&server);
    device.bears(100_000, 1000, Refusal::Cut);
    device.write("a", 1000);
    let syncs = device.syncs();
    assert!(syncs <= 10, "{syncs} {:?}", device.uploads());
    assert_eq!((server.notes().len(), device.pending()), (1000, 0));
}

#[test]
fn portions_are_whole_again_when_the_line_is() {
    let server = Server::new();
    let mut device = Device::new(&server);
    device.bears(30_000, 1000, Refusal::Cut);
    device.write("a", 200);
    device.syncs();
    device.restart();
    device.write("b", 5000);
    device.sync().unwrap();
    let uploads = device.uploads();
    assert!(uploads.len() <= 40, "{uploads:?}");
    assert!(
        uploads.iter().any(|(count, _)| *count >= 500),
        "{uploads:?}"
    );
    assert_eq!(server.notes().len(), 5200);
}

#[test]
fn a_server_that_takes_few_changes_at_once_gets_few() {
    let server = Server::new();
    let mut device = Device::new(&server);
    device.bears(usize::MAX, 10, Refusal::Status(413, "batch"));
    device.write("a", 200);
    device.sync().unwrap();
    assert_eq!((server.notes().len(), device.pending()), (200, 0));
    let uploads = device.uploads();
    assert!(uploads.len() <= 60, "{uploads:?}");
}

#[test]
fn after_one_change_that_is_too_large_the_others_go_up_by_many() {
    let server = Server::new();
    let mut device = Device::new(&server);
    device.bears(200_000, 1000, Refusal::Status(413, "body"));
    device.write("a", 500);
    let body = "y".repeat(300_000);
    run(
        &mut device.conn,
        &format!(
            "insert into notes (id, title, team, body) values ('large', 'one', 'red', '{body}')"
        ),
    );
    device.write("b", 500);
    device.sync().unwrap();
    assert_eq!((server.notes().len(), device.pending()), (1000, 0));
    assert_eq!(device.replica.rejected().unwrap().len(), 1);
    let uploads = device.uploads();
    assert!(uploads.len() <= 40, "{uploads:?}");
}

#[test]
fn a_download_over_a_line_that_is_cut_arrives_by_and_by() {
    let server = Server::new();
    server.run(&notes("a", 2000));
    let mut device = Device::new(&server);
    device.line.state().down = Some(300_000);
    let syncs = device.syncs();
    assert!(syncs <= 20, "{syncs}: {:?}", device.line.state().limits);
    assert_eq!(notes_in(&mut device.conn).len(), 2000);
    let moved = device.line.state().moved;
    assert!(moved <= 8_000_000, "{moved}");

    device.restart();
    server.run(&notes("b", 200));
    device.line.state().down = Some(300_000);
    device.sync().unwrap();
    assert_eq!(notes_in(&mut device.conn).len(), 2200);
    let limit = device.line.state().limits[0];
    assert!(limit < 1000, "remembered: {limit}");
}
