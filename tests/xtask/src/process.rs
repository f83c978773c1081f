//! Commands as this project runs them: from a folder of the repository, printed first, and a failure names the whole command.

use crate::failure::{Failure, Outcome};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).unwrap_or(crate_folder).to_path_buf()
}

/// A path as it is shown: relative to the repository where possible.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// A command and the line that a person would type for it at the repository's root.
pub(crate) struct Cmd {
    command: Command,
    line: String,
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(&program);
        command.current_dir(root());
        Self { command, line: shown(Path::new(program.as_ref())) }
    }

    pub(crate) fn cargo(args: &[&str]) -> Self {
        Self::new("cargo").args(args)
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.line.push(' ');
        self.line.push_str(&shown(Path::new(arg.as_ref())));
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.line = format!("{name}='{value}' {}", self.line);
        self.command.env(name, value);
        self
    }

    /// Runs in a folder below the root.
    pub(crate) fn within(mut self, folder: &str) -> Self {
        let line = self.line.strip_prefix(&format!("{folder}/")).unwrap_or(&self.line);
        self.line = format!("(cd {folder} && {line})");
        self.command.current_dir(root().join(folder));
        self
    }

    /// What a person would type.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// Runs with the output going to the terminal.
    pub(crate) fn run(mut self) -> Outcome {
        println!("$ {}", self.line);
        let status = self.command.status();
        self.judge(status)
    }

    /// Runs with standard output both shown and returned.
    pub(crate) fn run_and_read(mut self) -> Outcome<String> {
        println!("$ {}", self.line);
        let child = self.command.stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|source| self.not_started(source))?;
        let mut text = String::new();
        for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).split(b'\n')) {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            text.push_str(&line);
            text.push('\n');
        }
        let status = child.wait();
        self.judge(status)?;
        Ok(text)
    }

    /// Runs silently and returns standard output; both outputs are shown when the command fails.
    pub(crate) fn read(mut self) -> Outcome<String> {
        let output = self.try_read()?;
        if !output.status.success() {
            print!("{}", String::from_utf8_lossy(&output.stdout));
            eprint!("{}", String::from_utf8_lossy(&output.stderr));
        }
        self.judge(Ok(output.status))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs silently, whatever the exit status.
    pub(crate) fn try_read(&mut self) -> Outcome<Output> {
        let output = self.command.stdin(Stdio::null()).output();
        output.map_err(|source| self.not_started(source))
    }

    /// Starts in the background with both outputs going to one file.
    pub(crate) fn start(mut self, log: std::fs::File) -> Outcome<std::process::Child> {
        println!("$ {} &", self.line);
        let errors = log.try_clone().map_err(|source| self.not_started(source))?;
        let child = self.command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        child.map_err(|source| self.not_started(source))
    }

    fn judge(&self, status: std::io::Result<ExitStatus>) -> Outcome {
        let status = status.map_err(|source| self.not_started(source))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::Command { command: self.line.clone(), status: status.to_string() })
    }

    fn not_started(&self, source: std::io::Error) -> Failure {
        Failure::Start { command: self.line.clone(), source }
    }
}

/// The executable of this name in what cargo says with `--message-format json`.
pub(crate) fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut built = messages.filter(|message| message["target"]["name"] == name);
    built.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
        assert_eq!(shown(&root().join("docs/program.md")), "docs/program.md");
    }

    #[test]
    fn a_failed_command_is_named_whole() {
        let failure = Cmd::cargo(&["no-such-command"]).within("docs").env("A", "b").read().unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("A='b' (cd docs && cargo no-such-command)"), "{text}");
        assert!(text.contains("exit status"), "{text}");
    }

    #[test]
    fn a_program_below_its_folder_is_named_from_there() {
        let command = Cmd::new(root().join("contracts/bin/forge")).arg("test").within("contracts");
        assert_eq!(command.line(), "(cd contracts && bin/forge test)");
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let failure = Cmd::new("no-such-program-anywhere").read().unwrap_err();
        assert!(matches!(failure, Failure::Start { .. }), "{failure}");
    }

    #[test]
    fn output_is_returned() {
        assert!(Cmd::cargo(&["--version"]).run_and_read().unwrap().starts_with("cargo "));
        assert!(Cmd::cargo(&["--version"]).read().unwrap().starts_with("cargo "));
    }

    #[test]
    fn the_executable_is_found_among_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"rebut_engine"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"rebut"},"executable":"/somewhere/rebut"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "rebut"), Some(PathBuf::from("/somewhere/rebut")));
        assert_eq!(executable(messages, "rebut_engine"), None);
    }
}
