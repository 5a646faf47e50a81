//! /proc/loadavg

use crate::layout::{Content, Group, Table};
use crate::machine::Machine;
use crate::moment::Moment;
use crate::text::{Hundredths, put_line};

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("loadavg", Content::File(loadavg))])];

fn loadavg(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let [one, five, fifteen] = [60, 300, 900].map(|seconds| Hundredths(moment.load_average(seconds)));
    let (running, threads, last) = (moment.running(), moment.threads(), moment.last_process());
    put_line!(into, "{one} {five} {fifteen} {running}/{threads} {last}");
}
