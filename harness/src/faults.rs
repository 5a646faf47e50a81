//! Faults of files: every read of every collector, broken in every way that files break.
//!
//! A fault sits on the path that a collector asks for, so it needs no change of the tree below, and symbolic links on
//! the way play no part.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use collectors::kit::errno::Errno;
use collectors::kit::root::{Metadata, Mount, Names, Root, RootError, Roots};

/// How a file can break.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// It is not there.
    Missing,
    /// Reading it is not allowed.
    Denied,
    /// Reading it fails.
    InputOutput,
    /// The kernel refuses this attribute.
    Refused,
    /// A directory stands in its place.
    Directory,
    /// It holds nothing.
    Empty,
    /// It ends in the middle of a line.
    Cut,
    /// It holds bytes of no meaning.
    Garbage,
    /// The numbers of a line in its middle are too large for 64 bits.
    Beyond64Bits,
    /// The numbers of a line in its middle are negative.
    Negative,
    /// A line in its middle has bytes that are no UTF-8.
    NoUtf8,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 11] = [
        Self::Missing,
        Self::Denied,
        Self::InputOutput,
        Self::Refused,
        Self::Directory,
        Self::Empty,
        Self::Cut,
        Self::Garbage,
        Self::Beyond64Bits,
        Self::Negative,
        Self::NoUtf8,
    ];

    /// The error that takes the place of an answer.
    fn error(self) -> Option<Errno> {
        match self {
            Self::Missing => Some(Errno::ENOENT),
            Self::Denied => Some(Errno::EACCES),
            Self::InputOutput => Some(Errno::EIO),
            Self::Refused => Some(Errno::EINVAL),
            Self::Directory => Some(Errno::EISDIR),
            _ => None,
        }
    }

    /// Breaks a file's content.
    pub fn apply(self, content: &mut Vec<u8>) {
        match self {
            Self::Empty => content.clear(),
            Self::Cut => {
                content.truncate(content.len() / 2);
                // In the middle of a line, not at its end, where nobody could tell.
                while content.ends_with(b"\n") {
                    content.truncate(content.len().saturating_sub(2));
                }
            }
            Self::Garbage => {
                // Bytes that repeat in every run, with line ends among them.
                let mut state = 0x2545_f491_u32;
                for byte in content.iter_mut() {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    *byte = state.to_be_bytes()[0];
                }
            }
            Self::Beyond64Bits => edit_line(content, |line| numbers(line, b"99999999999999999999999")),
            Self::Negative => edit_line(content, |line| numbers(line, b"-1")),
            Self::NoUtf8 => edit_line(content, |line| {
                let middle = line.len() / 2;
                [&line[..middle], b"\xff\xfe", &line[middle..]].concat()
            }),
            Self::Missing | Self::Denied | Self::InputOutput | Self::Refused | Self::Directory => {}
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::InputOutput => "input/output error",
            Self::Refused => "invalid argument",
            Self::Directory => "a directory",
            Self::Empty => "empty",
            Self::Cut => "cut in half",
            Self::Garbage => "garbage",
            Self::Beyond64Bits => "beyond 64 bits",
            Self::Negative => "negative",
            Self::NoUtf8 => "no UTF-8",
        })
    }
}

/// Replaces the line in the middle.
fn edit_line(content: &mut Vec<u8>, edit: impl FnOnce(&[u8]) -> Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let middle = lines.len() / 2;
    if let Some(line) = lines.get_mut(middle) {
        *line = edit(line);
    }
    *content = lines.concat();
}

/// Replaces every whole number of a line that stands between white space, or after `=` or `:`.
fn numbers(line: &[u8], number: &[u8]) -> Vec<u8> {
    let mut edited = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let length = line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let starts = at == 0 || matches!(line[at - 1], b' ' | b'\t' | b'=' | b':');
        if length > 0 && starts {
            edited.extend_from_slice(number);
        } else {
            edited.extend_from_slice(&line[at..at + length.max(1)]);
        }
        at += length.max(1);
    }
    edited
}

/// What was asked of a host, and which answer is broken.
#[derive(Default, Debug)]
struct Script {
    asked: BTreeMap<Question, usize>,
    fault: Option<(Question, Fault)>,
}

/// One question to a root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Question {
    /// The tree that was asked.
    pub mount: Mount,
    /// The path below it.
    pub path: Vec<u8>,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mount.name(), self.path.escape_ascii())
    }
}

