//! What a device commits together is one upload, and one transaction on the server.

use super::super::device::{Folder, run};
use super::super::family;
use super::family_models::{Child, Parent, children};
use super::hub::block_on;
use super::{Conn, DB, Server};
use bytes::Bytes;
use carburetor::change::{Changes, Edit};
use carburetor::outcome::Code;
use carburetor::replica::{InProcess, Replica, Synced, Transport, TransportError};
use carburetor::{Everyone, SyncGroup};
use diesel::prelude::*;
use futures_util::Stream;
use std::sync::{Arc, Mutex};

type Served = SyncGroup<(Parent, Child)>;
type Group = SyncGroup<(family::sqlite::Parent, family::sqlite::Child)>;

/// Runs after each upload.
type Look = Box<dyn Fn() + Send + Sync>;

/// What passes a way.
#[derive(Clone, Default)]
struct Watched {
    /// The numbers of the edits and the deletions of each upload that the server took.
    uploads: Arc<Mutex<Vec<(usize, usize)>>>,
    most: Arc<Mutex<Option<usize>>>,
    offline: Arc<Mutex<bool>>,
    look: Arc<Mutex<Option<Look>>>,
}

impl Watched {
    fn uploads(&self) -> Vec<(usize, usize)> {
        std::mem::take(&mut self.uploads.lock().unwrap())
    }

    /// Nothing goes through, or everything.
    fn set_offline(&self, is_offline: bool) {
        *self.offline.lock().unwrap() = is_offline;
    }
}

/// A way that lets through uploads of so many changes.
struct Way<X> {
    inner: X,
    watched: Watched,
}

impl<X: Transport> Transport for Way<X> {
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        if *self.watched.offline.lock().unwrap() {
            return Err(TransportError::Offline("no network".into()));
        }
        self.inner.download(since, limit).await
    }

    async fn upload(&self, message: Vec<u8>) -> Result<Bytes, TransportError> {
        if *self.watched.offline.lock().unwrap() {
            return Err(TransportError::Offline("no network".into()));
        }
        let changes = Changes::read(&message).unwrap().changes;
        let most = *self.watched.most.lock().unwrap();
        if most.is_some_and(|most| changes.len() > most) {
            return Err(TransportError::Refused {
                status: 413,
                code: "batch".into(),
                detail: "too many changes".into(),
                remedy: "send fewer".into(),
                server_time: None,
            });
        }
        let answer = self.inner.upload(message).await?;
        let deletions = changes
            .iter()
            .filter(|change| change.edit == Edit::Delete)
            .count();
        let mut uploads = self.watched.uploads.lock().unwrap();
        uploads.push((changes.len() - deletions, deletions));
        if let Some(look) = &*self.watched.look.lock().unwrap() {
            look();
        }
        Ok(answer)
    }
}

impl Server {
    /// A server with one parent of so many children.
    fn family(number: i32) -> Self {
        let server = Server::new();
        server.run(family::TABLES);
        Served::tracking::<DB>()
            .install(&mut server.connect())
            .unwrap();
        server.run(&format!(
            "insert into parents (id, name) values ('old', 'Ann');
with recursive n (n) as (select 1 union all select n + 1 from n where n < {number})
insert into children (id, parent, name) select n, 'old', 'child' from n"
        ));
        server
    }

    fn family_way(&self) -> InProcess<Served, Everyone, Conn> {
        InProcess::new(Everyone, self.connector())
    }

    /// How many children the parent has.
    fn children_of(&self, parent: &str) -> i64 {
        let of = children::table.filter(children::parent.eq(parent));
        of.count().get_result(&mut self.connect()).unwrap()
    }
}

struct Device {
    folder: Folder,
    watched: Watched,
    replica: Replica<Group>,
    conn: SqliteConnection,
}

impl Device {
    fn of(server: &Server) -> Self {
        Self::over(server.family_way())
    }

    fn over(inner: impl Transport) -> Self {
        let (folder, watched) = (Folder::new(), Watched::default());
        let way = Way {
            inner,
            watched: watched.clone(),
        };
        let replica = Replica::open(folder.file("device"), way).unwrap();
        let conn = replica.connection().unwrap();
        let mut device = Device {
            folder,
            watched,
            replica,
            conn,
        };
        device.sync();
        device
    }

    #[track_caller]
    fn sync(&mut self) -> Synced {
        block_on(self.replica.sync()).unwrap()
    }

