//! The files of this repository, as the other modules read them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// Where the inline tests of a file begin.
const INLINE_TESTS: &str = "#[cfg(test)]\nmod tests {";

/// One text file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
    /// It is compiled for tests alone.
    test: bool,
}

impl File {
    /// What is shipped of it.
    pub(crate) fn production(&self) -> &str {
        if self.test {
            return "";
        }
        self.text.split(INLINE_TESTS).next().unwrap_or_default()
    }

    /// What is only there to test.
    pub(crate) fn tests(&self) -> &str {
        if self.test {
            return &self.text;
        }
        self.text.find(INLINE_TESTS).map_or("", |at| &self.text[at..])
    }

    /// The folder it is in, from the root.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Every file whose name ends so.
pub(crate) fn with_extension(extension: &str) -> Result<Vec<File>> {
    let root = root();
    let mut found = Vec::new();
    walk(&root, &root, extension, &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Every Rust file, with what is for tests alone told apart.
pub(crate) fn sources() -> Result<Vec<File>> {
    let mut files = with_extension("rs")?;
    let behind_cfg: BTreeSet<String> = files.iter().flat_map(test_modules).collect();
    for file in &mut files {
        let under = |module: &String| {
            let below = file.path.strip_prefix(module.as_str());
            below.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        // `tests/src` is the library of the fakes; what stands in any other folder of that name is a test.
        let below = file.path.strip_prefix("tests/src/").unwrap_or(&file.path);
        let folder = below
            .split('/')
            .any(|part| matches!(part, "tests" | "benches" | "examples" | "tests.rs"));
        file.test = folder || behind_cfg.iter().any(under);
    }
    Ok(files)
}

/// The modules that this file declares for tests alone, as paths without their ending.
fn test_modules(file: &File) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let children = match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        name => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    let lines: Vec<&str> = file.text.lines().collect();
    let pairs = lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]");
    pairs
        .filter_map(|pair| pair[1].trim().strip_suffix(';')?.rsplit_once("mod "))
        .map(|(_, module)| format!("{children}/{module}"))
        .collect()
}

fn walk(root: &Path, folder: &Path, extension: &str, found: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                walk(root, &path, extension, found)?;
            }
        } else if path.extension().is_some_and(|e| e == extension) {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let from_root = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            found.push(File {
                path: from_root,
                text,
                test: false,
            });
        }
    }
    Ok(())
}
