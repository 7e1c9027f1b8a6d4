//! The framing: one JSON object a line, UTF-8 in, ASCII out.

mod decode;
mod encode;
mod line;
mod names;
mod surrogate;

pub use decode::{Decoder, LineLimit};
pub use encode::encode;
pub use line::{BadLine, Reason};
