//! Cases that do not pass, each with its reason.

use crate::Failure;
use std::collections::BTreeMap;

/// Reasons by the case's name.
pub(crate) type Ignored = BTreeMap<String, String>;

const LIST: &str = include_str!("../ignored.tsv");

/// Reads the list: a name, a tab and a reason in each line; lines with `#` in front are comments.
pub(crate) fn read() -> Result<Ignored, Failure> {
    let mut ignored = Ignored::new();
    for line in LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, reason) = line.split_once('\t').ok_or_else(|| format!("ignored.tsv: {line:?} gives no reason"))?;
        if ignored.insert(name.into(), reason.into()).is_some() {
            return Err(format!("ignored.tsv: {name} is there twice").into());
        }
    }
    Ok(ignored)
}
