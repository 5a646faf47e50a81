//! One line in one of the two formats.

use std::fmt::Write;

use super::{Field, Format};

/// Maximum length of a value, because an error may quote a long line of a file.
const VALUE_MAX_BYTES: usize = 1_024;

/// Mark at the end of a truncated value.
const CUT: &str = "…";

/// Appends the line with its newline. `value` is a buffer.
pub(super) fn push<'a>(
    format: Format,
    fields: impl Iterator<Item = &'a (&'a str, Field<'a>)>,
    line: &mut String,
    value: &mut String,
) {
    if format == Format::Json {
        line.push('{');
    }
    for (index, (key, field)) in fields.enumerate() {
        value.clear();
        // Writing to a string does not fail. If the `Display` of a field fails, its beginning is kept.
        let _ = write!(value, "{field}");
        if value.len() > VALUE_MAX_BYTES {
            let end = (0..=VALUE_MAX_BYTES).rev().find(|end| value.is_char_boundary(*end));
            value.truncate(end.unwrap_or_default());
            value.push_str(CUT);
        }
        match format {
            Format::Logfmt => {
                line.push_str(if index == 0 { "" } else { " " });
                push_bare_or_quoted(key, line);
                line.push('=');
                push_bare_or_quoted(value, line);
            }
            Format::Json => {
                line.push_str(if index == 0 { "" } else { "," });
                push_quoted(key, json_escape, line);
                line.push(':');
                match field {
                    Field::Number(number) if number.is_finite() => line.push_str(value),
                    _ => push_quoted(value, json_escape, line),
                }
            }
        }
    }
    line.push_str(if format == Format::Json { "}\n" } else { "\n" });
}

fn push_bare_or_quoted(text: &str, line: &mut String) {
    let is_bare = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\') || !c.is_ascii() && is_visible(c);
    if !text.is_empty() && text.chars().all(is_bare) {
        line.push_str(text);
    } else {
        push_quoted(text, logfmt_escape, line);
    }
}

fn push_quoted(text: &str, escape: fn(char, &mut String), line: &mut String) {
    line.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            ' ' => line.push(c),
            c if is_visible(c) => line.push(c),
            c => escape(c, line),
        }
    }
    line.push('"');
}

/// Whether a character is visible and harmless on a terminal: not a control character, separator or direction mark.
fn is_visible(c: char) -> bool {
    !c.is_control()
        && !c.is_whitespace()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn logfmt_escape(c: char, line: &mut String) {
    let _ = if c.is_ascii() { write!(line, "\\x{:02x}", c as u32) } else { write!(line, "\\u{:04x}", c as u32) };
}

/// Escapes a character. All characters that [`is_visible`] refuses fit into the 16 bits of JSON's escapes.
fn json_escape(c: char, line: &mut String) {
    let _ = write!(line, "\\u{:04x}", c as u32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(value: &str, logfmt: &str, json: &str) {
        for (format, expected) in
            [(Format::Logfmt, format!("k={logfmt}\n")), (Format::Json, format!("{{\"k\":{json}}}\n"))]
        {
            let mut line = String::new();
            push(format, [("k", Field::Text(&value))].iter(), &mut line, &mut String::new());
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn values_are_quoted_where_needed() {
        check("plain", "plain", "\"plain\"");
        check("", "\"\"", "\"\"");
        check("a b", "\"a b\"", "\"a b\"");
        check("a=b", "\"a=b\"", "\"a=b\"");
        check("a\"b\\", "\"a\\\"b\\\\\"", "\"a\\\"b\\\\\"");
        check("a\nb\r\t", "\"a\\nb\\r\\t\"", "\"a\\nb\\r\\t\"");
        check("\u{1b}[31m\0", "\"\\x1b[31m\\x00\"", "\"\\u001b[31m\\u0000\"");
        check("Grüße", "Grüße", "\"Grüße\"");
        check("\u{202e}x", "\"\\u202ex\"", "\"\\u202ex\"");
        check("\u{a0}", "\"\\u00a0\"", "\"\\u00a0\"");
    }

    #[test]
    fn long_values_are_truncated() {
        let longest = "é".repeat(VALUE_MAX_BYTES / 2);
        check(&longest, &longest, &format!("\"{longest}\""));
        check(&format!("{longest}x"), &format!("{longest}…"), &format!("\"{longest}…\""));
    }

    proptest! {
        #[test]
        fn any_message_is_one_line(value in "\\PC{0,8}|(?s:.{0,8})") {
            for format in [Format::Logfmt, Format::Json] {
                let mut line = String::new();
                push(format, [("k", Field::Text(&value))].iter(), &mut line, &mut String::new());
                prop_assert_eq!(line.chars().filter(|c| c.is_control()).collect::<String>(), "\n");
            }
        }
    }
}
