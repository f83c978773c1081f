//! Where npm puts Foundry's programs.
//!
//! The launchers in `node_modules/.bin` end with status 0 whatever happened, so they are never used.

use crate::failure::{Outcome, check};
use crate::process::{root, shown};
use std::env::consts::{ARCH, EXE_SUFFIX, OS};
use std::path::PathBuf;

/// The real executable of a tool that `npm ci` has put into `contracts/node_modules`.
pub(crate) fn binary(tool: &str) -> Outcome<PathBuf> {
    let Some(platform) = platform(OS, ARCH) else {
        return check(format!("npm has no {tool} for {OS} on {ARCH}"));
    };
    let package = root().join("contracts/node_modules/@foundry-rs").join(format!("{tool}-{platform}"));
    let path = package.join("bin").join(format!("{tool}{EXE_SUFFIX}"));
    if !path.is_file() {
        return check(format!("{} is missing: run `npm ci` in contracts/", shown(&path)));
    }
    Ok(path)
}

/// The platform's name in the npm packages.
fn platform(os: &str, arch: &str) -> Option<&'static str> {
    Some(match (os, arch) {
        ("linux", "x86_64") => "linux-amd64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-amd64",
        ("macos", "aarch64") => "darwin-arm64",
        ("windows", "x86_64") => "win32-amd64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_have_their_npm_names() {
        assert_eq!(platform("linux", "x86_64"), Some("linux-amd64"));
        assert_eq!(platform("linux", "aarch64"), Some("linux-arm64"));
        assert_eq!(platform("linux", "riscv64"), None);
    }

    #[test]
    fn a_missing_tool_says_what_to_do() {
        let failure = binary("no-such-tool").unwrap_err().to_string();
        assert!(failure.contains("npm ci") || failure.contains("npm has no"), "{failure}");
    }
}
