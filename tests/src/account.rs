use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

/// The user that servers run as: ourselves, or `postgres` when we are root, as PostgreSQL refuses to run as root.
pub(crate) struct Account {
    other: Option<(u32, u32)>,
}

impl Account {
    /// The account that this process uses for every server.
    pub(crate) fn ordinary() -> &'static Account {
        static ORDINARY: OnceLock<Account> = OnceLock::new();
        ORDINARY.get_or_init(|| {
            let root = id(&["-u"]) == Some(0);
            let other = root.then(|| {
                id(&["-u", "postgres"])
                    .zip(id(&["-g", "postgres"]))
                    .expect("there is no user `postgres` to run servers as; install PostgreSQL or do not test as root")
            });
            Account { other }
        })
    }

    /// A command that runs as this account.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.other {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs the command in `folder`, and panics with what it printed if it fails.
    pub(crate) fn run(&self, folder: &Path, program: &Path, arguments: &[&OsStr]) {
        let output = self
            .command(program)
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap_or_else(|error| panic!("{} did not start: {error}", program.display()));
        assert!(
            output.status.success(),
            "{} {arguments:?} failed ({}):\n{}{}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }

    /// A new folder under the system's temporary one that belongs to this account.
    pub(crate) fn folder(&self, purpose: &str) -> PathBuf {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            env::temp_dir().join(format!("carburetor-{purpose}-{}-{number}", process::id()));
        fs::create_dir(&folder)
            .unwrap_or_else(|error| panic!("{} was not created: {error}", folder.display()));
        if let Some((user, group)) = self.other {
            chown(&folder, Some(user), Some(group)).expect("root may give its folders away");
        }
        folder
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
