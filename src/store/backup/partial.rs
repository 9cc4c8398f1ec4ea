//! A backup while it is written.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{BackupError, PARTIAL, at};

/// What SQLite may leave beside a file that it writes.
const SIDE_FILES: [&str; 3] = ["-journal", "-wal", "-shm"];

/// A file that is removed when this value is dropped before [`Self::finish`].
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    finished: bool,
}

impl Partial {
    /// Creates an empty file for its owner only, because it will hold names and addresses. SQLite
    /// fills an empty file and keeps its mode.
    pub(super) fn create(target: &Path) -> Result<Self, BackupError> {
        let path = with_suffix(target, PARTIAL);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        match options.open(&path) {
            Ok(_) => Ok(Self {
                path,
                finished: false,
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(BackupError::Partial(path.display().to_string()))
            }
            Err(error) => Err(at(&path)(error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Brings the file to the disk and gives it its name, unless another file has it. Flushing a
    /// large file takes seconds, which no thread of the runtime waits.
    pub(super) async fn finish(mut self, target: &Path) -> Result<(), BackupError> {
        flush(&self.path).await.map_err(at(&self.path))?;
        match rename_new(&self.path, target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(BackupError::Exists(target.display().to_string()));
            }
            renamed => renamed.map_err(at(target))?,
        }
        self.finished = true;
        // The name is on the disk only when its folder is.
        let folder = target.parent().unwrap_or(Path::new("/"));
        flush(folder).await.map_err(at(folder))
    }
}

async fn flush(path: &Path) -> io::Result<()> {
    tokio::fs::File::open(path).await?.sync_all().await
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // What is not there need not be removed, and the error that matters is already on its way.
        let _ = fs::remove_file(&self.path);
        for suffix in SIDE_FILES {
            let _ = fs::remove_file(with_suffix(&self.path, suffix));
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Renames a file, but never onto another one.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // This file system or kernel does not know the flag.
            Err(Errno::INVAL | Errno::NOSYS) => {}
            renamed => return Ok(renamed?),
        }
    }
    if to.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}
