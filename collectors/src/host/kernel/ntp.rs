//! The simple network time protocol of RFC 5905: a request, and what its reply says.

use std::time::Duration;

use crate::host::errno::Errno;

/// A question to a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NtpQuery<'a> {
    /// Host and port: `127.0.0.1:123`, `[::1]:123`.
    pub server: &'a str,
    /// The version of the protocol, 2 to 4.
    pub version: u8,
    /// Time to live of the request in hops; 0 for the system's default.
    pub ttl: u8,
}

/// The reply of a server, and when it came.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct NtpAnswer {
    /// Leap second indicator: 0 none, 1 one more, 2 one less, 3 not synchronised.
    pub leap: u8,
    /// Distance to a reference clock in servers; 0 for a server that refuses.
    pub stratum: u8,
    /// Offset of the server's clock from the local one in nanoseconds.
    pub offset_nanoseconds: i64,
    /// Time between request and reply, without the server's own.
    pub round_trip: Duration,
    /// The error that the clocks have at least: how long before its request the reply was sent, or after its arrival.
    pub minimum_error: Duration,
    /// Round trip between the server and its reference clock.
    pub root_delay: Duration,
    /// Dispersion between the server and its reference clock.
    pub root_dispersion: Duration,
    /// When the server sent the reply, since 1970.
    pub transmitted: Duration,
    /// When the server's clock was set last, since 1970.
    pub reference: Duration,
}

/// A packet without extensions.
pub const PACKET_BYTES: usize = 48;

const MODE_CLIENT: u8 = 3;
const MODE_SERVER: u8 = 4;
const MODE_MASK: u8 = 0x7;
const VERSION_SHIFT: u32 = 3;
const LEAP_SHIFT: u32 = 6;
/// The precision that a client knows nothing of.
const PRECISION: u8 = 0x20;

/// A time of the protocol: seconds since 1900 in the upper half, their fraction in the lower one.
type Timestamp = u64;

/// 1970 in the protocol's time. Earlier times are of the era that begins in 2036.
const UNIX_EPOCH: Timestamp = 2_208_988_800 << 32;
/// Seconds from 1970 to the era that begins in 2036.
const ERA_1_SECONDS: u64 = (1 << 32) - (UNIX_EPOCH >> 32);
const NANOS: u64 = 1_000_000_000;

/// Writes a request with a cookie, which the reply repeats: an unpredictable number instead of the local time.
pub fn request(version: u8, cookie: u64) -> [u8; PACKET_BYTES] {
    let mut packet = [0; PACKET_BYTES];
    packet[0] = version << VERSION_SHIFT | MODE_CLIENT;
    packet[3] = PRECISION;
    packet[40..].copy_from_slice(&cookie.to_be_bytes());
    packet
}