/// Roots that note what is asked of them, and break one answer when they are told to.
#[derive(Clone, Debug)]
pub struct Breakable {
    script: Arc<Mutex<Script>>,
    roots: Roots,
}

impl Breakable {
    /// Breakable roots over sound ones.
    pub fn new(sound: &Roots) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let over = |mount| -> Arc<dyn Root> {
            Arc::new(BreakableRoot { mount, sound: sound.clone(), script: Arc::clone(&script) })
        };
        Self { roots: Roots::new(over), script }
    }

    /// The roots to scrape.
    pub fn roots(&self) -> Roots {
        self.roots.clone()
    }

    /// What was asked since the last call, and how often.
    pub fn take_asked(&self) -> BTreeMap<Question, usize> {
        std::mem::take(&mut self.lock().asked)
    }

    /// Breaks the answers to one question from now on, in place of those that were broken before.
    pub fn break_at(&self, question: Question, fault: Fault) {
        self.lock().fault = Some((question, fault));
    }

    /// Breaks nothing any more.
    pub fn mend(&self) {
        self.lock().fault = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct BreakableRoot {
    mount: Mount,
    sound: Roots,
    script: Arc<Mutex<Script>>,
}

impl BreakableRoot {
    /// Notes the question; an error in place of the answer, or the fault to apply to it.
    fn ask(&self, path: &[u8]) -> Result<Option<Fault>, RootError> {
        let question = Question { mount: self.mount, path: path.to_vec() };
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = script.fault.as_ref().filter(|(broken, _)| *broken == question).map(|(_, fault)| *fault);
        *script.asked.entry(question).or_default() += 1;
        match fault.and_then(Fault::error) {
            Some(errno) => Err(errno.into()),
            None => Ok(fault),
        }
    }
}

impl Root for BreakableRoot {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        let fault = self.ask(path)?;
        self.sound.get(self.mount).read(path, into, cap_bytes)?;
        if let Some(fault) = fault {
            fault.apply(into);
        }
        Ok(())
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        let fault = self.ask(path)?;
        self.sound.get(self.mount).list(path, into)?;
        if fault.is_some() {
            into.clear();
        }
        Ok(())
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        let fault = self.ask(path)?;
        self.sound.get(self.mount).read_link(path, into)?;
        if let Some(fault) = fault {
            fault.apply(into);
        }
        Ok(())
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        self.ask(path)?;
        self.sound.get(self.mount).metadata(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectors::kit::root::tree::Tree;

    #[track_caller]
    fn check(fault: Fault, content: &str, expected: &str) {
        let mut content = content.as_bytes().to_vec();
        fault.apply(&mut content);
        assert_eq!(content.escape_ascii().to_string(), expected.as_bytes().escape_ascii().to_string());
    }

    #[test]
    fn faults_break_the_line_in_the_middle() {
        check(Fault::Negative, "a 1\nb7 22 x=3\nc 3\n", "a 1\nb7 -1 x=-1\nc 3\n");
        check(Fault::Beyond64Bits, "7\n", "99999999999999999999999\n");
        check(Fault::Cut, "ab\ncd\n", "a");
        check(Fault::Cut, "abcd\nefg\n", "abcd");
        check(Fault::Cut, "a\nbcde\n", "a\nb");
        check(Fault::Empty, "ab\n", "");
        let mut content = b"one\n".to_vec();
        Fault::NoUtf8.apply(&mut content);
        assert_eq!(content, b"on\xff\xfee\n");
    }

    #[test]
    fn only_the_broken_question_is_answered_otherwise() {
        let tree = Arc::new(Tree::new().with_file("proc/a", "1\n").with_file("proc/b", "2\n"));
        let breakable = Breakable::new(&tree.roots());
        breakable.break_at(Question { mount: Mount::Proc, path: b"a".to_vec() }, Fault::Missing);
        let read = |path: &[u8]| {
            let mut content = Vec::new();
            breakable.roots().get(Mount::Proc).read(path, &mut content, 100).map(|()| content)
        };
        assert_eq!(read(b"a"), Err(Errno::ENOENT.into()));
        assert_eq!(read(b"b"), Ok(b"2\n".to_vec()));
        breakable.mend();
        assert_eq!(read(b"a"), Ok(b"1\n".to_vec()));
        let asked: Vec<String> = breakable.take_asked().keys().map(ToString::to_string).collect();
        assert_eq!(asked, ["proc/a", "proc/b"]);
    }
}
