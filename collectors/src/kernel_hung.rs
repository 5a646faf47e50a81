//! Hung tasks from /proc/sys/kernel/hung_task_detect_count.

use crate::declare;
use crate::host::root::RootError;
use crate::kit::prelude::*;

/// The kernel_hung collector.
#[derive(Debug)]
pub struct KernelHung;

declare! {
    KernelHung: "kernel_hung", on, "Hung tasks detected since boot.";
    reads {
        COUNT: File Proc "sys/kernel/hung_task_detect_count";
    }
    families {
        TASKS: Counter "node_kernel_hung_tasks_total" () "Hung tasks detected since boot.";
    }
}

impl Collect for KernelHung {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        // Kernels before 6.13 do not have the file.
        let text = cx.files.read(COUNT, []).map_err(|error| error.or_no_data(RootError::is_missing))?;
        cx.page.counter(TASKS, (), text.number::<u64>("hung_task_detect_count")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    #[test]
    fn hung_tasks_are_counted() {
        given("== proc/sys/kernel/hung_task_detect_count\n3\n").emits::<KernelHung>("node_kernel_hung_tasks_total 3\n");
    }

    #[test]
    fn an_invalid_count_is_an_error() {
        for bad in ["", "-1\n", "1.5\n", "18446744073709551616\n", "3 4\n"] {
            given(&format!("== proc/sys/kernel/hung_task_detect_count\n{bad}"))
                .fails::<KernelHung>("", "hung_task_detect_count: expected an unsigned integer");
        }
        given("== proc/sys/kernel/hung_task_detect_count error=EACCES\n").fails::<KernelHung>("", "permission denied");
        given("").fails::<KernelHung>("", "proc/sys/kernel/hung_task_detect_count: no such file");
    }
}
