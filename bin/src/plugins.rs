//! The plugins that this build has. One line a plugin; the platforms are features.

use kata_plugin::{Plugin, Registrar, RegistrationError};

/// Everything that is compiled in.
pub(crate) fn all() -> Result<Registrar, RegistrationError> {
    let plugins: Vec<Box<dyn Plugin>> = vec![
        #[cfg(feature = "slack")]
        Box::new(kata_slack::SlackPlugin::new()),
    ];
    let mut registrar = Registrar::new();
    for plugin in plugins {
        plugin.register(&mut registrar)?;
    }
    Ok(registrar)
}
