//! /proc/uptime

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::{Hundredths, put_line};

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("uptime", Content::File(uptime))])];

fn uptime(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "{} {}", Hundredths(moment.uptime_hundredths()), Hundredths(moment.idle_hundredths()));
}
