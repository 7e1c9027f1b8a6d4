//! Inputs that are made to slip through. All of them end in a denial.

use std::{fs, os::unix::fs::symlink};

use kata_perm::{Context, Decision, PermissionsFile, Policy, Role, Roots, ToolCall};
use serde_json::{Value, json};

/// A folder with a workspace in it, and a policy as people write it. The policy may ask.
struct Bait {
    _folder: tempfile::TempDir,
    root: String,
    policy: Policy,
}

impl Bait {
    fn set() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("the folder can be filled");
        fs::create_dir_all(root.join("ws/out/sub")).expect("the folder can be filled");
        fs::create_dir_all(root.join("ws/OUTSIDE")).expect("the folder can be filled");
        fs::create_dir(root.join("secret")).expect("the folder can be filled");
        symlink(root.join("secret"), root.join("ws/out/link")).expect("the folder can be filled");
        symlink(root.join("secret/new"), root.join("ws/out/dangling")).expect("the folder can be filled");
        symlink("/", root.join("ws/out/root")).expect("the folder can be filled");
        symlink("loop", root.join("ws/out/loop")).expect("the folder can be filled");
        let file = json!({
            "allowedBashPatterns": [r"^ls( |$)", r"^git (?!push)\w+( |$)", r"^cat [\w./-]+$", r"^echo .*$"],
            "allowedMcpPatterns": ["^mcp__github__get_"],
            "blockedTools": ["WebSearch"],
            "allowedWritePaths": ["out/**"],
            "allowedApiEndpoints": [{ "method": "GET", "path": "^/v1/public/" }],
            "allowedTools": ["deploy_(staging|preview)"],
            "rules": [
                { "id": "docs", "effect": "allow", "tools": ["Fetch"],
                  "when": [{ "at": "/url", "url": { "hosts": ["docs.rs"], "paths": ["/crate/**"] } }] },
                { "id": "small", "effect": "allow", "tools": ["Pay"], "when": [{ "at": "/amount", "min": 0, "max": 10 }] },
            ],
        });
        let file = PermissionsFile::parse(&file.to_string()).expect("a valid file");
        Self {
            policy: Policy::base().with_file(&file, &Roots::new(root.join("ws"))),
            root: root.to_str().expect("the folder has a plain name").to_owned(),
            _folder: folder,
        }
    }

    fn decide(&self, tool: &str, input: &Value) -> Decision {
        let context = Context::new(Role::Owner).asking();
        self.policy
            .decide(&ToolCall::new(tool, input.clone()), &context)
            .decision
    }

    fn denies(&self, tool: &str, input: &Value) {
        let decision = self.decide(tool, input);
        if decision != Decision::Deny {
            let shown: String = input.to_string().chars().take(200).collect();
            panic!("{decision:?} for {tool} {shown}");
        }
    }
}

#[test]
fn what_the_bait_is_there_for_is_allowed() {
    let bait = Bait::set();
    for (tool, input) in [
        ("Bash", json!({ "command": "ls -la && git status" })),
        ("Write", json!({ "file_path": "out/sub/a.txt", "content": "x" })),
        ("mcp__github__get_issue", json!({})),
        ("api_x", json!({ "path": "/v1/public/a" })),
        ("deploy_staging", json!({})),
        ("Fetch", json!({ "url": "https://docs.rs/crate/url" })),
        ("Pay", json!({ "amount": 10 })),
    ] {
        assert_eq!(bait.decide(tool, &input), Decision::Allow, "{tool} {input}");
    }
}

