//! The kinds by name: what is read, written and documented follows from here.

/// What there is to know of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KindInfo {
    /// What it is called.
    pub name: &'static str,
    /// What follows the name, as the documents show it.
    pub value: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Whether the answers of a kernel can break so.
    pub is_for_kernels: bool,
}

const fn info(name: &'static str, value: &'static str, doc: &'static str) -> KindInfo {
    KindInfo { name, value, doc, is_for_kernels: false }
}

const fn any(name: &'static str, value: &'static str, doc: &'static str) -> KindInfo {
    KindInfo { name, value, doc, is_for_kernels: true }
}

/// Every kind.
pub const KINDS: [KindInfo; 18] = [
    any("missing", "", "It is not there, and no listing has it (`ENOENT`)."),
    any("error", "=ERRNO", "Reading, listing or asking for it fails with this error of errno(3)."),
    info(
        "vanishing",
        "[=open|=read]",
        "A listing has it, but it is gone when it is opened (`ENOENT`), or between opening and reading (`ESRCH`, `=read`).",
    ),
    info("directory", "", "A directory stands in place of the file (`EISDIR`)."),
    info("loop", "", "A symbolic link to itself stands in its place (`ELOOP`)."),
    info("empty", "", "It holds nothing."),
    info(
        "cut",
        "[=BYTE]",
        "The file ends at this byte, or within a line of its middle; a reader reaches that end, so that its last line counts.",
    ),
    info(
        "torn",
        "[=BYTE]",
        "It changes while it is read: from this byte, or the middle, on it is as of later, and without its first line.",
    ),
    info("garbled", "[=LINE]", "This line, or the one in the middle, holds bytes of no meaning."),
    info("garbage", "", "All of it is bytes of no meaning."),
    info("beyond-64-bits", "[=LINE]", "The numbers of this line, or the one in the middle, are too large for 64 bits."),
    info("negative", "[=LINE]", "The numbers of this line, or the one in the middle, are negative."),
    info("no-utf8", "[=LINE]", "This line, or the one in the middle, has bytes that are no UTF-8."),
    info(
        "content",
        "=TEXT",
        "It holds this line, which goes to the end of the fault's; `\\xNN` is any byte, `\\\\` a backslash.",
    ),
    info("line", "=TEXT", "Its line that begins with the same word is this one; where there is none, it ends with it."),
    info("added", "=TEXT", "It ends with this line as well, written as that of `content`."),
    any("slow", "=TIME", "It takes so long: `20ms`, `6s`."),
    any("hanging", "", "It does not answer: for a minute in a server, until it is let in a test; then `ETIMEDOUT`."),
];

/// The kinds whose value goes to the end of the line.
pub(in crate::fault) const TEXTS: [&str; 3] = ["content", "line", "added"];
