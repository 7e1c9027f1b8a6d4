//! The steps that a prompt can ask for: lines that begin with `do:`.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

/// Said by `fake-acp --help`.
pub(crate) const STEPS: &str = "\
A prompt may hold lines `do: STEP`, which are done in order; without any the agent says what it was told. Steps:
  say TEXT                     streams a text in chunks, some of them empty
  think TEXT                   a thought, which is no part of the answer
  ask TOOL {json}              asks for permission after it announced the call, as Claude does
  ask-early TOOL {json}        asks before anything was announced
  ask-as KIND TITLE {json}     asks before anything was announced, and does not name its tool, as Codex does
  call TOOL {json}             calls a tool of the MCP server that the client named
  tools                        says the names of its tools
  read PATH                    reads a file through the client
  write PATH TEXT              writes a file through the client
  env NAME, cwd, pid, session, model   say what they are
  turns                        how many prompts this process was given
  history                      what was said in this session before
  knows TEXT                   whether a text is in what it was told or read before
  children N FILE              leaves N children that ignore SIGTERM, and writes all pids to FILE
  fork-bomb N FILE             the same, each the child of the one before, while it goes on
  silent SECONDS               says nothing for a while
  hang                         never ends, unless it is cancelled
  deaf                         never ends, and hears neither a cancellation nor SIGTERM nor the end of its input
  crash CODE                   ends the process
  garbage                      writes what is no JSON, and goes on
  flood MB                     says that much, in chunks
  flood-line MB                writes one line of that length
  mutter TEXT                  writes a line to stderr
  unknown-notification         as some agents send them
  stop REASON                  ends the turn with refusal, max_tokens or max_turn_requests";

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Say(String),
    Think(String),
    Ask(Question),
    Call { tool: String, input: Value },
    Tools,
    Read(PathBuf),
    Write(PathBuf, String),
    Env(String),
    Cwd,
    Pid,
    Session,
    Model,
    Turns,
    History,
    Knows(String),
    Children(u32, PathBuf),
    ForkBomb(u32, PathBuf),
    Silent(Duration),
    Hang,
    Deaf,
    Crash(i32),
    Garbage,
    Flood(usize),
    FloodLine(usize),
    Mutter(String),
    UnknownNotification,
    Stop(String),
}

/// A call that wants permission.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// The agent's own name of the tool, where it tells it.
    pub(crate) tool: Option<String>,
    /// The protocol's kind of tool.
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) input: Value,
    /// A `tool_call` came before the request.
    pub(crate) announced: bool,
}

/// The steps of a prompt; the error names the line that is none.
pub(crate) fn steps(prompt: &str) -> Result<Vec<Step>, String> {
    let lines = prompt
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("do:"));
    lines
        .map(|line| step(line.trim()).map_err(|why| format!("do: {}: {why}", line.trim())))
        .collect()
}

fn step(line: &str) -> Result<Step, String> {
    let (word, rest) = split(line);
    Ok(match word {
        "say" => Step::Say(rest.to_owned()),
        "think" => Step::Think(rest.to_owned()),
        "ask" => Step::Ask(named(rest, true)?),
        "ask-early" => Step::Ask(named(rest, false)?),
        "ask-as" => Step::Ask(nameless(rest)?),
        "call" => {
            let (tool, input) = split(rest);
            Step::Call {
                tool: tool.to_owned(),
                input: object(input)?,
            }
        }
        "tools" => Step::Tools,
        "read" => Step::Read(rest.into()),
        "write" => {
            let (path, text) = split(rest);
            Step::Write(path.into(), text.to_owned())
        }
        "env" => Step::Env(rest.to_owned()),
        "cwd" => Step::Cwd,
        "pid" => Step::Pid,
        "session" => Step::Session,
        "model" => Step::Model,
        "turns" => Step::Turns,
        "history" => Step::History,
        "knows" => Step::Knows(rest.to_owned()),
        "children" | "fork-bomb" => {
            let (n, file) = split(rest);
            let step = if word == "children" {
                Step::Children
            } else {
                Step::ForkBomb
            };
            step(number(n)?, file.into())
        }
        "silent" => Step::Silent(Duration::from_secs(number(rest)?)),
        "hang" => Step::Hang,
        "deaf" => Step::Deaf,
        "crash" => Step::Crash(number(rest)?),
        "garbage" => Step::Garbage,
        "flood" => Step::Flood(number(rest)?),
        "flood-line" => Step::FloodLine(number(rest)?),
        "mutter" => Step::Mutter(rest.to_owned()),
        "unknown-notification" => Step::UnknownNotification,
        "stop" => Step::Stop(rest.to_owned()),
        _ => return Err("no such step".to_owned()),
    })
}

