//! Every failure mode has a line in the documents, and every test that a line names exists.

use std::collections::BTreeSet;
use std::path::Path;

/// The last line of each table, by its letter.
const TABLES: [(char, u32); 2] = [('C', 40), ('I', 4)];

/// The names of all tests in a folder.
fn tests(folder: &Path, keyword: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("a folder of tests");
    let sources = entries.map(|e| e.expect("an entry").path()).filter(|p| p.is_file());
    let text: String = sources.map(|p| std::fs::read_to_string(p).expect("a source")).collect();
    let after = text.split(keyword).skip(1);
    after.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

#[test]
fn every_line_has_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = std::fs::read_to_string(root.join("docs/failure-modes.md")).expect("docs/failure-modes.md");
    let mut known = tests(&root.join("contracts/test"), "function ");
    known.extend(tests(&root.join("tests/tests"), "fn "));
    known.extend(tests(&root.join("engine/tests"), "fn "));
    let ids = TABLES.into_iter().flat_map(|(letter, last)| (1..=last).map(move |n| format!("| {letter}{n:02} |")));
    for id in ids {
        let line = document.lines().find(|l| l.starts_with(&id)).unwrap_or_else(|| panic!("{id} is missing"));
        let named: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{id} names no test");
        for name in named {
            assert!(known.contains(name), "{id} names {name}, which is no test");
        }
    }
}
