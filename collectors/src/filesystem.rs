//! Space, inodes and state of mounted file systems, from the mount table and `statfs(2)`.

pub(crate) mod mounts;
mod workers;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::declare;
use crate::host::kernel::KernelError;
use crate::host::kernel::clock;
use crate::kit::filter::Filter;
use crate::kit::prelude::*;
use crate::kit::table;
use mounts::{Mounts, View};
use workers::{Answer, Ticket, WORKERS_MAX, Workers};

/// The filesystem collector.
#[derive(Debug)]
pub struct Filesystem {
    mount_points: Filter,
    fs_types: Filter,
    workers: Workers,
    mounts: Mounts,
    /// Indices of mounts: by path for statfs, then in page order.
    order: Vec<usize>,
    questions: Vec<Question>,
    answers: Vec<Answer>,
    /// Paths of local file systems whose statfs was slow before.
    slow: BTreeSet<Vec<u8>>,
}

/// Types of file systems whose `statfs` returns numbers from memory, without access to a device or server. It runs in the
/// thread of the scrape; for other types it runs in a worker thread, because it may block forever.
const LOCAL_TYPES: [&[u8]; 14] = [
    b"bcachefs",
    b"btrfs",
    b"devtmpfs",
    b"efivarfs",
    b"erofs",
    b"exfat",
    b"ext2",
    b"ext3",
    b"ext4",
    b"f2fs",
    b"ramfs",
    b"tmpfs",
    b"vfat",
    b"xfs",
];

/// Maximum number of mounts: the kernel's default of `fs.mount-max` for a mount namespace.
const MOUNTS_MAX: usize = 100_000;

/// Duration of statfs from which a local file system is queried in a worker thread afterwards.
const LOCAL_TIME_MAX: Duration = Duration::from_millis(20);

/// How statfs was called for a mount.
#[derive(Clone, Copy, Debug)]
enum Question {
    /// It was called in this thread.
    Answered(Answer),
    /// It is called in a worker thread.
    Asked(Ticket),
}

declare! {
    Filesystem: "filesystem", on, "Space, inodes and state of mounted file systems.";
    labels {
        PerMount { device, device_error, fstype, mountpoint }
        MountInfo { device, major, minor, mountpoint }
    }
    reads {
        MOUNTS: File Proc "1/mountinfo";
        OWN_MOUNTS: File Proc "self/mountinfo";
    }
    flags {
        MOUNT_POINTS_EXCLUDE: Text "collector.filesystem.mount-points-exclude" =
            "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
            "Regexp of mount points to exclude; not together with mount-points-include.",
            or(&["collector.filesystem.ignored-mount-points"]);
        MOUNT_POINTS_INCLUDE: Text "collector.filesystem.mount-points-include" = "",
            "Regexp of mount points to include; not together with mount-points-exclude.";
        FS_TYPES_EXCLUDE: Text "collector.filesystem.fs-types-exclude" =
            "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$",
            "Regexp of file system types to exclude; not together with fs-types-include.",
            or(&["collector.filesystem.ignored-fs-types"]);
        FS_TYPES_INCLUDE: Text "collector.filesystem.fs-types-include" = "",
            "Regexp of file system types to include; not together with fs-types-exclude.";
        MOUNT_TIMEOUT: Span "collector.filesystem.mount-timeout" = "5s",
            "Time after which a mount counts as stuck.", hidden();
        STAT_WORKERS: Whole "collector.filesystem.stat-workers" = "4",
            "Number of concurrent statfs calls.", hidden();
    }
    families {
        SIZE: Gauge "node_filesystem_size_bytes" PerMount "File system size in bytes.";
        FREE: Gauge "node_filesystem_free_bytes" PerMount "Free space in bytes.";
        AVAILABLE: Gauge "node_filesystem_avail_bytes" PerMount "Free space available to unprivileged users, in bytes.";
        FILES: Gauge "node_filesystem_files" PerMount "Inodes of the file system.";
        FILES_FREE: Gauge "node_filesystem_files_free" PerMount "Free inodes of the file system.";
        PURGEABLE: Gauge "node_filesystem_purgeable_bytes" PerMount "Purgeable space on macOS in bytes, 0 on Linux.";
        READ_ONLY: Gauge "node_filesystem_readonly" PerMount "1 for a read-only mount.";
        DEVICE_ERROR: Gauge "node_filesystem_device_error" PerMount "1 if statfs failed; the device_error label has the reason.";
        MOUNT_INFO: Gauge "node_filesystem_mount_info" MountInfo "Device number of a mount, always 1.";
    }
}