#[test]
fn shell_tricks() {
    let bait = Bait::set();
    for command in [
        // More than one command.
        "ls; rm -rf /",
        "ls && rm -rf /",
        "ls || rm x",
        "ls | sh",
        "ls |& sh",
        "ls & rm x",
        "ls\nrm -rf /",
        "ls\n\n;rm x",
        "ls &&\nrm x",
        "ls\r\nrm x",
        "ls\rrm x",
        "ls;rm${IFS}x",
        "ls$IFS-la",
        "cat$IFS/etc/passwd",
        "{ls,-la}",
        "ls\n| rm x",
        "ls &;",
        "ls;&",
        // Something runs inside something else.
        "ls $(rm x)",
        "ls `rm x`",
        "ls \"$(rm x)\"",
        "ls \"`rm x`\"",
        "ls <(rm x)",
        "ls >(rm x)",
        "ls | tee >(rm x)",
        "echo $\"$(rm x)\"",
        "ls ${!x}",
        "ls ${x@P}",
        "ls ${x/#/$(rm y)}",
        "ls $[1]",
        "ls ${x:-$(rm y)}",
        "ls $((a[$(rm x)]))",
        "echo $'\\x60rm\\x60'",
        "(ls)",
        "{ ls; }",
        "ls() { rm x; }; ls",
        "function ls { rm x; }",
        "if ls; then rm x; fi",
        "while ls; do rm x; done",
        "for x in ls; do rm x; done",
        "case ls in *) rm x;; esac",
        "! ls",
        "time ls",
        "coproc ls",
        "[[ -f x ]]",
        "((x=1))",
        // It writes, or reads from elsewhere.
        "ls > ~/.bashrc",
        "ls >> x",
        "ls >| x",
        "ls &> x",
        "ls 2> x",
        "ls {fd}> x",
        "ls < /etc/shadow",
        "ls <<E\n$(rm x)\nE",
        "cat <<E | sh\nrm x\nE",
        "ls<<E\nE\nrm x",
        "ls <<'E'\nx\nE",
        "ls <<- E\nE",
        "ls <<< x",
        "ls 1<>x",
        // Another environment.
        "PATH=/tmp ls",
        "LD_PRELOAD=x.so ls",
        "A=1",
        "env A=1 ls",
        "A+=1 ls",
        "a[0]=1 ls",
        "export PATH=/tmp; ls",
        "IFS=x; ls",
        "alias ls=rm; ls",
        "unalias -a; ls",
        "set -x; ls",
        "shopt -s expand_aliases; ls",
        "hash -p /tmp/x ls; ls",
        "enable -f x ls; ls",
        "declare -x PATH; ls",
        "read -r PATH",
        "cd /tmp && ./ls",
        "trap ls EXIT",
        // Quotes that hide or split a word.
        "g''it push",
        "git 'pu'sh",
        "git pu\\sh",
        "git \"push\"",
        "git $'push'",
        "'git push'",
        "l\\s",
        "\"ls\"",
        "\\ls",
        "'ls' x",
        "ls 'x",
        "ls \"x",
        "ls x\\",
        "ls \\\n; rm x",
        "cat 'a b'",
        // Expansions.
        "ls *",
        "/???/l?",
        "?s",
        "[l]s",
        "l{s,}",
        "ls @(a|b)",
        "ls /???/passwd",
        "cat /etc/pass[w]d",
        "cat {a,/etc/passwd}",
        "cat ~/.ssh/id_rsa",
        "cat ~root/x",
        "ls $HOME",
        "ls !!",
        "ls !$",
        "ls =cat",
        "ls ^a^b",
        // Signs that are not what they look like.
        "ls\u{a0}-la",
        "ls\u{3000}-la",
        "ls\u{2009}x",
        "ls \u{200b}",
        "\u{feff}ls",
        "ls \u{202e}x",
        "l\u{455}",
        "\u{ff4c}\u{ff53}",
        "l\u{fffd}s",
        "ls\u{fffd}",
        "ls \u{fffd}",
        "ls\u{2063}",
        "l\u{301}s",
        "ls \u{ff5c} rm x",
        "ls \u{ff06}\u{ff06} rm x",
        "ls \u{2502} rm x",
        "ls \u{ff04}(rm x)",
        "\u{17f}ls",
        "ls\u{37e} rm x",
        "ls\u{ff1b} rm x; rm y",
        "echo \u{ad}x",
        "echo \u{e0041}",
        "ls\u{2028}rm x",
        "ls\u{85}rm x",
        // Bytes that end a text for others.
        "ls\0; rm x",
        "ls \u{1b}[2J",
        "ls\u{7f}",
        "ls\u{8}\u{8}rm",
        // Nothing, or only a comment.
        "",
        " ",
        "\n",
        ";",
        "# ls",
        "ls # x",
        "&&",
        "ls &&",
        // A name that only begins alike.
        "lsof",
        "LS",
        "./ls",
        "/tmp/ls",
        "git pushx && git push",
        "sudo ls",
        "command ls",
        "eval ls",
        "xargs ls",
        "env ls",
        "nice ls",
        "nohup ls",
        "timeout 1 ls",
        "exec ls",
        "builtin ls",
        "busybox ls",
        "sh -c ls",
        "bash -lc 'ls'",
        "ssh host ls",
        "watch ls",
        "find . -exec ls +",
        ". ls",
        "source ls",
        "ls | xargs rm",
        "echo 'rm x' | sh",
        "ls; .",
    ] {
        bait.denies("Bash", &json!({ "command": command }));
    }
}

