//! A parser of Go's syntax that writes the translation.

use std::fmt::Write as _;

use super::SyntaxError;
use super::class::{self, Class};

const CHAR_RANGE: &str = "invalid character class range";
const ESCAPE: &str = "invalid escape sequence";
const NAMED_CAPTURE: &str = "invalid named capture";
const PERL_OP: &str = "invalid or unsupported Perl syntax";
const REPEAT_OP: &str = "invalid nested repetition operator";
const REPEAT_SIZE: &str = "invalid repeat count";
const MISSING_BRACKET: &str = "missing closing ]";
const MISSING_PAREN: &str = "missing closing )";
const MISSING_REPEAT_ARGUMENT: &str = "missing argument to repetition operator";
const TRAILING_BACKSLASH: &str = "trailing backslash at end of expression";
const UNEXPECTED_PAREN: &str = "unexpected )";
const NESTING: &str = "expression nests too deeply";
pub(super) const LARGE: &str = "expression too large";

/// Maximum count of a repetition, and of the product of nested ones.
const REPEAT_MAX: u64 = 1_000;
/// Maximum nesting.
const HEIGHT_MAX: u64 = 1_000;
/// Maximum number of Go's instructions: 128 MiB of 40 bytes each.
const SIZE_MAX: u64 = (128 << 20) / 40;
/// Maximum value of a number in braces before parsing stops.
const COUNT_CEILING: u64 = 100_000_000;
const LAST_CODE_POINT: u32 = 0x0010_ffff;

type Flags = u8;
/// `(?i)`: letters match in either case.
const FOLD_CASE: Flags = 1;
/// `(?s)`: a dot matches a newline.
const DOT_NEWLINE: Flags = 2;
/// Absence of `(?m)`: `^` and `$` match only at the ends of the text.
const ONE_LINE: Flags = 4;
/// `(?U)`: repetitions are lazy unless `?` follows.
const NON_GREEDY: Flags = 8;

type Parsed<T> = Result<T, SyntaxError>;

fn refused<T>(reason: &'static str, part: &str) -> Parsed<T> {
    Err(SyntaxError { reason, part: part.to_owned() })
}

/// The part of `whole` before its suffix `rest`.
fn read_of<'a>(whole: &'a str, rest: &str) -> &'a str {
    &whole[..whole.len() - rest.len()]
}

/// The first character and the text after it.
fn next(text: &str) -> Option<(char, &str)> {
    let first = text.chars().next()?;
    Some((first, &text[first.len_utf8()..]))
}

/// Size of an expression, for the limits.
#[derive(Clone, Copy, Debug)]
struct Measures {
    /// Number of Go's instructions.
    size: u64,
    /// Nesting depth.
    height: u64,
    /// The product of the counts of nested repetitions.
    repeats: u64,
}

const SINGLE: Measures = Measures { size: 1, height: 1, repeats: 1 };

impl Measures {
    /// The size of a sequence of expressions, or of alternatives, which need an instruction more each.
    fn of_all(parts: &[Self], extra_size: u64) -> Self {
        if let [only] = parts {
            return *only;
        }
        let most = |of: fn(&Self) -> u64| parts.iter().map(of).max().unwrap_or_default();
        Self {
            size: parts.iter().fold(extra_size, |sum, part| sum.saturating_add(part.size)).max(1),
            height: 1 + most(|part| part.height),
            repeats: most(|part| part.repeats).max(1),
        }
    }
}

/// An expression that can be repeated.
#[derive(Clone, Copy, Debug)]
struct Item {
    /// Start of its translation.
    start: usize,
    measures: Measures,
}

/// An open group; the first one is the whole pattern.
#[derive(Debug)]
struct Group {
    start: usize,
    is_capture: bool,
    /// Flags to restore after the group.
    flags_outside: Flags,
    /// Size of the alternatives before the last `|`.
    branches: Vec<Measures>,
    /// The expressions after the last `|`.
    items: Vec<Item>,
}

impl Group {
    fn end_branch(&mut self) {
        let items: Vec<Measures> = self.items.drain(..).map(|item| item.measures).collect();
        self.branches.push(if items.is_empty() { SINGLE } else { Measures::of_all(&items, 0) });
    }

