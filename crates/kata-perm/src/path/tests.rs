#![cfg(unix)]

use std::os::unix::fs::symlink;

use super::*;

/// A folder with `out/sub/`, and beside it `secret/`, as the system names it.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("ws/out/sub")).unwrap();
    fs::create_dir(root.join("secret")).unwrap();
    (folder, root)
}

fn leads(path: &str, root: &Path) -> Result<String, Uncertain> {
    let real = resolve(path, &root.join("ws"))?;
    Ok(real
        .strip_prefix(&format!("{}/", root.display()))
        .unwrap_or(&real)
        .to_owned())
}

#[test]
fn paths_lead_where_the_system_goes() {
    let (_folder, root) = folder();
    symlink("../../secret", root.join("ws/out/link")).unwrap();
    symlink(root.join("secret/new"), root.join("ws/out/dangling")).unwrap();
    symlink("loop", root.join("ws/out/loop")).unwrap();
    symlink("out", root.join("ws/alias")).unwrap();
    fs::write(root.join("ws/file"), "").unwrap();
    for (path, expect) in [
        ("out/new.txt", Ok("ws/out/new.txt")),
        ("./out//./new/deep.txt", Ok("ws/out/new/deep.txt")),
        ("out/sub/../x", Ok("ws/out/x")),
        ("out/../../secret/x", Ok("secret/x")),
        ("out/link/x", Ok("secret/x")),
        ("out/link", Ok("secret")),
        ("out/dangling", Ok("secret/new")),
        ("alias/x", Ok("ws/out/x")),
        // Behind a link, `..` is one thing to the system and another to a program that only looks at the text.
        ("out/link/../x", Err(Uncertain)),
        ("out/loop", Err(Uncertain)),
        ("out/none/../x", Err(Uncertain)),
        ("file/x", Err(Uncertain)),
        ("", Err(Uncertain)),
        ("~/x", Err(Uncertain)),
        ("out/a\0b", Err(Uncertain)),
        ("out\\..\\x", Err(Uncertain)),
        ("out/a\u{202e}b", Err(Uncertain)),
        ("out/a\nb", Err(Uncertain)),
    ] {
        assert_eq!(leads(path, &root), expect.map(str::to_owned), "{path:?}");
    }
    assert_eq!(resolve("x", Path::new("relative")), Err(Uncertain));
    assert_eq!(resolve(&"a/".repeat(5 << 20), &root), Err(Uncertain));
}

#[test]
#[cfg(target_os = "linux")]
fn what_each_process_sees_differently_is_uncertain() {
    let (_folder, root) = folder();
    symlink("/proc/self/root", root.join("ws/out/proc")).unwrap();
    for path in [
        format!("/proc/self/root{}/ws/out/x", root.display()),
        format!("/proc/thread-self/root{}/ws/out/x", root.display()),
        format!("/proc/{}/root{}/ws/out/x", std::process::id(), root.display()),
        "/proc/self/cwd/x".to_owned(),
        "/dev/fd/1".to_owned(),
        "/dev/stdout".to_owned(),
        "out/proc/x".to_owned(),
    ] {
        assert_eq!(leads(&path, &root), Err(Uncertain), "{path}");
    }
}

fn is_in(glob: &str, real: &str, stance: Stance) -> Truth {
    let glob = PathGlob::from_text(glob).unwrap_or_else(|error| panic!("{error}"));
    glob.rooted(&Roots::new("/none/ws").with_home("/none/home"))
        .is_match(real, stance)
}

#[test]
fn globs_that_allow_are_exact() {
    for (glob, path, expect) in [
        ("out/**", "/none/ws/out/a", Truth::Yes),
        ("out/**", "/none/ws/out/a/b", Truth::Yes),
        ("out/**", "/none/ws/out", Truth::No),
        ("out/**", "/none/ws/outer/a", Truth::No),
        ("out/**", "/none/ws/Out/a", Truth::No),
        ("out/**", "/none/ws/o\u{fc}t/a", Truth::No),
        ("out/*.md", "/none/ws/out/a.md", Truth::Yes),
        ("out/*.md", "/none/ws/out/a/b.md", Truth::No),
        ("out/[ab]", "/none/ws/out/a", Truth::Yes),
        ("*", "/none/ws/a", Truth::Yes),
        ("*", "/none/other/a", Truth::No),
        ("~/notes/*", "/none/home/notes/a", Truth::Yes),
        ("/**/x", "/any/where/x", Truth::Yes),
        ("{a,b}/*", "/none/ws/b/c", Truth::Yes),
    ] {
        assert_eq!(is_in(glob, path, Stance::Grants), expect, "{glob} on {path}");
    }
}

#[test]
fn globs_that_deny_take_look_alikes_too() {
    for path in [
        "/none/ws/secret/x",
        "/none/WS/SECRET/x",
        "/none/ws/\u{17f}ecret/x",
        "/none/ws/\u{ff53}ecret/x",
    ] {
        assert_eq!(is_in("secret/**", path, Stance::Restricts), Truth::Yes, "{path}");
    }
    // Composed and decomposed.
    assert_eq!(
        is_in(
            "gr\u{f6}\u{df}e/*",
            "/none/ws/gro\u{308}\u{df}e/x",
            Stance::Restricts
        ),
        Truth::Yes
    );
}

#[test]
fn globs_that_deny_take_the_folders_that_hold_them() {
    for (glob, path, expect) in [
        ("secret/**", "/none/ws/secret", Truth::Yes),
        ("secret/**", "/none/ws", Truth::Yes),
        ("secret/**", "/NONE", Truth::Yes),
        ("secret/**", "/", Truth::Yes),
        ("/**/.env", "/", Truth::Yes),
        ("secret/**", "/none/w", Truth::No),
        ("secret/**", "/none/ws/out", Truth::No),
        ("secret/a/**", "/none/ws/secret/b", Truth::No),
    ] {
        assert_eq!(is_in(glob, path, Stance::Restricts), expect, "{glob} on {path}");
    }
    assert_eq!(is_in("out/**", "/none/ws/out", Stance::Grants), Truth::No);
}

#[test]
fn a_glob_of_a_home_that_nobody_knows_decides_nothing() {
    let glob = PathGlob::from_text("~/x/*").unwrap().rooted(&Roots::new("/ws"));
    assert_eq!(glob.is_match("/ws/x/a", Stance::Grants), Truth::Unknown);
}

#[test]
fn the_folders_of_a_glob_are_followed_when_the_policy_is_made() {
    let (_folder, root) = folder();
    symlink("ws/out", root.join("drafts")).unwrap();
    let roots = Roots::new(&root);
    let glob = PathGlob::from_text("drafts/**").unwrap().rooted(&roots);
    let real = resolve("drafts/x", roots.workspace()).unwrap();
    assert_eq!(glob.is_match(&real, Stance::Grants), Truth::Yes);
    fs::remove_file(root.join("drafts")).unwrap();
    symlink("secret", root.join("drafts")).unwrap();
    let moved = resolve("drafts/x", roots.workspace()).unwrap();
    assert_eq!(glob.is_match(&moved, Stance::Grants), Truth::No);
}

#[test]
fn globs_that_could_leave_their_folder_are_refused() {
    for glob in [
        "",
        "../x",
        "a/../b",
        "a//b",
        "./a",
        "~ada/x",
        "a\\b",
        "a/[!b]",
        "a/[^b]",
        "a[+-9]b",
        "a/{b",
        "[",
        "a\u{200b}",
    ] {
        assert!(PathGlob::from_text(glob).is_err(), "{glob:?}");
    }
}