#[test]
fn path_tricks() {
    let bait = Bait::set();
    let root = &bait.root;
    let paths = [
        "",
        ".",
        "..",
        "/",
        "out",
        "out/",
        "out/..",
        "out/../x",
        "out/../../secret/x",
        "out/sub/../../x",
        "../ws/../secret/x",
        "outer/x",
        "OUT/x",
        "Out/x",
        "OUTSIDE/x",
        "out/link/x",
        "out/link",
        "out/dangling",
        "out/link/../x",
        "out/root/etc/passwd",
        "out/root/../x",
        "out/loop",
        "out/loop/x",
        "out/none/../x",
        "out/none/../../x",
        "/etc/passwd",
        "~/x",
        "~root/x",
        "$HOME/x",
        "file:///etc/passwd",
        "out\\..\\x",
        "..\\secret",
        "C:\\x",
        "out/a\0b",
        "out/\n",
        "out/\u{202e}x",
        "out/x\u{200b}",
        "o\u{443}t/x",
        "\u{ff4f}ut/x",
        "out\u{2215}x",
        "out\u{ff0f}..\u{ff0f}x",
        "\u{2025}/secret/x",
        "out /x",
        " out/x",
        "out%2f..%2fx",
        "out/**/../../../secret",
        "out./x",
        "out../x",
        ".../x",
        "./../ws/../secret/x",
        "out/./../x",
        "//out/x",
        "\\\\?\\C:\\x",
        "out:stream",
        "FILE://out/x",
        "file:out/x",
        "/proc/self/cwd/out/x",
        "/proc/self/environ",
        "/dev/stdout",
        "/dev/fd/1",
        "${HOME}/x",
        "%HOME%/x",
        "%2e%2e/secret/x",
        "%c0%ae%c0%ae/secret/x",
        "\u{fffd}/x",
        "out\u{fffd}/x",
        "o\u{301}ut/x",
        "out\t/x",
        "out/\rx",
        "out\u{2028}/x",
    ];
    let absolute = [
        format!("{root}/secret/x"),
        format!("{root}/ws/out/../../secret/x"),
        format!("{root}/ws/out/link/x"),
        format!("//{root}/secret"),
        format!("/proc/self/root{root}/ws/out/x"),
        format!("file://{root}/ws/out/x"),
        format!("{}/ws/out/x", root.to_uppercase()),
    ];
    for path in paths.iter().map(|path| (*path).to_owned()).chain(absolute) {
        // A percent sign and a star are letters of a name like any other.
        if path.starts_with("out%2f") || path == "$HOME/x" {
            bait.denies("Write", &json!({ "file_path": path }));
            continue;
        }
        for tool in ["Write", "Edit", "MultiEdit"] {
            bait.denies(tool, &json!({ "file_path": path, "content": "x" }));
        }
        bait.denies("NotebookEdit", &json!({ "notebook_path": path }));
    }
}

