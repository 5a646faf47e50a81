//! The `nodelab` command.

mod command;

use std::process::ExitCode;

use harness::allocations::Counting;

/// Counts allocations for `nodelab gates`.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    command::main(lexopt::Parser::from_env())
}
