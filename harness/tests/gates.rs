//! The cost of scrapes equals harness/budget.txt.

use std::path::Path;
use std::process::ExitCode;

use harness::allocations::Counting;
use harness::gates::{self, Measured, budget, figure, outside};
use harness::needs::{self, Need};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    needs::run_in_turn(&[
        ("questions_bytes_memory_and_latency_are_as_budgeted", &[], counted),
        ("system_calls_are_as_budgeted", &[Need::Strace], syscalls),
        ("instructions_are_as_budgeted", &[Need::Valgrind], instructions),
    ])
}

fn nodelab() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_nodelab"))
}

fn counted() {
    check(gates::counted().expect("figures"), &[figure::SYSCALLS.name, figure::INSTRUCTIONS.name]);
}

fn syscalls() {
    let mut measured = Measured::default();
    outside::syscalls(nodelab(), &mut measured).expect("figures");
    check(measured, &others(figure::SYSCALLS.name));
}

fn instructions() {
    let mut measured = Measured::default();
    outside::instructions(nodelab(), &mut measured).expect("figures");
    check(measured, &others(figure::INSTRUCTIONS.name));
}

fn others(name: &str) -> Vec<&'static str> {
    figure::ALL.iter().map(|figure| figure.name).filter(|other| *other != name).collect()
}

#[track_caller]
fn check(mut measured: Measured, elsewhere: &[&str]) {
    measured.skipped.extend(elsewhere.iter().map(|&name| (name.to_owned(), "another test's".to_owned())));
    let budget = budget::read().expect("harness/budget.txt");
    let lines = gates::compare(&measured, &budget);
    assert!(!lines.is_empty(), "nothing was measured");
    if let Some(complaint) = gates::complaint(&lines) {
        panic!("{complaint}");
    }
}
