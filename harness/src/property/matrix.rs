//! Every file that an exporter asks for on a host, broken in every way.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use collectors::kit::kernel::Kernel;
use collectors::kit::root::Roots;

use super::laws::page;
use super::{Exporter, Violation};
use crate::damage::Damage;
use crate::faults::Breakable;

/// A readable table of what each fault costs, for a snapshot. A law that a fault breaks is the error.
pub fn matrix(exporter: &dyn Exporter, roots: &Roots, kernel: &Arc<dyn Kernel>) -> Result<String, Violation> {
    let breakable = Breakable::new(roots);
    let mut opened = exporter.open(breakable.roots(), Arc::clone(kernel));
    let sound = samples(&page(exporter, &mut opened)?);
    let asked = breakable.take_asked();
    let mut table = format!("{} samples when all is well\n", sound.len());
    for (question, count) in asked {
        let _ = write!(table, "\n{question}\n");
        for kind in count.kinds() {
            breakable.break_at(&question, kind.clone());
            // A page that tells nothing is one as well.
            let broken = samples(&page(exporter, &mut opened)?);
            let _ = writeln!(table, "  {:<22}{}", kind.to_string(), Damage::between(&sound, &broken));
        }
        breakable.mend();
    }
    if samples(&page(exporter, &mut opened)?) == sound {
        return Ok(table);
    }
    Err(Violation::new("steady", exporter, "a fault that has passed still shows"))
}

fn samples(page: &str) -> BTreeSet<String> {
    page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}
