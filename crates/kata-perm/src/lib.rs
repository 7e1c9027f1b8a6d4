//! The daemon permission mode: an allowlist that decides each tool call.
