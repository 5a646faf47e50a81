//! Restriction of file access by landlock (`--sandbox`): the process and its children can read the roots and no other
//! files.

use std::path::{Component, Path, PathBuf};

use collectors::host::root::Mount;
use landlock::{
    ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, path_beneath_rules,
};

use crate::flags::Settings;
use crate::serve::listen::{self, Address};
use crate::target::TargetKind;

/// Restricted rights: those of kernel 6.10. Later kernels restrict more, which collectors may need.
const RESTRICTED: ABI = ABI::V5;

/// Paths that are always readable: the exporter's own process, and public data such as the names of PCI devices.
const ALWAYS: &[&str] = &["/proc", "/usr/share"];

/// Files that the exporter needs.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Needs {
    /// Directories or files to read.
    pub read: Vec<PathBuf>,
    /// Directories to create, write and remove files in.
    pub write: Vec<PathBuf>,
    /// Directories to remove files in.
    pub remove: Vec<PathBuf>,
}

/// Extent to which the kernel enforces the restrictions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    /// Completely.
    Full,
    /// Partially, because the kernel is old.
    Partial,
    /// Not at all: the kernel has no landlock.
    None,
}

impl Needs {
    /// The needs of these settings: roots, textfiles, files of flags, and socket files.
    pub fn of(settings: &Settings) -> Self {
        let paths = &settings.paths;
        let mut read: Vec<PathBuf> = ALWAYS.iter().map(PathBuf::from).collect();
        read.extend([&paths.procfs, &paths.sysfs, &paths.udev].map(Clone::clone));
        let declarations = || collectors::ALL.iter().map(|registration| registration.declaration);
        let declared = declarations().flat_map(|declaration| declaration.reads);
        let below_root = declared.filter(|read| read.mount == Mount::Rootfs).map(|read| read.pattern);
        // The directory, not the file: an update replaces the file.
        read.extend(below_root.map(|pattern| paths.rootfs.join(before_pattern(Path::new(pattern).parent()))));
        // Collectors that read paths of the operator get them by flags.
        let anywhere = declarations().filter(|declared| declared.reads.iter().any(|read| read.mount == Mount::Host));
        let given = anywhere.flat_map(|declared| declared.flags).flat_map(|flag| settings.values.words(flag));
        read.extend(given.map(|path| before_pattern(Some(Path::new(path)))));
        let sockets = settings.listen_addresses.iter().filter_map(|address| match listen::parse(address) {
            Ok(Address::Unix(path)) => {
                Some(path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new(".")).to_owned())
            }
            _ => None,
        });
        let remove = sockets.collect();
        let mut write: Vec<PathBuf> = settings.push.queue.iter().cloned().collect();
        for target in &settings.push.targets {
            if target.kind == TargetKind::File && target.url.0 != "-" {
                write.extend(folder_of(Path::new(&target.url.0)));
            }
            let secrets = [&target.password_file, &target.bearer_token_file, &target.pause_file];
            // A reload reads these again.
            let certificates = [&target.ca_file, &target.cert_file, &target.key_file];
            let files = secrets.into_iter().chain(certificates);
            read.extend(files.flatten().filter_map(|path| folder_of(path)));
        }
        // An editor puts another file in its place.
        read.extend(settings.config_file.as_deref().and_then(folder_of));
        read.retain(|path| path != Path::new(""));
        read.sort();
        read.dedup();
        Self { read, write, remove }
    }

    /// A path of `other` that these needs do not cover. An active sandbox cannot be widened.
    pub fn lacks<'a>(&self, other: &'a Self) -> Option<&'a Path> {
        let is_below = |path: &Path, roots: &[PathBuf]| roots.iter().any(|root| path.starts_with(root));
        let unread = other.read.iter().find(|path| !is_below(path, &self.read) && !is_below(path, &self.write));
        let unwritten = || other.write.iter().find(|path| !is_below(path, &self.write));
        unread.or_else(unwritten).map(PathBuf::as_path)
    }
}

/// The folder of a file.
fn folder_of(file: &Path) -> Option<PathBuf> {
    let parent = file.parent()?;
    Some(if parent == Path::new("") { Path::new(".") } else { parent }.to_owned())
}

