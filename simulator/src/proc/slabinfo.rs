//! /proc/slabinfo

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::{put_left, put_line, put_right};

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("slabinfo", Content::File(slabinfo))])];

/// A slab cache: name, object size, objects per slab, pages of 4 KiB per slab, and its share of the reclaimable or of
/// the other slabs, in thousandths.
struct Kind(&'static str, u64, u64, u64, u64, Slabs);

#[derive(Clone, Copy)]
enum Slabs {
    Reclaimable,
    Other,
}

use Slabs::{Other, Reclaimable};

static KINDS: [Kind; 24] = [
    Kind("nf_conntrack", 256, 16, 1, 9, Other),
    Kind("ext4_inode_cache", 1_184, 27, 8, 410, Reclaimable),
    Kind("ext4_extent_status", 40, 102, 1, 31, Reclaimable),
    Kind("jbd2_journal_head", 120, 34, 1, 4, Reclaimable),
    Kind("xfs_inode", 1_024, 32, 8, 61, Reclaimable),
    Kind("TCP", 2_432, 13, 8, 11, Other),
    Kind("UDP", 1_344, 24, 8, 4, Other),
    Kind("sock_inode_cache", 832, 39, 8, 21, Other),
    Kind("skbuff_head_cache", 256, 16, 1, 12, Other),
    Kind("proc_inode_cache", 720, 45, 8, 41, Reclaimable),
    Kind("shmem_inode_cache", 792, 41, 8, 13, Reclaimable),
    Kind("inode_cache", 656, 49, 8, 52, Reclaimable),
    Kind("dentry", 192, 21, 1, 271, Reclaimable),
    Kind("buffer_head", 104, 39, 1, 63, Reclaimable),
    Kind("radix_tree_node", 584, 28, 4, 54, Reclaimable),
    Kind("vm_area_struct", 184, 22, 1, 101, Other),
    Kind("task_struct", 9_792, 3, 8, 92, Other),
    Kind("filp", 256, 16, 1, 62, Other),
    Kind("anon_vma", 104, 39, 1, 38, Other),
    Kind("kmalloc-4k", 4_096, 8, 8, 141, Other),
    Kind("kmalloc-1k", 1_024, 32, 8, 134, Other),
    Kind("kmalloc-512", 512, 32, 4, 121, Other),
    Kind("kmalloc-256", 256, 16, 1, 93, Other),
    Kind("kmalloc-64", 64, 64, 1, 161, Other),
];

fn slabinfo(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "slabinfo - version: 2.1");
    put_line!(
        into,
        "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> \
         <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>"
    );
    let parts = moment.memory();
    for Kind(name, size, objects, pages, part, slabs) in &KINDS {
        let all = match slabs {
            Reclaimable => parts.slab_reclaimable,
            Other => parts.slab_unreclaimable,
        };
        // Larger pages hold more objects.
        let objects = objects * moment.page_kilobytes() / 4;
        let slabs = all * part / 1_000 / pages;
        let (total, active) = (slabs * objects, slabs * objects * 97 / 100);
        put_left(name, 17, into);
        for (count, columns) in [(active, 6), (total, 6), (*size, 6), (objects, 4), (*pages, 4)] {
            into.push(b' ');
            put_right(count, columns, into);
        }
        into.extend_from_slice(b" : tunables    0    0    0 : slabdata");
        for count in [slabs, slabs, 0] {
            into.push(b' ');
            put_right(count, 6, into);
        }
        into.push(b'\n');
    }
}
