//! The key that signs tokens: made on first start, kept in a file that only its owner can read.

use crate::access::token::{KeyError, TokenKey};
use crate::config::Server;
use crate::limits::TOKEN_SECRET_BYTES;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("{}: {error}", file.display())]
    File {
        /// Which one.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Others than the owner can read it.
    #[error(
        "{} can be read by others (mode {mode:03o}), and whoever reads it can sign in as anybody: \
         chmod 600 it, and better remove it, so that a new one is made",
        file.display()
    )]
    Open {
        /// Which one.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// What is in it is no key.
    #[error(
        "{} holds no key: a line of {TOKEN_SECRET_BYTES} letters or more is expected; \
         remove it, and a new one is made (tokens given out so far end)",
        .0.display()
    )]
    NoKey(PathBuf),
    /// No random bytes could be had.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The key cannot sign.
    #[error(transparent)]
    Sign(#[from] KeyError),
}

/// The server's key, made now if there is none yet. The data folder is made as well. The secret is
/// the text of the file as it stands, so that any program can make tokens with it.
///
/// # Errors
/// [`KeyFileError`] says what to do about it.
pub fn signing_key(server: &Server) -> Result<TokenKey, KeyFileError> {
    let secret = secret(&server.key_path())?;
    Ok(TokenKey::new(
        secret.as_bytes(),
        &server.issuer,
        &server.audience,
    )?)
}

fn secret(file: &Path) -> Result<String, KeyFileError> {
    match fs::metadata(file) {
        Ok(found) => check_mode(file, found.permissions().mode())?,
        Err(error) if error.kind() == ErrorKind::NotFound => make(file)?,
        Err(error) => return Err(failed(file)(error)),
    }
    let text = fs::read_to_string(file).map_err(failed(file))?;
    let secret = text.trim();
    if secret.len() < TOKEN_SECRET_BYTES || secret.contains(char::is_whitespace) {
        return Err(KeyFileError::NoKey(file.to_path_buf()));
    }
    Ok(secret.to_owned())
}

fn failed(file: &Path) -> impl Fn(io::Error) -> KeyFileError + '_ {
    |error| KeyFileError::File {
        file: file.to_path_buf(),
        error,
    }
}

fn check_mode(file: &Path, mode: u32) -> Result<(), KeyFileError> {
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(KeyFileError::Open {
        file: file.to_path_buf(),
        mode: mode & 0o777,
    })
}

/// Makes a key under another name and links it to its own, so that nobody ever reads half a key,
/// and of two who make one at once the first one's counts.
fn make(file: &Path) -> Result<(), KeyFileError> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed(folder))?;
    let mut random = [0; TOKEN_SECRET_BYTES + 8];
    getrandom::fill(&mut random).map_err(KeyFileError::Random)?;
    let (secret, name) = random.split_at(TOKEN_SECRET_BYTES);
    let draft = folder.join(format!(".{}.new", digits(name)));
    let written = write(&draft, &digits(secret))
        .map_err(failed(&draft))
        .and_then(|()| match fs::hard_link(&draft, file) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(file)(error)),
            Ok(()) | Err(_) => Ok(()),
        });
    let removed = fs::remove_file(&draft).map_err(failed(&draft));
    written.and(removed)?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed(folder))
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/er/signing.key");
        let first = secret(&file).unwrap();
        assert_eq!(first.len(), 2 * TOKEN_SECRET_BYTES);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::metadata(file.parent().unwrap())
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o700
        );
        assert_eq!(secret(&file).unwrap(), first);
        assert_eq!(
            fs::read_dir(file.parent().unwrap()).unwrap().count(),
            1,
            "no draft is left"
        );
        let other = secret(&folder.path().join("other.key")).unwrap();
        assert_ne!(first, other);
    }

    #[test]
    fn of_many_who_make_a_key_at_once_one_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data/signing.key");
        let keys: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| secret(&file).unwrap()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("signing.key");
        secret(&file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let error = secret(&file).unwrap_err().to_string();
        assert!(
            error.contains("can be read by others (mode 640)"),
            "{error}"
        );
        for text in [
            "",
            "xyz",
            &"0".repeat(31),
            &"two lines
"
            .repeat(9),
        ] {
            fs::remove_file(&file).unwrap();
            write(&file, text).unwrap();
            let error = secret(&file).unwrap_err().to_string();
            assert!(
                error.contains("holds no key: a line of 32 letters or more"),
                "{error}"
            );
        }
        let in_file = secret(&file.join("signing.key")).unwrap_err().to_string();
        assert!(in_file.contains("signing.key/signing.key"), "{in_file}");
    }
}
