//! `sealer recipe plan`

use std::path::PathBuf;

use clap::Args;

use crate::cli::failure::{Failed, print_diagnostics};
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm};
use crate::plan::Plan;

use super::input::{Input, InputArgs};

#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    /// The recipe
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    input: InputArgs,
    /// The form of the plan
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

pub(super) fn run(args: &PlanArgs, globals: &Globals) -> Result<(), Failed> {
    let input = Input::read(&args.file, &args.input)?;
    let plan = input.plan(&args.input)?;
    print_diagnostics(&input.warnings(&plan), globals.color_on_stderr());
    match args.output {
        OutputForm::Json => output::json(&plan),
        OutputForm::Text => output::data(&text(&plan)),
    }
}

/// The plan for people: a paragraph a stage.
fn text(plan: &Plan) -> String {
    let mut lines = vec![format!("{} ({})", plan.recipe, plan.file)];
    for stage in &plan.stages {
        let work = &stage.work;
        lines.push(String::new());
        lines.push(format!("stage {} for {} makes {}", work.stage, work.platform, work.image));
        lines.extend(work.context.iter().map(|source| format!("  context  {source}")));
        lines.extend(work.steps.iter().map(|step| format!("  step     {}", step.title())));
        lines.extend(work.kubefile.lines().map(|line| format!("  build    {line}")));
    }
    lines.push(String::new());
    lines.join("\n")
}
