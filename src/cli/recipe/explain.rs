//! `sealer recipe explain`

use clap::Args;

use crate::cli::failure::Failed;
use crate::cli::output::{self, OutputForm};
use crate::recipe::{explain, overview};

#[derive(Debug, Args)]
pub(in crate::cli) struct ExplainArgs {
    /// A step or a context entry, `stage` or `recipe` [default: all of them, a line each]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The form of the explanation
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

pub(super) fn run(args: &ExplainArgs) -> Result<(), Failed> {
    let Some(name) = &args.name else {
        let overview = overview();
        return match args.output {
            OutputForm::Json => output::json(&overview),
            OutputForm::Text => output::data(&overview.to_string()),
        };
    };
    let explanation = explain(name).map_err(Failed::usage)?;
    match args.output {
        OutputForm::Json => output::json(&explanation),
        OutputForm::Text => output::data(&explanation.to_string()),
    }
}
