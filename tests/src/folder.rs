//! A folder for files of a test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder among the system's temporary files that goes when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one.
    #[allow(
        clippy::new_without_default,
        reason = "it makes something, and may fail"
    )]
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("carburetor-files-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the folder for temporary files can be written");
        Folder(path)
    }

    /// Where a file of this name lies, or would lie.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What the system's folder for temporary files keeps, it cleans up itself.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
