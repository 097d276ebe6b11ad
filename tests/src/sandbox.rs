use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

use crate::account::Account;

/// A temporary folder and the processes that work in it; all are gone when it is dropped or this process ends.
///
/// A shell beside us does the cleaning. It waits for the end of a pipe that only this process holds, so it acts in
/// the same way when the sandbox is dropped and when the process panics, exits with a static alive, or is killed.
pub(crate) struct Sandbox {
    folder: PathBuf,
    cleaner: Child,
    pipe: Option<ChildStdin>,
}

/// Ends what still runs in the sandbox's process group, then stops the server, until nobody makes new files.
const CLEAN: &str = r#"
cat >/dev/null
trap '' TERM
kill -TERM 0
cd /
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    eval "$2"
    rm -rf -- "$1" && exit
    sleep 0.2
done
exit 1
"#;

impl Sandbox {
    /// A new folder under the system's temporary one. `stop` is a line of shell that stops the server in it: it finds
    /// the folder in `$1` and the `program` in `$3`.
    pub(crate) fn new(purpose: &str, stop: &str, program: &Path) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            env::temp_dir().join(format!("carburetor-{purpose}-{}-{number}", process::id()));
        fs::create_dir(&folder)
            .unwrap_or_else(|error| panic!("{} was not created: {error}", folder.display()));
        let account = Account::ordinary();
        if let Some((user, group)) = account.switch {
            chown(&folder, Some(user), Some(group)).expect("root may give its folders away");
        }
        let mut cleaner = account
            .command("sh")
            .args(["-c", CLEAN, "cleaner"])
            .arg(&folder)
            .arg(stop)
            .arg(program)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A process group of its own: Ctrl-C ends the test process, not the one who cleans up after it.
            .process_group(0)
            .spawn()
            .expect("a shell to clean up after a server");
        let pipe = cleaner.stdin.take();
        Sandbox {
            folder,
            cleaner,
            pipe,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command in the folder that the cleaner ends if it still runs by then.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Account::ordinary().command(program);
        let group = i32::try_from(self.cleaner.id()).expect("process ids are positive integers");
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .process_group(group);
        command
    }

    /// Runs a program in the folder, and panics with what it printed if it fails.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) {
        let output = self
            .command(program)
            .args(arguments)
            .output()
            .unwrap_or_else(|error| panic!("{} did not start: {error}", program.display()));
        assert!(
            output.status.success(),
            "{} failed ({}):\n{}{}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.pipe.take());
        match self.cleaner.wait() {
            Ok(status) if status.success() => {}
            outcome => eprintln!("{} was not removed: {outcome:?}", self.folder.display()),
        }
    }
}
