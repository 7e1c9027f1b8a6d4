//! Files of ours: for their owner alone, and there as a whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

/// Writes a file that is not there yet. One that is there is left as it is: `AlreadyExists`.
pub(crate) fn create(file: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link is made or is not made, and takes no other file's place.
    with_draft(file, bytes, |draft| fs::hard_link(draft, file))
}

/// Writes a file in the place of the one that is there.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    with_draft(file, bytes, |draft| fs::rename(draft, file))
}

fn with_draft(file: &Path, bytes: &[u8], put: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    let draft = draft(file);
    let written = write(&draft, bytes).and_then(|()| put(&draft));
    // Gone already where it was renamed.
    let _ = fs::remove_file(&draft);
    written?;
    // The name is on the disk as well, where the system can be told.
    File::open(folder).and_then(|folder| folder.sync_all()).or(Ok(()))
}

/// Two processes have two drafts.
fn draft(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{}", process::id()))
}

fn write(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    // Left over from a process that had our number.
    let _ = fs::remove_file(draft);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder that only its owner may enter. One that is there is left as it is.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/config.json");
        create(&file, b"one").unwrap();
        assert_eq!(
            create(&file, b"two").unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read(&file).unwrap(), b"one");
        replace(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        // No draft is left behind.
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/config.json");
        create(&file, b"").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    }
}
