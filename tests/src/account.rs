use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::OnceLock;

/// The user that servers run as: ourselves, or `postgres` when we are root, as PostgreSQL refuses to run as root.
pub(crate) struct Account {
    /// The user and group to become, if that is not us.
    pub(crate) switch: Option<(u32, u32)>,
}

impl Account {
    /// The account that this process uses for every server.
    pub(crate) fn ordinary() -> &'static Account {
        static ORDINARY: OnceLock<Account> = OnceLock::new();
        ORDINARY.get_or_init(|| {
            let root = id(&["-u"]) == Some(0);
            let switch = root.then(|| {
                id(&["-u", "postgres"])
                    .zip(id(&["-g", "postgres"]))
                    .expect("there is no user `postgres` to run servers as; install PostgreSQL, or do not test as root")
            });
            Account { switch }
        })
    }

    /// A command that runs as this account.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.switch {
            command.uid(user).gid(group);
        }
        command
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
