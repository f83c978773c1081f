//! The Solidity side: format, build with code sizes, tests, committed artifacts, npm package, static analysis, gas snapshot.

use crate::failure::Outcome;
use crate::foundry;
use crate::process::{Cmd, root};

const FOLDER: &str = "contracts";
const SNAPSHOT: &str = "contracts/.gas-snapshot";
/// It allows 500 gas between a call and its target's first line, which is what the default setting's code needs.
const EXACT_GAS: &str = "test_C38_starvedDeliverDecidesNothing";

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

/// All tests under the second setting of the optimiser.
pub(crate) fn second() -> Outcome {
    let test = ["test", "--no-match-test", EXACT_GAS];
    Cmd::new(foundry::binary("forge")?).args(test).within(FOLDER).env("FOUNDRY_PROFILE", "second").run()
}

fn forge(args: &[&str]) -> Outcome {
    Cmd::new(foundry::binary("forge")?).args(args).within(FOLDER).run()
}
