//! The ingress layers: who may speak, what is for us, what is a command, what must wait.
