//! Why a run gave no reply.

/// The error of a stack: boxed, so that reordering layers changes no type.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Why a run gave no reply. The texts are for the person at the desk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The agent said so.
    #[error("{0}")]
    Failed(String),
    /// The agent is at work for this session already (D12).
    #[error("{0}")]
    Busy(String),
    /// The agent's process ended in mid-turn.
    #[error("{0}")]
    Dead(String),
    /// The turn's deadline passed.
    #[error("the agent did not answer before the turn's deadline")]
    Timeout,
    /// The turn was cancelled.
    #[error("the turn was cancelled")]
    Cancelled,
    /// There is nobody to run it.
    #[error("{0}")]
    Unavailable(String),
}

// === impl AgentError ===

impl AgentError {
    /// This counts as an attempt (D11). A busy agent does not, until it was busy for too long (D12).
    #[must_use]
    pub fn is_counted(&self) -> bool {
        match self {
            Self::Failed(_) | Self::Dead(_) | Self::Timeout => true,
            Self::Busy(_) | Self::Cancelled | Self::Unavailable(_) => false,
        }
    }
}
