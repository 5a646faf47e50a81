//! Hosts to bench: this machine's /proc and /sys, or a host unpacked into a directory.

use std::io;
use std::path::PathBuf;

use collectors::ALL;
use collectors::host::root::tree::{Node, Tree};
use collectors::host::root::{Mount, Roots};
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::Scraper;

use crate::floor::Floor;
use crate::load;
use crate::meter::{Asked, Meter};
use crate::subject;

/// A host that exporters can be started on.
#[derive(Debug)]
pub(super) struct Place {
    /// Its name in the report.
    pub(super) name: &'static str,
    folder: Option<tempfile::TempDir>,
}

impl Place {
    /// This machine.
    pub(super) fn live() -> Self {
        Self { name: "live", folder: None }
    }

    /// A host unpacked into a directory that is removed on drop.
    pub(super) fn unpacked(name: &'static str, mut tree: Tree) -> io::Result<Self> {
        for mount in Mount::ALL {
            // A missing mount is an empty directory, so that every exporter finds it.
            let _ = tree.insert(mount.name(), Node::directory());
        }
        let folder = tempfile::tempdir()?;
        load::write_host(&tree, folder.path())?;
        Ok(Self { name, folder: Some(folder) })
    }

    /// The path of a mount.
    pub(super) fn path(&self, mount: Mount) -> PathBuf {
        match (&self.folder, mount) {
            (Some(folder), mount) => folder.path().join(mount.name()),
            (None, Mount::Proc) => "/proc".into(),
            (None, Mount::Sys) => "/sys".into(),
            (None, Mount::Udev) => "/run/udev/data".into(),
            (None, Mount::Rootfs | Mount::Host) => "/".into(),
        }
    }

    /// Flags that point an exporter at the host.
    pub(super) fn flags(&self) -> Vec<String> {
        let flags =
            [("procfs", Mount::Proc), ("sysfs", Mount::Sys), ("rootfs", Mount::Rootfs), ("udev.data", Mount::Udev)];
        flags.map(|(name, mount)| format!("--path.{name}={}", self.path(mount).display())).into()
    }

    /// An in-process scraper, of these collectors or of the default ones.
    #[cfg(target_os = "linux")]
    pub(super) fn scraper(&self, only: Option<&[&str]>, wrap: impl FnOnce(Roots) -> Roots) -> io::Result<Scraper> {
        let paths = node_exporter::flags::Paths {
            procfs: self.path(Mount::Proc),
            sysfs: self.path(Mount::Sys),
            rootfs: self.path(Mount::Rootfs),
            udev: self.path(Mount::Udev),
            is_given: self.folder.is_some(),
        };
        let host = load::live(&paths)?;
        let mut values = FlagValues::defaults(ALL.iter().map(|registration| registration.declaration));
        for name in ALL.iter().map(|registration| registration.declaration.name).filter(|_| only.is_some()) {
            values.enable(name, only.is_some_and(|only| only.contains(&name)));
        }
        Scraper::build(ALL, &values, wrap(host.roots), host.kernel).map_err(io::Error::other)
    }

    /// Without Linux there is no host to scrape.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn scraper(&self, _: Option<&[&str]>, _: impl FnOnce(Roots) -> Roots) -> io::Result<Scraper> {
        let _ = (ALL, FlagValues::defaults([]));
        Err(io::Error::other(format!("{}: can be measured on Linux only", self.name)))
    }

    /// The file accesses of a steady scrape of these collectors.
    pub(super) fn asked(&self, only: Option<&[&str]>) -> io::Result<Asked> {
        let mut meter = None;
        let scraper = self.scraper(only, |roots| meter.insert(Meter::new(&roots)).roots())?;
        let meter = meter.ok_or_else(|| io::Error::other("the scraper did not take the roots"))?;
        let mut page = Vec::new();
        subject::scrape(&scraper, &mut page);
        meter.take();
        subject::scrape(&scraper, &mut page);
        Ok(meter.take())
    }

    /// A loop over the files that were read.
    pub(super) fn floor(&self, asked: &Asked) -> Floor {
        Floor::new(asked.files().filter(|file| file.mount != Mount::Host), |mount| self.path(mount))
    }
}