/// The first word, and what follows it.
fn split(line: &str) -> (&str, &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    (word, rest.trim_start())
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

fn object(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_str(text).map_err(|e| format!("its arguments are no JSON: {e}"))
}

fn named(text: &str, announced: bool) -> Result<Question, String> {
    let (tool, input) = split(text);
    let input = object(input)?;
    Ok(Question {
        kind: kind(tool).to_owned(),
        title: input["command"].as_str().unwrap_or(tool).to_owned(),
        tool: Some(tool.to_owned()),
        input,
        announced,
    })
}

fn nameless(text: &str) -> Result<Question, String> {
    let (kind, rest) = split(text);
    let (title, input) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
    Ok(Question {
        tool: None,
        kind: kind.to_owned(),
        title: title.trim().to_owned(),
        input: object(input)?,
        announced: false,
    })
}

/// The kinds that Claude's adapter gives its tools.
fn kind(tool: &str) -> &'static str {
    match tool {
        "Bash" => "execute",
        "Read" => "read",
        "Write" | "Edit" | "MultiEdit" | "NotebookEdit" => "edit",
        "Grep" | "Glob" => "search",
        "WebFetch" | "WebSearch" => "fetch",
        "Task" | "TodoWrite" => "think",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_the_lines_that_begin_with_do() {
        let prompt = "BEGIN x {}\nplease\n  do: say one two\ndo: call echo {\"a\": 1}\nnot do: this\nEND x";
        assert_eq!(
            steps(prompt).unwrap(),
            [
                Step::Say("one two".into()),
                Step::Call {
                    tool: "echo".into(),
                    input: json!({"a": 1})
                }
            ]
        );
    }

    #[test]
    fn a_line_that_is_no_step_is_named() {
        for line in [
            "do: dance",
            "do: flood much",
            "do: ask Bash {\"command\":",
            "do: children x /tmp/y",
        ] {
            let why = steps(line).unwrap_err();
            assert!(why.starts_with(line), "{why}");
        }
    }

    #[test]
    fn a_call_without_a_name_has_a_kind_and_a_title() {
        let Step::Ask(question) = step(r#"ask-as execute rm -rf x {"command": ["rm"]}"#).unwrap() else {
            panic!("it asks")
        };
        assert_eq!(question.tool, None);
        assert_eq!(
            (question.kind.as_str(), question.title.as_str()),
            ("execute", "rm -rf x")
        );
        assert_eq!(question.input, json!({"command": ["rm"]}));
    }

    #[test]
    fn every_step_is_in_the_help() {
        let source = include_str!("script.rs");
        let arms = source.lines().filter_map(|line| line.trim().split_once(" =>"));
        let words = arms.flat_map(|(words, _)| words.split(" | "));
        let quoted = words.filter_map(|word| word.strip_prefix('"')?.strip_suffix('"'));
        // Those in capitals are tools.
        let steps: Vec<&str> = quoted.filter(|w| w.starts_with(char::is_lowercase)).collect();
        assert!(steps.len() > 20, "{steps:?}");
        for word in steps {
            assert!(STEPS.contains(word), "{word}");
        }
    }
}
