//! The demo's report as one screen.

use super::report::Report;
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// Writes the story; `out` decides whether colours survive.
///
/// # Errors
/// When `out` cannot be written.
pub fn tell(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let r = report;
    let heading = |out: &mut dyn Write, text: &str| writeln!(out, "\n{BOLD}{text}{BOLD:#}");
    writeln!(out, "{BOLD}Rebut{BOLD:#}: an executor's claim stands unless someone rebuts it")?;

    heading(out, "The model")?;
    let operators: Vec<String> = r.operators.iter().map(|(name, n)| format!("{name} {n}")).collect();
    writeln!(out, "  {}  {DIM}program {}{DIM:#}", r.model, shorten(&r.program))?;
    writeln!(out, "  {} values, {} parameters, {} elements in a trace", r.values, r.parameters, r.trace_elements)?;
    writeln!(out, "  {}", operators.join(", "))?;

    heading(out, "A claim with a lie in it")?;
    writeln!(
        out,
        "  the executor bonds {} and claims outputs computed from a wrong element {}",
        ether(r.bonds.get("executor")),
        r.lie
    )?;
    writeln!(out, "  the watcher re-runs the model: {BAD}{}{BAD:#}", r.watcher)?;

    heading(out, "The dispute")?;
    for m in &r.moves {
        writeln!(out, "  {:<10} {:<10} {:>9} gas  {DIM}{}{DIM:#}", m.by, m.call, m.gas, shorten(&m.note))?;
    }
    writeln!(out, "  {} transactions, {} gas, the step {} of it", r.transactions, r.gas_total, r.gas_step)?;

    heading(out, "What the contract computed")?;
    let d = &r.disputed;
    let element = d.element.map_or("the whole tensor".to_string(), |e| format!("element {e}"));
    writeln!(out, "  {element} of value {} {} ({} {})", d.value, d.ty, d.operator, d.name)?;
    for operand in &d.operands {
        writeln!(out, "    {operand}")?;
    }
    writeln!(out, "  executor   {BAD}{}{BAD:#}", d.executor)?;
    writeln!(out, "  challenger {}", d.challenger)?;
    writeln!(out, "  contract   {GOOD}{}{GOOD:#}", d.contract)?;
    writeln!(out, "  the claim is {BOLD}{}{BOLD:#} ({})", r.verdict, r.outcome)?;
    for (who, [before, after]) in &r.balances {
        writeln!(out, "  {who:<10} {} before, {} after", ether(Some(before)), ether(Some(after)))?;
    }

    heading(out, "An honest claim")?;
    let h = &r.honest_claim;
    writeln!(out, "  the watcher finds it {GOOD}{}{GOOD:#}; unchallenged, it is {}", h.watcher, h.phase)?;
    writeln!(out, "  a consumer contract reads class {BOLD}{}{BOLD:#} from it; {} gas in all", h.consumer_label, h.gas)
}

/// Wei as ether with six decimals; integer arithmetic, so that nothing is rounded into a lie.
fn ether(wei: Option<&String>) -> String {
    const DECIMALS: usize = 18;
    let wei = wei.map_or("0", String::as_str);
    let padded = format!("{wei:0>width$}", width = DECIMALS + 1);
    let (whole, fraction) = padded.split_at(padded.len() - DECIMALS);
    format!("{whole}.{} ETH", &fraction[..6])
}

/// Hashes in a text, cut to what people compare.
fn shorten(text: &str) -> String {
    let word = |w: &str| match w.strip_prefix("0x") {
        Some(hex) if hex.len() > 40 => format!("0x{}..{}", &hex[..8], &hex[hex.len() - 4..]),
        _ => w.to_string(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{ether, shorten};

    #[test]
    fn wei_are_written_as_ether() {
        assert_eq!(ether(Some(&"1500000000000000000".to_string())), "1.500000 ETH");
        assert_eq!(ether(Some(&"1".to_string())), "0.000000 ETH");
    }

    #[test]
    fn hashes_are_cut() {
        assert_eq!(shorten(&format!("root 0x{}", "ab".repeat(32))), "root 0xabababab..abab");
    }
}
