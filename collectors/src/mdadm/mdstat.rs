//! /proc/mdstat: a line for each array, and below it lines of what it holds and what it is about.

use memchr::memmem;

use crate::kit::parse::{FromText, Lines};
use crate::kit::prelude::*;

/// One array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array<'a> {
    pub(super) name: &'a [u8],
    /// What it is about: `active` or `inactive`, or what changes its disks.
    pub(super) activity: &'a [u8],
    pub(super) disks: Disks,
    /// Its size.
    pub(super) blocks: u64,
    /// How much of it is in step.
    pub(super) blocks_synced: Result<u64, ParseError<'a>>,
}

/// The disks of an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Disks {
    pub(super) active: u64,
    pub(super) failed: u64,
    pub(super) spare: u64,
    /// So many it should have.
    pub(super) required: u64,
}

/// What an array may be about, as the kernel writes it and as we call it. Of two words in one line the first counts.
const ACTIVITIES: [(&str, &str); 4] =
    [("recovery", "recovering"), ("reshape", "reshaping"), ("check", "check"), ("resync", "resync")];

/// Who waits has done nothing yet.
const WAITING: [&str; 2] = ["PENDING", "DELAYED"];

/// The arrays of a file.
#[derive(Clone, Debug)]
pub(super) struct Arrays<'a> {
    lines: Lines<'a>,
}

impl<'a> Arrays<'a> {
    pub(super) fn new(text: Text<'a>) -> Self {
        Self { lines: text.lines() }
    }

    /// The next line, if it belongs to the array above it.
    fn next_below(&mut self) -> Option<Line<'a>> {
        let mut ahead = self.lines.clone();
        let line = ahead.next().filter(|line| line.bytes.starts_with(b" "))?;
        self.lines = ahead;
        Some(line)
    }
}

impl<'a> Iterator for Arrays<'a> {
    type Item = Result<Array<'a>, ParseError<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let header = self.lines.by_ref().find(|line| is_header(line.bytes))?;
        let status = self.next_below();
        let mut progress = None;
        while let Some(line) = self.next_below() {
            progress = progress.or_else(|| activity(line).map(|activity| (activity, line)));
        }
        Some(parse(header, status, progress))
    }
}

fn is_header(line: &[u8]) -> bool {
    let is_other = line.starts_with(b" ") || line.starts_with(b"unused") || line.starts_with(b"Personalities");
    !is_other && !line.trim_ascii().is_empty()
}

/// What a line below an array says that it is about. The line of a bitmap may name a file, which may be called anything.
fn activity(line: Line<'_>) -> Option<&'static str> {
    if holds(line, "bitmap") {
        return None;
    }
    ACTIVITIES.into_iter().find(|(word, _)| holds(line, word)).map(|(_, activity)| activity)
}

fn holds(line: Line<'_>, word: &str) -> bool {
    memmem::find(line.bytes, word.as_bytes()).is_some()
}

fn count(line: Line<'_>, mark: &str) -> u64 {
    line.bytes.windows(mark.len()).filter(|found| *found == mark.as_bytes()).count() as u64
}

fn parse<'a>(
    header: Line<'a>,
    status: Option<Line<'a>>,
    progress: Option<(&'static str, Line<'a>)>,
) -> Result<Array<'a>, ParseError<'a>> {
    let mut fields = header.fields();
    let (name, _colon, state) = (fields.text("the array")?, fields.text("the colon")?, fields.text("the state")?);
    let status = status.ok_or_else(|| header.error("the line below", "the size of the array", b""))?;
    let blocks = status.fields().number("blocks")?;
    let (active, required) = disks(header, status)?;
    let disks = Disks { active, failed: count(header, "(F)"), spare: count(header, "(S)"), required };
    let (activity, blocks_synced) = match progress {
        None => (state, Ok(blocks)),
        Some((activity, line)) => (activity.as_bytes(), synced(line)),
    };
    Ok(Array { name, activity, disks, blocks, blocks_synced })
}

/// How many disks are active, and how many should be.
fn disks<'a>(header: Line<'a>, status: Line<'a>) -> Result<(u64, u64), ParseError<'a>> {
    // These kinds cannot do without any of their disks, and say nothing of how many there are.
    if holds(header, "raid0") || holds(header, "linear") {
        let disks = count(header, "[");
        return Ok((disks, disks));
    }
    if holds(header, "inactive") {
        return Ok((0, 0));
    }
    let mut found = None;
    let mut last: &[u8] = b"";
    for field in status.fields() {
        if is_map(field) {
            found = pair(last, b'[', b']').or(found);
        }
        last = field;
    }
    let (required, active) = found.ok_or_else(|| status.error("disks", "`[required/active] [UU_]`", status.bytes))?;
    Ok((active, required))
}

/// Whether this is a map of disks: `[UU_]`.
fn is_map(field: &[u8]) -> bool {
    let inside = field.strip_prefix(b"[").and_then(|field| field.strip_suffix(b"]"));
    inside.is_some_and(|disks| !disks.is_empty() && disks.iter().all(|disk| matches!(disk, b'U' | b'_')))
}

/// Two numbers with `/` between them, inside these brackets.
fn pair(field: &[u8], open: u8, close: u8) -> Option<(u64, u64)> {
    let inside = field.strip_prefix(&[open])?.strip_suffix(&[close])?;
    let at = memchr::memchr(b'/', inside)?;
    Some((u64::from_text(&inside[..at])?, u64::from_text(&inside[at + 1..])?))
}

