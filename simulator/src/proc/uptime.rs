//! /proc/uptime

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::{Hundredths, put_line};

pub(super) static GROUPS: [Group; 1] = [Group { under: "", each: once, entries: &[("uptime", What::File(uptime))] }];

fn uptime(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    put_line!(into, "{} {}", Hundredths(moment.uptime_hundredths()), Hundredths(moment.idle_hundredths()));
}
