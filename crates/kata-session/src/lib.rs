//! From a conversation to a session: keys, scopes, resets, and the channel prompt.