/// How many blocks are in step, by the line of what is going on.
fn synced(line: Line<'_>) -> Result<u64, ParseError<'_>> {
    if WAITING.iter().any(|word| holds(line, word)) {
        return Ok(0);
    }
    let found = line.fields().find_map(|field| pair(field, b'(', b')'));
    found.map(|(done, _)| done).ok_or_else(|| line.error("progress", "`(blocks done/blocks)`", line.bytes.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use proptest::prelude::*;

    fn arrays(content: &str) -> Vec<Result<Array<'_>, ParseError<'_>>> {
        Arrays::new(Text::new(Mount::Proc, b"mdstat", content.as_bytes())).collect()
    }

    /// The first array: what it is about, active, failed, spare and required disks, blocks, blocks in step.
    #[track_caller]
    fn check(content: &str, expected: (&str, [u64; 4], u64, Option<u64>)) {
        let array = arrays(content).remove(0).expect("an array");
        let Disks { active, failed, spare, required } = array.disks;
        let activity = std::str::from_utf8(array.activity).expect("a word");
        let found = (activity, [active, failed, spare, required], array.blocks, array.blocks_synced.ok());
        assert_eq!(found, expected, "{content}");
    }

    #[track_caller]
    fn check_refused(content: &str, complaint: &str) {
        let error = arrays(content).remove(0).expect_err("no array").to_string();
        assert!(error.contains(complaint), "{error}");
    }

    #[test]
    fn an_array_says_which_disks_it_has_and_which_it_should() {
        let mirror = "md1 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]\n      900 blocks super 1.2 [2/1] [U_]\n";
        check(mirror, ("active", [1, 1, 1, 2], 900, Some(900)));
        let stripes = "md2 : active (auto-read-only) raid0 sda1[0] sdb1[1]\n       640 blocks 64k chunks\n";
        check(stripes, ("active", [2, 0, 0, 2], 640, Some(640)));
        check("md3 : active linear sda1[0]\n  64 blocks 0k rounding\n", ("active", [1, 0, 0, 1], 64, Some(64)));
        let container = "md127 : inactive sdb[1](S) sda[0](S)\n       70 blocks super external:imsm\n";
        check(container, ("inactive", [0, 0, 2, 0], 70, Some(70)));
        check("md4 : broken raid1 sda[0]\n  8 blocks [2/1] [U_]\n", ("broken", [1, 0, 0, 2], 8, Some(8)));
    }

    #[test]
    fn what_goes_on_may_stand_above_or_below_the_bitmap() {
        let header = "md1 : active raid1 sda[0] sdb[1]\n      900 blocks [2/2] [UU]\n";
        let bitmap = "      bitmap: 0/1 pages [0KB], 65536KB chunk, file: /check\n";
        for (word, activity) in ACTIVITIES {
            let line = format!("      [=>...]  {word} =  8.5% (77/900) finish=1.0min speed=9K/sec\n");
            for lines in [format!("{line}{bitmap}"), format!("{bitmap}{line}"), line.clone()] {
                check(&format!("{header}{lines}\nunused devices: <none>\n"), (activity, [2, 0, 0, 2], 900, Some(77)));
            }
        }
        check(&format!("{header}{bitmap}"), ("active", [2, 0, 0, 2], 900, Some(900)));
        for waiting in WAITING {
            check(&format!("{header}      \tresync={waiting}\n"), ("resync", [2, 0, 0, 2], 900, Some(0)));
        }
        check(&format!("{header}      \tresync=REMOTE\n"), ("resync", [2, 0, 0, 2], 900, None));
    }

    #[test]
    fn what_does_not_belong_to_an_array_is_passed_over() {
        let both = "Personalities : [raid1] \nmd1 : active raid0 sda[0]\n  8 blocks\n\
            md0 : active raid0 sdb[0]\n  9 blocks\n      \n\nunused devices: sdc[0]\n";
        let names: Vec<_> = arrays(both).into_iter().map(|array| array.expect("an array").name).collect();
        assert_eq!(names, [b"md1", b"md0"]);
        assert!(arrays("Personalities : \nunused devices: <none>\n").is_empty());
    }

    #[test]
    fn an_array_that_cannot_be_read_names_its_line_and_field() {
        check_refused("md1\n", "proc/mdstat:1: the colon: expected a field, found nothing");
        check_refused("md1 : active raid0 sda[0]\n", "proc/mdstat:1: the line below: expected the size of the array");
        for bad in ["-1", "x", "18446744073709551616"] {
            let content = format!("md1 : active raid1 sda[0]\n  {bad} blocks [1/1] [U]\n");
            check_refused(&content, "proc/mdstat:2: blocks: expected an unsigned integer");
        }
        for bad in ["", "[1/1]", "[1/1] [X]", "[1/1] []", "[1] [U]", "[x/1] [U]", "[U] [1/1]"] {
            let content = format!("md1 : active raid1 sda[0]\n  8 blocks {bad}\n");
            check_refused(&content, "proc/mdstat:2: disks: expected `[required/active] [UU_]`");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn numbers_come_back(blocks: u64, required: u64, active: u64, done: u64) {
            let content = format!(
                "md1 : active raid1 sda[0]\n  {blocks} blocks [{required}/{active}] [U_]\n  check = 1% ({done}/{blocks})\n"
            );
            check(&content, ("check", [active, 0, 0, required], blocks, Some(done)));
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>) {
            let text = Text::new(Mount::Proc, b"x", &bytes);
            prop_assert!(Arrays::new(text).count() <= bytes.len());
        }
    }
}