#[test]
fn arguments_of_another_kind() {
    let bait = Bait::set();
    for value in [
        json!(null),
        json!(true),
        json!(1),
        json!(["ls"]),
        json!({ "a": "ls" }),
        json!([]),
        json!({}),
    ] {
        bait.denies("Bash", &json!({ "command": value }));
        bait.denies("Bash", &value);
        bait.denies("Write", &json!({ "file_path": value }));
        bait.denies("Write", &value);
        bait.denies("Fetch", &json!({ "url": value }));
        bait.denies("api_x", &json!({ "path": value }));
        bait.denies("api_x", &json!({ "path": "/v1/public/a", "method": value }));
    }
    for value in [
        json!("5"),
        json!(-1),
        json!(10.000001),
        json!(1e300),
        json!(null),
        json!([5]),
        json!(u64::MAX),
    ] {
        bait.denies("Pay", &json!({ "amount": value }));
    }
    bait.denies("Bash", &json!({ "Command": "ls", "cmd": "ls" }));
    bait.denies("Write", &json!({ "filePath": "out/a", "path": "out/a" }));
}

#[test]
fn names_and_patterns_that_nearly_match() {
    let bait = Bait::set();
    let input = json!({ "command": "ls", "file_path": "out/a", "path": "/v1/public/a", "url": "https://docs.rs/crate/x" });
    for tool in [
        "bash",
        "BASH",
        "Bash ",
        " Bash",
        "Bash\n",
        "Bash\0",
        "B\u{430}sh",
        "\u{ff22}ash",
        "Bash\u{200b}",
        "Bash.exe",
        "bash:Bash",
        "",
        "deploy_production",
        "deploy_staging_",
        "xdeploy_staging",
        "deploy_stagin\u{261}",
        "deploy_staging\n",
        "Deploy_staging",
        "mcp__github__delete_repo",
        "mcp__evil__mcp__github__get_x",
        "MCP__github__get_x",
        "mcp__github__Get_x",
        "mcp__github__get_\u{200b}x",
        "mcp_github__get_x",
        "API_x",
        "apix",
        "\u{430}pi_x",
        "fetch",
        "Fetch2",
        "WebSearch",
    ] {
        bait.denies(tool, &input);
    }
    bait.denies(&"Read".repeat(1000), &input);
    bait.denies(&format!("mcp__github__get_{}", "x".repeat(10 << 20)), &input);
}

