//! Roots with injected faults.

use std::sync::Arc;

use collectors::host::errno::Errno;
use collectors::host::root::{self, Metadata, Mount, Names, Root, RootError, Roots};

use super::inject::{Injection, Operation};
use super::{Fault, Kind};

impl Injection {
    /// Wraps roots so that the faults apply.
    pub fn over(&self, sound: &Roots) -> Roots {
        let sys_place = sound.sys_place();
        let over = |mount| -> Arc<dyn Root> { Arc::new(FaultyRoot::new(mount, sound.clone(), self.clone())) };
        Roots::new(over).with_sys_place(sys_place)
    }
}

/// One mount of a host with injected faults.
#[derive(Debug)]
pub(super) struct FaultyRoot {
    mount: Mount,
    sound: Roots,
    injection: Injection,
}

impl FaultyRoot {
    pub(super) fn new(mount: Mount, sound: Roots, injection: Injection) -> Self {
        Self { mount, sound, injection }
    }

    fn sound(&self) -> &dyn Root {
        self.sound.get(self.mount)
    }

    /// Faults that apply to an operation; the first error among them, if any.
    fn applying(&self, operation: Operation, path: &[u8]) -> Result<Vec<Kind>, RootError> {
        let kinds = self.injection.applying(operation, self.mount.name(), path);
        self.injection.run(&kinds)?;
        Ok(kinds)
    }

    /// Reads the file and corrupts its content.
    fn read_through(&self, kinds: &[Kind], path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        let has_own = kinds.iter().any(|kind| matches!(kind, Kind::Content(_)));
        match self.sound().read(path, into, cap_bytes) {
            Err(error) if !has_own => return Err(error),
            _ => {}
        }
        for kind in kinds {
            let mut later = Vec::new();
            if matches!(kind, Kind::Torn(_)) && self.sound().read(path, &mut later, cap_bytes).is_err() {
                // The file disappeared: there is no later content.
                later.clear();
            }
            kind.apply(into, &later);
        }
        if into.len() > cap_bytes {
            let size_bytes = into.len() as u64;
            into.clear();
            return Err(RootError::TooLarge { size_bytes, cap_bytes: cap_bytes as u64 });
        }
        Ok(())
    }

    /// Removes missing entries from a listing and adds those that only a fault creates.
    fn amend(&self, directory: &[u8], into: &mut Names) {
        let plan = self.injection.plan();
        let is_active = |fault: &&Fault| {
            fault.site.may_match_in(self.mount.name())
                && !fault.when.counts_operations()
                && self.injection.is_time(fault)
        };
        let faults: Vec<&Fault> =
            plan.faults().iter().filter(is_active).filter(|fault| shows_in_listings(fault)).collect();
        if faults.is_empty() {
            return;
        }
        let below = |name: &[u8]| if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() };
        let mut entries: Vec<(Vec<u8>, root::Kind)> =
            into.iter_kinds().map(|(name, kind)| (name.to_vec(), kind)).collect();
        for fault in faults {
            let is_match = |name: &[u8]| fault.site.matches(self.mount.name(), &below(name));
            if fault.kind == Kind::Missing {
                entries.retain(|(name, _)| !is_match(name));
                continue;
            }
            if let Some(name) = self.own_name(fault, directory)
                && !entries.iter().any(|(known, _)| *known == name)
            {
                entries.push((name, root::Kind::File));
            }
            let kind = match fault.kind {
                Kind::Directory => root::Kind::Directory,
                Kind::Loop => root::Kind::Link,
                _ => continue,
            };
            entries.iter_mut().filter(|(name, _)| is_match(name)).for_each(|(_, known)| *known = kind);
        }
        into.clear();
        for (name, kind) in &entries {
            into.push(name, *kind);
        }
        into.sort();
    }

    /// Name of the entry that a fault of a single path creates in a directory.
    fn own_name(&self, fault: &Fault, directory: &[u8]) -> Option<Vec<u8>> {
        let (folder, path) = fault.site.single()?;
        let at = path.iter().rposition(|&byte| byte == b'/');
        let (above, name) = at.map_or((&b""[..], path.as_slice()), |at| (&path[..at], &path[at + 1..]));
        let is_here = folder == self.mount.name().as_bytes() && above == directory && !name.is_empty();
        is_here.then(|| name.to_vec())
    }
}