    fn measures(&self) -> Measures {
        Measures::of_all(&self.branches, self.branches.len().saturating_sub(1) as u64)
    }
}

/// A repetition: minimum, maximum and its text.
struct Repetition<'a> {
    least: u64,
    most: Option<u64>,
    operator: &'a str,
    is_counted: bool,
}

struct Parser<'a> {
    whole: &'a str,
    flags: Flags,
    out: String,
    groups: Vec<Group>,
    /// The innermost open group.
    group: Group,
}

/// Translates a pattern of Go's syntax to that of the crate `regex`, with equal matches and groups.
pub fn translate(pattern: &str) -> Parsed<String> {
    let group = Group { start: 0, is_capture: false, flags_outside: ONE_LINE, branches: Vec::new(), items: Vec::new() };
    let mut parser = Parser { whole: pattern, flags: ONE_LINE, out: String::new(), groups: Vec::new(), group };
    let mut rest = pattern;
    let mut last_repeat = "";
    while !rest.is_empty() {
        let before = rest;
        let is_repeat;
        (rest, is_repeat) = parser.step(rest, last_repeat)?;
        last_repeat = if is_repeat { before } else { "" };
    }
    if !parser.groups.is_empty() {
        return refused(MISSING_PAREN, pattern);
    }
    parser.group.end_branch();
    parser.limit(parser.group.measures())?;
    Ok(parser.out)
}

impl<'a> Parser<'a> {
    /// Parses an expression or operator. Returns the rest, and whether it was a repetition.
    fn step(&mut self, text: &'a str, last_repeat: &str) -> Parsed<(&'a str, bool)> {
        let Some((first, rest)) = next(text) else { return Ok(("", false)) };
        let rest = match first {
            '(' if rest.starts_with('?') => self.flags_or_group(text)?,
            '(' => {
                self.open(true);
                rest
            }
            '|' => {
                self.group.end_branch();
                self.out.push('|');
                rest
            }
            ')' => {
                self.close()?;
                rest
            }
            '^' => {
                self.push(if self.has(ONE_LINE) { r"\A" } else { "(?m:^)" });
                rest
            }
            '$' => {
                self.push(if self.has(ONE_LINE) { r"\z" } else { "(?m:$)" });
                rest
            }
            '.' => {
                self.push(if self.has(DOT_NEWLINE) { "(?s:.)" } else { "(?-s:.)" });
                rest
            }
            '[' => self.class(text)?,
            '*' | '+' | '?' => {
                let operator = read_of(text, rest);
                let (least, most) = (u64::from(first == '+'), (first == '?').then_some(1));
                let repetition = Repetition { least, most, operator, is_counted: false };
                return Ok((self.repeat(&repetition, text, rest, last_repeat)?, true));
            }
            '{' => match counts(text) {
                None => {
                    self.literal('{');
                    rest
                }
                Some((least, most, rest)) => {
                    let operator = read_of(text, rest);
                    let is_too_large = least > REPEAT_MAX || most.is_some_and(|most| most > REPEAT_MAX || least > most);
                    if is_too_large {
                        return refused(REPEAT_SIZE, operator);
                    }
                    let repetition = Repetition { least, most, operator, is_counted: true };
                    return Ok((self.repeat(&repetition, text, rest, last_repeat)?, true));
                }
            },
            '\\' => self.escaped(text)?,
            _ => {
                self.literal(first);
                rest
            }
        };
        Ok((rest, false))
    }

    const fn has(&self, flag: Flags) -> bool {
        self.flags & flag != 0
    }

    /// Adds an expression with this translation.
    fn push(&mut self, written: &str) {
        self.group.items.push(Item { start: self.out.len(), measures: SINGLE });
        self.out.push_str(written);
    }

    /// Adds a class.
    fn push_class(&mut self, written: &str) {
        self.group.items.push(Item { start: self.out.len(), measures: SINGLE });
        let (start, end) = if self.has(FOLD_CASE) { ("(?i:", ")") } else { ("", "") };
        let _ = write!(self.out, "{start}{written}{end}");
    }

