//! The Solidity side: format, build with code sizes, tests, committed artifacts, npm package, static analysis, gas snapshot.

use crate::failure::Outcome;
use crate::foundry;
use crate::process::{Cmd, root};

const FOLDER: &str = "contracts";
const SNAPSHOT: &str = "contracts/.gas-snapshot";

pub(crate) fn run() -> Outcome {
    Cmd::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).within(FOLDER).run()?;
    forge(&["fmt", "--check"])?;
    // Fails above the code size limit of 24,576 bytes.
    forge(&["build", "--sizes"])?;
    forge(&["test"])?;
    Cmd::new("node").args(["scripts/build-artifacts.mjs", "--check"]).within(FOLDER).run()?;
    // The package as its users get it, in a project outside of the repository.
    Cmd::new("node").arg("scripts/check-package.mjs").within(FOLDER).run()?;
    Cmd::new("node").arg("scripts/static-analysis.mjs").within(FOLDER).run()?;
    if root().join(SNAPSHOT).is_file() {
        forge(&["snapshot", "--check"])?;
    } else {
        println!("no {SNAPSHOT} is committed, so there are no gas figures to compare");
    }
    Ok(())
}

fn forge(args: &[&str]) -> Outcome {
    Cmd::new(foundry::binary("forge")?).args(args).within(FOLDER).run()
}
