//! JSON that a person wrote, read into a type: what is wrong is said with its key, and with what belongs there.

use kata_channel::settings::{AgentSettings, Backend, Settings};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::nearest::unknown_key;

/// Reads `value`, in which `null` means absent at every depth.
pub(crate) fn read<T: DeserializeOwned + JsonSchema>(what: &str, value: &Value) -> Result<T, String> {
    if !value.is_object() {
        return Err(format!("{what}: must be an object"));
    }
    if let Some(unknown) = unknown_key::<T>(what, value) {
        return Err(unknown);
    }
    serde_path_to_error::deserialize(without_nulls(value)).map_err(|e| {
        let path = e.path().to_string();
        let key = if path == "." {
            String::new()
        } else {
            format!(" {path:?}:")
        };
        format!("{what}:{key} {}", plainly(&e.inner().to_string()))
    })
}

/// What serde says, in words for people. It names what it found first, and then what it expected.
fn plainly(said: &str) -> String {
    let Some((found, expected)) = said.rsplit_once(", expected ") else {
        return said.to_owned();
    };
    let found = found
        .trim_start_matches("invalid type: ")
        .trim_start_matches("invalid value: ");
    let expected = match expected {
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number, not negative",
        "i64" | "i32" => "a whole number",
        "f64" | "f32" => "a number",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        other if other.starts_with("struct ") || other == "a map" => "an object",
        other => other,
    };
    format!("must be {expected}, but is {found}")
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, v)| !v.is_null());
            kept.map(|(k, v)| (k.clone(), without_nulls(v)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        other => other.clone(),
    }
}

/// What the schema cannot say about an agent.
pub(crate) fn check_agent(agent: &AgentSettings) -> Result<(), String> {
    let program = match agent.backend {
        Some(Backend::Command) => Some("command"),
        Some(Backend::Acp) => Some("acp"),
        Some(Backend::Host | Backend::Echo) | None => None,
    };
    if let Some(backend) = program
        && agent.command.as_deref().unwrap_or_default().is_empty()
    {
        return Err(format!(
            "\"agent.backend\" is {backend:?}, but \"agent.command\" names no program"
        ));
    }
    if agent.backend.is_none() && agent.command.is_some() {
        return Err("\"agent.command\" names a program, but \"agent.backend\" does not say how it is spoken with: \"acp\" or \"command\"".to_owned());
    }
    if let Some(name) = agent
        .env
        .iter()
        .find(|name| name.is_empty() || name.contains('='))
    {
        return Err(format!(
            "\"agent.env\" holds names of variables, and {:?} is followed by more; its value comes from the daemon's own environment",
            name.split('=').next().unwrap_or_default()
        ));
    }
    for (minutes, key) in [
        (agent.turn_deadline_min, "turnDeadlineMin"),
        (agent.no_progress_min, "noProgressMin"),
        (agent.idle_min, "idleMin"),
    ] {
        check_minutes(minutes, &format!("agent.{key}"))?;
    }
    Ok(())
}

/// What the schema cannot say about a channel's settings.
pub(crate) fn check_settings(settings: &Settings) -> Result<(), String> {
    check_agent(&settings.agent)?;
    let hours = [
        (settings.catch_up.max_age_hours, "catchUp.maxAgeHours"),
        (settings.max_answer_age_hours, "maxAnswerAgeHours"),
    ];
    for (hours, key) in hours {
        if !(hours.is_finite() && hours >= 0.0) {
            return Err(format!("{key:?} must be 0 hours or more"));
        }
    }
    check_minutes(Some(settings.catch_up.after_min), "catchUp.afterMin")?;
    let quota = &settings.quota;
    let turns = [
        (quota.turns_per_minute_per_sender, "quota.turnsPerMinutePerSender"),
        (quota.turns_per_minute, "quota.turnsPerMinute"),
    ];
    for (turns, key) in turns {
        if turns == Some(0) {
            return Err(format!(
                "{key:?} must be at least 1; pause the channel to stop it, leave the key out for no quota"
            ));
        }
    }
    match quota.sends_per_second {
        Some(sends) if !(sends.is_finite() && sends > 0.0) => {
            Err("\"quota.sendsPerSecond\" must be more than 0; leave the key out for no quota".to_owned())
        }
        _ => Ok(()),
    }
}

/// A time that a person gave in minutes.
pub(crate) fn check_minutes(minutes: Option<f64>, key: &str) -> Result<(), String> {
    const YEAR: f64 = 366.0 * 24.0 * 60.0;
    match minutes {
        Some(m) if !(m > 0.0 && m <= YEAR) => {
            Err(format!("{key:?} must be more than 0 minutes and at most a year"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_type_is_said_with_its_key_and_in_plain_words() {
        let said = |value| read::<Settings>("channel \"team\", settings", &value).unwrap_err();
        assert_eq!(
            said(json!({"quota": {"turnsPerMinute": "3"}})),
            "channel \"team\", settings: \"quota.turnsPerMinute\": must be a whole number, not negative, but is string \"3\""
        );
        assert_eq!(
            said(json!({"allowBots": 1})),
            "channel \"team\", settings: \"allowBots\": must be true or false, but is integer `1`"
        );
        assert!(said(json!({"senders": "U1"})).contains("must be a list"));
        assert!(said(json!([])).contains("must be an object"));
    }

    #[test]
    fn null_is_absent_at_every_depth() {
        let settings =
            read::<Settings>("x", &json!({"quota": {"turnsPerMinute": null}, "senders": null})).unwrap();
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn numbers_that_cannot_work_are_refused_with_their_key() {
        for (value, key) in [
            (json!({"catchUp": {"maxAgeHours": -1}}), "catchUp.maxAgeHours"),
            (json!({"catchUp": {"afterMin": -1}}), "catchUp.afterMin"),
            (json!({"maxAnswerAgeHours": -1}), "maxAnswerAgeHours"),
            (json!({"quota": {"turnsPerMinute": 0}}), "quota.turnsPerMinute"),
            (json!({"quota": {"sendsPerSecond": 0}}), "quota.sendsPerSecond"),
        ] {
            let settings: Settings = read("x", &value).unwrap();
            assert!(check_settings(&settings).unwrap_err().contains(key), "{value}");
        }
        assert_eq!(check_settings(&Settings::default()), Ok(()));
    }

    #[test]
    fn an_agent_that_cannot_run_is_refused() {
        let command = |command: Option<&str>| AgentSettings {
            backend: Some(Backend::Command),
            command: command.map(str::to_owned),
            ..AgentSettings::default()
        };
        assert!(check_agent(&command(None)).is_err());
        assert!(check_agent(&command(Some("agent"))).is_ok());
        for minutes in [0.0, -3.0, f64::INFINITY, f64::NAN, 1e300] {
            let agent = AgentSettings {
                turn_deadline_min: Some(minutes),
                ..AgentSettings::default()
            };
            assert!(
                check_agent(&agent).unwrap_err().contains("turnDeadlineMin"),
                "{minutes}"
            );
        }
    }
}