/// The part of a path that has no pattern in it.
fn before_pattern(path: Option<&Path>) -> PathBuf {
    let is_plain = |component: &Component<'_>| {
        !component.as_os_str().as_encoded_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
    };
    path.into_iter().flat_map(Path::components).take_while(is_plain).collect()
}

/// Restricts this thread and the threads that it starts. Paths that do not exist yet stay inaccessible.
pub fn enter(needs: &Needs) -> Result<Strength, RulesetError> {
    let reading = AccessFs::ReadFile | AccessFs::ReadDir;
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(RESTRICTED))?
        .create()?
        .add_rules(path_beneath_rules(&needs.read, reading))?
        .add_rules(path_beneath_rules(&needs.write, AccessFs::from_all(RESTRICTED)))?
        .add_rules(path_beneath_rules(&needs.remove, AccessFs::RemoveFile))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Strength::Full,
        RulesetStatus::PartiallyEnforced => Strength::Partial,
        RulesetStatus::NotEnforced => Strength::None,
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test tries forbidden access")]
mod tests {
    use super::*;
    use crate::flags::{self, Command};
    use std::fs;

    fn needs(arguments: &[&str]) -> Needs {
        match flags::parse(collectors::ALL, arguments.iter().map(Into::into)) {
            Ok(Command::Serve(settings)) => Needs::of(&settings),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn needs_are_derived_from_flags_and_declarations() {
        let needs = needs(&[
            "--path.sysfs=/host/sys",
            "--path.rootfs=/host",
            "--collector.textfile.directory=/srv/*/text",
            "--collector.textfile.directory=texts",
            "--web.listen-address=unix:/run/exporter/x.sock",
            "--web.listen-address=:9100",
            "--push.queue=/var/lib/queue",
            "--push.to=file=/srv/text/node.prom",
        ]);
        for path in ["/proc", "/host/sys", "/run/udev/data", "/host/etc", "/host/usr/lib", "/srv", "texts"] {
            assert!(needs.read.contains(&path.into()), "{path} is not in {needs:?}");
        }
        assert!(!needs.read.iter().any(|path| path == Path::new("/") || path == Path::new("/host")), "{needs:?}");
        assert_eq!(needs.write, [Path::new("/var/lib/queue"), Path::new("/srv/text")]);
        assert_eq!(needs.remove, [Path::new("/run/exporter")]);
    }

    #[test]
    fn a_path_outside_of_the_sandbox_is_found() {
        let before = needs(&["--push.queue=/var/lib/queue", "--push.to=file=/srv/text/node.prom"]);
        assert_eq!(before.lacks(&before), None);
        assert_eq!(before.lacks(&needs(&["--push.to=file=/srv/text/a/other.prom"])), None);
        assert_eq!(before.lacks(&needs(&["--push.to=file=/srv/node.prom"])), Some(Path::new("/srv")));
        assert_eq!(before.lacks(&needs(&["--collector.textfile.directory=/texts"])), Some(Path::new("/texts")));
    }

    #[test]
    fn other_files_are_inaccessible() {
        let [inside, outside] = [0; 2].map(|_| tempfile::tempdir().unwrap());
        for folder in [&inside, &outside] {
            fs::write(folder.path().join("a"), "a").unwrap();
        }
        let needs = Needs { read: vec![inside.path().to_owned(), "/missing".into()], ..Needs::default() };
        let (inside, outside) = (inside.path().to_owned(), outside.path().to_owned());
        // Only this thread is restricted, so other tests are not affected.
        let tried = std::thread::spawn(move || {
            let strength = enter(&needs).unwrap();
            let reads = [&inside, &outside].map(|folder| fs::read(folder.join("a")).is_ok());
            (strength, reads, fs::write(inside.join("b"), "b").is_ok())
        });
        let (strength, reads, can_write) = tried.join().unwrap();
        match strength {
            Strength::None => assert_eq!((reads, can_write), ([true, true], true)),
            _ => assert_eq!((reads, can_write), ([true, false], false)),
        }
    }
}
