//! The wire format of D-Bus: messages and the values in them, written and read as plain bytes on every operating system.
//!
//! A message is a header of 16 bytes, an array of header fields, padding up to a multiple of 8, and a body. Every value
//! is aligned to its size, counted from the start of the message. Only the types that the collectors need are read;
//! others are skipped by their signature.

mod signature;
mod writer;

use crate::host::errno::Errno;

pub use self::writer::{Call, Writer};

/// Maximum size of a message. It is the limit of the system bus; the specification allows 128 MiB.
pub const MESSAGE_CAP_BYTES: usize = 32 * 1024 * 1024;
/// Maximum size of an array, which the specification sets.
const ARRAY_CAP_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of a message that are needed to know its size.
pub const FIXED_HEADER_BYTES: usize = 16;
/// The protocol version of every message.
const VERSION: u8 = 1;

/// Bytes that are not a valid message, or not one of the expected types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl From<Malformed> for Errno {
    fn from(_: Malformed) -> Self {
        Self::EBADMSG
    }
}

/// The type of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A method call.
    Call,
    /// The answer to a call.
    Reply,
    /// The refusal of a call.
    Error,
    /// A signal, or a type that the specification does not have yet.
    Other,
}

/// Codes of header fields.
mod field {
    pub(super) const PATH: u8 = 1;
    pub(super) const INTERFACE: u8 = 2;
    pub(super) const MEMBER: u8 = 3;
    pub(super) const ERROR_NAME: u8 = 4;
    pub(super) const REPLY_SERIAL: u8 = 5;
    pub(super) const DESTINATION: u8 = 6;
    pub(super) const SENDER: u8 = 7;
    pub(super) const SIGNATURE: u8 = 8;
}

/// One message. Fields that it does not have are empty.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its type.
    pub kind: Kind,
    /// Its number, given by the sender.
    pub serial: u32,
    /// The number of the call that it answers.
    pub reply_serial: Option<u32>,
    /// The object that is called.
    pub path: &'a [u8],
    /// The interface of the method.
    pub interface: &'a [u8],
    /// The method's name.
    pub member: &'a [u8],
    /// The name of the error.
    pub error_name: &'a [u8],
    /// The sender's name on the bus.
    pub sender: &'a [u8],
    /// The types of the body.
    pub signature: &'a [u8],
    /// The body.
    pub body: Reader<'a>,
}

/// The whole size of the message that begins with these bytes; `None` where they are too few to know.
pub fn message_size(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(header) = bytes.first_chunk::<FIXED_HEADER_BYTES>() else { return Ok(None) };
    let (mut reader, body_bytes) = header_reader(header)?;
    reader.at = 12;
    let fields_bytes = size_of_value(reader.u32()?)?;
    let size = FIXED_HEADER_BYTES
        .checked_add(fields_bytes)
        .and_then(|size| size.checked_next_multiple_of(8))
        .and_then(|size| size.checked_add(body_bytes))
        .filter(|size| *size <= MESSAGE_CAP_BYTES);
    size.map(Some).ok_or(Malformed)
}

/// A reader of the header in its byte order, and the size of the body.
fn header_reader(bytes: &[u8]) -> Result<(Reader<'_>, usize), Malformed> {
    let is_big_endian = match bytes.first() {
        Some(b'l') => false,
        Some(b'B') => true,
        _ => return Err(Malformed),
    };
    if bytes.get(3) != Some(&VERSION) {
        return Err(Malformed);
    }
    let mut reader = Reader { bytes, at: 4, is_big_endian };
    let body_bytes = size_of_value(reader.u32()?)?;
    Ok((reader, body_bytes))
}

fn size_of_value(size: u32) -> Result<usize, Malformed> {
    usize::try_from(size).ok().filter(|size| *size <= ARRAY_CAP_BYTES).ok_or(Malformed)
}

/// Reads a whole message, whose size is that of [`message_size`].
pub fn message(bytes: &[u8]) -> Result<Message<'_>, Malformed> {
    let (mut reader, body_bytes) = header_reader(bytes)?;
    let kind = match bytes.get(1) {
        Some(1) => Kind::Call,
        Some(2) => Kind::Reply,
        Some(3) => Kind::Error,
        Some(0) | None => return Err(Malformed),
        Some(_) => Kind::Other,
    };
    let mut message = Message {
        kind,
        serial: reader.u32()?,
        reply_serial: None,
        path: b"",
        interface: b"",
        member: b"",
        error_name: b"",
        sender: b"",
        signature: b"",
        body: Reader { bytes: b"", at: 0, is_big_endian: reader.is_big_endian },
    };
    let mut fields = reader.array(8)?;
    while !fields.is_empty() {
        fields.align(8)?;
        let code = fields.u8()?;
        let signature = fields.signature()?;
        let text = match (code, signature) {
            (field::REPLY_SERIAL, b"u") => {
                message.reply_serial = Some(fields.u32()?);
                continue;
            }
            (field::PATH, b"o") => &mut message.path,
            (field::INTERFACE, b"s") => &mut message.interface,
            (field::MEMBER, b"s") => &mut message.member,
            (field::ERROR_NAME, b"s") => &mut message.error_name,
            (field::SENDER, b"s") => &mut message.sender,
            (field::SIGNATURE, b"g") => {
                message.signature = fields.signature()?;
                continue;
            }
            (field::PATH..=field::SIGNATURE, _) if code != field::DESTINATION => return Err(Malformed),
            _ => {
                fields.skip_single(signature)?;
                continue;
            }
        };
        *text = fields.text()?;
    }
    reader.align(8)?;
    let rest = bytes.get(reader.at..).filter(|rest| rest.len() == body_bytes).ok_or(Malformed)?;
    // The body begins at a multiple of eight, so that its own positions have the alignment of the message's.
    message.body.bytes = rest;
    Ok(message)
}