impl Collect for Filesystem {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        let workers = usize::try_from(options.get(STAT_WORKERS)).unwrap_or(usize::MAX);
        if workers > WORKERS_MAX {
            options.notice(format!("--collector.filesystem.stat-workers: no more than {WORKERS_MAX} are used"));
        }
        Ok(Self {
            mount_points: Filter::from_flags(options, MOUNT_POINTS_INCLUDE, MOUNT_POINTS_EXCLUDE)?,
            fs_types: Filter::from_flags(options, FS_TYPES_INCLUDE, FS_TYPES_EXCLUDE)?,
            workers: Workers::new(workers, options.get(MOUNT_TIMEOUT)),
            mounts: Mounts::default(),
            order: Vec::new(),
            questions: Vec::new(),
            answers: Vec::new(),
            slow: BTreeSet::new(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        self.workers.clear();
        self.read(cx)?;
        self.ask(cx)?;
        if self.answers.contains(&Answer::Known(Err(KernelError::Unsupported))) {
            return Err(Failure::no_data(format_args!("statfs: {}", KernelError::Unsupported)));
        }
        self.emit(cx);
        self.mounts.release_if_large();
        Ok(())
    }
}

impl Filesystem {
    /// Reads the mounts of process 1, or of this process if that one is hidden.
    fn read(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { mount_points, fs_types, mounts, .. } = self;
        mounts.clear();
        let text = match cx.files.read_if_present(MOUNTS, [])? {
            Some(text) => text,
            None => cx.files.read(OWN_MOUNTS, [])?,
        };
        // Every process has at least its root mount.
        for (count, line) in table::rows(text, cx.problems).enumerate() {
            if count == MOUNTS_MAX {
                cx.problems.report(Failure::too_large(format_args!(
                    "mount table: more than {MOUNTS_MAX} mounts; those after them are left out"
                )));
                break;
            }
            if let Some(parsed) = cx.problems.value(mounts::parse(line)) {
                cx.kernel.with_rootfs(|rootfs| {
                    mounts.push(&parsed, rootfs, |mount_point, fs_type| {
                        !mount_points.ignores(mount_point) && !fs_types.ignores(fs_type)
                    });
                });
            }
        }
        Ok(())
    }

    /// Calls statfs once for each distinct path.
    fn ask(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { workers, mounts, order, questions, answers, slow, .. } = self;
        order.clear();
        order.extend(0..mounts.len());
        order.sort_unstable_by(|&a, &b| mounts.compare_paths(a, b));
        questions.clear();
        for (index, &at) in order.iter().enumerate() {
            let known = index.checked_sub(1).filter(|&before| mounts.compare_paths(order[before], at).is_eq());
            let question = match known.and_then(|before| questions.get(before)) {
                Some(&question) => question,
                None => match mounts.get(at) {
                    Some(view) if is_local(&view) && !slow.contains(view.path) => {
                        // Real time: the clock of a recorded or simulated host does not move while a call blocks.
                        let begin = clock::monotonic();
                        let answer = Answer::Known(cx.kernel.statfs(view.path));
                        if clock::monotonic().saturating_sub(begin) >= LOCAL_TIME_MAX {
                            slow.insert(view.path.to_vec());
                        }
                        Question::Answered(answer)
                    }
                    view => Question::Asked(workers.ask(cx.kernel, view.map(|view| view.path).unwrap_or_default())),
                },
            };
            questions.push(question);
        }
        let asked = workers.wait();
        answers.clear();
        answers.resize(mounts.len(), Answer::Silent);
        for (&at, &question) in order.iter().zip(&*questions) {
            if let Some(answer) = answers.get_mut(at) {
                *answer = match question {
                    Question::Answered(answer) => answer,
                    Question::Asked(ticket) => workers.answer(ticket),
                };
            }
        }
        let mut silent = answers.iter().enumerate().filter(|(_, answer)| **answer == Answer::Silent);
        if let Some(first) = silent.next().and_then(|(at, _)| mounts.get(at)) {
            let (path, count) = (first.path.escape_ascii(), 1 + silent.count());
            cx.problems
                .note(Failure::error(format_args!("mounts that do not answer statfs: {count}, the first is {path}")));
        }
        asked.map_err(|error| Failure::error(format_args!("no thread to ask file systems with: {error}")))
    }

    /// Emits each mount once. Of several mounts with equal labels the first one is used.
    fn emit(&mut self, cx: &mut Cx<'_, Self>) {
        let Self { mounts, order, answers, .. } = self;
        let of = |at: usize| Some((mounts.get(at)?, answers.get(at).copied()?));
        order.sort_unstable_by(|&a, &b| match (of(a), of(b)) {
            (Some(first), Some(second)) => compare(first, second).then(a.cmp(&b)),
            _ => a.cmp(&b),
        });
        let mut last: Option<(View<'_>, Answer)> = None;
        for &at in &*order {
            let Some((view, answer)) = of(at) else { continue };
            let is_new = last.is_none_or(|last| compare(last, (view, answer)).is_ne());
            let is_other = last.is_none_or(|(last, _)| last.mount.device_number() != view.mount.device_number());
            if is_new {
                emit_numbers(cx, &view, answer);
            }
            if (is_new || is_other) && matches!(answer, Answer::Known(Ok(_))) {
                let (major, minor) = view.mount.device_number();
                cx.page.gauge(
                    MOUNT_INFO,
                    MountInfo { device: &view.device, major: &major, minor: &minor, mountpoint: &view.mount_point },
                    1_u64,
                );
            }
            last = Some((view, answer));
        }
    }
}

fn is_local(view: &View<'_>) -> bool {
    LOCAL_TYPES.contains(&view.fs_type)
}

/// Compares by labels, in page order.
fn compare(a: (View<'_>, Answer), b: (View<'_>, Answer)) -> Ordering {
    key(a).cmp(&key(b))
}

fn key((view, answer): (View<'_>, Answer)) -> impl Ord {
    (view.device, error_of(answer).as_bytes(), view.fs_type, view.mount_point)
}

/// The value of the label `device_error`.
fn error_of(answer: Answer) -> &'static str {
    match answer {
        Answer::Known(Ok(_)) => "",
        Answer::Known(Err(KernelError::Errno(errno))) => errno.message(),
        Answer::Known(Err(KernelError::Unsupported)) => "function not implemented",
        Answer::Silent => "mountpoint timeout",
    }
}

fn emit_numbers(cx: &mut Cx<'_, Filesystem>, view: &View<'_>, answer: Answer) {
    let labels = PerMount {
        device: &view.device,
        device_error: &error_of(answer),
        fstype: &view.fs_type,
        mountpoint: &view.mount_point,
    };
    // A stuck mount is exported as writable, as in node_exporter.
    cx.page.gauge(READ_ONLY, labels, view.mount.is_read_only && answer != Answer::Silent);
    let Answer::Known(Ok(numbers)) = answer else { return cx.page.gauge(DEVICE_ERROR, labels, true) };
    cx.page.gauge(DEVICE_ERROR, labels, false);
    let bytes = |blocks: u64| blocks as f64 * numbers.block_size as f64;
    cx.page.gauge(SIZE, labels, bytes(numbers.blocks));
    cx.page.gauge(FREE, labels, bytes(numbers.blocks_free));
    cx.page.gauge(AVAILABLE, labels, bytes(numbers.blocks_available));
    cx.page.gauge(FILES, labels, numbers.files);
    cx.page.gauge(FILES_FREE, labels, numbers.files_free);
    cx.page.gauge(PURGEABLE, labels, 0_u64);
}

#[cfg(test)]
mod tests;
