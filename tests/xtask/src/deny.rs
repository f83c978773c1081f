//! cargo-deny with the settings of `deny.toml`.

use crate::failure::Outcome;
use crate::process::{Cmd, root};
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;

const VERSION: &str = "0.20.2";
/// Where a missing cargo-deny is installed to: it stays out of the user's own tools.
const TOOLS: &str = "target/xtask/tools";
/// A tool that is run for a few seconds is not worth the optimised, single-threaded build of its own release profile.
const QUICK_BUILD: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
];
const WITHOUT_ADVISORIES: &str = "\
!!!!! The RustSec advisory database cannot be fetched from here: advisories and yanked versions are NOT checked. !!!!!
      It is a git repository outside the crate registry. Bans, licences and sources are checked below, Cargo.lock pins every
      version, and the same command checks advisories on a machine that reaches the database.";

pub(crate) fn run() -> Outcome {
    let program = program()?;
    let deny = || Cmd::new(&program).arg("--locked");
    let mut fetch = deny().args(["fetch", "db"]);
    println!("$ {}", fetch.line());
    let fetched = fetch.try_read()?;
    if fetched.status.success() {
        return deny().arg("check").run();
    }
    println!("{}", String::from_utf8_lossy(&fetched.stderr).trim());
    println!("{WITHOUT_ADVISORIES}");
    deny().args(["check", "bans", "licenses", "sources"]).run()
}

/// cargo-deny in the wanted version: the user's, or one of the project's own.
fn program() -> Outcome<OsString> {
    let own = root().join(TOOLS).join("bin").join(format!("cargo-deny{EXE_SUFFIX}"));
    for candidate in ["cargo-deny".into(), own.clone().into_os_string()] {
        if is_wanted(&candidate) {
            return Ok(candidate);
        }
    }
    println!("cargo-deny {VERSION} is not installed: building it into {TOOLS}, once (it needs a C compiler)");
    let install = Cmd::cargo(&["install", "cargo-deny", "--version", VERSION, "--locked", "--root", TOOLS]);
    QUICK_BUILD.iter().fold(install, |install, (name, value)| install.env(name, value)).run()?;
    Ok(own.into_os_string())
}

fn is_wanted(program: &OsString) -> bool {
    let output = Cmd::new(program).arg("--version").try_read();
    output.is_ok_and(|output| output.stdout.trim_ascii() == format!("cargo-deny {VERSION}").as_bytes())
}
