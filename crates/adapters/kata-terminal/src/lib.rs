//! The terminal as a channel, for katad chat.
