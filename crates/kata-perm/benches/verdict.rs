//! What a verdict costs with 200 rules in force, by kind of call.

use std::{
    hint::black_box,
    io::{self, Write},
    time::{Duration, Instant},
};

use kata_perm::{Context, PermissionsFile, Policy, Role, Roots, ToolCall};
use serde_json::{Value, json};

/// Calls of each kind that are measured.
const CALLS: u32 = 20_000;

const EFFECTS: [&str; 3] = ["deny", "ask", "allow"];

fn main() -> io::Result<()> {
    let workspace = tempfile::tempdir()?;
    let root = workspace.path().canonicalize()?;
    let file = PermissionsFile::parse(&file().to_string()).map_err(io::Error::other)?;
    let policy = Policy::base().with_file(&file, &Roots::new(root));
    let mut out = io::stdout().lock();
    writeln!(out, "one verdict, 200 rules in force ({CALLS} calls each)")?;
    for (what, tool, input) in calls() {
        let call = ToolCall::new(tool, input.clone());
        let context = Context::new(Role::Member).in_channel("team");
        let rule = policy.decide(&call, &context).rule;
        let (median, p99) = measure(|| policy.decide(black_box(&call), &context));
        writeln!(out, "{what:<34} median {median:>8.2?}  p99 {p99:>8.2?}  {rule}")?;
    }
    Ok(())
}

/// 200 entries over all lists, as many of each as a busy workspace may have.
fn file() -> Value {
    let many = |count: usize, entry: &dyn Fn(usize) -> Value| (0..count).map(entry).collect::<Vec<_>>();
    json!({
        "allowedBashPatterns": many(50, &|i| json!(format!(r"^tool{i} (status|log|show)( [\w./-]+)*$"))),
        "allowedMcpPatterns": many(30, &|i| json!(format!("^mcp__server{i}__(get|list|search)_"))),
        "blockedTools": many(10, &|i| json!(format!("blocked_{i}"))),
        "allowedWritePaths": many(10, &|i| json!(format!("out{i}/**/*.md"))),
        "allowedApiEndpoints": many(20, &|i| json!({ "method": "GET", "path": format!(r"^/v1/things{i}/\d+$") })),
        "allowedTools": many(10, &|i| json!(format!("plugin{i}_.*"))),
        "askTools": many(10, &|i| json!(format!("ask_{i}"))),
        "rules": many(60, &|i| json!({
            "id": format!("rule-{i}"),
            "effect": EFFECTS[i % EFFECTS.len()],
            "tools": [if i % 2 == 0 { "Fetch".to_owned() } else { format!("Tool{i}") }],
            "when": [if i % 4 == 0 {
                json!({ "at": "/url", "url": { "hosts": [format!("host{i}.example")] } })
            } else {
                json!({ "at": "/url", "regex": format!("^https://host{i}\\.example/") })
            }],
            "channels": ["team"],
        })),
    })
}

fn calls() -> [(&'static str, &'static str, Value); 9] {
    [
        ("a tool of the base", "Read", json!({ "file_path": "README.md" })),
        ("a name that nothing names", "Deploy", json!({})),
        ("a tool of a plugin", "plugin9_x", json!({})),
        (
            "the last of 30 patterns for MCP",
            "mcp__server9__get_issue",
            json!({ "id": 1 }),
        ),
        (
            "the last of 20 endpoints",
            "api_x",
            json!({ "path": "/v1/things9/12" }),
        ),
        (
            "a URL, 30 rules look at it",
            "Fetch",
            json!({ "url": "https://host58.example/a/b" }),
        ),
        (
            "Bash, one command of 50 patterns",
            "Bash",
            json!({ "command": "tool9 status src/lib.rs" }),
        ),
        (
            "Bash, three commands",
            "Bash",
            json!({ "command": "tool9 status && tool8 log -3 | tool7 show a" }),
        ),
        (
            "a path, which the system is asked",
            "Write",
            json!({ "file_path": "out9/a/b.md", "content": "x" }),
        ),
    ]
}

/// Median and 99th percentile of one call.
fn measure<T>(mut call: impl FnMut() -> T) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let start = Instant::now();
            black_box(call());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
