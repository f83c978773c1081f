//! The `rebut` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    rebut_challenger::cli::main()
}