#[test]
fn url_tricks() {
    let bait = Bait::set();
    for url in [
        "http://docs.rs/crate/x",
        "https://docs.rs/",
        "https://docs.rs/crate",
        "https://docs.rs.evil.com/crate/x",
        "https://evil.com/docs.rs/crate/x",
        "https://docs.rs@evil.com/crate/x",
        "https://evil.com?docs.rs/crate/x",
        "https://evil.com#docs.rs/crate/x",
        "https://evil.com\\@docs.rs/crate/x",
        "https://docs.rs/crate/../x",
        "https://docs.rs/crate/%2e%2e/x",
        "https://docs.rs/crate/%2E./x",
        "https://docs.rs/crate/..%2fx",
        "https://docs.rs/crate/..%5cx",
        "https://docs.rs/crate/%00",
        "https://docs.rs:80/crate/x",
        "https://docs.rs./crate/x",
        "https://docs.rs:444/crate/x",
        "https://docs.rs:0/crate/x",
        "https://docs.rs:99999/crate/x",
        "https://docs.rs:/@evil.com/crate/x",
        "https://docs.rs%2fcrate@evil.com/crate/x",
        "https://docs.rs%00.evil.com/crate/x",
        "https://docs.rs%2eevil.com/crate/x",
        "https://docs.rs\t.evil.com/crate/x",
        "https://@docs.rs@evil.com/crate/x",
        "https://evil.com/@docs.rs/crate/x",
        "https://xn--dcs-sed.rs/crate/x",
        "https://xn--docs-.rs/crate/x",
        "https://\u{ff44}ocs.rs/crate/x",
        "https://docs\u{ff0e}rs/crate/x",
        "https://docs.r\u{17f}/crate/x",
        "https://do\u{ad}cs.rs/crate/x",
        "https://docs.rs/crate/%c0%ae%c0%ae/x",
        "https://docs.rs/crate/%252e%252e/x",
        "https://docs.rs/%63rate/x",
        "https://docs.rs/CRATE/x",
        "https://127.0.0.1/crate/x",
        "https://2130706433/crate/x",
        "https://0x7f.1/crate/x",
        "https://[::1]/crate/x",
        "blob:https://docs.rs/crate/x",
        "view-source:https://docs.rs/crate/x",
        "https://d\u{43e}cs.rs/crate/x",
        "https://docs\u{3002}rs/crate/x",
        "https://docs.rs/crate/x y",
        "https://docs.rs\n/crate/x",
        "https:/docs.rs/crate/x",
        "//docs.rs/crate/x",
        "docs.rs/crate/x",
        "file:///crate/x",
        "data:text/html,x",
        "javascript:x",
        "ftp://docs.rs/crate/x",
        "https://sub.docs.rs/crate/x",
        "https://user:pass@docs.rs/crate/x",
        "HTTPS://EVIL.com/crate/x",
        "https://",
        "",
    ] {
        bait.denies("Fetch", &json!({ "url": url }));
    }
    for path in [
        "/v1/public/../admin",
        "/v1/public/%2e%2e/admin",
        "/v1/public/..%2fadmin",
        "/v1/public//evil",
        "https://evil/v1/public/",
        "//evil/v1/public/",
        "/v1/public\\..\\admin",
        "/v1/public/\r\nX: y",
        "/v1/public/\0",
        "/v1/public/\u{ff0e}\u{ff0e}/admin",
        "/V1/public/",
        "/v1/publi",
        "/v1/public/ x",
        "x/v1/public/",
        "",
    ] {
        bait.denies("api_x", &json!({ "path": path }));
    }
}