    fn literal(&mut self, letter: char) {
        self.code_point(letter.into());
    }

    fn code_point(&mut self, code_point: u32) {
        match char::from_u32(code_point) {
            Some(letter) if letter.is_ascii_alphanumeric() && !self.has(FOLD_CASE) => {
                self.push(letter.encode_utf8(&mut [0; 4]));
            }
            _ => {
                let mut class = Class::default();
                class.add(code_point, code_point);
                self.push_class(&class.text(false));
            }
        }
    }

    fn limit(&self, measures: Measures) -> Parsed<()> {
        if measures.size > SIZE_MAX {
            return refused(LARGE, self.whole);
        }
        if measures.height > HEIGHT_MAX {
            return refused(NESTING, self.whole);
        }
        Ok(())
    }

    fn open(&mut self, is_capture: bool) {
        let group = Group {
            start: self.out.len(),
            is_capture,
            flags_outside: self.flags,
            branches: Vec::new(),
            items: Vec::new(),
        };
        self.out.push_str(if is_capture { "(" } else { "(?:" });
        self.groups.push(std::mem::replace(&mut self.group, group));
    }

    fn close(&mut self) -> Parsed<()> {
        self.group.end_branch();
        let mut measures = self.group.measures();
        let Some(outer) = self.groups.pop() else { return refused(UNEXPECTED_PAREN, self.whole) };
        let group = std::mem::replace(&mut self.group, outer);
        self.flags = group.flags_outside;
        if group.is_capture {
            measures = Measures { size: measures.size.saturating_add(2), height: measures.height + 1, ..measures };
        }
        self.out.push(')');
        self.group.items.push(Item { start: group.start, measures });
        self.limit(measures)
    }

