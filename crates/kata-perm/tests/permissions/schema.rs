//! The JSON Schema of the file, kept in step with the types.

use std::{fs, path::Path};

use kata_perm::PermissionsFile;
use serde_json::Value;

#[test]
fn the_schema_is_in_step_with_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/daemon-permissions.schema.json");
    let schema = PermissionsFile::json_schema().to_value();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, format!("{schema:#}\n")).unwrap();
    }
    let kept: Option<Value> = fs::read_to_string(&path)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    assert!(
        kept.as_ref() == Some(&schema),
        "run the tests with UPDATE_SCHEMA=1 and commit {}",
        path.display()
    );
}
