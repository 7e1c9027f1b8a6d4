//! `katad channels`: writes channel configs, lists them, and tries them out.

mod add;
mod check;
mod list;

pub(crate) use self::{
    add::{New, run as add},
    check::run as check,
    list::run as list,
};
