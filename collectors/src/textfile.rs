//! Metrics that others have written into files, in the text exposition format.

mod exposition;
mod glob;
mod merge;

use std::collections::BTreeSet;

use crate::declare;
use crate::host::root::{Kind, Names};
use crate::kit::options::FlagInfo;
use crate::kit::prelude::*;
use merge::Merge;

/// Passes on the metrics of `*.prom` files.
#[derive(Debug)]
pub struct Textfile {
    directories: Vec<String>,
    names: Names,
}

/// Larger textfiles are refused. The largest that are known, of package managers, have a few hundred KB.
pub const TEXTFILE_CAP_BYTES: u64 = 16 << 20;

declare! {
    Textfile: "textfile", on, "Metrics that others have written into files.";
    reads {
        DIRECTORY: Directory Host "*";
        FILE: File Host "*";
    }
    flags {
        DIRECTORIES: Texts "collector.textfile.directory" = "",
            "Directory of *.prom files to pass on; may be a pattern, and may be given several times.";
    }
    families {
        MTIME: Gauge "node_textfile_mtime_seconds" ["file"] "When a textfile that was passed on was last written.";
        SCRAPE_ERROR: Gauge "node_textfile_scrape_error" [] "1 when a textfile or a directory of textfiles could not be used.";
    }
    foreign "What the files hold, under the names that their writers chose.";
}

/// The flag that names the directories, for whoever sets up a host.
pub const DIRECTORY_FLAG: FlagInfo = DIRECTORIES.info();

impl Collect for Textfile {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let given = options.get(DIRECTORIES).iter();
        let directories = given.filter(|directory| !directory.is_empty()).cloned().collect();
        Ok(Self { directories, names: Names::new() })
    }

    /// Always succeeds, as node_exporter's does: what is wrong with files is told by `node_textfile_scrape_error`.
    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let mut merge = Merge::default();
        let mut seen = BTreeSet::new();
        for flag in &self.directories {
            for directory in directories(cx, flag) {
                if let Err(error) = cx.files.list(DIRECTORY, [&directory], &mut self.names) {
                    merge.fail(cx.problems, error.into());
                    continue;
                }
                for name in self.names.iter().filter(|name| name.ends_with(b".prom")) {
                    let path = glob::join(&directory, name);
                    if seen.insert(path.clone()) {
                        read(cx, &path, &mut merge);
                    }
                }
            }
        }
        cx.page.gauge(SCRAPE_ERROR, [], merge.has_failed());
        merge.finish(cx.problems, cx.page.foreign());
        Ok(())
    }
}

/// The directories that a flag means: those that its pattern matches, or what it says where it matches none.
fn directories(cx: &mut Cx<'_, Textfile>, flag: &str) -> Vec<Vec<u8>> {
    let found = glob::expand(flag.as_bytes(), &mut |path, names| cx.files.list(DIRECTORY, [path], names).is_ok());
    if found.is_empty() { vec![flag.as_bytes().to_vec()] } else { found }
}

/// Reads one file, of which all is right or nothing counts. What is no file, or too large, is not even opened.
fn read(cx: &mut Cx<'_, Textfile>, path: &[u8], merge: &mut Merge) {
    let metadata = match cx.files.metadata(FILE, [path]) {
        Ok(metadata) => metadata,
        Err(error) => return merge.fail(cx.problems, error.into()),
    };
    if metadata.kind == Kind::Special {
        return merge.fail(cx.problems, refused(path, "no regular file; it is not opened"));
    }
    if metadata.size_bytes > TEXTFILE_CAP_BYTES {
        let limit =
            format!("{} bytes, more than the {TEXTFILE_CAP_BYTES} that a textfile may have", metadata.size_bytes);
        return merge.fail(cx.problems, refused(path, &limit));
    }
    let text = match cx.files.read(FILE, [path]) {
        Ok(text) => text,
        Err(error) => return merge.fail(cx.problems, error.into()),
    };
    match exposition::parse(text) {
        Ok(families) => merge.add(cx.problems, path, families),
        Err(error) => return merge.fail(cx.problems, error.into()),
    }
    cx.page.gauge(MTIME, [&path], metadata.modified.as_secs());
}

fn refused(path: &[u8], reason: &str) -> Failure {
    Failure::error(format_args!("{}: {reason}", path.escape_ascii()))
}

#[cfg(test)]
mod tests;
