use crate::cluster::Cluster;
use crate::database::Database;
use crate::sandbox::Sandbox;
use crate::server::{Server, companion};

const NAME: &str = "standby";

/// A hot standby that follows a cluster by streaming replication; stopped and removed as a cluster is.
///
/// It outlives its cluster: dropping the cluster is the crash after which a standby is promoted.
pub struct Standby {
    server: Server,
    primary: Database,
}

impl Cluster {
    /// Copies the cluster and lets the copy follow it. The cluster does not wait for it.
    ///
    /// `None`, said aloud, where the server has no `pg_basebackup` beside it.
    pub fn standby(&self) -> Option<Standby> {
        let copy = companion("pg_basebackup")?;
        let create = |sandbox: &Sandbox| {
            let primary = format!(
                "--dbname=host=127.0.0.1 port={} user=postgres application_name={NAME}",
                self.port()
            );
            let arguments = "--pgdata=data --write-recovery-conf --wal-method=stream --checkpoint=fast --no-sync";
            sandbox.run(&copy, arguments.split(' ').chain([primary.as_str()]));
        };
        let server = Server::start("standby", create, "");
        let primary = self.maintenance();
        primary.wait_until(&format!(
            "EXISTS (SELECT FROM pg_stat_replication WHERE application_name = '{NAME}' AND state = 'streaming')"
        ));
        Some(Standby { server, primary })
    }

    /// A standby that every commit of the cluster waits for, also when that standby pauses or is gone.
    ///
    /// It waits until the standby has the commit on disk, or as `synchronous_commit` of the session says.
    ///
    /// `None`, said aloud, as with [`standby`](Cluster::standby).
    pub fn synchronous_standby(&self) -> Option<Standby> {
        let standby = self.standby()?;
        standby.primary.psql(&format!(
            "ALTER SYSTEM SET synchronous_standby_names = '{NAME}'"
        ));
        standby.primary.psql("SELECT pg_reload_conf()");
        standby
            .primary
            .wait_until("EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')");
        Some(standby)
    }
}

impl Standby {
    /// The standby's copy of a database of its cluster.
    pub fn database(&self, original: &Database) -> Database {
        Database::on(self.server.port(), original.name().to_owned())
    }

    /// Waits until everything that the cluster has committed is visible here.
    pub fn wait_caught_up(&self) {
        let written = self.primary.text("pg_current_wal_insert_lsn()::text");
        // The last record may lie in a buffer that nobody flushes before the next commit.
        self.primary.psql("SELECT txid_current()");
        self.maintenance()
            .wait_until(&format!("pg_last_wal_replay_lsn() >= '{written}'"));
    }

    /// Stops applying what arrives, so that the standby lags behind.
    pub fn pause(&self) {
        self.maintenance().psql("SELECT pg_wal_replay_pause()");
        self.maintenance()
            .wait_until("pg_get_wal_replay_pause_state() = 'paused'");
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.maintenance().psql("SELECT pg_wal_replay_resume()");
    }

    /// Takes the network from it: what the cluster commits from now on doesn't arrive.
    pub fn disconnect(&self) {
        let maintenance = self.maintenance();
        maintenance.psql("ALTER SYSTEM SET primary_conninfo = ''");
        maintenance.psql("SELECT pg_reload_conf()");
        maintenance.wait_until("NOT EXISTS (SELECT FROM pg_stat_wal_receiver)");
    }

    /// Makes the standby a primary, on a new timeline.
    pub fn promote(&self) {
        assert_eq!(
            self.maintenance().text("pg_promote()::text"),
            "true",
            "the standby was not promoted"
        );
    }

    fn maintenance(&self) -> Database {
        self.database(&self.primary)
    }
}
