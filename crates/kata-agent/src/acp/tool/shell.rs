//! What is run when an agent runs a command, as shell text.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::arguments::is_remark;

/// Under these names agents pass what a shell is to run, or a program.
const COMMANDS: [&str; 2] = ["command", "cmd"];

/// Under these what follows the program.
const ARGS: [&str; 2] = ["args", "arguments"];

/// Under these where it runs. There is no such argument for rules to look at, so it has to be where the agent runs anyway.
const PLACES: [&str; 3] = ["cwd", "workdir", "working_directory"];

/// It runs while the agent goes on.
const BACKGROUND: &str = "run_in_background";

/// Shells whose `-c` takes one text.
const SHELLS: [&str; 4] = ["sh", "bash", "zsh", "dash"];

/// Where those are that are meant, if it is said. A program of this name at another place may do anything with the text.
const PLACES_OF_SHELLS: [&str; 2] = ["/bin", "/usr/bin"];

/// Whether a call of this input runs a command, whatever the agent calls it.
pub(super) fn is_command(input: &Map<String, Value>) -> bool {
    COMMANDS
        .iter()
        .any(|key| input.get(*key).is_some_and(|command| !command.is_null()))
}

/// The arguments of `Bash`. None where the input says more than shell text can.
pub(super) fn arguments(input: &Map<String, Value>, directory: &Path) -> Option<Value> {
    let (mut command, mut args, mut is_background) = (None, None, false);
    for (key, value) in input.iter().filter(|(_, value)| !value.is_null()) {
        let key = key.as_str();
        if COMMANDS.contains(&key) {
            once(&mut command, value)?;
        } else if ARGS.contains(&key) {
            once(&mut args, value)?;
        } else if key == BACKGROUND {
            is_background = value.as_bool()?;
        } else if PLACES.contains(&key) {
            (Path::new(value.as_str()?) == directory).then_some(())?;
        } else if !is_remark(key, value) {
            return None;
        }
    }
    let text = match (command?, args) {
        (Value::String(text), None) => text.clone(),
        (Value::Array(words), None) => joined(texts(words)?)?,
        (Value::String(program), Some(Value::Array(args))) => of_program(program, args)?,
        _ => return None,
    };
    Some(if is_background {
        json!({ "command": text, BACKGROUND: true })
    } else {
        json!({ "command": text })
    })
}

/// Two names for it may say the same alone.
fn once<'a>(said: &mut Option<&'a Value>, value: &'a Value) -> Option<()> {
    said.replace(value)
        .is_none_or(|before| before == value)
        .then_some(())
}

/// A program with its arguments. Of one that is several words it is not certain whether they are quoted.
fn of_program(program: &str, args: &[Value]) -> Option<String> {
    let is_word = shell_words::quote(program) == program;
    let words = std::iter::once(program).chain(texts(args)?).collect();
    if is_word { joined(words) } else { None }
}

fn texts(words: &[Value]) -> Option<Vec<&str>> {
    words.iter().map(Value::as_str).collect()
}

/// Words of a command as shell text: what a shell is told to run is that text itself.
fn joined(words: Vec<&str>) -> Option<String> {
    match *words {
        [shell, "-c" | "-lc", text] if is_shell(shell) => Some(text.to_owned()),
        [] => None,
        _ => Some(shell_words::join(words)),
    }
}

fn is_shell(program: &str) -> bool {
    match program.rsplit_once('/') {
        Some((place, name)) => PLACES_OF_SHELLS.contains(&place) && SHELLS.contains(&name),
        None => SHELLS.contains(&program),
    }
}
