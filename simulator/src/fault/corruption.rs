//! Corruption of a file's content.

/// Overwrites content with reproducible pseudorandom bytes, newlines included.
pub(super) fn garbage(content: &mut [u8]) {
    let mut state = 0x2545_f491_u32;
    for byte in content {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
}

/// Truncates the content at a byte, by default inside a line near the middle.
pub(super) fn cut(content: &mut Vec<u8>, at: Option<usize>) {
    let Some(at) = at else {
        content.truncate(content.len() / 2);
        // At the end of a line the truncation would go unnoticed.
        while content.ends_with(b"\n") {
            content.truncate(content.len().saturating_sub(2));
        }
        return;
    };
    content.truncate(at);
}

/// Replaces the content from a byte, by default the middle, by that of a later read that has lost its first line.
pub(super) fn tear(content: &mut Vec<u8>, later: &[u8], at: Option<usize>) {
    let at = at.unwrap_or(content.len() / 2).min(content.len());
    let first_line = first_line_bytes(later);
    content.truncate(at);
    content.extend_from_slice(later.get(first_line..).and_then(|later| later.get(at..)).unwrap_or_default());
}

/// Length of the first line with its newline.
fn first_line_bytes(content: &[u8]) -> usize {
    content.split_inclusive(|&byte| byte == b'\n').next().map_or(0, <[u8]>::len)
}

/// Edits a line by number, counted from 1, by default the middle one.
pub(super) fn edit_line(content: &mut Vec<u8>, number: Option<usize>, edit: impl FnOnce(&[u8]) -> Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let index = number.map_or(lines.len() / 2, |number| number.saturating_sub(1));
    if let Some(line) = lines.get_mut(index) {
        *line = edit(line);
    }
    *content = lines.concat();
}

/// Pseudorandom bytes of the same length, with the newline kept.
pub(super) fn garbled(line: &[u8]) -> Vec<u8> {
    let (text, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |text| (text, b"\n"));
    let mut text = text.to_vec();
    garbage(&mut text);
    text.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b'\r');
    text.extend_from_slice(end);
    text
}

/// Inserts two bytes that are invalid UTF-8 in the middle of a line.
pub(super) fn no_utf8(line: &[u8]) -> Vec<u8> {
    let (front, back) = line.split_at(line.len() / 2);
    [front, b"\xff\xfe", back].concat()
}

/// Replaces every integer of a line that follows whitespace, `=` or `:`.
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

/// Appends a line.
pub(super) fn put_line(content: &mut Vec<u8>, text: &[u8]) {
    content.extend_from_slice(text);
    content.push(b'\n');
}

/// Replaces the lines with the same first word, or appends the line if there is none.
pub(super) fn set_line(content: &mut Vec<u8>, text: &[u8]) {
    let word = |line: &[u8]| line.split(u8::is_ascii_whitespace).next().unwrap_or_default().to_vec();
    let mut lines: Vec<Vec<u8>> = content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let mut is_found = false;
    for line in lines.iter_mut().filter(|line| word(line) == word(text)) {
        is_found = true;
        line.clear();
        put_line(line, text);
    }
    *content = lines.concat();
    if !is_found {
        put_line(content, text);
    }
}
