//! What rules look at: a call and what it is made in. Each thing is worked out once, however many rules ask for it.

use std::{cell::RefCell, path::Path, rc::Rc};

use serde_json::Value;

use crate::{
    call::{Context, ToolCall},
    path,
    shell::{self, Command, Refusal},
};

/// What was worked out, by the text that it was worked out from.
type Known<'a, T> = RefCell<Vec<(&'a str, T)>>;

/// The commands of a text, or why there are none.
pub(crate) type Commands = Rc<Result<Vec<Command>, Refusal>>;

/// A call, what it is made in, and what was found out about it so far.
pub(crate) struct Facts<'a> {
    pub(crate) call: &'a ToolCall<'a>,
    pub(crate) context: &'a Context,
    directory: &'a Path,
    paths: Known<'a, Option<Rc<str>>>,
    shells: Known<'a, Commands>,
}

// === impl Facts ===

impl<'a> Facts<'a> {
    pub(crate) fn new(call: &'a ToolCall<'a>, context: &'a Context, workspace: &'a Path) -> Self {
        Self {
            call,
            context,
            directory: context.directory.as_deref().unwrap_or(workspace),
            paths: RefCell::default(),
            shells: RefCell::default(),
        }
    }

    pub(crate) fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.call.input.pointer(pointer)
    }

    pub(crate) fn text_at(&self, pointer: &str) -> Option<&'a str> {
        self.at(pointer).and_then(Value::as_str)
    }

    /// Where the path leads that is at `pointer`; none if there is none, or it is not certain.
    pub(crate) fn path_at(&self, pointer: &str) -> Option<Rc<str>> {
        let text = self.text_at(pointer)?;
        once(&self.paths, text, || {
            path::resolve(text, self.directory).ok().map(Rc::from)
        })
    }

    /// The commands of the shell text at `pointer`; none if no text is there.
    pub(crate) fn commands_at(&self, pointer: &str) -> Option<Commands> {
        let text = self.text_at(pointer)?;
        Some(once(&self.shells, text, || Rc::new(shell::commands(text))))
    }
}

/// What is known for `text`. The same text lies at the same place: that is compared, as it may be long.
fn once<'a, T: Clone>(known: &Known<'a, T>, text: &'a str, find: impl FnOnce() -> T) -> T {
    if let Some((_, found)) = known.borrow().iter().find(|(seen, _)| std::ptr::eq(*seen, text)) {
        return found.clone();
    }
    let found = find();
    known.borrow_mut().push((text, found.clone()));
    found
}
