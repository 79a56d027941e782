//! What every adapter is put through: a town in which somebody is forgotten, what can be seen of it afterwards, and the
//! attack. The tests of `grc-mysql` use these files too.

pub(crate) mod attack;
pub(crate) mod checks;
pub(crate) mod play;
pub(crate) mod scan;
pub(crate) mod scenes;
pub(crate) mod spy;
pub(crate) mod stage;
