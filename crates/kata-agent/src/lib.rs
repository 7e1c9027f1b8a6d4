//! Agent runs as a tower service: host, command, echo.
