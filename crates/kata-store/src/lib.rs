//! The daemon's SQLite state: queue, outbox, cursors, sessions, behind one async handle.
