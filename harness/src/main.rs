//! `nodelab`: the harness at the command line.

mod command;

use std::process::ExitCode;

use harness::allocations::Counting;

/// `nodelab gates` says how much memory a scrape takes.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    command::main(lexopt::Parser::from_env())
}