/// Whether a fault affects the listing of the directory above. A failing file exists even if the host has none.
fn shows_in_listings(fault: &Fault) -> bool {
    match fault.kind {
        Kind::Missing | Kind::Directory | Kind::Loop => true,
        Kind::Error(_) | Kind::Vanishing(_) | Kind::Content(_) | Kind::Hanging => fault.site.single().is_some(),
        _ => false,
    }
}

impl Root for FaultyRoot {
    fn read(&self, path: &[u8], into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
        into.clear();
        let kinds = self.applying(Operation::Read, path)?;
        if kinds.contains(&Kind::Directory) {
            return Err(Errno::EISDIR.into());
        }
        self.read_through(&kinds, path, into, cap_bytes)
    }

    fn list(&self, path: &[u8], into: &mut Names) -> Result<(), RootError> {
        into.clear();
        let kinds = self.applying(Operation::List, path)?;
        if kinds.iter().any(|kind| matches!(kind, Kind::Content(_))) {
            return Err(Errno::ENOTDIR.into());
        }
        match self.sound().list(path, into) {
            Err(RootError::Errno(Errno::ENOENT | Errno::ENOTDIR)) if kinds.contains(&Kind::Directory) => {}
            answer => answer?,
        }
        if kinds.contains(&Kind::Empty) {
            into.clear();
            return Ok(());
        }
        self.amend(path, into);
        Ok(())
    }

    fn read_link(&self, path: &[u8], into: &mut Vec<u8>) -> Result<(), RootError> {
        into.clear();
        let kinds = self.injection.applying(Operation::ReadLink, self.mount.name(), path);
        if kinds.contains(&Kind::Loop) {
            let name = path.rsplit(|&byte| byte == b'/').next();
            into.extend_from_slice(name.unwrap_or_default());
            return Ok(());
        }
        self.injection.run(&kinds)?;
        if kinds.iter().any(|kind| matches!(kind, Kind::Directory | Kind::Content(_))) {
            return Err(Errno::EINVAL.into());
        }
        self.sound().read_link(path, into)?;
        let sound = into.clone();
        for kind in &kinds {
            kind.apply(into, &sound);
        }
        Ok(())
    }

