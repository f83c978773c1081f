//! Package files.

use super::run;
use rebut_engine::hash::keccak;
use rebut_engine::package::Package;
use rebut_engine::program::{parse_program, program_text};

/// Bytes are refused, or hold a package that survives its file and runs as the reference interpreter says.
pub fn check(bytes: &[u8]) {
    match Package::from_bytes(bytes) {
        Ok(package) => {
            survives(&package);
            run::agrees(&package, &keccak(bytes));
        }
        Err(error) => drop(error.to_string()),
    }
}

/// Its file and its text give the same program again.
///
/// Not the same bytes: a length can be written in more than one way.
pub(super) fn survives(package: &Package) {
    let bytes = package.to_bytes().expect("a package has a file");
    let again = Package::from_bytes(&bytes).expect("its file is a package");
    assert_eq!(again.identity().program_id, package.identity().program_id);
    assert_eq!(again.program(), package.program());
    assert_eq!(again.output_names(), package.output_names());
    assert_eq!(again.to_bytes().expect("a package has a file"), bytes, "two files of one package");
    let text = program_text(package.program());
    let parsed = parse_program(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(parsed, *package.program(), "{text}");
}
