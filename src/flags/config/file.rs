//! Reading the configuration file: strict, with the place of what is wrong.

use collectors::kit::declare::Registration;
use collectors::kit::options::{FlagInfo, FlagKind, FlagValue};

use super::{
    APP, COLLECTORS, DISABLE_DEFAULTS, ENABLED, LABELS, SANDBOX, SECTIONS, TARGETS, collector_flags, declarations,
    section_flags, server_flag,
};
use crate::target::{TargetOptions, is_label_name, pairs};
use crate::yaml::section::{Section, entries, text};
use crate::yaml::{Node, Place, Problem, Value};

/// A flag as the file gives it.
#[derive(Clone, Debug)]
pub(crate) struct GivenFlag {
    pub(crate) flag: FlagInfo,
    /// As on the command line; several for [`FlagKind::Texts`].
    pub(crate) values: Vec<String>,
    /// Where the values begin.
    pub(crate) place: Place,
}

/// Content of a configuration file.
#[derive(Clone, Default, Debug)]
pub(crate) struct ConfigFile {
    pub(crate) flags: Vec<GivenFlag>,
    /// Collectors that are switched on or off.
    pub(crate) collectors: Vec<(&'static str, bool)>,
    pub(crate) targets: Vec<TargetOptions>,
}

/// Looks up an environment variable.
pub(crate) type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a file.
pub(crate) fn read(registrations: &[Registration], text: &str, variable: Variable<'_>) -> Result<ConfigFile, Problem> {
    let root = crate::yaml::parse(text)?;
    let known: Vec<&'static str> = [APP.0, COLLECTORS, LABELS.0, SANDBOX.0].into_iter().chain(SECTIONS).collect();
    let top = Section::read(Some(&root), "the file", &known)?;
    let mut file = ConfigFile::default();
    for (key, flag) in [APP, SANDBOX] {
        if let Some(flag) = server_flag(flag) {
            file.take(top, key, key, flag)?;
        }
    }
    if let Some(node) = top.get(APP.0) {
        let app = crate::environment::expand(text_of(node, APP.0)?, variable);
        let app = app.map_err(|what| Problem::at(node.place, format!("{}: {what}", APP.0)))?;
        if let Some(given) = file.flags.iter_mut().find(|given| given.flag.name == APP.1) {
            given.values = vec![app];
        }
    }
    for section in SECTIONS {
        let flags: Vec<_> = section_flags(section).collect();
        let further = if section == "push" { Some(TARGETS) } else { None };
        let known: Vec<&'static str> = flags.iter().map(|(key, _)| *key).chain(further).collect();
        let content = Section::read(top.get(section), section, &known)?;
        for (key, flag) in flags {
            file.take(content, key, &format!("{section}.{key}"), flag)?;
        }
        if further.is_some() {
            file.targets = targets(content.get(TARGETS), variable)?;
        }
    }
    file.labels(top, variable)?;
    file.collectors(registrations, top.get(COLLECTORS))?;
    Ok(file)
}

fn text_of<'a>(node: &'a Node, key: &str) -> Result<&'a str, Problem> {
    text(node, key)
}

fn targets(node: Option<&Node>, variable: Variable<'_>) -> Result<Vec<TargetOptions>, Problem> {
    let Some(node) = node else { return Ok(Vec::new()) };
    let Value::List(nodes) = &node.value else {
        return Err(Problem::at(node.place, format!("push.{TARGETS}: expected a list")));
    };
    let mut targets: Vec<TargetOptions> = Vec::new();
    for node in nodes {
        let target = TargetOptions::read(node, variable)?;
        if targets.iter().any(|other| other.name == target.name) {
            let sentence = format!("a second target `{target}`; give one of them another name");
            return Err(Problem::at(node.place, sentence));
        }
        targets.push(target);
    }
    Ok(targets)
}

impl ConfigFile {
    /// Takes the value of a flag, if the key is there.
    fn take(&mut self, section: Section<'_>, key: &str, path: &str, flag: FlagInfo) -> Result<(), Problem> {
        let Some(node) = section.get(key) else { return Ok(()) };
        let values: Vec<String> = match flag.kind {
            FlagKind::Switch => vec![section.switch(key, false)?.to_string()],
            FlagKind::Texts => {
                let texts = section.texts(key)?.unwrap_or_default();
                // An empty list is a value: it replaces the default.
                if texts.is_empty() {
                    vec![String::new()]
                } else {
                    texts.iter().map(|(_, text)| (*text).to_owned()).collect()
                }
            }
            FlagKind::Text | FlagKind::Whole | FlagKind::Duration => vec![section.text(key)?.to_owned()],
        };
        for value in &values {
            FlagValue::parse(flag.kind, value).map_err(|what| Problem::at(node.place, format!("{path}: {what}")))?;
        }
        self.flags.push(GivenFlag { flag, values, place: node.place });
        Ok(())
    }

    fn labels(&mut self, top: Section<'_>, variable: Variable<'_>) -> Result<(), Problem> {
        let labels = pairs(top, LABELS.0, variable)?;
        let place = top.get(LABELS.0).map_or(Place::START, |node| node.place);
        if let Some(entry) = entries(top.get(LABELS.0), LABELS.0)?.iter().find(|entry| !is_label_name(&entry.key)) {
            return Err(Problem::at(entry.place, format!("{}: `{}` is no name of a label", LABELS.0, entry.key)));
        }
        if let Some(flag) = server_flag(LABELS.1).filter(|_| !labels.is_empty()) {
            let values = labels.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
            self.flags.push(GivenFlag { flag, values, place });
        }
        Ok(())
    }

    /// `NAME: true`, or a section with `enabled` and the collector's flags, which switches it on unless it says otherwise.
    fn collectors(&mut self, registrations: &[Registration], node: Option<&Node>) -> Result<(), Problem> {
        let known: Vec<&'static str> =
            declarations(registrations).map(|declaration| declaration.name).chain([DISABLE_DEFAULTS.0]).collect();
        let section = Section::read(node, COLLECTORS, &known)?;
        if let Some(flag) = server_flag(DISABLE_DEFAULTS.1) {
            self.take(section, DISABLE_DEFAULTS.0, &format!("{COLLECTORS}.{}", DISABLE_DEFAULTS.0), flag)?;
        }
        for declaration in declarations(registrations) {
            let name = declaration.name;
            let Some(node) = section.get(name) else { continue };
            if matches!(node.value, Value::Scalar { .. }) {
                self.collectors.push((name, section.switch(name, true)?));
                continue;
            }
            let place = format!("{COLLECTORS}.{name}");
            let flags: Vec<_> = collector_flags(declaration).collect();
            let known: Vec<&'static str> = flags.iter().map(|(key, _)| *key).chain([ENABLED]).collect();
            entries(Some(node), &place)?;
            let content = Section::read(Some(node), &place, &known)?;
            self.collectors.push((name, content.switch(ENABLED, true)?));
            for (key, flag) in flags {
                self.take(content, key, &format!("{place}.{key}"), flag)?;
            }
        }
        Ok(())
    }
}
