//! Metrics of `*.prom` files in the text exposition format.

mod exposition;
mod glob;
mod merge;

use std::collections::BTreeSet;

use crate::declare;
use crate::host::root::{Kind, Names};
use crate::kit::options::FlagInfo;
use crate::kit::prelude::*;
use merge::Merge;

/// The textfile collector.
#[derive(Debug)]
pub struct Textfile {
    directories: Vec<String>,
    names: Names,
}

/// Maximum size of a textfile. The largest known ones, of package managers, have a few hundred KB.
pub const TEXTFILE_CAP_BYTES: u64 = 16 << 20;

declare! {
    Textfile: "textfile", on, "Metrics of *.prom files.";
    labels {
        PerFile { file }
    }
    reads {
        DIRECTORY: Directory Host "*";
        FILE: File Host "*";
    }
    flags {
        DIRECTORIES: Texts "collector.textfile.directory" = "",
            "Directory of *.prom files, or a glob pattern of directories; repeatable.";
    }
    families {
        MTIME: Gauge "node_textfile_mtime_seconds" PerFile "Modification time of a textfile in seconds since 1970.";
        SCRAPE_ERROR: Gauge "node_textfile_scrape_error" () "1 if a textfile or directory could not be read or parsed.";
    }
    foreign "The metrics of the files, under their own names.";
}

/// The directory flag, for code that sets up hosts.
pub const DIRECTORY_FLAG: FlagInfo = DIRECTORIES.info();

impl Collect for Textfile {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let given = options.get(DIRECTORIES).iter();
        let directories = given.filter(|directory| !directory.is_empty()).cloned().collect();
        Ok(Self { directories, names: Names::new() })
    }

    /// Always succeeds, like node_exporter: errors in files are exported as `node_textfile_scrape_error`.
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
        cx.page.gauge(SCRAPE_ERROR, (), merge.has_failed());
        merge.finish(cx.problems, cx.page.foreign());
        Ok(())
    }
}

/// The directories that a flag's pattern matches, or the flag itself if there is none.
fn directories(cx: &mut Cx<'_, Textfile>, flag: &str) -> Vec<Vec<u8>> {
    let found = glob::expand(flag.as_bytes(), &mut |path, names| cx.files.list(DIRECTORY, [path], names).is_ok());
    if found.is_empty() { vec![flag.as_bytes().to_vec()] } else { found }
}

/// Reads one file. An invalid file is dropped as a whole; one that is not regular or too large is not opened.
fn read(cx: &mut Cx<'_, Textfile>, path: &[u8], merge: &mut Merge) {
    let metadata = match cx.files.metadata(FILE, [path]) {
        Ok(metadata) => metadata,
        Err(error) => return merge.fail(cx.problems, error.into()),
    };
    if metadata.kind == Kind::Special {
        return merge.fail(cx.problems, refused(path, "not a regular file; not opened"));
    }
    if metadata.size_bytes > TEXTFILE_CAP_BYTES {
        let limit = format!("{} bytes, more than the limit of {TEXTFILE_CAP_BYTES}", metadata.size_bytes);
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
    cx.page.gauge(MTIME, PerFile { file: &path }, metadata.modified.as_secs());
}

fn refused(path: &[u8], reason: &str) -> Failure {
    Failure::error(format_args!("{}: {reason}", path.escape_ascii()))
}

#[cfg(test)]
mod tests;
