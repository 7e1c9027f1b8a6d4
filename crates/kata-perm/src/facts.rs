//! What rules look at: a call and what it is made in. Each thing is worked out once, however many rules ask for it.

use std::{cell::RefCell, path::Path, rc::Rc};

use serde_json::Value;

use crate::{
    call::{Context, ToolCall},
    path::{self, Roots},
    pointer::Pointer,
    shell::{self, Command, Refusal},
    stance::Truth,
    tools::Tool,
    web::Address,
};

/// What was worked out, by the text that it was worked out from.
type Known<'a, T> = RefCell<Vec<(&'a str, T)>>;

/// The commands of a text, or why there are none.
pub(crate) type Commands = Rc<Result<Vec<Command>, Refusal>>;

/// A call, what it is made in, and what was found out about it so far.
pub(crate) struct Facts<'a> {
    pub(crate) call: &'a ToolCall,
    pub(crate) context: &'a Context,
    roots: &'a Roots,
    directory: &'a Path,
    paths: Known<'a, Option<Rc<str>>>,
    shells: Known<'a, Commands>,
    addresses: Known<'a, Option<Rc<Address>>>,
}

// === impl Facts ===

impl<'a> Facts<'a> {
    pub(crate) fn new(call: &'a ToolCall, context: &'a Context, roots: &'a Roots) -> Self {
        Self {
            call,
            context,
            roots,
            directory: context.directory.as_deref().unwrap_or(roots.workspace()),
            paths: RefCell::default(),
            shells: RefCell::default(),
            addresses: RefCell::default(),
        }
    }

    pub(crate) fn at(&self, pointer: &Pointer) -> Option<&'a Value> {
        pointer.find(&self.call.input)
    }

    /// An argument that is a text.
    pub(crate) fn argument(&self, name: &str) -> Option<&'a str> {
        self.call.input.get(name).and_then(Value::as_str)
    }

    /// Where a path among the arguments leads; none if that is not certain.
    pub(crate) fn path(&self, text: &'a str) -> Option<Rc<str>> {
        once(&self.paths, text, || {
            path::resolve(text, self.directory).ok().map(Rc::from)
        })
    }

    /// Where a tool that writes would write; none if that is not certain, or the tool is another.
    pub(crate) fn destination(&self, tool: Tool) -> Option<Rc<str>> {
        match tool {
            Tool::Writes(argument) => self.path(self.argument(argument)?),
            Tool::Shell | Tool::Mcp | Tool::Api | Tool::Other => None,
        }
    }

    /// Whether a place that [`path`](Self::path) named is one that governs the daemon.
    pub(crate) fn is_protected(&self, real: &str) -> Truth {
        self.roots.protects(real)
    }

    /// The URL that an argument is, if it is one.
    pub(crate) fn address(&self, text: &'a str) -> Option<Rc<Address>> {
        once(&self.addresses, text, || Address::read(text).map(Rc::new))
    }

    /// The commands of shell text among the arguments.
    pub(crate) fn commands(&self, text: &'a str) -> Commands {
        once(&self.shells, text, || Rc::new(shell::commands(text)))
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
