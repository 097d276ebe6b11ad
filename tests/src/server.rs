use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, iter};

use crate::sandbox::Sandbox;

/// One running PostgreSQL server with its folder; both are gone when it is dropped or the process ends.
pub(crate) struct Server {
    port: u16,
    sandbox: Sandbox,
}

const STOP: &str = r#""$3" stop --silent --wait --mode=immediate --pgdata="$1/data""#;

impl Server {
    /// Lets `create` fill the sandbox's folder `data`, then starts a server on it with the `settings`.
    pub(crate) fn start(purpose: &str, create: impl FnOnce(&Sandbox), settings: &str) -> Self {
        let sandbox = Sandbox::new(purpose, STOP, &program("pg_ctl"));
        create(&sandbox);
        let folder = sandbox.folder();
        configure(
            folder,
            &format!(
                "{settings}\nunix_socket_directories = '{}'\n",
                folder.display()
            ),
        );
        let port = listen(&sandbox);
        Server { port, sandbox }
    }

    /// Ends the server as a crash does, and starts it again.
    pub(crate) fn crash(&self) {
        let arguments = "restart --silent --wait --mode=immediate --log=log --pgdata=data";
        let restarted = self
            .sandbox
            .command(&program("pg_ctl"))
            .args(arguments.split(' '))
            .status();
        assert!(
            restarted.is_ok_and(|status| status.success()),
            "PostgreSQL did not start again"
        );
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where the unix socket, the log and the data lie.
    pub(crate) fn folder(&self) -> &Path {
        self.sandbox.folder()
    }
}

/// The path of a program of the newest PostgreSQL here, or of that in `PG_BIN`.
pub(crate) fn program(name: &str) -> PathBuf {
    static BIN: OnceLock<PathBuf> = OnceLock::new();
    BIN.get_or_init(|| {
        env::var_os("PG_BIN").map(PathBuf::from).or_else(newest_of_debian).or_else(on_path).expect(
            "no PostgreSQL server in /usr/lib/postgresql or where pg_config points; install one, or name its folder of \
             programs in PG_BIN",
        )
    })
    .join(name)
}

/// The path of a client's program: beside the server's, or of another version that can talk to it.
///
/// `None`, said aloud, if there is none: some packages of PostgreSQL have the server's programs only.
pub(crate) fn client(name: &str) -> Option<PathBuf> {
    let beside = program(name);
    let others = [newest_of_debian(), on_path()].into_iter().flatten();
    let found = iter::once(beside)
        .chain(others.map(|bin| bin.join(name)))
        .find(|program| program.exists());
    if found.is_none() {
        crate::data::skip(&format!("{name} is not here"));
    }
    found
}

/// The path of a program that must be of the server's own version.
///
/// `None`, said aloud, if it is not beside the server's.
pub(crate) fn companion(name: &str) -> Option<PathBuf> {
    let beside = program(name);
    if beside.exists() {
        return Some(beside);
    }
    crate::data::skip(&format!("{} is not here", beside.display()));
    None
}

fn newest_of_debian() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    versions
        .flatten()
        .filter(|version| version.path().join("bin/initdb").exists())
        .filter_map(|version| {
            Some((
                version.file_name().to_str()?.parse::<u32>().ok()?,
                version.path().join("bin"),
            ))
        })
        .max()
        .map(|(_, bin)| bin)
}

fn on_path() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let bin = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    bin.join("initdb").exists().then_some(bin)
}

fn configure(folder: &Path, settings: &str) {
    let file = folder.join("data/postgresql.conf");
    OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(settings.as_bytes()))
        .unwrap_or_else(|error| panic!("{} was not written: {error}", file.display()));
}

/// Starts the server on a free port. Somebody else can take that port in the moment between, hence several attempts.
fn listen(sandbox: &Sandbox) -> u16 {
    const ATTEMPTS: usize = 5;
    let arguments = [
        "start",
        "--silent",
        "--wait",
        "--timeout=120",
        "--log=log",
        "--pgdata=data",
    ];
    iter::repeat_with(free_port)
        .take(ATTEMPTS)
        .find(|port| {
            configure(sandbox.folder(), &format!("port = {port}\n"));
            sandbox
                .command(&program("pg_ctl"))
                .args(arguments)
                .status()
                .is_ok_and(|status| status.success())
        })
        .unwrap_or_else(|| {
            let log = fs::read_to_string(sandbox.folder().join("log")).unwrap_or_default();
            panic!("PostgreSQL did not start in {ATTEMPTS} attempts; its log:\n{log}")
        })
}

/// A port of 127.0.0.1 that nobody listened on a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free loopback port");
    listener
        .local_addr()
        .expect("a bound listener has an address")
        .port()
}
