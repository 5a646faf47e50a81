//! Round trips of every format, and hostile archives.

use std::sync::Arc;

use collectors::host::errno::Errno;
use collectors::host::root::Mount;
use collectors::host::root::tree::{Node, Special};
use collectors::host::tree_text;
use proptest::prelude::*;

use super::*;

fn example() -> Tree {
    Tree::new()
        .with_file("proc/stat", "cpu 1 2\n")
        .with_file("kernel/uname", "sysname Linux\n")
        .with_link("sys/class/net/eth0", "../../devices/pci0000:00/0000:00:03.0/net/eth0")
        .with("sys/devices/pci0000:00/0000:00:03.0/net/eth0/speed", Node::file("").with_error(Errno::EINVAL))
        .with("sys/secret", Node::file("1\n").with_mode(0o200).with_size_bytes(4096))
        .with("host/run/socket", Node::special(Special::Socket))
        .with("host/run/fifo", Node::special(Special::Fifo))
        .with("host/dev/null", Node::special(Special::Device).with_mode(0o666))
        .with("host/srv/a.prom", Node::file([0, 255, b'\n']).with_modified_seconds(1_700_000_000))
        .with_link(&format!("sys/{}", "l".repeat(200)), &"t/".repeat(200))
        .with_file("later/proc/stat", "cpu 2 3\n")
        .with_directory("rootfs/empty")
}

#[test]
fn a_tar_archive_holds_every_attribute_of_a_tree() {
    let tree = example();
    let bytes = write_tar(&tree).unwrap();
    assert_eq!(Format::of(&bytes), Some(Format::Tar));
    assert_eq!(read(&bytes).unwrap(), tree);
    let text = tree_text::write(&tree);
    assert_eq!(read(&text).unwrap(), tree);
}

#[test]
fn a_root_is_copied_with_its_links_and_errors() {
    let tree = Arc::new(example());
    let mut copied = Tree::new();
    let roots = tree.roots();
    for mount in [Mount::Sys, Mount::Proc] {
        let tree_path = |path: &[u8]| {
            let folder = mount.name().as_bytes();
            Ok(Some(if path.is_empty() { folder.to_vec() } else { [folder, b"/", path].concat() }))
        };
        copy(roots.get(mount), b"", &mut copied, &tree_path).unwrap();
    }
    for path in ["sys/class/net/eth0", "sys/devices/pci0000:00/0000:00:03.0/net/eth0/speed", "proc/stat"] {
        assert_eq!(copied.get(path), tree.get(path), "{path}");
    }
    assert_eq!(copied.get("sys/secret").and_then(Node::error), Some(Errno::EACCES));
}

