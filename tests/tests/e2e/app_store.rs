//! A credential store as the app would write it on this machine. That the format is the app's is shown elsewhere, by files of another
//! implementation; here it only has to open for the daemon under test.

use std::{fs, path::Path, process::Command};

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Writes `<person>/.kata-agents/credentials.enc` with these accounts and their values.
pub(crate) fn write(person: &Path, accounts: &[(&str, &str)]) {
    let entries: Map<String, Value> = accounts
        .iter()
        .map(|(account, value)| ((*account).to_owned(), json!({"value": value})))
        .collect();
    write_all(person, &entries.into());
}

/// As [`write()`], with all that the app keeps of an account.
pub(crate) fn write_all(person: &Path, entries: &Value) {
    let plain = json!({"version": 1, "credentials": entries, "metadata": {"createdAt": 1, "updatedAt": 1}});
    let salt = [7; 32];
    let password: [u8; 32] = Sha256::digest(format!("{}craft-agent-v2", machine_id(person))).into();
    let key = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(&password, &salt, 100_000);
    let nonce = [9; 12];
    let mut sealed = plain.to_string().into_bytes();
    Aes256Gcm::new(&key.into())
        .encrypt_in_place(&nonce.into(), b"", &mut sealed)
        .expect("it can be sealed");
    let (text, tag) = sealed.split_at(sealed.len() - 16);
    let file = [b"CRAFT01\0", &[0; 4][..], &salt, &[0; 20], &nonce, tag, text].concat();
    let folder = person.join(".kata-agents");
    fs::create_dir_all(&folder).expect("a writable directory");
    fs::write(folder.join("credentials.enc"), file).expect("a writable directory");
}

fn machine_id(person: &Path) -> String {
    let dbus = Path::new("/var/lib/dbus/machine-id");
    let file = if dbus.exists() {
        dbus
    } else {
        Path::new("/etc/machine-id")
    };
    match fs::read_to_string(file) {
        Ok(id) if !id.trim().is_empty() => id.trim().to_owned(),
        _ => {
            let user = Command::new("id").arg("-un").output().expect("a user").stdout;
            format!("{}:{}", String::from_utf8_lossy(&user).trim(), person.display())
        }
    }
}
