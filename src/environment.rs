//! `${VARIABLE}` in values of the configuration file.

/// Replaces `${NAME}` by the variable, `${NAME:-TEXT}` by the text where the variable is not set or empty, and `$${` by `${`.
/// A dollar sign without a brace stays.
pub(crate) fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        if let Some(before) = before.strip_suffix('$') {
            expanded.extend([before, "${"]);
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let (inside, after) = after.split_once('}').ok_or("expected } behind ${")?;
        rest = after;
        let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, text)| (name, Some(text)));
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            // The text is not repeated: it may be a part of a password.
            return Err("expected the name of an environment variable in ${…}; $${ stands for ${".to_owned());
        }
        match (variable(name), default) {
            (Some(value), None) => expanded.push_str(&value),
            (Some(value), Some(_)) if !value.is_empty() => expanded.push_str(&value),
            (_, Some(default)) => expanded.push_str(default),
            (None, None) => {
                return Err(format!("the environment variable {name} is not set; ${{{name}:-TEXT}} has a default"));
            }
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let variable = |name: &str| match name {
            "NODE" => Some("n1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let found = expand(text, &variable);
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn variables_are_replaced() {
        check("plain $ and $NODE", Ok("plain $ and $NODE"));
        check("<${NODE}-${NODE}>", Ok("<n1-n1>"));
        check("${OTHER:-x}${EMPTY:-y}${NODE:-z}${EMPTY}", Ok("xyn1"));
        check("$${NODE}", Ok("${NODE}"));
    }

    #[test]
    fn what_is_not_set_or_not_closed_is_refused() {
        check("${OTHER}", Err("the environment variable OTHER is not set; ${OTHER:-TEXT} has a default"));
        check("${NODE", Err("expected } behind ${"));
        check("${a b}", Err("expected the name of an environment variable in ${…}; $${ stands for ${"));
        check("${}", Err("expected the name of an environment variable in ${…}; $${ stands for ${"));
    }
}
