use super::*;
use proptest::prelude::*;

fn call(arguments: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let call = Call {
        destination: "org.example.Service",
        path: b"/org/example/unit/a_2eservice",
        interface: "org.example.Interface",
        member: "Method",
        arguments,
    };
    call.write(7, &mut bytes);
    bytes
}

/// The bytes of a little-endian message made of these header fields, already encoded, and this body.
fn raw(kind: u8, fields: &[u8], body: &[u8]) -> Vec<u8> {
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let mut message = [&[b'l', kind, 0, 1][..], &size(body), &[9, 0, 0, 0], &size(fields), fields].concat();
    message.resize(message.len().next_multiple_of(8), 0);
    message.extend_from_slice(body);
    message
}

#[test]
fn a_call_has_the_bytes_of_the_specification() {
    let mut bytes = Vec::new();
    Call { destination: "a.b", path: b"/", interface: "a.b", member: "M", arguments: &["x"] }.write(1, &mut bytes);
    let expected: Vec<u8> = [
        &b"l\x01\x00\x01\x06\x00\x00\x00\x01\x00\x00\x00\x47\x00\x00\x00"[..],
        b"\x01\x01o\x00\x01\x00\x00\x00/\x00\x00\x00\x00\x00\x00\x00",
        b"\x02\x01s\x00\x03\x00\x00\x00a.b\x00\x00\x00\x00\x00",
        b"\x03\x01s\x00\x01\x00\x00\x00M\x00\x00\x00\x00\x00\x00\x00",
        b"\x06\x01s\x00\x03\x00\x00\x00a.b\x00\x00\x00\x00\x00",
        b"\x08\x01g\x00\x01s\x00\x00",
        b"\x01\x00\x00\x00x\x00",
    ]
    .concat();
    assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn a_message_is_read_as_it_was_written() {
    let mut bytes = b"another message before".to_vec();
    let start = bytes.len();
    bytes.extend_from_slice(&call(&["one", ""]));
    let bytes = &bytes[start..];
    assert_eq!(message_size(bytes), Ok(Some(bytes.len())));
    let message = message(bytes).unwrap();
    assert_eq!((message.kind, message.serial, message.reply_serial), (Kind::Call, 7, None));
    assert_eq!(message.path, b"/org/example/unit/a_2eservice");
    assert_eq!((message.interface, message.member), (&b"org.example.Interface"[..], &b"Method"[..]));
    let mut body = message.body_of(b"ss").unwrap();
    assert_eq!((body.text(), body.text()), (Ok(&b"one"[..]), Ok(&b""[..])));
    assert!(body.is_empty() && body.text() == Err(Malformed));
    assert_eq!(message.body_of(b"s").err(), Some(Malformed));
}

#[test]
fn replies_and_refusals_name_their_call() {
    let mut bytes = Vec::new();
    let mut writer = Writer::reply(&mut bytes, 2, 41, b":1.7");
    writer.body(b"a(so)vvvvv");
    writer.array(8, |writer| {
        for (name, path) in [("a", "/a"), ("bc", "/bc")] {
            writer.align(8);
            writer.text(name.as_bytes());
            writer.text(path.as_bytes());
        }
    });
    writer.signature(b"u");
    writer.u32(7);
    writer.signature(b"t");
    writer.u64(u64::MAX);
    writer.signature(b"b");
    writer.u32(1);
    writer.signature(b"s");
    writer.text(b"simple");
    writer.signature(b"a(ss)");
    writer.array(8, |writer| {
        writer.text(b"in");
        writer.text(b"side");
    });
    writer.end();
    let reply = message(&bytes).unwrap();
    assert_eq!((reply.kind, reply.serial, reply.reply_serial), (Kind::Reply, 2, Some(41)));
    let mut body = reply.body_of(b"a(so)vvvvv").unwrap();
    let (mut pairs, mut found) = (body.array(8).unwrap(), Vec::new());
    while !pairs.is_empty() {
        pairs.align(8).unwrap();
        found.push((pairs.text().unwrap(), pairs.text().unwrap()));
    }
    assert_eq!(found, [(&b"a"[..], &b"/a"[..]), (b"bc", b"/bc")]);
    let values: Vec<_> = (0..5).map(|_| body.variant().unwrap()).collect();
    let expected = [Value::U32(7), Value::U64(u64::MAX), Value::Bool(true), Value::Text(b"simple"), Value::Other];
    assert_eq!(values, expected);
    assert!(body.is_empty());

    let mut bytes = Vec::new();
    let mut writer = Writer::error(&mut bytes, 3, 42, b"", "org.freedesktop.DBus.Error.AccessDenied");
    writer.body(b"");
    writer.end();
    let refusal = message(&bytes).unwrap();
    assert_eq!((refusal.kind, refusal.reply_serial, refusal.errno()), (Kind::Error, Some(42), Errno::EACCES));
}

#[test]
fn refusals_become_errors() {
    for (name, errno) in [
        ("org.freedesktop.DBus.Error.ServiceUnknown", Errno::ENXIO),
        ("org.freedesktop.DBus.Error.UnknownObject", Errno::ENOENT),
        ("org.freedesktop.systemd1.NoSuchUnit", Errno::ENOENT),
        ("org.freedesktop.DBus.Error.NoReply", Errno::ETIMEDOUT),
        ("org.freedesktop.DBus.Error.LimitsExceeded", Errno::ENOBUFS),
        ("com.example.Other", Errno::EREMOTEIO),
    ] {
        let mut bytes = Vec::new();
        let mut writer = Writer::error(&mut bytes, 3, 42, b"", name);
        writer.body(b"");
        writer.end();
        assert_eq!(message(&bytes).unwrap().errno(), errno, "{name}");
    }
}

#[test]
fn a_big_endian_message_is_read() {
    let bytes = [
        &b"B\x02\x00\x01\x00\x00\x00\x08\x00\x00\x00\x05\x00\x00\x00\x0f"[..],
        b"\x05\x01u\x00\x00\x00\x00\x29\x08\x01g\x00\x01t\x00\x00",
        b"\x00\x00\x00\x00\x00\x00\x01\x02",
    ]
    .concat();
    assert_eq!(message_size(&bytes), Ok(Some(bytes.len())));
    let message = message(&bytes).unwrap();
    assert_eq!((message.serial, message.reply_serial), (5, Some(41)));
    assert_eq!(message.body_of(b"t").unwrap().u64(), Ok(0x102));
}

#[test]
fn sizes_beyond_the_limits_are_refused() {
    let head = |fields: u32, body: u32| {
        let mut bytes = b"l\x02\x00\x01".to_vec();
        for number in [body, 1, fields] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes
    };
    let cap = u32::try_from(MESSAGE_CAP_BYTES).unwrap();
    assert_eq!(message_size(&head(0, cap - 16)), Ok(Some(MESSAGE_CAP_BYTES)));
    assert_eq!(message_size(&head(0, cap - 15)), Err(Malformed));
    assert_eq!(message_size(&head(cap - 16, 0)), Ok(Some(MESSAGE_CAP_BYTES)));
    assert_eq!(message_size(&head(cap - 15, 0)), Err(Malformed));
    assert_eq!(message_size(&head(u32::MAX, u32::MAX)), Err(Malformed));
    assert_eq!(message_size(&head(8, 0)[..15]), Ok(None));
    for (at, byte) in [(0, b'x'), (3, 2)] {
        let mut bytes = head(0, 0);
        bytes[at] = byte;
        assert_eq!(message_size(&bytes), Err(Malformed), "{at}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    // A string longer than its message, one without its zero, one with a zero inside, and a boolean of 2.
    for (signature, body) in [
        (b's', &b"\x05\x00\x00\x00abc\x00"[..]),
        (b's', b"\x03\x00\x00\x00abcd"),
        (b's', b"\x03\x00\x00\x00a\x00c\x00"),
        (b'b', b"\x02\x00\x00\x00"),
    ] {
        let bytes = raw(2, &[8, 1, b'g', 0, 1, signature, 0], body);
        let mut reader = message(&bytes).unwrap().body;
        let outcome = if signature == b's' { reader.text().map(drop) } else { reader.bool().map(drop) };
        assert_eq!(outcome, Err(Malformed), "{}", body.escape_ascii());
    }
    // A serial as a string, a signature that does not end, padding that is not zero, a body cut short.
    for fields in [&[5, 1, b's', 0, 0, 0, 0, 0, 0][..], &[8, 1, b'g', 0, 9, b's', 0], &[1, 1, b'o', 0, 200, 0, 0, 0]] {
        assert_eq!(message(&raw(2, fields, b"")).err(), Some(Malformed), "{fields:?}");
    }
    let mut bytes = raw(2, &[8, 1, b'g', 0, 1, b's', 0], b"\x00\x00\x00\x00\x00");
    assert!(message(&bytes).is_ok());
    assert!(message(&bytes[..bytes.len() - 1]).is_err());
    bytes[23] = 1;
    assert!(message(&bytes).is_err());
}

#[test]
fn unknown_fields_and_types_are_skipped() {
    let number = [9, 1, b'u', 0, 3, 0, 0, 0];
    let nested = [200, 4, b'a', b'a', b'i', b'y', 0];
    assert!(message(&raw(2, &number, b"")).is_ok());
    // More than one type in the signature of a field.
    assert!(message(&raw(2, &nested, b"")).is_err());
    let deep = |depth: usize| {
        let mut body = Vec::new();
        for _ in 0..depth {
            body.extend_from_slice(b"\x01v\x00");
        }
        body.extend_from_slice(b"\x01y\x00\x05");
        let bytes = raw(2, &[8, 1, b'g', 0, 1, b'v', 0], &body);
        message(&bytes).unwrap().body.variant().map(drop)
    };
    assert_eq!((deep(64), deep(65), deep(10_000)), (Ok(()), Err(Malformed), Err(Malformed)));
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let mut reply = Vec::new();
    let mut writer = Writer::reply(&mut reply, 2, 41, b":1.7");
    writer.body(b"a(ssssssouso)");
    writer.array(8, |writer| {
        for _ in 0..2 {
            writer.align(8);
            for text in [&b"a.service"[..], b"A", b"loaded", b"active", b"running", b"", b"/a"] {
                writer.text(text);
            }
            writer.u32(0);
            writer.text(b"");
            writer.text(b"/");
        }
    });
    writer.end();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let edited = (edits, 0_usize..8).prop_map(move |(edits, cut)| {
        let mut bytes = reply.clone();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut);
        bytes
    });
    let random = prop::collection::vec(any::<u8>(), 0..200).prop_map(|bytes| raw(2, &bytes, b""));
    prop_oneof![edited, random, prop::collection::vec(any::<u8>(), 0..64)]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in hostile()) {
        if let Ok(Some(size)) = message_size(&bytes) {
            prop_assert!(size <= MESSAGE_CAP_BYTES);
            if let Ok(found) = message(&bytes) {
                prop_assert_eq!(size, bytes.len());
                // Every value is a part of the message, so that none takes memory of its own.
                let mut body = found.body;
                let mut values = 0;
                while body.variant().is_ok() && !body.is_empty() {
                    values += 1;
                }
                prop_assert!(values <= bytes.len());
                let mut body = found.body;
                if let Ok(mut elements) = body.array(8) {
                    while elements.align(8).is_ok() && elements.text().is_ok() && !elements.is_empty() {}
                }
            }
        }
    }

    #[test]
    fn arguments_come_back(arguments in prop::collection::vec("[a-zé]{0,9}", 0..5)) {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let bytes = call(&arguments);
        prop_assert_eq!(message_size(&bytes), Ok(Some(bytes.len())));
        let mut body = message(&bytes).expect("a message").body;
        for argument in &arguments {
            prop_assert_eq!(body.text(), Ok(argument.as_bytes()));
        }
        prop_assert!(body.is_empty());
    }
}