    fn run(&mut self, statements: &str) {
        run(&mut self.conn, statements);
    }

    /// The parent takes another id, and the children follow.
    fn rename(&mut self) {
        self.run(
            "begin; update parents set id = 'new' where id = 'old'; update children set parent = 'new'; commit",
        );
    }

    fn children_of(&mut self, parent: &str) -> i64 {
        use family::sqlite::children::dsl;
        let of = dsl::children.filter(dsl::parent.eq(parent));
        of.count().get_result(&mut self.conn).unwrap()
    }

    /// Writes on while nothing can be sent.
    fn offline(&mut self, statements: &str) {
        self.run(statements);
        self.watched.set_offline(true);
        block_on(self.replica.sync()).unwrap_err();
        self.watched.set_offline(false);
    }
}

#[test]
fn what_was_committed_together_arrives_whole() {
    let server = Server::family(1500);
    let (mut device, mut other) = (Device::of(&server), Device::of(&server));
    device.rename();
    assert_eq!(device.sync().rejected, 0);
    assert_eq!(device.watched.uploads(), [(1501, 1)]);
    assert_eq!(
        (server.children_of("new"), server.children_of("old")),
        (1500, 0)
    );
    other.sync();
    assert_eq!(
        (other.children_of("new"), other.children_of("old")),
        (1500, 0)
    );
    assert_eq!(
        (device.children_of("new"), device.replica.pending().unwrap()),
        (1500, 0)
    );
}

#[test]
fn nobody_sees_a_part_of_what_was_committed_together() {
    let server = Server::family(1500);
    let mut device = Device::of(&server);
    let other = Mutex::new(Device::of(&server));
    *device.watched.look.lock().unwrap() = Some(Box::new(move || {
        let mut locked = other.lock().unwrap();
        let other: &mut Device = &mut locked;
        // This way has a runtime already.
        std::thread::scope(|scope| {
            scope.spawn(|| other.sync());
        });
        assert!([0, 1500].contains(&other.children_of("new")));
    }));
    device.rename();
    device.run("begin; update children set name = 'again' where id <= 700; insert into parents (id, name, at) values ('more', 'Bob', '1970-01-01 00:00:00.000000+00:00'); commit");
    device.sync();
    assert_eq!(server.children_of("new"), 1500);
}

#[test]
fn more_than_the_server_takes_goes_in_parts_whose_deletions_come_last() {
    let server = Server::family(1500);
    let mut device = Device::of(&server);
    *device.watched.most.lock().unwrap() = Some(400);
    device.rename();
    assert_eq!(device.sync().rejected, 0);
    assert_eq!(server.children_of("new"), 1500);
    let uploads = device.watched.uploads();
    let (last, before) = uploads.split_last().unwrap();
    assert_eq!(last.1, 1, "{uploads:?}");
    assert!(before.iter().all(|upload| upload.1 == 0), "{uploads:?}");
    assert_eq!(uploads.iter().map(|upload| upload.0).sum::<usize>(), 1501);
    device.sync();
    assert_eq!(
        (device.children_of("new"), device.replica.pending().unwrap()),
        (1500, 0)
    );
}

#[test]
fn an_upload_ends_between_local_transactions() {
    let server = Server::family(2100);
    let mut device = Device::of(&server);
    for begin in [0, 700, 1400] {
        device.offline(&format!(
            "update children set name = 'edited' where id > {begin} and id <= {begin} + 700"
        ));
    }
    device.sync();
    assert_eq!(device.watched.uploads(), [(700, 0); 3]);
}

#[test]
fn transactions_that_edited_one_value_go_together() {
    let server = Server::family(2100);
    let mut device = Device::of(&server);
    device.offline("update parents set name = 'first'");
    for begin in [0, 700] {
        device.offline(&format!(
            "begin; update parents set name = 'of {begin}'; update children set name = 'edited' where id > {begin} and id <= {begin} + 700; commit"
        ));
    }
    device.offline("update children set name = 'edited' where id > 1400");
    device.sync();
    assert_eq!(device.watched.uploads(), [(1, 0), (1401, 0), (700, 0)]);
}

