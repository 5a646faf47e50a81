//! What becomes of a file's content.

/// Bytes that repeat in every run, with line ends among them.
pub(super) fn garbage(content: &mut [u8]) {
    let mut state = 0x2545_f491_u32;
    for byte in content {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
}

/// Ends the content at a byte; in the middle of a line of its middle if none is named.
pub(super) fn cut(content: &mut Vec<u8>, at: Option<usize>) {
    let Some(at) = at else {
        content.truncate(content.len() / 2);
        // In the middle of a line, not at its end, where nobody could tell.
        while content.ends_with(b"\n") {
            content.truncate(content.len().saturating_sub(2));
        }
        return;
    };
    content.truncate(at);
}

/// Goes on, from a byte or the middle on, as of a later content that has lost its first line in the meantime.
pub(super) fn tear(content: &mut Vec<u8>, later: &[u8], at: Option<usize>) {
    let at = at.unwrap_or(content.len() / 2).min(content.len());
    let first_line = first_line_bytes(later);
    content.truncate(at);
    content.extend_from_slice(later.get(first_line..).and_then(|later| later.get(at..)).unwrap_or_default());
}

/// How long the first line is, with its end.
fn first_line_bytes(content: &[u8]) -> usize {
    content.split_inclusive(|&byte| byte == b'\n').next().map_or(0, <[u8]>::len)
}

/// Replaces the line of this number, counted from 1, or the one in the middle. The end of a line stays.
pub(super) fn edit_line(content: &mut Vec<u8>, number: Option<usize>, edit: impl FnOnce(&[u8]) -> Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let place = number.map_or(lines.len() / 2, |number| number.saturating_sub(1));
    if let Some(line) = lines.get_mut(place) {
        *line = edit(line);
    }
    *content = lines.concat();
}

/// A line of bytes of no meaning, as long as it was.
pub(super) fn garbled(line: &[u8]) -> Vec<u8> {
    let (text, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |text| (text, b"\n"));
    let mut text = text.to_vec();
    garbage(&mut text);
    text.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b'\r');
    text.extend_from_slice(end);
    text
}

/// A line with two bytes in its middle that no UTF-8 has.
pub(super) fn no_utf8(line: &[u8]) -> Vec<u8> {
    let (front, back) = line.split_at(line.len() / 2);
    [front, b"\xff\xfe", back].concat()
}

/// Replaces every whole number of a line that stands between white space, or after `=` or `:`.
pub(super) fn numbers(line: &[u8], number: &[u8]) -> Vec<u8> {
    let mut edited = Vec::new();
    let mut before = b' ';
    let mut rest = line;
    while let Some((&first, _)) = rest.split_first() {
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let starts = matches!(before, b' ' | b'\t' | b'=' | b':' | b'\n');
        let (part, after) = rest.split_at(length.max(1));
        edited.extend_from_slice(if length > 0 && starts { number } else { part });
        before = part.last().copied().unwrap_or(first);
        rest = after;
    }
    edited
}

/// Ends with a line as well.
pub(super) fn put_line(content: &mut Vec<u8>, text: &[u8]) {
    content.extend_from_slice(text);
    content.push(b'\n');
}

/// Puts a line in place of those that begin with the same word, or at the end where none does.
pub(super) fn set_line(content: &mut Vec<u8>, text: &[u8]) {
    let word = |line: &[u8]| line.split(u8::is_ascii_whitespace).next().unwrap_or_default().to_vec();
    let mut lines: Vec<Vec<u8>> = content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let mut is_there = false;
    for line in lines.iter_mut().filter(|line| word(line) == word(text)) {
        is_there = true;
        line.clear();
        put_line(line, text);
    }
    *content = lines.concat();
    if !is_there {
        put_line(content, text);
    }
}
