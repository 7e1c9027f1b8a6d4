//! Slack for the Kata daemon: Web API and Socket Mode.