#[test]
fn a_file_of_an_earlier_version_goes_on() {
    let server = Server::family(3);
    let mut device = Device::of(&server);
    device.run("update children set name = 'edited' where id < 3");
    // As it was before stretches were counted.
    device.run(
        "drop index carburetor_outbox_stretch_children; drop index carburetor_outbox_span_children",
    );
    let triggers: Vec<String> = diesel::dsl::sql::<diesel::sql_types::Text>(
        "select name from sqlite_schema where type = 'trigger' and tbl_name = 'children'",
    )
    .load(&mut device.conn)
    .unwrap();
    for trigger in triggers {
        device.run(&format!("drop trigger \"{trigger}\""));
    }
    device.run(
        "alter table carburetor_outbox_children drop column carburetor_since; alter table carburetor_outbox_children drop column carburetor_stretch;
alter table carburetor_sending drop column since; alter table carburetor_sending drop column stretch",
    );
    let way = server.family_way();
    device.replica = Replica::open(
        device.folder.file("device"),
        Way {
            inner: way,
            watched: device.watched.clone(),
        },
    )
    .unwrap();
    device.run("update children set name = 'later' where id = 3");
    device.sync();
    assert_eq!(device.watched.uploads(), [(3, 0)]);
}

#[test]
fn a_hub_sends_on_an_upload_whole() {
    let server = Server::family(1500);
    let hub_folder = Folder::new();
    let watched = Watched::default();
    let open = || {
        let way = Way {
            inner: server.family_way(),
            watched: watched.clone(),
        };
        Replica::<Group>::open(hub_folder.file("hub"), way).unwrap()
    };
    let mut conn = open().connection().unwrap();
    Group::tracking::<diesel::sqlite::Sqlite>()
        .install(&mut conn)
        .unwrap();
    let hub = open();
    block_on(hub.sync()).unwrap();
    let path = hub_folder.file("hub").to_str().unwrap().to_owned();
    let way: InProcess<Group, Everyone, SqliteConnection> = InProcess::new(Everyone, move || {
        let mut conn = SqliteConnection::establish(&path)?;
        run(&mut conn, "pragma busy_timeout = 10000");
        Ok(conn)
    });
    let mut device = Device::over(way);
    device.rename();
    device.sync();
    device.run("update children set name = 'again' where id <= 700");
    device.sync();
    block_on(hub.sync()).unwrap();
    assert_eq!(watched.uploads(), [(1501, 1), (700, 0)]);
    assert_eq!(server.children_of("new"), 1500);
}

#[test]
fn whose_later_edit_is_lost_with_its_row_is_told() {
    let server = Server::family(3);
    let mut device = Device::of(&server);
    device.offline("delete from parents where id = 'old'");
    device.run("update children set name = 'edited' where id = 2");
    let synced = device.sync();
    assert_eq!(server.children_of("old"), 0);
    assert_eq!((synced.rejected, synced.lost), (0, 1));
    assert_eq!(device.children_of("old"), 0);
    // A program that follows sees no count, and shows what was edited.
    let kept = device.replica.rejected().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].rejection.code, Code::Gone);
    assert_eq!(kept[0].change.id, 2);
    let Edit::Update(written) = &kept[0].change.edit else {
        panic!("{:?}", kept[0].change)
    };
    assert_eq!(written["name"], "edited");
    // To send it again would come to nothing again.
    let error = device.replica.retry(kept[0].seq).unwrap_err().to_string();
    assert_eq!(
        error,
        "children of 2: the row is deleted, and an update brings none back: insert it anew with what was written, and drop the rejected change"
    );
    assert_eq!(device.replica.rejected().unwrap(), kept);
    assert_eq!(device.replica.pending().unwrap(), 0);
    assert!(device.replica.drop_rejected(kept[0].seq).unwrap());
    assert_eq!(device.replica.rejected().unwrap(), []);
}

#[test]
fn whose_edit_in_the_same_upload_is_lost_with_its_row_is_told() {
    let server = Server::family(3);
    let mut device = Device::of(&server);
    device.run("begin; delete from parents where id = 'old'; update children set name = 'edited' where id = 2; commit");
    let synced = device.sync();
    assert_eq!(server.children_of("old"), 0);
    let rejected = device.replica.rejected().unwrap();
    assert_eq!((synced.rejected, rejected.len()), (1, 1));
    assert_eq!(rejected[0].change.id, 2);
    assert_eq!(rejected[0].rejection.code, Code::NotFound);
    device.sync();
    assert_eq!(device.children_of("old"), 0);
}
