//! Files that once made a reader fail (`docs/fuzzing.md`), without a fuzzing engine.

#[path = "../../tests/fuzz/src/checks/mod.rs"]
#[allow(missing_docs, unreachable_pub)]
mod checks;

use std::path::Path;

/// Every recorded file of a target; their number.
fn replay(target: &str, check: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/regressions").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let files = files.map(|file| file.expect("a file").path());
    files.map(|path| check(&std::fs::read(path).expect("it reads"))).count()
}

#[test]
fn importer() {
    assert!(replay("importer", checks::importer::check) > 0);
}

#[test]
fn package() {
    assert!(replay("package", checks::package::check) > 0);
}

#[test]
fn text() {
    assert!(replay("text", checks::text::check) > 0);
}

#[test]
fn cache() {
    // Nothing was found yet: the file says no length.
    let honest = checks::cache::honest();
    for cut in [0, 7, 40, 72, honest.len() / 2, honest.len()] {
        checks::cache::check(&honest[..cut]);
    }
}
