//! Pods with containers, volumes and control groups.

use super::super::kit::identity::{hexadecimal, uuid};
use super::super::kit::mounts::{self, MountRow};
use super::ARCHITECTURE;
use crate::machine::{ControlGroup, GroupLoad, Memory, MountPoint, Space, Tenant, Tenants};
use crate::seed::Seed;
use crate::wave::{OFFICE, Wave};

/// Quality of service class of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Promise {
    Guaranteed,
    Burstable,
    BestEffort,
}

#[derive(Clone, Debug)]
pub(super) struct Pod {
    /// Series of the pod slot's load, independent of its occupant.
    pub(super) place: Seed,
    pub(super) tenant: Tenant,
    pub(super) seed: Seed,
    pub(super) uid: String,
    pub(super) promise: Promise,
    /// Sandbox container, which holds the namespaces.
    pub(super) sandbox: String,
    pub(super) containers: Vec<String>,
    /// Secret volumes besides that of its service account.
    pub(super) secrets: Vec<String>,
    /// Index of its network namespace, if it has one.
    pub(super) network: Option<usize>,
}

/// Mounts of a minimal pod: service account, shared memory, sandbox, one container.
const LEAST_MOUNTS: usize = 4;
/// One of this many additional mounts is a container's, the others are secrets.
const CONTAINER_ONE_IN: usize = 3;

/// Pods with a number of network namespaces, filled up to a total number of mounts including the host's `own`.
pub(super) fn pods(seed: Seed, [pods, networks, mounts]: [usize; 3], own: usize, tenants: &Tenants) -> Vec<Pod> {
    let networks = networks.min(pods);
    let more = mounts.saturating_sub(own + LEAST_MOUNTS * pods + networks);
    let pod = |number: usize| {
        let (place, tenant) = (seed.of("pod").at(number as u64), tenants.of(number));
        let seed = tenant.seed(place);
        let promise = match seed.of("promise").below(10) {
            0 => Promise::Guaranteed,
            1..=6 => Promise::Burstable,
            _ => Promise::BestEffort,
        };
        // Additional mounts are distributed evenly.
        let (before, after) = (more * number / pods.max(1), more * (number + 1) / pods.max(1));
        let containers = 1 + (before..after).filter(|mount| mount.is_multiple_of(CONTAINER_ONE_IN)).count();
        let secrets = (after - before) + 1 - containers;
        let name = |what: &str, number: usize| hexadecimal(seed.of(what).at(number as u64), 64);
        Pod {
            place,
            tenant,
            seed,
            uid: uuid(seed.of("uid")),
            promise,
            sandbox: name("sandbox", 0),
            containers: (0..containers).map(|container| name("container", container)).collect(),
            secrets: (0..secrets)
                .map(|secret| {
                    ["tls", "registry", "database", "queue"][secret % 4].to_owned()
                        + &if secret < 4 { String::new() } else { format!("-{}", secret / 4) }
                })
                .collect(),
            // Host-network pods come first.
            network: number.checked_sub(pods - networks),
        }
    };
    (0..pods).map(pod).collect()
}

/// Mounts of the host and of the pods.
pub(super) fn mounts(memory: &Memory, own: Vec<MountRow>, pods: &[Pod]) -> Vec<MountPoint> {
    const FIRST_MINOR: u32 = 60;
    let below = own.iter().find(|row| row.point == "/var/lib/containerd").or(own.first()).cloned();
    let mut rows = own;
    let Some(below) = below else { return Vec::new() };
    for pod in pods {
        let minor = FIRST_MINOR + u32::try_from(rows.len()).unwrap_or_default();
        rows.extend((minor..).zip(volumes(memory, pod)).map(|(minor, row)| MountRow { device: (0, minor), ..row }));
        let minor = FIRST_MINOR + u32::try_from(rows.len()).unwrap_or_default();
        let containers = [&pod.sandbox].into_iter().chain(&pod.containers);
        rows.extend((minor..).zip(containers).map(|(minor, name)| overlay(pod.seed, minor, name, &below)));
        if pod.network.is_some() {
            rows.push(MountRow {
                // Device number of nsfs.
                device: (0, 4),
                point: format!("/run/netns/cni-{}", uuid(pod.seed.of("network"))),
                options: "rw",
                fs_type: "nsfs",
                source: "nsfs".to_owned(),
                super_options: "rw".to_owned(),
                space: Space::NONE,
            });
        }
    }
    let mut mounts = mounts::mounts(&rows);
    for (number, mount) in (0_u64..).zip(mounts.iter_mut().filter(|mount| mount.fs_type == "nsfs")) {
        mount.root = format!("net:[{}]", 4_026_532_301 + 94 * number);
    }
    mounts
}

