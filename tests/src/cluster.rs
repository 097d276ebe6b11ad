use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::database::Database;
use crate::sandbox::Sandbox;
use crate::server::{Server, program};

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
shared_buffers = 256MB
max_connections = 300
max_prepared_transactions = 64
wal_level = replica
max_wal_senders = 10
wal_keep_size = 256MB
hot_standby = on
";

/// A PostgreSQL cluster of the tests' own, in a temporary folder; stopped and removed when dropped, and at the latest
/// when the process ends, in whatever way.
pub struct Cluster {
    server: Server,
}

impl Cluster {
    /// Creates and starts a cluster, for a test that stops, replicates or reconfigures it.
    pub fn start() -> Self {
        Cluster {
            server: Server::start("cluster", initialise, SETTINGS),
        }
    }

    /// The cluster that all tests of this process share; what they must not see of each other lies in a database.
    pub fn shared() -> &'static Cluster {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Cluster::start)
    }

    /// Creates an empty database with a name of its own. It stays until the cluster goes.
    pub fn database(&self) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.maintenance().psql(&format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
        ));
        Database::on(self.port(), name)
    }

    /// A copy of a database that nobody is connected to.
    pub fn copy(&self, database: &Database) -> Database {
        let copy = self.database();
        self.maintenance()
            .psql(&format!("DROP DATABASE {}", copy.name()));
        let [name, original] = [copy.name(), database.name()];
        // Whoever has left may not have gone yet.
        self.maintenance().psql(&format!(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '{original}'"
        ));
        self.maintenance()
            .psql(&format!("CREATE DATABASE {name} TEMPLATE {original}"));
        copy
    }

    /// The database `postgres`, for what concerns the whole cluster: settings, roles, activity.
    pub fn maintenance(&self) -> Database {
        Database::on(self.port(), "postgres".to_owned())
    }

    /// Ends it as a crash does, and starts it again.
    pub fn crash(&self) {
        self.server.crash();
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The folder of the unix socket, the log and the data.
    pub fn folder(&self) -> &Path {
        self.server.folder()
    }
}

fn initialise(sandbox: &Sandbox) {
    let arguments =
        "--pgdata=data --auth=trust --username=postgres --no-sync --encoding=UTF8 --locale=C.UTF-8";
    sandbox.run(&program("initdb"), arguments.split(' '));
}
