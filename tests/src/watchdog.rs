use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

use crate::account::Account;

/// A shell that outlives the test process by a moment, to clean up a folder and the server in it.
///
/// It waits for the end of a pipe that only this process holds, so it acts in the same way when its owner is
/// dropped and when the process panics, exits with a static alive, or is killed.
pub(crate) struct Watchdog {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// Runs `stop` in a shell, as `account`, once this value or this process is gone; then removes `folder`.
    ///
    /// The script finds the folder in `$1` and `argument` in `$2`.
    pub(crate) fn watch(
        account: &Account,
        folder: &Path,
        stop: &str,
        argument: &Path,
    ) -> io::Result<Self> {
        let script = format!("cat >/dev/null; {stop}; cd / && rm -rf -- \"$1\"");
        let mut shell = account
            .command("sh")
            .args(["-c", &script, "watchdog"])
            .args([folder, argument])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its own process group: Ctrl-C ends the test process but not the one who cleans up after it.
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Watchdog { shell, pipe })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.pipe.take());
        if let Err(error) = self.shell.wait() {
            eprintln!("the watchdog of a test server could not be waited for: {error}");
        }
    }
}
