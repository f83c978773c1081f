//! Texts of programs.

use super::run;
use rebut_engine::hash::keccak;
use rebut_engine::lower::{bill, gas::STEP_GAS_CEILING};
use rebut_engine::package::{Label, Package};
use rebut_engine::program::{
    Identity, Program, Source, decode_descriptor, encode_descriptor, parse_program, program_text,
};

/// A text is refused, or says a program that its own text and its descriptors say as well.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let program = match parse_program(text) {
        Ok(program) => program,
        Err(error) => return drop(error.to_string()),
    };
    let written = program_text(&program);
    let parsed = parse_program(&written).unwrap_or_else(|e| panic!("{e}\n{written}"));
    assert_eq!(parsed, program, "{written}");
    assert_eq!(program_text(&parsed), written);
    for value in &program.values {
        let descriptor = encode_descriptor(value).expect("a validated value has a descriptor");
        assert_eq!(decode_descriptor(&descriptor).as_ref(), Ok(value));
    }
    Identity::of(&program).expect("a validated program has an id");
    let affordable = bill(&program).iter().all(|b| b.gas_worst <= STEP_GAS_CEILING);
    // A text has no constants' bytes.
    if affordable && !program.values.iter().any(|v| matches!(v.source, Source::Constant { .. })) {
        run::agrees(&packed(program), &keccak(bytes));
    }
}

/// The package of a program without constants.
fn packed(program: Program) -> Package {
    let labels = vec![Label::default(); program.values.len()];
    let outputs = vec![String::new(); usize::from(program.outputs)];
    Package::new(program, vec![], labels, outputs).expect("a validated program of affordable steps")
}
