//! Writing messages, little-endian.

use super::{FIXED_HEADER_BYTES, Kind, VERSION, field};

/// A method call whose arguments are strings.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The name on the bus of the program that is called.
    pub destination: &'a str,
    /// The object.
    pub path: &'a [u8],
    /// The interface of the method.
    pub interface: &'a str,
    /// The method.
    pub member: &'a str,
    /// Its arguments.
    pub arguments: &'a [&'a str],
}

impl Call<'_> {
    /// Adds the message to `into`.
    pub fn write(&self, serial: u32, into: &mut Vec<u8>) {
        let mut writer = Writer::begin(into, Kind::Call, serial);
        writer.text_field(field::PATH, b"o", self.path);
        writer.text_field(field::INTERFACE, b"s", self.interface.as_bytes());
        writer.text_field(field::MEMBER, b"s", self.member.as_bytes());
        writer.text_field(field::DESTINATION, b"s", self.destination.as_bytes());
        let types = [b's'; 8];
        writer.body(types.get(..self.arguments.len()).unwrap_or(&types));
        for argument in self.arguments {
            writer.text(argument.as_bytes());
        }
        writer.end();
    }
}

/// Writes one message behind the bytes that a buffer has already.
#[derive(Debug)]
pub struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
    /// The start of the message.
    start: usize,
    /// The start of the body, once it has begun.
    body: usize,
}

impl<'a> Writer<'a> {
    /// Begins a message of this type and number.
    pub fn begin(bytes: &'a mut Vec<u8>, kind: Kind, serial: u32) -> Self {
        let kind = match kind {
            Kind::Call => 1,
            Kind::Reply => 2,
            Kind::Error => 3,
            Kind::Other => 4,
        };
        let start = bytes.len();
        bytes.extend_from_slice(&[b'l', kind, 0, VERSION, 0, 0, 0, 0]);
        bytes.extend_from_slice(&serial.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        Self { bytes, start, body: 0 }
    }

    /// A reply to a call, for its sender.
    pub fn reply(bytes: &'a mut Vec<u8>, serial: u32, reply_serial: u32, destination: &[u8]) -> Self {
        let mut writer = Self::begin(bytes, Kind::Reply, serial);
        writer.answer_fields(reply_serial, destination);
        writer
    }

    /// A refusal of a call, for its sender.
    pub fn error(bytes: &'a mut Vec<u8>, serial: u32, reply_serial: u32, destination: &[u8], name: &str) -> Self {
        let mut writer = Self::begin(bytes, Kind::Error, serial);
        writer.text_field(field::ERROR_NAME, b"s", name.as_bytes());
        writer.answer_fields(reply_serial, destination);
        writer
    }

    fn answer_fields(&mut self, reply_serial: u32, destination: &[u8]) {
        self.field(field::REPLY_SERIAL, b"u");
        self.u32(reply_serial);
        if !destination.is_empty() {
            self.text_field(field::DESTINATION, b"s", destination);
        }
    }

    fn field(&mut self, code: u8, signature: &[u8]) {
        self.align(8);
        self.bytes.push(code);
        self.signature(signature);
    }

    fn text_field(&mut self, code: u8, signature: &[u8], value: &[u8]) {
        self.field(code, signature);
        self.text(value);
    }

    /// Ends the header; what is written from now on is the body, of these types.
    pub fn body(&mut self, signature: &[u8]) {
        if !signature.is_empty() {
            self.field(field::SIGNATURE, b"g");
            self.signature(signature);
        }
        let fields = self.bytes.len() - self.start - FIXED_HEADER_BYTES;
        self.put_size(self.start + 12, fields);
        self.align(8);
        self.body = self.bytes.len();
    }

    /// Ends the message.
    pub fn end(self) {
        let size = self.bytes.len() - self.body;
        let at = self.start + 4;
        let mut this = self;
        this.put_size(at, size);
    }

    fn put_size(&mut self, at: usize, size: usize) {
        let size = u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(place) = self.bytes.get_mut(at..at + size.len()) {
            place.copy_from_slice(&size);
        }
    }

    /// Adds zeros up to the next multiple of `alignment`. A structure begins at one of eight.
    pub fn align(&mut self, alignment: usize) {
        let length = (self.bytes.len() - self.start).next_multiple_of(alignment);
        self.bytes.resize(self.start + length, 0);
    }

    /// Adds a string or an object path.
    pub fn text(&mut self, text: &[u8]) {
        self.u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(text);
        self.bytes.push(0);
    }

    /// Adds a signature.
    pub fn signature(&mut self, signature: &[u8]) {
        self.bytes.push(u8::try_from(signature.len()).unwrap_or(u8::MAX));
        self.bytes.extend_from_slice(signature);
        self.bytes.push(0);
    }

    /// Adds an unsigned number of 32 bits.
    pub fn u32(&mut self, value: u32) {
        self.align(4);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Adds an unsigned number of 64 bits.
    pub fn u64(&mut self, value: u64) {
        self.align(8);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Adds an array whose elements have this alignment and are written by `elements`.
    pub fn array(&mut self, alignment: usize, elements: impl FnOnce(&mut Self)) {
        self.u32(0);
        let length_at = self.bytes.len() - 4;
        self.align(alignment);
        let begin = self.bytes.len();
        elements(self);
        let length = self.bytes.len() - begin;
        self.put_size(length_at, length);
    }
}
