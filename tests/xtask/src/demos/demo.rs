//! What `rebut demo --json` prints, and the limits of a dispute.

use serde_json::Value;
use std::fmt;

/// From the challenge to the settlement.
const MAX_TRANSACTIONS: u64 = 14;
/// The whole dispute stays below this.
const GAS_LIMIT: u64 = 2_000_000;
/// The step alone stays below this.
const STEP_GAS_LIMIT: u64 = 500_000;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Figures {
    verdict: String,
    operator: String,
    element: String,
    transactions: u64,
    gas_total: u64,
    gas_step: u64,
}

impl Figures {
    /// Reads the one object that the demo prints.
    pub(super) fn read(report: &str) -> Result<Self, String> {
        let report: Value = serde_json::from_str(report).map_err(|error| format!("not one JSON object: {error}"))?;
        let number = |key: &str| report[key].as_u64().ok_or_else(|| format!("{key} is not a whole number"));
        // A whole root that was decided about has no element: null.
        let text = |key: &str| match report.get(key) {
            None => Err(format!("{key} is missing")),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Ok(other.to_string()),
        };
        Ok(Self {
            verdict: text("verdict")?,
            operator: text("disputed_operator")?,
            element: text("disputed_element")?,
            transactions: number("transactions")?,
            gas_total: number("gas_total")?,
            gas_step: number("gas_step")?,
        })
    }

    /// The figures themselves when the lie was refuted within the limits.
    pub(super) fn within_limits(self) -> Result<Self, String> {
        let Self { verdict, transactions, gas_total, gas_step, .. } = &self;
        if verdict != "refuted" {
            return Err(format!("the verdict is {verdict}, not refuted"));
        }
        if *transactions > MAX_TRANSACTIONS {
            return Err(format!("{transactions} transactions are more than {MAX_TRANSACTIONS}"));
        }
        if *gas_total >= GAS_LIMIT {
            return Err(format!("{gas_total} gas for the dispute is not below {GAS_LIMIT}"));
        }
        if *gas_step >= STEP_GAS_LIMIT {
            return Err(format!("{gas_step} gas for the step is not below {STEP_GAS_LIMIT}"));
        }
        Ok(self)
    }

    /// The larger of each number.
    pub(super) fn max(&self, other: &Self) -> Self {
        Self {
            transactions: self.transactions.max(other.transactions),
            gas_total: self.gas_total.max(other.gas_total),
            gas_step: self.gas_step.max(other.gas_step),
            ..Self::default()
        }
    }

    /// The numbers without the story.
    pub(super) fn numbers(&self) -> String {
        format!("{:2} transactions, {} gas, step {} gas", self.transactions, self.gas_total, self.gas_step)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} ({} element {})", self.verdict, self.numbers(), self.operator, self.element)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at_the_limits() -> Value {
        json!({
            "verdict": "refuted", "disputed_operator": "Conv", "disputed_element": 17,
            "transactions": 14, "gas_total": 1_999_999, "gas_step": 499_999,
        })
    }

    fn judge(changes: &Value) -> Result<Figures, String> {
        let mut report = at_the_limits();
        for (key, value) in changes.as_object().unwrap() {
            report[key] = value.clone();
        }
        Figures::read(&report.to_string()).and_then(Figures::within_limits)
    }

    #[test]
    fn a_refuted_lie_at_the_limits_passes() {
        let figures = judge(&json!({})).unwrap();
        let text = "refuted, 14 transactions, 1999999 gas, step 499999 gas (Conv element 17)";
        assert_eq!(figures.to_string(), text);
    }

    #[test]
    fn every_limit_is_checked() {
        for (changes, fault) in [
            (json!({ "verdict": "final" }), "final, not refuted"),
            (json!({ "transactions": 15 }), "15 transactions"),
            (json!({ "gas_total": 2_000_000 }), "2000000 gas for the dispute"),
            (json!({ "gas_step": 500_000 }), "500000 gas for the step"),
        ] {
            assert!(judge(&changes).unwrap_err().contains(fault), "{changes}");
        }
    }

    #[test]
    fn a_report_that_lacks_a_figure_fails() {
        for key in at_the_limits().as_object().unwrap().keys() {
            let mut report = at_the_limits();
            report.as_object_mut().unwrap().remove(key);
            assert!(Figures::read(&report.to_string()).unwrap_err().contains(key));
        }
        assert!(judge(&json!({ "gas_total": "many" })).unwrap_err().contains("gas_total"));
        assert!(Figures::read("Rebut\n{}").unwrap_err().contains("JSON"));
    }

    #[test]
    fn the_worst_takes_each_number_for_itself() {
        let a = Figures { transactions: 9, gas_total: 5, gas_step: 3, ..Figures::default() };
        let b = Figures { transactions: 8, gas_total: 7, gas_step: 2, ..Figures::default() };
        assert_eq!(a.max(&b).numbers(), " 9 transactions, 7 gas, step 3 gas");
    }
}
