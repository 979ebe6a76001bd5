//! `sealer doctor host`

use clap::Args;
use serde::Serialize;

use crate::cli::failure::Failed;
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm};
use crate::doctor::{Finding, HostPlaces, NODE_NEEDS, Verdict, check_host, node_needs, worst};
use crate::types::FailureKind;

#[derive(Debug, Args)]
pub(in crate::cli) struct HostArgs {
    /// The form of the findings
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// The JSON report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    /// The worst of the findings that concern everybody; `error` is exit code 1.
    verdict: Verdict,
    findings: &'a [Finding],
    /// Requirements of a cluster's machines, which cannot be checked on this machine.
    node_needs: [&'static str; 5],
}

pub(super) fn run(args: &HostArgs, globals: &Globals) -> Result<(), Failed> {
    let places = HostPlaces::from_env(&globals.root()?, &globals.cache()?);
    let findings = check_host(&places);
    let verdict = worst(&findings);
    match args.output {
        OutputForm::Json => output::json(&Report { verdict, findings: &findings, node_needs: NODE_NEEDS })?,
        OutputForm::Text => {
            self::findings(&findings)?;
            output::data(&node_needs())?;
        }
    }
    match verdict {
        Verdict::Error => Err(Failed::Reported(FailureKind::Failed)),
        Verdict::Good | Verdict::Note | Verdict::Warning => Ok(()),
    }
}

/// All findings for people, including the good ones, then a line that counts them.
fn findings(findings: &[Finding]) -> Result<(), Failed> {
    let text: String = findings.iter().map(Finding::text).collect();
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let counted: Vec<String> = [(Verdict::Error, "error"), (Verdict::Warning, "warning"), (Verdict::Note, "note")]
        .into_iter()
        .filter(|(verdict, _)| count(*verdict) > 0)
        .map(|(verdict, what)| crate::cli::prune::count(count(verdict), what))
        .collect();
    let summary = if counted.is_empty() { "all is well".to_owned() } else { counted.join(", ") };
    output::data(&format!("{text}{summary}\n"))
}
