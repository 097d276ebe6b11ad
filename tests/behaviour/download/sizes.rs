//! How many tables a group may have.

use super::super::{Game, Note, Seat, Task, User, ids, run, steady};
use super::Server;
use carburetor::{Everyone, SyncGroup, Timestamps};

type Sixteen = SyncGroup<(
    User,
    Game,
    Note,
    Task,
    Seat,
    User,
    Game,
    Note,
    Task,
    Seat,
    User,
    Game,
    Note,
    Task,
    Seat,
    Game,
)>;

#[test]
fn a_group_may_have_sixteen_tables() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'); insert into notes (id, body) values (2, 'b')",
    );
    let sixteen = Sixteen::scoped(&Everyone).assuming(steady());
    let first = sixteen.download(conn, Timestamps::default()).unwrap();
    assert_eq!(
        (ids(&first.1), ids(&first.12), ids(&first.15)),
        (vec![1], vec![2], vec![1])
    );
    let second = sixteen.download_consistent(conn, first.next()).unwrap();
    assert!(!second.15.reset && !second.0.reset && second.12.removed.is_empty());
}
