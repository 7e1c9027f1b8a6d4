//! A host that spawns `katad` and treats it as the desktop app does.
