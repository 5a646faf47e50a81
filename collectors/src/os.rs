//! Which distribution runs, from os-release(5).

mod release;

use crate::declare;
use crate::kit::label::Label;
use crate::kit::prelude::*;

/// Which distribution runs.
#[derive(Debug)]
pub struct Os {
    /// By [`NAMES`].
    values: [Value; NAMES.len()],
}

declare! {
    Os: "os", on, "Which distribution runs, its version, and how long it is supported.";
    reads {
        ETC: File Rootfs "etc/os-release";
        USR_LIB: File Rootfs "usr/lib/os-release";
    }
    families {
        INFO: Gauge "node_os_info" ["build_id", "id", "id_like", "image_id", "image_version", "name", "pretty_name", "variant",
            "variant_id", "version", "version_codename", "version_id"]
            "What the distribution says of itself, as labels of a 1.";
        VERSION: Gauge "node_os_version" ["id", "id_like", "name"] "The number that the distribution's version begins with.";
        SUPPORT_END: Gauge "node_os_support_end_timestamp_seconds" [] "When the distribution's support ends, in seconds since 1970.";
    }
}

/// The fields that are looked at: those of `node_os_info` in the order of its labels, then the end of support.
const NAMES: [&str; 13] = [
    "BUILD_ID",
    "ID",
    "ID_LIKE",
    "IMAGE_ID",
    "IMAGE_VERSION",
    "NAME",
    "PRETTY_NAME",
    "VARIANT",
    "VARIANT_ID",
    "VERSION",
    "VERSION_CODENAME",
    "VERSION_ID",
    "SUPPORT_END",
];

const ID_AT: usize = 1;
const ID_LIKE_AT: usize = 2;
const NAME_AT: usize = 5;
const VERSION_ID_AT: usize = 11;
const SUPPORT_END_AT: usize = 12;

/// A field of the file, in memory that is used again.
#[derive(Default, Debug)]
struct Value {
    /// Empty where the file does not have it.
    text: Vec<u8>,
    /// Whether the file has it, but not so that it can be read.
    is_bad: bool,
}

impl Collect for Os {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { values: Default::default() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for file in [ETC, USR_LIB] {
            if let Some(text) = cx.files.read_if_present(file, [])? {
                self.parse(text, cx.problems);
                self.emit(cx);
                return Ok(());
            }
        }
        Err(Failure::no_data("rootfs has neither etc/os-release nor usr/lib/os-release"))
    }
}

impl Os {
    fn parse(&mut self, text: Text<'_>, problems: &mut Problems) {
        for value in &mut self.values {
            value.text.clear();
            value.is_bad = false;
        }
        for line in text.lines() {
            let Some((name, quoted)) = problems.value(release::assignment(line)).flatten() else { continue };
            let Some(at) = NAMES.iter().position(|known| known.as_bytes() == name) else { continue };
            let value = &mut self.values[at];
            let unquoted = release::unquote(quoted, &mut value.text);
            value.is_bad = problems.value(unquoted.map_err(|expected| line.error(name, expected, quoted))).is_none();
        }
    }

    /// Emits the families of which every field can be read: one with a label missing would be another host's.
    fn emit(&self, cx: &mut Cx<'_, Self>) {
        let value = |at: usize| &self.values[at].text;
        let is_sound = |fields: &[usize]| fields.iter().all(|&at| !self.values[at].is_bad);
        if self.values.iter().take(SUPPORT_END_AT).all(|value| !value.is_bad) {
            cx.page.gauge(INFO, std::array::from_fn(|at| value(at) as &dyn Label), 1_u64);
        }
        if is_sound(&[ID_AT, ID_LIKE_AT, NAME_AT, VERSION_ID_AT]) {
            let version_id = value(VERSION_ID_AT);
            match release::major_minor(version_id) {
                Some(number) if number > 0.0 => {
                    cx.page.gauge(VERSION, [value(ID_AT), value(ID_LIKE_AT), value(NAME_AT)], number);
                }
                Some(_) => {}
                None => cx.problems.report(bad_value(VERSION_ID_AT, "a version with fewer digits", version_id)),
            }
        }
        let support_end = value(SUPPORT_END_AT);
        if is_sound(&[SUPPORT_END_AT]) && !support_end.is_empty() {
            match release::day_seconds(support_end) {
                Some(seconds) => cx.page.gauge(SUPPORT_END, [], seconds),
                None => cx.problems.report(bad_value(SUPPORT_END_AT, "a day such as 2032-05-31", support_end)),
            }
        }
    }
}

