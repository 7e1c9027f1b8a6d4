//! Programs that are agents: how they are started, held, and ended.

mod end;
mod leash;
mod program;
mod tail;

pub(crate) use self::{
    end::End,
    leash::{Exit, Heard, Leash},
    program::Program,
    tail::Tail,
};
