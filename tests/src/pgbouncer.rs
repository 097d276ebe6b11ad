use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{fs, iter, thread};

use crate::database::Database;
use crate::sandbox::Sandbox;
use crate::server::free_port;

/// PgBouncer in transaction mode before one database, which hands every transaction to another server connection if
/// it has one idle; ended when dropped, or with the process.
pub struct Pgbouncer {
    database: Database,
    process: Child,
    _sandbox: Sandbox,
}

impl Pgbouncer {
    /// PgBouncer that carries prepared statements from one server connection to the next.
    ///
    /// `None`, said aloud, if the PgBouncer here is older than 1.21 and cannot do that.
    pub fn with_prepared_statements(database: &Database) -> Option<Self> {
        let version = version();
        if version < (1, 21) {
            crate::data::skip(&format!(
                "PgBouncer {}.{} has no prepared statements in transaction mode; 1.21 has",
                version.0, version.1
            ));
            return None;
        }
        Some(Self::start(database, "max_prepared_statements = 100"))
    }

    /// PgBouncer that knows nothing of prepared statements, as it was before 1.21 and can still be set up.
    pub fn without_prepared_statements(database: &Database) -> Self {
        let newer = version() >= (1, 21);
        Self::start(
            database,
            if newer {
                "max_prepared_statements = 0"
            } else {
                ""
            },
        )
    }

    /// The database as it is seen through PgBouncer, for the role `postgres`.
    pub fn database(&self) -> &Database {
        &self.database
    }

    fn start(behind: &Database, settings: &str) -> Self {
        const ATTEMPTS: usize = 5;
        let program = program();
        let sandbox = Sandbox::new("pgbouncer", ":", &program);
        // Somebody else can take the port in the moment before PgBouncer has it.
        let (port, process) = iter::repeat_with(free_port)
            .take(ATTEMPTS)
            .find_map(|port| {
                Some((
                    port,
                    listen(
                        &sandbox,
                        &program,
                        port,
                        &configuration(behind, port, settings),
                    )?,
                ))
            })
            .unwrap_or_else(|| {
                let log = fs::read_to_string(sandbox.folder().join("log")).unwrap_or_default();
                panic!("PgBouncer did not start in {ATTEMPTS} attempts; its log:\n{log}")
            });
        Pgbouncer {
            database: Database::on(port, behind.name().to_owned()),
            process,
            _sandbox: sandbox,
        }
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        // The polite signals wait for clients to leave, and a test may still hold one.
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("PgBouncer was not ended: {error}");
        }
    }
}

fn configuration(behind: &Database, port: u16, settings: &str) -> String {
    format!(
        "[databases]\n\
         * = host=127.0.0.1 port={}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = trust\n\
         auth_file = users\n\
         logfile = log\n\
         pool_mode = transaction\n\
         server_round_robin = 1\n\
         max_client_conn = 300\n\
         {settings}\n",
        behind.port()
    )
}

/// The process, once it accepts connections; `None` if it ended instead.
fn listen(sandbox: &Sandbox, program: &Path, port: u16, configuration: &str) -> Option<Child> {
    let write =
        |name, text| fs::write(sandbox.folder().join(name), text).expect("the sandbox is ours");
    write("pgbouncer.ini", configuration);
    write("users", "\"postgres\" \"\"\n");
    let mut process = sandbox
        .command(program)
        .args(["--quiet", "pgbouncer.ini"])
        .spawn()
        .expect("PgBouncer starts");
    let deadline = Instant::now() + Duration::from_secs(30);
    while process
        .try_wait()
        .expect("PgBouncer is our child")
        .is_none()
    {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Some(process);
        }
        assert!(
            Instant::now() < deadline,
            "PgBouncer runs but does not listen"
        );
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Debian puts it where the path of an ordinary user does not lead.
fn program() -> PathBuf {
    let debian = PathBuf::from("/usr/sbin/pgbouncer");
    if debian.exists() {
        debian
    } else {
        PathBuf::from("pgbouncer")
    }
}

fn version() -> (u32, u32) {
    let output = Command::new(program())
        .arg("--version")
        .output()
        .unwrap_or_else(|error| {
            panic!("pgbouncer did not run ({error}); install it, or start the tests by ./tests/run")
        });
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace()
        .nth(1)
        .and_then(|version| {
            let mut parts = version.split('.').map(str::parse);
            Some((parts.next()?.ok()?, parts.next()?.ok()?))
        })
        .unwrap_or_else(|| panic!("no version of PgBouncer in {text:?}"))
}