fn bad_value(at: usize, expected: &str, found: &[u8]) -> Failure {
    Failure::error(format_args!("os-release: {}: expected {expected}, found \"{}\"", NAMES[at], found.escape_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::{given, scrape};

    const FILE: &str = "NAME=\"Basalt Enterprise Linux\"\nVERSION=\"9.4 (Slate)\"\nID=\"basalt\"\nID_LIKE='rhel fedora'\n\
        VERSION_ID=\"9.4\"\nPRETTY_NAME=\"Basalt 9.4\"\nBUILD_ID=b\nIMAGE_ID=i\nIMAGE_VERSION=v\nVARIANT=\"Storage\"\n\
        VARIANT_ID=storage\nVERSION_CODENAME=slate\nSUPPORT_END=2032-05-31\nHOME_URL=\"https://basalt.example/\"\n";
    const INFO_LINE: &str = "node_os_info{build_id=\"b\",id=\"basalt\",id_like=\"rhel fedora\",image_id=\"i\",image_version=\"v\",\
        name=\"Basalt Enterprise Linux\",pretty_name=\"Basalt 9.4\",variant=\"Storage\",variant_id=\"storage\",\
        version=\"9.4 (Slate)\",version_codename=\"slate\",version_id=\"9.4\"} 1\n";
    const END_LINE: &str = "node_os_support_end_timestamp_seconds 1.9695744e+09\n";
    const VERSION_LINE: &str =
        "node_os_version{id=\"basalt\",id_like=\"rhel fedora\",name=\"Basalt Enterprise Linux\"} 9.4\n";

    fn etc(content: &str) -> String {
        format!("== rootfs/etc/os-release\n{content}")
    }

    #[test]
    fn the_distribution_is_labels() {
        given(&etc(FILE)).emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
    }

    #[test]
    fn what_the_file_does_not_say_is_empty() {
        given(&etc("# nothing but a name\n\nNAME=Larch\n")).emits::<Os>(
            "node_os_info{build_id=\"\",id=\"\",id_like=\"\",image_id=\"\",image_version=\"\",name=\"Larch\",\
            pretty_name=\"\",variant=\"\",variant_id=\"\",version=\"\",version_codename=\"\",version_id=\"\"} 1\n",
        );
    }

    #[test]
    fn the_file_below_etc_counts_before_the_one_below_usr() {
        let both = format!("{}== rootfs/usr/lib/os-release\nNAME=Other\n", etc(FILE));
        given(&both).emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
        given(&format!("== rootfs/usr/lib/os-release\n{FILE}"))
            .emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
        let dangling = format!("== rootfs/etc/os-release -> gone\n== rootfs/usr/lib/os-release\n{FILE}");
        given(&dangling).emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
    }

    #[test]
    fn a_host_without_the_file_has_no_data_and_one_that_denies_it_fails() {
        given("").fails::<Os>("", "rootfs has neither etc/os-release nor usr/lib/os-release");
        given(&format!("== rootfs/etc/os-release error=EACCES\n== rootfs/usr/lib/os-release\n{FILE}"))
            .fails::<Os>("", "rootfs/etc/os-release: permission denied");
    }

    #[test]
    fn places_are_those_of_the_names() {
        let names = [ID_AT, ID_LIKE_AT, NAME_AT, VERSION_ID_AT, SUPPORT_END_AT].map(|at| NAMES[at]);
        assert_eq!(names, ["ID", "ID_LIKE", "NAME", "VERSION_ID", "SUPPORT_END"]);
        let labels = INFO.info().labels.iter().map(|label| label.to_uppercase());
        assert!(labels.eq(NAMES[..SUPPORT_END_AT].iter().copied()));
    }

    #[track_caller]
    fn check(line: &str, bad_line: &str, left: &str, complaint: &str) {
        given(&etc(&FILE.replace(line, bad_line))).fails::<Os>(left, complaint);
    }

    #[test]
    fn a_bad_line_costs_the_families_that_show_it() {
        let complaint = "rootfs/etc/os-release:6: PRETTY_NAME: expected a closing quote, found \"\\\"Basalt\"";
        check("\"Basalt 9.4\"", "\"Basalt", &format!("{END_LINE}{VERSION_LINE}"), complaint);
        check("ID=\"basalt\"", "ID='basalt", END_LINE, "rootfs/etc/os-release:3: ID: expected a closing quote");
        check(
            "SUPPORT_END=2032-05-31",
            "SUPPORT_END=2032-02-30",
            &format!("{INFO_LINE}{VERSION_LINE}"),
            "SUPPORT_END: expected a day such as 2032-05-31, found \"2032-02-30\"",
        );
        check(
            "SUPPORT_END=2032-05-31",
            "SUPPORT_END",
            &format!("{INFO_LINE}{VERSION_LINE}"),
            "rootfs/etc/os-release:13: line: expected a name, `=` and a value, found \"SUPPORT_END\"",
        );
        let nines = "9".repeat(400);
        let info = INFO_LINE.replace("version_id=\"9.4\"", &format!("version_id=\"{nines}\""));
        check("\"9.4\"", &nines, &format!("{info}{END_LINE}"), "VERSION_ID: expected a version with fewer digits");
    }

    #[test]
    fn a_field_that_nobody_looks_at_costs_nothing() {
        given(&etc(&FILE.replace("basalt.example/\"", "basalt.example/")))
            .emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
    }

    #[test]
    fn nothing_is_left_of_the_scrape_before() {
        let scraper = given(&etc(FILE)).scraper::<Os>().expect("no flags");
        assert_eq!(scrape(&scraper).samples(), scrape(&scraper).samples());
        let mut os = Os { values: Default::default() };
        let mut problems = Problems::default();
        let text =
            |content: &'static str| Text::new(crate::host::root::Mount::Rootfs, b"os-release", content.as_bytes());
        os.parse(text("ID='a\nNAME=b\n"), &mut problems);
        os.parse(text("ID=c\n"), &mut problems);
        let found: Vec<_> = os.values.iter().filter(|value| value.is_bad || !value.text.is_empty()).collect();
        assert_eq!(found.len(), 1);
    }
}
