//! The end-to-end tests that need a node, each on an anvil of its own.

use crate::failure::{Failure, Outcome, check};
use crate::foundry;
use crate::process::{Cmd, root, shown};
use std::fs::{File, create_dir_all};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The integration tests whose ignored tests read [`URL`], and what the names of those tests contain.
const TARGETS: [(&str, &str); 2] = [("chain", "anvil"), ("anvil", "")];
/// Where the tests find the node.
const URL: &str = "REBUT_ANVIL_URL";
/// Osaka, with its gas cap per transaction, which anvil leaves off by default; order of arrival as on the embedded chain.
const FLAGS: [&str; 8] =
    ["--hardfork", "osaka", "--enable-tx-gas-limit", "--gas-limit", "60000000", "--order", "fifo", "--port"];
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn run() -> Outcome {
    TARGETS.iter().try_for_each(|(target, names)| run_target(target, names))
}

/// The same profile and packages as `cargo test --workspace`, so nothing is built again. One test at a time: they share accounts.
fn run_target(target: &str, names: &str) -> Outcome {
    let anvil = Anvil::start(target)?;
    let tests = Cmd::cargo(&["test", "--workspace", "--test", target, "--", "--ignored", "--test-threads", "1", names]);
    let tests = tests.env(URL, &anvil.url);
    let line = tests.line().to_owned();
    match passed(&tests.run_and_read()?) {
        0 => check(format!("{line}\n        ran no test: has the target lost its ignored tests?")),
        count => {
            println!("{count} passed on anvil");
            Ok(())
        }
    }
}

/// Number of passed tests in the output of `cargo test`.
fn passed(output: &str) -> u64 {
    let results = output.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    results.filter_map(|rest| rest.split(' ').next()?.parse::<u64>().ok()).sum()
}

/// A running anvil, stopped when it is dropped.
struct Anvil {
    process: Child,
    url: String,
}

impl Anvil {
    fn start(name: &str) -> Outcome<Self> {
        let address = free_address()?;
        let log = log_path(name)?;
        let file = File::create(&log).map_err(|source| Failure::File { path: shown(&log), source })?;
        let command = Cmd::new(foundry::binary("anvil")?).args(FLAGS).arg(address.port().to_string());
        let mut anvil = Self { process: command.start(file)?, url: format!("http://{address}") };
        let start = Instant::now();
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            let ended = anvil.process.try_wait().ok().flatten();
            if ended.is_some() || start.elapsed() > PATIENCE {
                return check(format!("anvil does not answer at {address}; its output is in {}", shown(&log)));
            }
            sleep(Duration::from_millis(50));
        }
        Ok(anvil)
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do about either.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_address() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map_err(|source| Failure::File { path: "a free port".to_owned(), source })
}

fn log_path(name: &str) -> Outcome<PathBuf> {
    let folder = root().join("target/xtask");
    create_dir_all(&folder).map_err(|source| Failure::File { path: shown(&folder), source })?;
    Ok(folder.join(format!("anvil-{name}.log")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted_over_all_targets() {
        let output = "running 2 tests\n\
                      test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out\n\
                      test result: ok. 11 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(passed(output), 13);
        assert_eq!(passed("test result: ok. 0 passed; 0 failed; 1 ignored"), 0);
        assert_eq!(passed(""), 0);
    }
}