    fn metadata(&self, path: &[u8]) -> Result<Metadata, RootError> {
        let kinds = self.injection.applying(Operation::Metadata, self.mount.name(), path);
        // A file that vanishes before it is read still has metadata.
        let exists_for_stat = |kind: &&Kind| !matches!(kind, Kind::Vanishing(super::Stage::Read));
        let applying: Vec<Kind> = kinds.iter().filter(exists_for_stat).cloned().collect();
        self.injection.run(&applying)?;
        let own = kinds.iter().find_map(|kind| match kind {
            Kind::Directory => Some((root::Kind::Directory, 0)),
            Kind::Content(text) => Some((root::Kind::File, text.len() as u64 + 1)),
            _ => None,
        });
        let sound = self.sound().metadata(path);
        match own {
            None => sound,
            Some((kind, size_bytes)) => {
                let modified = sound.map(|sound| sound.modified).unwrap_or_default();
                Ok(Metadata { kind, size_bytes, modified })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::fault::{Plan, VirtualClock};
    use collectors::host::root::tree::Tree;

    const START: Duration = Duration::from_secs(1_700_000_000);

    struct Broken {
        roots: Roots,
        clock: VirtualClock,
    }

    fn broken(plan: &str) -> Broken {
        let tree = Tree::new()
            .with_file("proc/a", "1\n2\n3\n")
            .with_file("proc/7/stat", "7 (x)\n")
            .with_file("proc/7/status", "Name: x\n")
            .with_link("proc/self", "7");
        let clock = VirtualClock::new(START);
        let plan = Plan::parse(plan).unwrap();
        Broken { roots: plan.over(&Arc::new(tree).roots(), 1, Arc::new(clock.clone())), clock }
    }

    impl Broken {
        fn root(&self) -> &dyn Root {
            self.roots.get(Mount::Proc)
        }

        fn read(&self, path: &str) -> Result<String, RootError> {
            let mut content = b"before".to_vec();
            let answer = self.root().read(path.as_bytes(), &mut content, 100);
            answer.map(|()| String::from_utf8(content).unwrap())
        }

        fn list(&self, path: &str) -> Result<Vec<String>, RootError> {
            let mut names = Names::new();
            names.push(b"before", root::Kind::File);
            self.root().list(path.as_bytes(), &mut names)?;
            Ok(names.iter_kinds().map(|(name, kind)| format!("{} {kind:?}", name.escape_ascii())).collect())
        }

        fn link(&self, path: &str) -> Result<String, RootError> {
            let mut target = Vec::new();
            self.root().read_link(path.as_bytes(), &mut target).map(|()| String::from_utf8(target).unwrap())
        }

        fn kind(&self, path: &str) -> Result<root::Kind, RootError> {
            self.root().metadata(path.as_bytes()).map(|metadata| metadata.kind)
        }
    }

    #[track_caller]
    fn check_read(plan: &str, path: &str, expected: Result<&str, Errno>) {
        assert_eq!(broken(plan).read(path), expected.map(str::to_owned).map_err(RootError::from), "{plan}");
    }

    #[test]
    fn only_matching_paths_are_affected() {
        let host = broken("proc/a missing\n");
        assert_eq!(host.read("a"), Err(Errno::ENOENT.into()));
        assert_eq!(host.read("7/stat").unwrap(), "7 (x)\n");
        assert_eq!(host.read("self/stat").unwrap(), "7 (x)\n");
        assert_eq!(host.roots.get(Mount::Sys).metadata(b"a"), Err(Errno::ENOENT.into()));
    }

    #[test]
    fn each_kind_of_fault_affects_reads() {
        check_read("proc/a error=EINVAL\n", "a", Err(Errno::EINVAL));
        check_read("proc/a vanishing\n", "a", Err(Errno::ENOENT));
        check_read("proc/a vanishing=read\n", "a", Err(Errno::ESRCH));
        check_read("proc/a directory\n", "a", Err(Errno::EISDIR));
        check_read("proc/a loop\n", "a", Err(Errno::ELOOP));
        check_read("proc/a empty\n", "a", Ok(""));
        check_read("proc/a cut=3\n", "a", Ok("1\n2"));
        check_read("proc/a torn\n", "a", Ok("1\n2\n"));
        check_read("proc/a negative\n", "a", Ok("1\n-1\n3\n"));
        check_read("proc/a content=N/A\n", "a", Ok("N/A\n"));
        check_read("proc/a added=4\nproc/a negative=4\n", "a", Ok("1\n2\n3\n-1\n"));
        check_read("proc/a cut\nproc/a error=EIO\n", "a", Err(Errno::EIO));
        check_read("proc/new content=x\n", "new", Ok("x\n"));
        check_read("proc/new added=x\n", "new", Err(Errno::ENOENT));
        let host = broken(&format!("proc/a added={}\n", "x".repeat(100)));
        assert_eq!(host.read("a"), Err(RootError::TooLarge { size_bytes: 107, cap_bytes: 100 }));
    }

    #[test]
    fn listings_agree_with_faults() {
        let all = ["7 Directory", "a File", "self Link"];
        assert_eq!(broken("proc/a vanishing\n").list("").unwrap(), all);
        assert_eq!(broken("proc/7/** missing\n").list("").unwrap(), ["a File", "self Link"]);
        assert_eq!(broken("proc/7/** missing\n").list("7"), Err(Errno::ENOENT.into()));
        assert_eq!(broken("proc/a directory\nproc/7 loop\n").list("").unwrap(), ["7 Link", "a Directory", "self Link"]);
        assert_eq!(broken("proc/a directory\n").list("a").unwrap(), [""; 0]);
        assert_eq!(broken("proc empty\n").list("").unwrap(), [""; 0]);
        assert_eq!(broken("proc error=EIO\n").list(""), Err(Errno::EIO.into()));
        let host = broken("proc/7/new error=EINVAL\n");
        assert_eq!(host.list("7").unwrap(), ["new File", "stat File", "status File"]);
        assert_eq!(
            (host.read("7/new"), host.list("").unwrap()),
            (Err(Errno::EINVAL.into()), all.map(str::to_owned).to_vec())
        );
        assert_eq!(broken("proc/9 directory\nproc/9/stat content=9\n").list("9").unwrap(), ["stat File"]);
    }

    #[test]
    fn links_and_metadata_agree_with_faults() {
        let host = broken("proc/self loop\nproc/a directory\nproc/7/stat vanishing=read\nproc/7/status vanishing\n");
        assert_eq!(host.link("self").unwrap(), "self");
        assert_eq!(host.kind("self"), Err(Errno::ELOOP.into()));
        assert_eq!(host.kind("a"), Ok(root::Kind::Directory));
        assert_eq!(host.kind("7/stat"), Ok(root::Kind::File));
        assert_eq!(host.kind("7/status"), Err(Errno::ENOENT.into()));
        assert_eq!(broken("proc/self cut=0\n").link("self").unwrap(), "");
        assert_eq!(broken("proc/a content=abc\n").root().metadata(b"a").unwrap().size_bytes, 4);
    }

    #[test]
    fn conditions_limit_faults() {
        let host = broken("proc/a error=EIO read=2\n");
        assert_eq!([1, 2, 3].map(|_| host.read("a").is_ok()), [true, false, true]);
        let host = broken("proc/** error=EIO read=2..\n");
        assert_eq!([1, 2, 3].map(|_| host.read("a").is_ok()), [true, false, false]);
        assert!(host.read("7/stat").is_ok(), "operations are counted per path");
        let host = broken("proc/a error=EIO from=10s until=20s\n");
        let reads = [0, 10, 9, 1].map(|seconds| {
            host.clock.advance(Duration::from_secs(seconds));
            host.read("a").is_ok()
        });
        assert_eq!(reads, [true, false, false, true]);
    }

    #[test]
    fn random_faults_are_determined_by_the_seed() {
        let plan = Plan::parse("proc/* error=EIO chance=0.3\n").unwrap();
        let tree = Arc::new(Tree::new().with_file("proc/a", "1\n").with_file("proc/b", "1\n"));
        let outcomes = |seed, path: &[u8]| -> Vec<bool> {
            let roots = plan.over(&tree.roots(), seed, Arc::new(VirtualClock::new(START)));
            (0..1000).map(|_| roots.get(Mount::Proc).read(path, &mut Vec::new(), 9).is_err()).collect()
        };
        let one = outcomes(1, b"a");
        assert_eq!(one, outcomes(1, b"a"));
        assert!(one != outcomes(2, b"a") && one != outcomes(1, b"b"));
        let broken = one.iter().filter(|is_broken| **is_broken).count();
        assert!((250..350).contains(&broken), "{broken} of 1000");
    }

    #[test]
    fn delays_advance_only_the_clock() {
        let host = broken("proc/a slow=20ms\nproc/7/** slow=6s\n");
        assert_eq!(host.read("a").unwrap(), "1\n2\n3\n");
        assert!(host.list("7").is_ok() && host.kind("7/stat").is_ok());
        assert_eq!(host.clock.now(), START + Duration::from_millis(12_020));
    }

    #[test]
    fn a_blocked_read_fails_when_released() {
        let host = broken("proc/a hanging\n");
        std::thread::scope(|scope| {
            let read = scope.spawn(|| host.read("a"));
            host.clock.wait_until_hanging(1);
            assert!(host.read("7/stat").is_ok());
            host.clock.release();
            assert_eq!(read.join().unwrap(), Err(Errno::ETIMEDOUT.into()));
        });
    }

    #[test]
    fn a_plan_can_be_replaced() {
        let tree = Arc::new(Tree::new().with_file("proc/a", "1\n"));
        let plan = |text| Plan::parse(text).unwrap();
        let injection = super::Injection::new(plan("proc/a missing\n"), 1, Arc::new(VirtualClock::new(START)));
        let roots = injection.over(&tree.roots().with_sys_place("/host/sys"));
        let read = || roots.get(Mount::Proc).read(b"a", &mut Vec::new(), 9);
        assert_eq!((read(), roots.sys_place()), (Err(Errno::ENOENT.into()), "/host/sys"));
        injection.replace(plan("proc/a error=EIO read=1\n"));
        assert_eq!([read(), read()], [Err(Errno::EIO.into()), Ok(())]);
        injection.replace(Plan::default());
        assert_eq!(read(), Ok(()));
    }
}
