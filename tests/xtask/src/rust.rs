//! The steps that are cargo's own commands.
//!
//! They name the whole workspace, so that features are unified in one way and what one step has built serves the others.

use crate::failure::Outcome;
use crate::process::Cmd;

pub(crate) fn fmt() -> Outcome {
    Cmd::cargo(&["fmt", "--all", "--check"]).run()?;
    // Workspaces of their own.
    Cmd::cargo(&["fmt", "--check"]).within("tests/fuzz").run()?;
    Cmd::cargo(&["fmt", "--check"]).within("tests/compare").run()
}

pub(crate) fn test() -> Outcome {
    Cmd::cargo(&["test", "--workspace"]).run()
}

pub(crate) fn lint() -> Outcome {
    Cmd::cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()
}

pub(crate) fn doc() -> Outcome {
    Cmd::cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").run()
}