    /// Repeats the last expression. `text` begins with the operator, and `rest` is the text after it.
    fn repeat(&mut self, repetition: &Repetition<'_>, text: &str, rest: &'a str, last_repeat: &str) -> Parsed<&'a str> {
        let mut is_lazy = self.has(NON_GREEDY);
        let after = rest.strip_prefix('?').inspect(|_| is_lazy = !is_lazy).unwrap_or(rest);
        if !last_repeat.is_empty() {
            return refused(REPEAT_OP, read_of(last_repeat, after));
        }
        let Some(item) = self.group.items.last_mut() else {
            return refused(MISSING_REPEAT_ARGUMENT, read_of(text, after));
        };
        let Repetition { least, most, operator, is_counted } = *repetition;
        let Measures { size, height, repeats } = item.measures;
        let size = match most {
            Some(most) if is_counted => size.saturating_mul(most).saturating_add(most - least),
            None if is_counted && least > 0 => size.saturating_mul(least).saturating_add(1),
            _ => size.saturating_add(2),
        };
        // Counts inside of an expression with zero repetitions have no effect.
        let repeats = match most.unwrap_or(least) {
            _ if !is_counted => repeats,
            0 if most.is_some() => 1,
            count => repeats.saturating_mul(count.max(1)),
        };
        item.measures = Measures { size: size.max(1), height: height + 1, repeats };
        let (start, measures) = (item.start, item.measures);
        self.out.insert_str(start, "(?:");
        let _ = write!(self.out, "){operator}{}", if is_lazy { "?" } else { "" });
        self.limit(measures)?;
        if repeats > REPEAT_MAX && (least >= 2 || most.is_some_and(|most| most >= 2)) {
            return refused(REPEAT_SIZE, read_of(text, after));
        }
        Ok(after)
    }

    /// Parses text that begins with `(?`: flags, a group with flags, or a named group.
    fn flags_or_group(&mut self, text: &'a str) -> Parsed<&'a str> {
        let name_start = match () {
            () if text.len() > 4 && text.starts_with("(?P<") => Some(4),
            () if text.len() > 3 && text.starts_with("(?<") => Some(3),
            () => None,
        };
        if let Some(start) = name_start {
            let Some(end) = text.find('>') else { return refused(NAMED_CAPTURE, text) };
            let name = &text[start..end];
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return refused(NAMED_CAPTURE, &text[..=end]);
            }
            self.open(true);
            return Ok(&text[end + 1..]);
        }
        let mut rest = &text[2..];
        let mut flags = self.flags;
        let (mut is_off, mut has_flag) = (false, false);
        while let Some((letter, after)) = next(rest) {
            rest = after;
            match letter {
                'i' => flags |= FOLD_CASE,
                'm' => flags &= !ONE_LINE,
                's' => flags |= DOT_NEWLINE,
                'U' => flags |= NON_GREEDY,
                '-' if !is_off => {
                    // The flags are inverted until the end of the group, so that setting a flag clears it.
                    (is_off, has_flag, flags) = (true, false, !flags);
                    continue;
                }
                ':' | ')' if !is_off || has_flag => {
                    if letter == ':' {
                        self.open(false);
                    }
                    self.flags = if is_off { !flags } else { flags };
                    return Ok(rest);
                }
                _ => return refused(PERL_OP, read_of(text, rest)),
            }
            has_flag = true;
        }
        refused(PERL_OP, text)
    }

    /// Parses an escape outside of a class.
    fn escaped(&mut self, text: &'a str) -> Parsed<&'a str> {
        let Some((letter, rest)) = next(&text[1..]) else { return refused(TRAILING_BACKSLASH, "") };
        let assertion = match letter {
            'A' => r"\A",
            'b' => r"(?-u:\b)",
            'B' => r"(?-u:\B)",
            'z' => r"\z",
            'C' => return refused(ESCAPE, read_of(text, rest)),
            'Q' => {
                let (quoted, rest) = rest.split_once(r"\E").unwrap_or((rest, ""));
                quoted.chars().for_each(|letter| self.literal(letter));
                return Ok(rest);
            }
            _ => "",
        };
        if !assertion.is_empty() {
            self.push(assertion);
            return Ok(rest);
        }
        let mut class = Class::default();
        if let Some(rest) = named_set(text, &mut class)? {
            self.push_class(&class.text(false));
            return Ok(rest);
        }
        let (code_point, rest) = escape(text)?;
        self.code_point(code_point);
        Ok(rest)
    }

    /// Parses a bracket expression.
    fn class(&mut self, text: &'a str) -> Parsed<&'a str> {
        let mut class = Class::default();
        let rest = &text[1..];
        let (mut rest, is_negated) = rest.strip_prefix('^').map_or((rest, false), |rest| (rest, true));
        let mut is_first = true;
        while is_first || !rest.starts_with(']') {
            is_first = false;
            if let Some(after) = posix_set(rest, &mut class)? {
                rest = after;
                continue;
            }
            if let Some(after) = named_set(rest, &mut class)? {
                rest = after;
                continue;
            }
            let range = rest;
            let (first, after) = class_member(rest, text)?;
            rest = after;
            let mut last = first;
            if rest.starts_with('-') && rest.len() >= 2 && !rest.starts_with("-]") {
                (last, rest) = class_member(&rest[1..], text)?;
                if last < first {
                    return refused(CHAR_RANGE, read_of(range, rest));
                }
            }
            class.add(first, last);
        }
        self.push_class(&class.text(is_negated));
        Ok(&rest[1..])
    }
}

/// The first character of the text `class`, inside of a bracket expression.
fn class_member<'a>(text: &'a str, class: &str) -> Parsed<(u32, &'a str)> {
    match next(text) {
        None => refused(MISSING_BRACKET, class),
        Some(('\\', _)) => escape(text),
        Some((letter, rest)) => Ok((letter.into(), rest)),
    }
}

/// Parses `[:name:]` inside of a bracket expression. Returns the rest; `None` if there is no such set.
fn posix_set<'a>(text: &'a str, class: &mut Class) -> Parsed<Option<&'a str>> {
    let Some((name, rest)) = text.strip_prefix("[:").and_then(|text| text.split_once(":]")) else { return Ok(None) };
    let Some((set, is_negated)) = class::posix(name) else { return refused(CHAR_RANGE, read_of(text, rest)) };
    class.add_named(set, is_negated);
    Ok(Some(rest))
}