/// Everything is allowed here but what rules deny: a thing that goes by several names is denied by each.
#[test]
fn what_a_rule_denies_has_no_other_name() {
    let bait = Bait::set();
    let ws = format!("{}/ws", bait.root);
    fs::create_dir(format!("{ws}/secret")).expect("the folder can be filled");
    symlink("secret", format!("{ws}/alias")).expect("the folder can be filled");
    let file = json!({
        "allowedTools": ["Fetch"], "allowedBashPatterns": [""],
        "rules": [
            { "id": "inside", "effect": "deny", "tools": ["Fetch"],
              "when": [{ "at": "/url", "url": { "hosts": ["127.0.0.1", "[::1]", "localhost", "*.corp.example"] } }] },
            { "id": "secret", "effect": "deny", "tools": ["Read"], "when": [{ "at": "/file_path", "path": ["secret/**", "/proc/**"] }] },
            { "id": "rm", "effect": "deny", "tools": ["Bash"], "when": [{ "at": "/command", "shell": ["^rm( |$)"] }] },
        ],
    });
    let file = PermissionsFile::parse(&file.to_string()).expect("a valid file");
    let bait = Bait {
        policy: Policy::base().with_file(&file, &Roots::new(&ws)),
        ..bait
    };
    for (tool, input) in [
        ("Fetch", json!({ "url": "http://docs.rs/" })),
        ("Read", json!({ "file_path": "out/x" })),
        ("Bash", json!({ "command": "ls && mv a b" })),
    ] {
        assert_eq!(bait.decide(tool, &input), Decision::Allow, "{tool} {input}");
    }
    for url in [
        "http://127.0.0.1/",
        "http://127.0.0.1:8080/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7F.0.0.1/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
        "http://127\u{3002}0\u{3002}0\u{3002}1/",
        "http://\u{2460}27.0.0.1/",
        "http://localhost/",
        "HTTP://LOCALHOST/",
        "http://localhost./",
        "http://localhost../",
        "http://user@localhost/",
        "http://docs.rs@localhost/",
        "http://docs.rs:80@localhost/",
        "http:localhost/",
        "http:///localhost/",
        "http:\\\\localhost\\",
        "http://docs.rs\\@localhost/",
        " http://localhost/",
        "http://local\thost/",
        "http://local\nhost/",
        "http://loc%61lhost/",
        "http://\u{24db}ocalhost/",
        "http://loca\u{ad}lhost/",
        "ws://localhost/",
        "http://a.corp.example./",
        "http://A.CORP.EXAMPLE/",
        "http://a.corp\u{ff0e}example/",
        "//localhost/",
        "localhost",
        "file:///etc/passwd",
        "",
    ] {
        bait.denies("Fetch", &json!({ "url": url }));
    }
    for path in [
        "secret/x",
        "./secret/x",
        "secret//x",
        "secret/./x",
        "out/../secret/x",
        "alias/x",
        "SECRET/x",
        "\u{ff53}ecret/x",
        "\u{17f}ecret/x",
        "secret\\x",
        "~/x",
        "secret/x\u{200b}",
        "secret/\0",
        "/proc/self/cwd/x",
        "/proc/self/environ",
        "",
    ] {
        bait.denies("Read", &json!({ "file_path": path }));
    }
    bait.denies(
        "Read",
        &json!({ "file_path": format!("/proc/self/root{ws}/secret/x") }),
    );
    bait.denies("Read", &json!({ "path": "secret/x" }));
    for command in [
        "rm x",
        "r''m x",
        "'rm' x",
        "\"rm\" x",
        "\\rm x",
        "ls; rm x",
        "ls && rm",
        "ls|rm",
        "ls\nrm x",
        "(rm x)",
        "echo $(rm x)",
        "echo `rm x`",
        "A=1 rm x",
        "! rm x",
        "time rm x",
        "if ls; then rm x; fi",
        "ls & rm x",
        "$(echo rm) x",
        "{rm,x}",
        "\u{200b}rm x",
    ] {
        bait.denies("Bash", &json!({ "command": command }));
    }
}

#[test]
fn huge_arguments() {
    let bait = Bait::set();
    let huge = "a".repeat(10 << 20);
    for text in [
        huge.clone(),
        format!("ls {huge}"),
        format!("out/{huge}"),
        format!("https://docs.rs/crate/{huge}"),
        "(".repeat(10 << 20),
        "../".repeat(3 << 20),
        "out/".repeat(2 << 20),
    ] {
        bait.denies("Bash", &json!({ "command": text }));
        bait.denies("Write", &json!({ "file_path": text }));
        bait.denies("Fetch", &json!({ "url": text }));
        bait.denies("api_x", &json!({ "path": text }));
        bait.denies("Read", &json!({ "file_path": text }));
    }
    bait.denies("Bash", &json!({ "command": "ls", "description": huge }));
    bait.denies("Write", &json!({ "file_path": "out/a", "content": huge }));
    bait.denies("deploy_staging", &json!({ (huge): 1 }));
    bait.denies("deploy_staging", &json!({ "a": vec![0; 2 << 20] }));
    // Just within what is looked at.
    bait.denies(
        "Bash",
        &json!({ "command": format!("ls {}", "a".repeat(65 << 10)) }),
    );
    bait.denies(
        "Fetch",
        &json!({ "url": format!("https://docs.rs/crate/{}", "a".repeat(65 << 10)) }),
    );
}
