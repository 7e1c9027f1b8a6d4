//! What is printed, and where the prompt stands.

use std::io::{self, Write};

use crate::dialect;

/// The output, and what stands on its last line.
pub(crate) struct Screen {
    output: Box<dyn Write + Send>,
    colour: bool,
    /// None where nobody sits at the other end.
    prompt: Option<String>,
    /// The prompt is the last thing that was printed.
    prompted: bool,
}

// === impl Screen ===

impl Screen {
    pub(crate) fn new(output: Box<dyn Write + Send>, colour: bool, prompt: Option<String>) -> Self {
        Self {
            output,
            colour,
            prompt,
            prompted: false,
        }
    }

    /// Invites the user to type.
    pub(crate) fn invite(&mut self) -> io::Result<()> {
        if let (Some(prompt), false) = (&self.prompt, self.prompted) {
            self.output.write_all(prompt.as_bytes())?;
            self.prompted = true;
        }
        self.output.flush()
    }

    /// The user ended a line: the cursor stands on a new one.
    pub(crate) fn typed(&mut self) {
        self.prompted = false;
    }

    /// Prints a part of an answer, which is already in our markup.
    pub(crate) fn print(&mut self, text: &str, is_last: bool) -> io::Result<()> {
        self.leave_prompt()?;
        writeln!(self.output, "{text}")?;
        if is_last {
            self.invite()
        } else {
            self.output.flush()
        }
    }

    /// Prints a remark of the program's own, and the prompt again where it stood.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        let prompted = self.prompted;
        self.leave_prompt()?;
        let (dim, bright) = if self.colour {
            ("\u{1b}[2m", "\u{1b}[22m")
        } else {
            ("", "")
        };
        for line in text.lines() {
            writeln!(self.output, "{dim}{}{bright}", dialect::inert(line))?;
        }
        if prompted {
            self.invite()
        } else {
            self.output.flush()
        }
    }

    fn leave_prompt(&mut self) -> io::Result<()> {
        if self.prompted {
            // Where lines can be erased, an unused prompt leaves no trace.
            self.output
                .write_all(if self.colour { b"\r\x1b[K" } else { b"\n" })?;
            self.prompted = false;
        }
        Ok(())
    }
}
