//! Errors of the configuration file for a terminal: file, line and column, and the line with a caret, without secrets.

use std::path::Path;

use collectors::kit::declare::Registration;

use super::{TARGETS, all_keys};
use crate::yaml::{MapEntry, Node, Place, Problem, Value};

/// The error of a file. Of its line, the known keys and what the error is about are shown: other values may be secrets.
pub(crate) fn message(registrations: &[Registration], path: &Path, text: &str, problem: &Problem) -> String {
    let path = path.display();
    let Problem { place, what } = problem;
    let Some(Place { line, column }) = *place else { return format!("--config.file: {path}: {what}") };
    let content = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let readable = match crate::yaml::parse(text) {
        Ok(root) if !may_be_secret(&root, text, line) => Readable::All,
        Ok(_) => Readable::Keys,
        Err(_) => Readable::KnownKeys,
    };
    let known: Vec<&str> = all_keys(registrations).collect();
    let (shown, caret) = quoted(content, column.saturating_sub(1), readable, &known);
    let margin = " ".repeat(line.to_string().len());
    format!("--config.file: {path}:{line}:{column}: {what}\n  {line} | {shown}\n  {margin} | {}^", " ".repeat(caret))
}

/// What may be shown at the caret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Readable {
    /// Every key and value.
    All,
    /// Keys, which the error names as well.
    Keys,
    /// Keys that the file may have: what looks like another one may be a part of a value.
    KnownKeys,
}

/// Whether the line belongs to values that may be secrets: targets, and addresses of other exporters.
fn may_be_secret(root: &Node, text: &str, line: usize) -> bool {
    let entries = |node: &Node| match &node.value {
        Value::Map(entries) => entries.clone(),
        _ => Vec::new(),
    };
    let top = entries(root);
    let Some(at) = top.iter().position(|entry| entry.key == "push") else { return false };
    let push = entries(&top[at].node);
    let secret = push.iter().enumerate().filter(|(_, entry)| [TARGETS, "scrape"].contains(&entry.key.as_str()));
    secret.into_iter().any(|(number, entry)| {
        let next: Option<&MapEntry> = push.get(number + 1).or_else(|| top.get(at + 1));
        let is_before_next = next.is_none_or(|next| {
            // The end of a list in one line stands before the next key.
            let before = text.lines().nth(next.place.line - 1).unwrap_or_default().chars().take(next.place.column - 1);
            line < next.place.line || (line == next.place.line && before.into_iter().any(|c| !c.is_whitespace()))
        });
        entry.place.line <= line && is_before_next
    })
}

/// The line with `…` in place of values, and the column of the caret in it, from 0.
fn quoted(line: &str, caret: usize, readable: Readable, known: &[&str]) -> (String, usize) {
    let line: Vec<char> = line.trim_end().chars().collect();
    let is_flow = |at: usize| line[..at].iter().any(|c| matches!(c, '{' | '['));
    let is_key_end = |at: usize| line.get(at) == Some(&':') && line.get(at + 1).is_none_or(|next| next.is_whitespace());
    // The end of a scalar that begins here.
    let end_of = |at: usize| {
        if let quote @ ('"' | '\'') = line[at] {
            let closing = (at + 1..line.len()).find(|end| line[*end] == quote);
            return closing.map_or(line.len(), |end| end + 1);
        }
        let is_end = |end: &usize| is_key_end(*end) || (is_flow(at) && matches!(line[*end], ',' | '}' | ']'));
        (at..line.len()).find(is_end).unwrap_or(line.len())
    };
    let (mut shown, mut shown_caret, mut at) = (String::new(), None, 0);
    while at < line.len() {
        if at >= caret && shown_caret.is_none() {
            shown_caret = Some(shown.chars().count());
        }
        if at == caret && line[at] == '[' && readable == Readable::All {
            let end = line[at..].iter().position(|c| *c == ']').map_or(line.len(), |length| at + length + 1);
            shown.extend(&line[at..end]);
            at = end;
            continue;
        }
        let is_item = line[at] == '-' && line.get(at + 1).is_none_or(|next| next.is_whitespace());
        let is_colon =
            is_key_end(at) && shown.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '…' | '"' | '\''));
        if line[at].is_whitespace() || matches!(line[at], '{' | '}' | '[' | ']' | ',') || is_item || is_colon {
            shown.push(if line[at] == '\t' { ' ' } else { line[at] });
            at += 1;
            continue;
        }
        let mut end = end_of(at);
        if (at + 1..end).contains(&caret) {
            end = caret;
        }
        let word: String = line[at..end].iter().collect();
        let is_key = is_key_end(end) && known.contains(&word.trim_matches(['"', '\'']));
        let is_asked = at == caret
            && match readable {
                Readable::All => true,
                Readable::Keys => is_key_end(end),
                Readable::KnownKeys => false,
            };
        if is_key || is_asked {
            shown.push_str(&word);
        } else {
            shown.push('…');
        }
        at = end;
    }
    let caret = shown_caret.unwrap_or(shown.chars().count());
    (shown, caret)
}
