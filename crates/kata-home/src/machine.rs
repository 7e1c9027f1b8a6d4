//! What the app binds its credentials to: this machine, and this user of it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A machine and its user, as the app names them. Its parts are no secrets, but make the key of the credential store:
/// `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Machine {
    /// The id of the installation; none where the system has none, or does not say it.
    pub id: Option<String>,
    /// The name of the host.
    pub hostname: String,
    /// The name of the user.
    pub user: String,
    /// The home directory.
    pub home: PathBuf,
}

/// The system does not say what machine this is.
#[derive(Debug, thiserror::Error)]
#[error("`{command}` does not say it")]
pub struct MachineError {
    command: &'static str,
    #[source]
    source: io::Error,
}

// === impl Machine ===

impl Machine {
    /// This machine, and the user who runs this process. Asks programs of the system: not for an async thread.
    ///
    /// # Errors
    /// The user's name or the host's is not known.
    pub fn this(home: impl Into<PathBuf>) -> Result<Self, MachineError> {
        Ok(Self {
            id: id(),
            hostname: hostname()?,
            user: user()?,
            home: home.into(),
        })
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}

#[cfg(target_os = "macos")]
fn id() -> Option<String> {
    let said = said("/usr/sbin/ioreg", &["-rd1", "-c", "IOPlatformExpertDevice"]).ok()?;
    platform_uuid(&said)
}

#[cfg(windows)]
fn id() -> Option<String> {
    let key = r"HKLM\SOFTWARE\Microsoft\Cryptography";
    machine_guid(&said("reg", &["query", key, "/v", "MachineGuid"]).ok()?)
}

#[cfg(not(any(target_os = "macos", windows)))]
fn id() -> Option<String> {
    id_in(
        Path::new("/var/lib/dbus/machine-id"),
        Path::new("/etc/machine-id"),
    )
}

/// The app asks the second file only where the first is not there: what is there and cannot be read, or is empty, is no id.
#[cfg(not(any(target_os = "macos", windows)))]
fn id_in(dbus: &Path, etc: &Path) -> Option<String> {
    let file = if dbus.exists() { dbus } else { etc };
    let id = std::fs::read_to_string(file).ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// `"IOPlatformUUID" = "…"` in what `ioreg` says.
#[cfg(any(target_os = "macos", test))]
fn platform_uuid(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("\"IOPlatformUUID\" = \"")?;
    let (id, _) = rest.split_once('"')?;
    Some(id.to_owned())
}

/// The value in `    MachineGuid    REG_SZ    …`.
#[cfg(any(windows, test))]
fn machine_guid(said: &str) -> Option<String> {
    let mut words = said
        .lines()
        .find(|line| line.contains("MachineGuid"))?
        .split_whitespace();
    words.nth(2).map(str::to_owned)
}

#[cfg(unix)]
fn hostname() -> Result<String, MachineError> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(name)
}

#[cfg(windows)]
fn hostname() -> Result<String, MachineError> {
    said("hostname", &[])
}

/// The name in the user's entry. The libraries that read it without `unsafe` know only the users in `/etc/passwd`, which on
/// macOS are few.
#[cfg(unix)]
fn user() -> Result<String, MachineError> {
    said("id", &["-un"])
}

#[cfg(windows)]
fn user() -> Result<String, MachineError> {
    // DOMAIN\user
    said("whoami", &[]).map(|name| name.rsplit('\\').next().unwrap_or_default().to_owned())
}

/// What a program says, without white space at its ends.
fn said(command: &'static str, arguments: &[&str]) -> Result<String, MachineError> {
    let failed = |source| MachineError { command, source };
    let output = Command::new(command)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(failed)?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || text.is_empty() {
        return Err(failed(io::Error::other(output.status.to_string())));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_other_systems_are_found_in_what_their_programs_say() {
        let mac = "+-o Mac  <class IOPlatformExpertDevice>\n    {\n      \"IOPlatformSerialNumber\" = \"C02\"\n      \"IOPlatformUUID\" = \"8F2C-1\"\n    }\n";
        assert_eq!(platform_uuid(mac).as_deref(), Some("8F2C-1"));
        assert_eq!(platform_uuid(""), None);
        let windows = "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography\r\n    MachineGuid    REG_SZ    8f2c-1\r\n\r\n";
        assert_eq!(machine_guid(windows).as_deref(), Some("8f2c-1"));
        assert_eq!(machine_guid("ERROR"), None);
    }

    #[cfg(not(any(target_os = "macos", windows)))]
    #[test]
    fn the_id_is_in_the_first_of_two_files_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (dbus, etc) = (folder.path().join("dbus"), folder.path().join("etc"));
        assert_eq!(id_in(&dbus, &etc), None);
        std::fs::write(&etc, "8f2c\n").unwrap();
        assert_eq!(id_in(&dbus, &etc).as_deref(), Some("8f2c"));
        std::fs::write(&dbus, " 3e4a \n").unwrap();
        assert_eq!(id_in(&dbus, &etc).as_deref(), Some("3e4a"));
        std::fs::write(&dbus, "\n").unwrap();
        assert_eq!(id_in(&dbus, &etc), None);
        std::fs::remove_file(&dbus).unwrap();
        std::fs::create_dir(&dbus).unwrap();
        assert_eq!(id_in(&dbus, &etc), None, "it is there, and cannot be read");
    }

    #[test]
    fn this_machine_has_a_name_and_a_user() {
        let machine = Machine::this("/people/ada").unwrap();
        assert!(!machine.hostname.is_empty() && !machine.user.is_empty());
        assert!(!machine.user.contains(['\n', '\\']));
        assert_eq!(format!("{machine:?}"), "Machine { .. }");
    }

    #[test]
    fn a_program_that_fails_says_nothing() {
        assert!(said("this-program-is-not-there", &[]).is_err());
    }
}
