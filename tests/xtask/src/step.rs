//! The steps of CI, in their order.

use crate::failure::Outcome;
use crate::{anvil, arm, campaigns, conformance, contracts, demos, deny, fuzz, instructions, proof, rust};
use clap::{Args, ValueEnum};

/// What may be chosen for the steps.
#[derive(Args, Clone, Copy)]
pub(crate) struct Settings {
    /// Number of lies per model in the demos
    #[arg(long, value_name = "N", default_value_t = Settings::default().seeds, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seeds: 3 }
    }
}

/// A step. The order is that of CI: what finds most comes early, and the contracts come before anvil because they install it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Step {
    Fmt,
    Test,
    Lint,
    Doc,
    Deny,
    Forge,
    Anvil,
    Proof,
    Campaigns,
    Conformance,
    Fuzz,
    Arm,
    Instructions,
    Demos,
}

impl Step {
    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub(crate) fn run(self, settings: &Settings) -> Outcome {
        match self {
            Self::Fmt => rust::fmt(),
            Self::Test => rust::test(),
            Self::Lint => rust::lint(),
            Self::Doc => rust::doc(),
            Self::Deny => deny::run(),
            Self::Forge => contracts::run(),
            Self::Anvil => anvil::run(),
            Self::Proof => proof::slice(),
            Self::Campaigns => campaigns::slice(),
            Self::Conformance => conformance::run(&[]),
            Self::Fuzz => fuzz::run(fuzz::Search::slice()),
            Self::Arm => arm::run(),
            Self::Instructions => instructions::run(&instructions::Instructions::default()),
            Self::Demos => demos::run(settings.seeds),
        }
    }
}
