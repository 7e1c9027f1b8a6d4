//! Choosing a model, where the agent lets its client choose.

use agent_client_protocol::{
    JsonRpcMessage as _, UntypedMessage,
    v1::schema::{
        SessionConfigKind, SessionConfigOption, SessionConfigOptionCategory, SessionConfigSelectOption,
        SessionConfigSelectOptions, SessionId, SetSessionConfigOptionRequest,
    },
};
use serde_json::{Value, json};

/// The request that chooses the model of this name, if the agent offers it in its answer to `session/new` or its like.
///
/// Agents offer models as an [option of the session](https://agentclientprotocol.com/protocol/v1/session-config-options),
/// or as a list beside it (`models`, `session/set_model`), which never became a part of the protocol and is spoken all the
/// same.
pub(super) fn choose(offer: &Value, session: &SessionId, model: &str) -> Option<UntypedMessage> {
    option(offer, session, model).or_else(|| listed(offer, session, model))
}

fn option(offer: &Value, session: &SessionId, model: &str) -> Option<UntypedMessage> {
    let options = offer.get("configOptions")?.as_array()?;
    let options = options
        .iter()
        .filter_map(|option| serde_json::from_value::<SessionConfigOption>(option.clone()).ok());
    let is_model = |option: &SessionConfigOption| {
        option.category == Some(SessionConfigOptionCategory::Model) || *option.id.0 == *"model"
    };
    options.filter(is_model).find_map(|option| {
        let SessionConfigKind::Select(select) = option.kind else {
            return None;
        };
        let values = match select.options {
            SessionConfigSelectOptions::Ungrouped(values) => values,
            SessionConfigSelectOptions::Grouped(groups) => {
                groups.into_iter().flat_map(|group| group.options).collect()
            }
            _ => return None,
        };
        let is_meant = |value: &SessionConfigSelectOption| *value.value.0 == *model || value.name == model;
        let value = values.into_iter().find(is_meant)?.value;
        SetSessionConfigOptionRequest::new(session.clone(), option.id, value)
            .to_untyped_message()
            .ok()
    })
}

fn listed(offer: &Value, session: &SessionId, model: &str) -> Option<UntypedMessage> {
    let models = offer.get("models")?.get("availableModels")?.as_array()?;
    let is_meant = |offered: &&Value| offered["modelId"] == model || offered["name"] == model;
    let id = models.iter().find(is_meant)?.get("modelId")?;
    UntypedMessage::new(
        "session/set_model",
        json!({ "sessionId": session, "modelId": id }),
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(offer: Value, model: &str) -> Option<(String, Value)> {
        choose(&offer, &SessionId::new("s"), model).map(UntypedMessage::into_parts)
    }

    fn option(options: Value) -> Value {
        json!({"configOptions": [
            {"id": "mode", "name": "Mode", "category": "mode", "type": "select", "currentValue": "a", "options": [
                {"value": "small", "name": "Small"}]},
            {"id": "which", "name": "Model", "category": "model", "type": "select", "currentValue": "a", "options": options},
        ]})
    }

    #[test]
    fn an_option_of_the_session_is_set_by_its_value() {
        let expected = Some((
            "session/set_config_option".to_owned(),
            json!({"sessionId": "s", "configId": "which", "value": "small"}),
        ));
        let flat =
            json!([{"value": "default", "name": "Default"}, {"value": "small", "name": "Small (fast)"}]);
        assert_eq!(chosen(option(flat.clone()), "small"), expected);
        assert_eq!(chosen(option(flat), "Small (fast)"), expected);
        let grouped = json!([{"group": "g", "name": "G", "options": [{"value": "small", "name": "Small"}]}]);
        assert_eq!(chosen(option(grouped), "small"), expected);
    }

    #[test]
    fn a_listed_model_is_set_by_its_id() {
        let offer = json!({"models": {"currentModelId": "auto", "availableModels": [{"modelId": "small", "name": "Small"}]}});
        assert_eq!(
            chosen(offer, "Small"),
            Some((
                "session/set_model".to_owned(),
                json!({"sessionId": "s", "modelId": "small"})
            ))
        );
    }

    #[test]
    fn a_model_that_is_not_offered_is_not_asked_for() {
        assert_eq!(
            chosen(option(json!([{"value": "large", "name": "Large"}])), "small"),
            None
        );
        assert_eq!(chosen(json!({}), "small"), None);
    }
}
