//! A folder that goes when it is dropped.

use std::path::PathBuf;

/// A folder for the files of one run.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(seed: u64) -> Self {
        let name = format!("carburetor-simulation-{}-{seed}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the folder for temporary files can be written");
        Folder(path)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What the system's folder for temporary files keeps, it cleans up itself.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