/// Reads the reply to the request with this cookie, sent and received at these times since 1970. `EBADMSG` is a packet
/// that is none.
pub fn reply(packet: &[u8], cookie: u64, sent: Duration, received: Duration) -> Result<NtpAnswer, Errno> {
    let packet: &[u8; PACKET_BYTES] = packet.first_chunk().ok_or(Errno::EBADMSG)?;
    let long = |offset: usize| packet[offset..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let short = |offset: usize| packet[offset..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let (repeated, receive, transmit) = (long(24), long(32), long(40));
    if packet[0] & MODE_MASK != MODE_SERVER || transmit == 0 || repeated != cookie || receive > transmit {
        return Err(Errno::EBADMSG);
    }
    let (origin, destination) = (timestamp(sent), timestamp(received));
    // Differences are right across the eras.
    let outward = receive.wrapping_sub(origin).cast_signed();
    let homeward = transmit.wrapping_sub(destination).cast_signed();
    let offset = outward.wrapping_add(homeward.wrapping_sub(outward) / 2);
    let within = transmit.wrapping_sub(receive).cast_signed();
    let round_trip = destination.wrapping_sub(origin).cast_signed().wrapping_sub(within).max(0);
    let before = origin.saturating_sub(receive);
    let after = transmit.saturating_sub(destination);
    let magnitude = i64::try_from(nanoseconds(offset.unsigned_abs())).unwrap_or(i64::MAX);
    Ok(NtpAnswer {
        leap: packet[0] >> LEAP_SHIFT,
        stratum: packet[1],
        offset_nanoseconds: if offset < 0 { -magnitude } else { magnitude },
        round_trip: Duration::from_nanos(nanoseconds(round_trip.unsigned_abs())),
        minimum_error: Duration::from_nanos(nanoseconds(before.max(after))),
        root_delay: short_duration(short(4)),
        root_dispersion: short_duration(short(8)),
        transmitted: since_1970(transmit),
        reference: since_1970(long(16)),
    })
}

/// A time since 1970 in the protocol's form.
fn timestamp(time: Duration) -> Timestamp {
    let seconds = time.as_secs().wrapping_add(UNIX_EPOCH >> 32);
    let fraction = (u64::from(time.subsec_nanos()) << 32).wrapping_add(NANOS / 2) / NANOS;
    (seconds << 32).wrapping_add(fraction)
}

/// A span of time in nanoseconds, rounded.
fn nanoseconds(span: Timestamp) -> u64 {
    (span >> 32) * NANOS + (((span & 0xffff_ffff) * NANOS + (1 << 31)) >> 32)
}

/// A span with 16 bits of seconds and 16 of their fraction.
fn short_duration(span: u32) -> Duration {
    let nanos = (u64::from(span & 0xffff) * NANOS + (1 << 15)) >> 16;
    Duration::from_nanos(u64::from(span >> 16) * NANOS + nanos)
}

fn since_1970(time: Timestamp) -> Duration {
    match time.checked_sub(UNIX_EPOCH) {
        Some(since) => Duration::from_nanos(nanoseconds(since)),
        None => Duration::from_secs(ERA_1_SECONDS) + Duration::from_nanos(nanoseconds(time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COOKIE: u64 = 0x0123_4567_89ab_cdef;
    const SENT: Duration = Duration::from_secs(1_700_000_000);
    const A_MINUTE_AGO: i64 = -64_000;

    /// The time so many milliseconds after the request was sent.
    fn after(milliseconds: i64) -> Duration {
        Duration::from_millis(1_700_000_000_000_u64.saturating_add_signed(milliseconds))
    }

    /// A reply of version 4, stratum 2, received and sent again at these times.
    fn packet(received: Duration, transmitted: Duration) -> [u8; PACKET_BYTES] {
        let mut packet = [0; PACKET_BYTES];
        packet[0] = 1 << 6 | 4 << 3 | MODE_SERVER;
        packet[1] = 2;
        packet[4..8].copy_from_slice(&0x0001_8000_u32.to_be_bytes());
        packet[8..12].copy_from_slice(&0x0000_4000_u32.to_be_bytes());
        packet[16..24].copy_from_slice(&timestamp(after(A_MINUTE_AGO)).to_be_bytes());
        packet[24..32].copy_from_slice(&COOKIE.to_be_bytes());
        packet[32..40].copy_from_slice(&timestamp(received).to_be_bytes());
        packet[40..].copy_from_slice(&timestamp(transmitted).to_be_bytes());
        packet
    }

    /// Offset, round trip and minimum error in microseconds.
    fn rounded(answer: NtpAnswer) -> (i64, u128, u128) {
        let micros = |time: Duration| (time.as_nanos() + 500) / 1_000;
        let offset = (answer.offset_nanoseconds + 500).div_euclid(1_000);
        (offset, micros(answer.round_trip), micros(answer.minimum_error))
    }

    #[test]
    fn the_request_has_the_documented_layout() {
        let mut expected = [0; 48];
        (expected[0], expected[3]) = (0x23, 0x20);
        expected[40..].copy_from_slice(&[0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        assert_eq!(request(4, COOKIE), expected);
        assert_eq!(request(2, 0)[0], 0x13);
    }

    #[test]
    fn a_reply_has_its_fields() {
        let bytes = packet(after(3), after(4));
        let found = reply(&bytes, COOKIE, SENT, after(6)).unwrap();
        assert_eq!((found.leap, found.stratum), (1, 2));
        assert_eq!(found.root_delay, Duration::from_millis(1_500));
        assert_eq!(found.root_dispersion, Duration::from_millis(250));
        assert_eq!(found.reference, after(A_MINUTE_AGO));
        assert!(found.transmitted.abs_diff(after(4)) <= Duration::from_nanos(1), "{found:?}");
        // Three milliseconds there, two back, one at the server.
        assert_eq!(rounded(found), (500, 5_000, 0));
        let mut longer = bytes.to_vec();
        longer.extend([7; 20]);
        assert_eq!(reply(&longer, COOKIE, SENT, after(6)), Ok(found), "extensions are passed over");
    }

    #[test]
    fn clocks_that_contradict_each_other_have_an_error() {
        let early = packet(after(-2), after(-1));
        assert_eq!(rounded(reply(&early, COOKIE, SENT, after(1)).unwrap()), (-2_000, 0, 2_000));
        let late = packet(after(5), after(6));
        assert_eq!(rounded(reply(&late, COOKIE, SENT, after(2)).unwrap()), (4_500, 1_000, 4_000));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        let sound = packet(SENT, SENT);
        let check = |bytes: &[u8], cookie| reply(bytes, cookie, SENT, after(1)).map(drop);
        assert_eq!(check(&sound, COOKIE), Ok(()));
        assert_eq!(check(&sound, COOKIE + 1), Err(Errno::EBADMSG), "the reply to another request");
        assert_eq!(check(&sound[..47], COOKIE), Err(Errno::EBADMSG));
        assert_eq!(check(&[], COOKIE), Err(Errno::EBADMSG));
        let mut client = sound;
        client[0] = 4 << 3 | MODE_CLIENT;
        assert_eq!(check(&client, COOKIE), Err(Errno::EBADMSG));
        let mut silent = sound;
        silent[40..].fill(0);
        assert_eq!(check(&silent, COOKIE), Err(Errno::EBADMSG));
        assert_eq!(check(&packet(after(1), SENT), COOKIE), Err(Errno::EBADMSG), "sent before it was received");
    }

    #[test]
    fn times_before_1970_are_of_the_era_that_begins_in_2036() {
        assert_eq!(since_1970(UNIX_EPOCH), Duration::ZERO);
        assert_eq!(since_1970(0), Duration::from_secs(2_085_978_496));
        assert_eq!(since_1970(u64::MAX), Duration::from_secs(2_085_978_496));
        assert_eq!(timestamp(Duration::from_secs(2_085_978_497)), 1 << 32);
    }

    proptest! {
        #[test]
        fn any_packet_is_a_reply_or_none(mut bytes in prop::collection::vec(any::<u8>(), 0..60), seconds in 0_u64..5_000_000_000) {
            let now = Duration::from_secs(seconds);
            let cookie = bytes.get(24..32).map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().expect("8 bytes")));
            if let Some(first) = bytes.first_mut() { *first = *first & !MODE_MASK | MODE_SERVER; }
            let _ = reply(&bytes, cookie, now, now);
        }

        #[test]
        fn times_come_back(seconds in 0_u64..4_000_000_000, nanos in 0_u32..1_000_000_000) {
            let time = Duration::new(seconds, nanos);
            prop_assert!(since_1970(timestamp(time)).abs_diff(time) <= Duration::from_nanos(1));
        }
    }
}
