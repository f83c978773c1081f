//! The arithmetic's tests on aarch64: cross-compiled without a C compiler, run under user-mode emulation.

use crate::failure::{Outcome, check};
use crate::process::Cmd;

/// Static, so that neither a cross linker nor a sysroot is needed.
const TARGET: &str = "aarch64-unknown-linux-musl";
const EMULATOR: &str = "qemu-aarch64";

pub(crate) fn run() -> Outcome {
    if Cmd::new(EMULATOR).arg("--version").try_read().is_err() {
        return check(format!(
            "{EMULATOR} is missing: install QEMU's user-mode emulation (Debian: apt-get install qemu-user)"
        ));
    }
    Cmd::new("rustup").args(["target", "add", TARGET]).run()?;
    let variable = |name: &str| format!("CARGO_TARGET_{}_{name}", TARGET.to_uppercase().replace('-', "_"));
    let tests = ["test", "-p", "rebut-engine", "--lib", "--test", "arith", "--target", TARGET];
    Cmd::cargo(&tests).env(&variable("LINKER"), "rust-lld").env(&variable("RUNNER"), EMULATOR).run()
}