/// A tar.zst of `proc/stat` with 20,000 times `x`.
fn compressed() -> Vec<u8> {
    let tar = write_tar(&Tree::new().with_file("proc/stat", vec![b'x'; 20_000])).unwrap();
    ruzstd::encoding::compress_to_vec(tar.as_slice(), ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn a_compressed_archive_is_read() {
    let bytes = compressed();
    assert_eq!(Format::of(&bytes), Some(Format::TarZstd));
    assert_eq!(read(&bytes).unwrap().content("proc/stat").map(<[u8]>::len), Some(20_000));
    let cut = bytes.get(..bytes.len() / 2).unwrap();
    assert!(read(cut).unwrap_err().to_string().contains("zstd"), "{:?}", read(cut));
}

/// A header without the checks of the `tar` crate.
fn header(name: &str, kind: ::tar::EntryType, size_bytes: u64, link: &str) -> Vec<u8> {
    let mut header = ::tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size_bytes);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[track_caller]
fn check_refused(archive: &[u8], expected: &str) {
    let error = read(archive).expect_err("a hostile archive").to_string();
    assert!(error.contains(expected), "`{expected}` is not in `{error}`");
}

#[test]
fn hostile_archives_are_refused_with_the_name_of_the_entry() {
    use ::tar::EntryType as Kind;
    let end = [0; 1024];
    let one = |name: &str, kind, size, link: &str| [header(name, kind, size, link).as_slice(), &end].concat();
    check_refused(&one("../etc/passwd", Kind::Regular, 0, ""), "`../etc/passwd`: `..` in a name");
    check_refused(&one("proc/../../x", Kind::Regular, 0, ""), "`..` in a name");
    check_refused(&one("/etc/passwd", Kind::Regular, 0, ""), "an absolute name");
    check_refused(&one("proc/x", Kind::Link, 0, "/etc/shadow"), "a hard link to `/etc/shadow`: an absolute name");
    check_refused(&one("proc/x", Kind::Link, 0, "../../x"), "a hard link to");
    check_refused(&one("proc/x", Kind::Link, 0, "proc/y"), "not an earlier file");
    check_refused(&one("proc/x", Kind::Regular, 0o777_7777_7777, ""), "more than the");
    check_refused(&one("proc/x", Kind::Regular, 100_000, ""), "proc/x");
    check_refused(&one("proc/x", Kind::Symlink, 0, ""), "a link's target has");
    let below = [header("sys/a", Kind::Symlink, 0, "/tmp"), header("sys/a/b", Kind::Regular, 0, ""), end.to_vec()];
    check_refused(&below.concat(), "something above it is no directory");
    check_refused(b"ELF", "neither a .tree file nor");
    check_refused(b"Path: ../x\nLines: 0\nMode: 644\n", "line 3: `../x`: `..` in a name");
    check_refused(b"Path: /proc/x\nLines: 0\nMode: 644\n", "an absolute name");
}

#[test]
fn a_link_out_of_the_archive_is_kept_and_never_followed() {
    let archive = [header("sys/a", ::tar::EntryType::Symlink, 0, "../../../etc/passwd"), vec![0; 1024]].concat();
    let roots = Arc::new(read(&archive).unwrap()).roots();
    let result = roots.get(Mount::Sys).read(b"a", &mut Vec::new(), 100);
    assert_eq!(result, Err(collectors::host::root::RootError::Escapes));
}

fn nodes() -> impl Strategy<Value = Node> {
    let content = prop::collection::vec(any::<u8>(), 0..40);
    let file = (content, any::<Option<u64>>(), prop::option::of(Just(Errno::EIO)), 0_u64..1 << 33).prop_map(
        |(content, size, error, modified)| {
            let node = Node::file(content).with_modified_seconds(modified);
            let node = size.map_or(node.clone(), |size| node.with_size_bytes(size));
            error.map_or(node.clone(), |error| node.with_error(error))
        },
    );
    let link = prop::collection::vec(1_u8.., 1..120).prop_map(Node::link);
    prop_oneof![4 => file, 1 => link, 1 => Just(Node::directory()), 1 => Just(Node::special(Special::Socket))]
}

fn trees() -> impl Strategy<Value = Tree> {
    let name = prop::string::string_regex("[a-z]{1,2}|[a-z:\\\\ é]{50,60}").expect("a pattern");
    let path = prop::collection::vec(name, 1..5).prop_map(|names| format!("sys/{}", names.join("/")));
    prop::collection::vec((path, nodes()), 0..12).prop_map(|entries| {
        let mut tree = Tree::new();
        for (path, node) in entries {
            // A conflict with an earlier entry is refused: the earlier one stays.
            let _ = tree.insert(path, node);
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tree_round_trips_through_each_format(tree in trees()) {
        prop_assume!(tree.iter().next().is_some());
        prop_assert_eq!(&read(&write_tar(&tree).unwrap()).unwrap(), &tree);
        prop_assert_eq!(&read(&tree_text::write(&tree)).unwrap(), &tree);
    }

    #[test]
    fn corrupt_bytes_are_read_or_refused(at in 0_usize..4096, byte: u8, cut in 0_usize..4096) {
        let mut bytes = write_tar(&example()).unwrap();
        if let Some(target) = bytes.get_mut(at) {
            *target = byte;
        }
        let _ = read(&bytes);
        bytes.truncate(cut);
        let _ = read(&bytes);
        let mut packed = compressed();
        if let Some(target) = packed.get_mut(at) {
            *target = byte;
        }
        let _ = read(&packed);
    }
}

/// A zstd frame with 4 bytes per block that unpacks to `blocks` blocks of 128 KiB of zeros.
fn zstd_bomb(blocks: usize) -> Vec<u8> {
    // Magic, no content size and no checksum, window of 128 KiB.
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for block in 1..=blocks {
        let (run_length_encoded, is_last) = (1 << 1, u32::from(block == blocks));
        let header = (128 << 10) << 3 | run_length_encoded | is_last;
        bomb.extend_from_slice(&header.to_le_bytes()[..3]);
        bomb.push(0);
    }
    bomb
}

#[test]
fn a_zstd_bomb_is_refused_at_the_cap_for_its_size() {
    // 71 kB that unpack to 2.3 GB.
    let bomb = zstd_bomb(17_750);
    assert_eq!(bomb.len(), 71_006);
    assert_eq!(unpacked_cap_bytes(bomb.len()), 64 << 20);
    check_refused(&bomb, "more than 67108864 bytes unpacked");
    // Frames count together.
    check_refused(&zstd_bomb(300).repeat(2), "more than 67108864 bytes unpacked");
    // Zeros are an empty archive: exactly the cap is read, one byte more is not.
    assert!(read(&zstd_bomb(512)).unwrap().iter().next().is_none());
    check_refused(&zstd_bomb(513), "more than 67108864 bytes unpacked");
    assert_eq!(unpacked_cap_bytes(usize::MAX), TOTAL_CAP_BYTES);
}

#[test]
fn hard_links_count_towards_the_unpacked_size() {
    let mut archive = header("proc/x", ::tar::EntryType::Regular, 1 << 16, "");
    archive.resize(archive.len() + (1 << 16), b'x');
    for number in 0..1_100 {
        archive.extend(header(&format!("proc/{number}"), ::tar::EntryType::Link, 0, "proc/x"));
    }
    // 72 MB of 629 kB: within 200 times its size, and beyond a cap of 64 MiB.
    assert!(read(&archive).is_ok());
    let error = super::tar::read_plain(&archive, 64 << 20).unwrap_err().to_string();
    assert!(error.contains("more than 67108864 bytes unpacked"), "{error}");
}

/// Entries of one directory in an order in which each insertion into a sorted list would move half of it, with a
/// second directory in between.
#[test]
fn two_hundred_thousand_files_of_one_directory_are_read_in_near_linear_time() {
    const COUNT: usize = 200_000;
    const STEP: usize = 77_773;
    let name = |number: usize| format!("proc/fs/{:06}", number * STEP % COUNT);
    let entries = |name: String| format!("Path: {name}\nSymlinkTo: x\nPath: {name}.d/x\nSymlinkTo: x\n");
    let archive: Vec<String> = (0..COUNT).map(|number| entries(name(number))).collect();
    let archive = archive.concat();
    // 40 s and more when insertion is quadratic, 2 s in a debug build when it is not.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(read(archive.as_bytes())));
    let tree = receiver.recv_timeout(std::time::Duration::from_secs(30)).expect("read within 30 s").unwrap();
    // Files, directories `.d` and files in them; `proc`, `proc/fs`.
    assert_eq!(tree.iter().count(), 3 * COUNT + 2);
}

/// The header of a zstd frame with this window descriptor, and one empty last block.
fn zstd_frame(window_descriptor: u8) -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, window_descriptor, 1, 0, 0]
}

#[test]
fn a_zstd_window_beyond_the_limit_is_refused() {
    // 2^(10 + 13) bytes are allowed, one eighth more is not.
    assert!(read(&zstd_frame(13 << 3)).unwrap().iter().next().is_none());
    check_refused(&zstd_frame(13 << 3 | 1), "zstd: ");
}

#[test]
fn names_that_would_be_held_in_memory_are_limited() {
    use ::tar::EntryType as Kind;
    for kind in [Kind::GNULongName, Kind::GNULongLink, Kind::XHeader, Kind::XGlobalHeader] {
        let mut archive = header("x", kind, (1 << 20) + 1, "");
        archive.resize(archive.len() + (2 << 20), b'x');
        check_refused(&archive, "`x`: 1048577 bytes, more than the limit of 1048576");
    }
}
