//! `sealer doctor trace`

use std::sync::Arc;

use clap::Args;

use crate::cache::Cache;
use crate::cli::failure::Failed;
use crate::cli::globals::Globals;
use crate::cli::inspect;
use crate::cli::output::{self, OutputForm};
use crate::doctor::trace::Tracer;
use crate::store::Store;
use crate::transport::{Engine, EngineHost};
use crate::types::ImageSource;

#[derive(Debug, Args)]
pub(in crate::cli) struct TraceArgs {
    /// The container image, by the name that the engine has it under
    #[arg(value_name = "IMAGE")]
    image: ImageSource,
    /// Look into this sealer image, by its name or whole id; may be given several times [default: all of the store]
    #[arg(long = "in", value_name = "NAME")]
    images: Vec<String>,
    /// Trust no digest: hash the engine's layers, and decompress and hash those in the sealer images
    #[arg(long)]
    deep: bool,
    /// The form of the answer
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

pub(super) fn run(args: &TraceArgs, globals: &Globals) -> Result<(), Failed> {
    let observer = globals.observer();
    let store = Store::open(&globals.root()?);
    let named = args.images.iter().map(|name| inspect::find(&store, name)).collect::<Result<Vec<_>, _>>()?;
    let named = (!named.is_empty()).then(|| named.into_iter().flatten().collect());
    let cache = globals.cache()?;
    // Only what is taken out of the engine needs room.
    let cache = if args.deep { Cache::open(cache)? } else { Cache::open_to_read(cache) };
    let engine = Engine::new(EngineHost::from_env(), Arc::new(cache), Arc::clone(&observer));
    let tracer = Tracer { engine: &engine, store: &store, observer: observer.as_ref(), is_deep: args.deep };
    let trace = tracer.trace(&args.image, named)?;
    match args.output {
        OutputForm::Json => output::json(&trace)?,
        OutputForm::Text => output::data(&trace.text())?,
    }
    trace.failure().map_or(Ok(()), |failure| Err(failure.into()))
}
