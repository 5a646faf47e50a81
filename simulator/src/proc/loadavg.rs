//! /proc/loadavg

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::{Hundredths, put_line};

pub(super) static GROUPS: [Group; 1] = [Group { under: "", each: once, entries: &[("loadavg", What::File(loadavg))] }];

fn loadavg(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    let [one, five, fifteen] = [60, 300, 900].map(|seconds| Hundredths(moment.load_average(seconds)));
    let (running, threads, last) = (moment.running(), moment.threads(), moment.last_process());
    put_line!(into, "{one} {five} {fifteen} {running}/{threads} {last}");
}
