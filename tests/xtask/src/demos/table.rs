//! The models that are checked.

/// What is known of a model; paths are relative to the folder that the table is about.
pub(super) struct Checks {
    pub(super) model: &'static str,
    /// Never empty; the demos use the first one's inputs.
    pub(super) cases: &'static [Case],
}

/// Inputs and the outputs that they must give.
pub(super) struct Case {
    pub(super) inputs: &'static [&'static str],
    pub(super) outputs: &'static [&'static str],
}

macro_rules! digits {
    ($($digit:literal)*) => {
        &[$(Case {
            inputs: &[concat!("models/digits/images/digit_", $digit, ".pb")],
            outputs: &[concat!("models/digits/expected/digit_", $digit, ".pb")],
        }),*]
    };
}

macro_rules! shared {
    ($folder:literal, [$($input:literal)*], [$($output:literal)*]) => {
        Checks {
            model: concat!($folder, "/model.onnx"),
            cases: &[Case {
                inputs: &[$(concat!($folder, "/test_data_set_0/input_", $input, ".pb")),*],
                outputs: &[$(concat!($folder, "/test_data_set_0/output_", $output, ".pb")),*],
            }],
        }
    };
}

/// Models in this repository.
pub(super) const OWN: &[Checks] = &[Checks { model: "models/digits/model.onnx", cases: digits!(0 1 2 3 4 5 6 7 8 9) }];

/// An optional folder of larger models beside the repository.
pub(crate) const SHARED_FOLDER: &str = "../shared/models";

/// Models in that folder.
pub(super) const SHARED: &[Checks] = &[
    shared!("squeezenet_trained_f32", [0], [0]),
    shared!("mnist_ort_ex", [0], [0]),
    shared!("digits_mlp", [0], [0 1]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;
    use std::path::Path;

    fn all_exist(folder: &Path, table: &[Checks]) {
        for checks in table {
            assert!(!checks.cases.is_empty(), "{} has no case", checks.model);
            let files = checks.cases.iter().flat_map(|case| case.inputs.iter().chain(case.outputs));
            for file in files.chain([&checks.model]) {
                assert!(folder.join(file).is_file(), "{file}");
            }
        }
    }

    #[test]
    fn every_file_of_the_table_is_there() {
        all_exist(&root(), OWN);
        let shared = root().join(SHARED_FOLDER);
        if shared.is_dir() {
            all_exist(&shared, SHARED);
        } else {
            println!("{SHARED_FOLDER} is not there: its table is not checked");
        }
    }
}