impl<'a> Message<'a> {
    /// A reader of the body, if it is of these types.
    pub fn body_of(&self, signature: &[u8]) -> Result<Reader<'a>, Malformed> {
        if self.signature == signature { Ok(self.body) } else { Err(Malformed) }
    }

    /// The error number that fits the refusal best. Only [`Kind::Error`] has one.
    pub fn errno(&self) -> Errno {
        let known = |prefix: &[u8]| self.error_name.strip_prefix(prefix);
        let name = known(b"org.freedesktop.DBus.Error.").or_else(|| known(b"org.freedesktop.systemd1."));
        match name.unwrap_or_default() {
            b"AccessDenied" | b"AuthFailed" | b"InteractiveAuthorizationRequired" => Errno::EACCES,
            b"ServiceUnknown" | b"NameHasNoOwner" => Errno::ENXIO,
            b"UnknownObject" | b"UnknownMethod" | b"UnknownInterface" | b"UnknownProperty" | b"NoSuchUnit" => {
                Errno::ENOENT
            }
            b"LimitsExceeded" | b"NoMemory" => Errno::ENOBUFS,
            b"NoReply" | b"Timeout" | b"TimedOut" => Errno::ETIMEDOUT,
            b"Disconnected" | b"NoServer" => Errno::ECONNRESET,
            b"InvalidArgs" | b"InvalidSignature" => Errno::EINVAL,
            b"NotSupported" => Errno::EOPNOTSUPP,
            _ => Errno::EREMOTEIO,
        }
    }
}

/// A simple value out of a variant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// A string, an object path or a signature.
    Text(&'a [u8]),
    /// A boolean.
    Bool(bool),
    /// An unsigned number of 32 bits.
    U32(u32),
    /// An unsigned number of 64 bits.
    U64(u64),
    /// A value of another type, which was skipped.
    Other,
}

/// Reads values one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// From the start of the message, or of its body, up to the end of the values.
    bytes: &'a [u8],
    at: usize,
    is_big_endian: bool,
}

impl<'a> Reader<'a> {
    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Goes to the next multiple of `alignment`. A structure begins at one of eight. Padding is zero.
    pub fn align(&mut self, alignment: usize) -> Result<(), Malformed> {
        let next = self.at.next_multiple_of(alignment);
        let padding = self.bytes.get(self.at..next).ok_or(Malformed)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Malformed);
        }
        self.at = next;
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..count)).ok_or(Malformed)?;
        self.at += count;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.align(N)?;
        let mut bytes: [u8; N] = self.take(N)?.try_into().map_err(|_| Malformed)?;
        // From here on the most significant byte is the last one.
        if self.is_big_endian {
            bytes.reverse();
        }
        Ok(bytes)
    }

    /// A byte.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(u8::from_le_bytes(self.chunk()?))
    }

    /// An unsigned number of 32 bits.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.chunk()?))
    }

    /// An unsigned number of 64 bits.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_le_bytes(self.chunk()?))
    }

    /// A boolean, which has 32 bits.
    pub fn bool(&mut self) -> Result<bool, Malformed> {
        match self.u32()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    /// A string or an object path. Whether it is UTF-8 is left to those who print it.
    pub fn text(&mut self) -> Result<&'a [u8], Malformed> {
        let length = size_of_value(self.u32()?)?;
        self.terminated(length)
    }

    /// A signature.
    pub fn signature(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::from(self.u8()?);
        self.terminated(length)
    }

    /// Text of this length and the zero behind it.
    fn terminated(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let text = self.take(length)?;
        let end = self.take(1)?;
        if end == [0] && !text.contains(&0) { Ok(text) } else { Err(Malformed) }
    }

    /// A reader of the elements of an array, whose alignment is this one; [`Reader::is_empty`] tells its end.
    pub fn array(&mut self, alignment: usize) -> Result<Reader<'a>, Malformed> {
        let length = size_of_value(self.u32()?)?;
        self.align(alignment)?;
        let end = self.at.checked_add(length).ok_or(Malformed)?;
        let bytes = self.bytes.get(..end).ok_or(Malformed)?;
        let elements = Reader { bytes, ..*self };
        self.at = end;
        Ok(elements)
    }

    /// A variant.
    pub fn variant(&mut self) -> Result<Value<'a>, Malformed> {
        Ok(match self.signature()? {
            b"s" | b"o" => Value::Text(self.text()?),
            b"g" => Value::Text(self.signature()?),
            b"b" => Value::Bool(self.bool()?),
            b"u" => Value::U32(self.u32()?),
            b"t" => Value::U64(self.u64()?),
            other => {
                self.skip_single(other)?;
                Value::Other
            }
        })
    }

    /// Skips one value of the single complete type that the whole signature is.
    fn skip_single(&mut self, signature: &[u8]) -> Result<(), Malformed> {
        if signature::skip(self, signature, 0)?.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
#[path = "dbus/tests.rs"]
mod tests;