/// tmpfs mounts of kubelet and runtime.
fn volumes(memory: &Memory, pod: &Pod) -> Vec<MountRow> {
    const LIMIT_PAGES: u64 = 16_384;
    let page_bytes = ARCHITECTURE.page_size_bytes();
    let folder = format!("/var/lib/kubelet/pods/{}/volumes", pod.uid);
    let volume = |point: &str| mounts::tmpfs(memory, page_bytes, (0, point), "rw,relatime", Some(LIMIT_PAGES), 3);
    let token = hexadecimal(pod.seed.of("token"), 5);
    let mut rows = vec![volume(&format!("{folder}/kubernetes.io~projected/kube-api-access-{token}"))];
    rows.extend(pod.secrets.iter().map(|name| volume(&format!("{folder}/kubernetes.io~secret/{name}"))));
    let shared = format!("/run/containerd/io.containerd.grpc.v1.cri/sandboxes/{}/shm", pod.sandbox);
    rows.push(MountRow {
        source: "shm".to_owned(),
        ..mounts::tmpfs(memory, page_bytes, (0, &shared), "rw,nosuid,nodev,noexec,relatime", Some(LIMIT_PAGES), 0)
    });
    rows
}

fn overlay(seed: Seed, minor: u32, name: &str, below: &MountRow) -> MountRow {
    let seed = seed.of(name);
    let snapshot = |part: &str| {
        let number = seed.of(part).between(20, 9_000);
        format!("/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/{number}")
    };
    MountRow {
        device: (0, minor),
        point: format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{name}/rootfs"),
        options: "rw,relatime",
        fs_type: "overlay",
        source: "overlay".to_owned(),
        super_options: format!(
            "rw,lowerdir={}/fs:{}/fs,upperdir={2}/fs,workdir={2}/work",
            snapshot("a"),
            snapshot("b"),
            snapshot("upper")
        ),
        space: below.space,
    }
}

/// A slice per pod below that of its class, with a scope per container and sandbox.
pub(super) fn control_groups(seed: Seed, pods: &[Pod]) -> Vec<ControlGroup> {
    let born = |path: String, processes, load, born_micros| ControlGroup { path, processes, load, born_micros };
    let mut groups = vec![born("kubepods.slice".to_owned(), 0, None, 0)];
    for promise in ["besteffort", "burstable"] {
        groups.push(born(format!("kubepods.slice/kubepods-{promise}.slice"), 0, None, 0));
    }
    for pod in pods {
        let group = |path: String, processes, load| born(path, processes, load, pod.tenant.born_micros);
        let uid = pod.uid.replace('-', "_");
        let slice = match pod.promise {
            Promise::Guaranteed => format!("kubepods.slice/kubepods-pod{uid}.slice"),
            Promise::Burstable => format!("kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid}.slice"),
            Promise::BestEffort => {
                format!("kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{uid}.slice")
            }
        };
        groups.push(group(slice.clone(), 0, None));
        groups.push(group(format!("{slice}/cri-containerd-{}.scope", pod.sandbox), 1, None));
        groups.extend(pod.containers.iter().map(|name| {
            let own = pod.seed.of(name);
            let load = GroupLoad {
                wave: Wave::new(&OFFICE, seed, name),
                cpu_permille: own.of("cpu").between(4, 240),
                memory_bytes: own.of("memory").between(24, 900) << 20,
            };
            let processes = u32::try_from(own.of("processes").between(1, 30)).unwrap_or(1);
            group(format!("{slice}/cri-containerd-{name}.scope"), processes, Some(load))
        }));
    }
    groups
}