/// Parses `\d`, `\pL`, `\p{Greek}` and similar sets. Returns the rest; `None` if there is no such set.
fn named_set<'a>(text: &'a str, class: &mut Class) -> Parsed<Option<&'a str>> {
    let Some((letter, rest)) = text.strip_prefix('\\').and_then(next) else { return Ok(None) };
    if let Some((set, is_negated)) = class::perl(letter) {
        class.add_named(set, is_negated);
        return Ok(Some(rest));
    }
    if !matches!(letter, 'p' | 'P') {
        return Ok(None);
    }
    let (name, rest) = if let Some(braced) = rest.strip_prefix('{') {
        let Some(named) = braced.split_once('}') else { return refused(CHAR_RANGE, text) };
        named
    } else {
        rest.split_at(next(rest).map_or(0, |(letter, _)| letter.len_utf8()))
    };
    let (plain, is_negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
    let Some(item) = class::unicode(plain, is_negated != (letter == 'P')) else {
        return refused(CHAR_RANGE, read_of(text, rest));
    };
    class.add_unicode(&item);
    Ok(Some(rest))
}

/// The code point of an escape.
fn escape(text: &str) -> Parsed<(u32, &str)> {
    let Some((letter, rest)) = next(&text[1..]) else { return refused(TRAILING_BACKSLASH, "") };
    let is_octal = |letter: char| letter.is_digit(8);
    let plain = match letter {
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        'x' => return hexadecimal(text, rest),
        '0'..='7' if letter == '0' || rest.starts_with(is_octal) => {
            let mut rest = rest;
            let mut value = letter.to_digit(8).unwrap_or_default();
            for _ in 0..2 {
                let Some((digit, after)) = next(rest).and_then(|(letter, after)| Some((letter.to_digit(8)?, after)))
                else {
                    break;
                };
                value = value * 8 + digit;
                rest = after;
            }
            return Ok((value, rest));
        }
        letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => letter,
        _ => return refused(ESCAPE, read_of(text, rest)),
    };
    Ok((plain.into(), rest))
}

/// The code point of `\x` and `digits`: two hexadecimal digits, or any number of them between braces.
fn hexadecimal<'a>(text: &'a str, digits: &'a str) -> Parsed<(u32, &'a str)> {
    let Some(braced) = digits.strip_prefix('{') else {
        let (first, rest) = next(digits).map_or((None, digits), |(letter, rest)| (letter.to_digit(16), rest));
        if digits.is_empty() {
            return refused(ESCAPE, text);
        }
        let (second, rest) = next(rest).map_or((None, rest), |(letter, rest)| (letter.to_digit(16), rest));
        return match first.zip(second) {
            Some((first, second)) => Ok((first * 16 + second, rest)),
            None => refused(ESCAPE, read_of(text, rest)),
        };
    };
    let (mut value, mut rest, mut has_digits) = (0, braced, false);
    while let Some((letter, after)) = next(rest) {
        rest = after;
        match letter.to_digit(16) {
            Some(digit) if value * 16 + digit <= LAST_CODE_POINT => value = value * 16 + digit,
            None if letter == '}' && has_digits => return Ok((value, rest)),
            _ => return refused(ESCAPE, read_of(text, rest)),
        }
        has_digits = true;
    }
    refused(ESCAPE, text)
}

/// The counts of `{least}`, `{least,}` or `{least,most}`, and the rest; `None` for other text.
fn counts(text: &str) -> Option<(u64, Option<u64>, &str)> {
    let (least, rest) = count(text.strip_prefix('{')?)?;
    let (most, rest) = match rest.strip_prefix(',') {
        None => (Some(least), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => count(rest).map(|(most, rest)| (Some(most), rest))?,
    };
    Some((least, most, rest.strip_prefix('}')?))
}

/// A decimal number without leading zeros.
fn count(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    let value = digits
        .bytes()
        .fold(0, |value: u64, digit| if value > COUNT_CEILING { value } else { value * 10 + u64::from(digit - b'0') });
    Some((value, rest))
}
