//! The distribution, from os-release(5).

mod release;

use crate::declare;
use crate::kit::prelude::*;

/// The os collector.
#[derive(Debug)]
pub struct Os {
    /// The values of [`NAMES`].
    values: [FieldValue; NAMES.len()],
}

declare! {
    Os: "os", on, "Linux distribution, its version and end of support, from os-release.";
    labels {
        InfoLabels { build_id, id, id_like, image_id, image_version, name, pretty_name, variant, variant_id, version, version_codename, version_id }
        VersionLabels { id, id_like, name }
    }
    reads {
        ETC: File Rootfs "etc/os-release";
        USR_LIB: File Rootfs "usr/lib/os-release";
    }
    families {
        INFO: Gauge "node_os_info" InfoLabels "Distribution name and version, as labels; always 1.";
        VERSION: Gauge "node_os_version" VersionLabels "Version of the distribution as major.minor number.";
        SUPPORT_END: Gauge "node_os_support_end_timestamp_seconds" () "End of the distribution's support in seconds since 1970.";
    }
}

/// The fields read: those of `node_os_info` in label order, then the end of support.
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

/// The value of a field; the buffer is reused.
#[derive(Default, Debug)]
struct FieldValue {
    /// Empty if the file does not have the field.
    text: Vec<u8>,
    /// Whether the field is malformed.
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

    /// Emits the families whose fields are all valid: a sample with a label missing would be a different series.
    fn emit(&self, cx: &mut Cx<'_, Self>) {
        let [
            build_id,
            id,
            id_like,
            image_id,
            image_version,
            name,
            pretty_name,
            variant,
            variant_id,
            version,
            version_codename,
            version_id,
            support_end,
        ] = &self.values;
        if self.values.iter().rev().skip(1).all(|value| !value.is_bad) {
            let labels = InfoLabels {
                build_id: &build_id.text,
                id: &id.text,
                id_like: &id_like.text,
                image_id: &image_id.text,
                image_version: &image_version.text,
                name: &name.text,
                pretty_name: &pretty_name.text,
                variant: &variant.text,
                variant_id: &variant_id.text,
                version: &version.text,
                version_codename: &version_codename.text,
                version_id: &version_id.text,
            };
            cx.page.gauge(INFO, labels, 1_u64);
        }
        if [id, id_like, name, version_id].iter().all(|value| !value.is_bad) {
            match release::major_minor(&version_id.text) {
                Some(number) if number > 0.0 => {
                    let labels = VersionLabels { id: &id.text, id_like: &id_like.text, name: &name.text };
                    cx.page.gauge(VERSION, labels, number);
                }
                Some(_) => {}
                None => cx.problems.report(bad_value("VERSION_ID", "a version with fewer digits", &version_id.text)),
            }
        }
        if !support_end.is_bad && !support_end.text.is_empty() {
            match release::day_seconds(&support_end.text) {
                Some(seconds) => cx.page.gauge(SUPPORT_END, (), seconds),
                None => cx.problems.report(bad_value("SUPPORT_END", "a day such as 2032-05-31", &support_end.text)),
            }
        }
    }
}

fn bad_value(field: &str, expected: &str, found: &[u8]) -> Failure {
    Failure::error(format_args!("os-release: {field}: expected {expected}, found \"{}\"", found.escape_ascii()))
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
    fn the_distribution_is_exported_as_labels() {
        given(&etc(FILE)).emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
    }

    #[test]
    fn missing_fields_are_empty_labels() {
        given(&etc("# nothing but a name\n\nNAME=Larch\n")).emits::<Os>(
            "node_os_info{build_id=\"\",id=\"\",id_like=\"\",image_id=\"\",image_version=\"\",name=\"Larch\",\
            pretty_name=\"\",variant=\"\",variant_id=\"\",version=\"\",version_codename=\"\",version_id=\"\"} 1\n",
        );
    }

    #[test]
    fn etc_takes_precedence_over_usr() {
        let both = format!("{}== rootfs/usr/lib/os-release\nNAME=Other\n", etc(FILE));
        given(&both).emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
        given(&format!("== rootfs/usr/lib/os-release\n{FILE}"))
            .emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
        let dangling = format!("== rootfs/etc/os-release -> gone\n== rootfs/usr/lib/os-release\n{FILE}");
        given(&dangling).emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
    }

    #[test]
    fn a_missing_file_is_no_data_and_an_unreadable_one_an_error() {
        given("").fails::<Os>("", "rootfs has neither etc/os-release nor usr/lib/os-release");
        given(&format!("== rootfs/etc/os-release error=EACCES\n== rootfs/usr/lib/os-release\n{FILE}"))
            .fails::<Os>("", "rootfs/etc/os-release: permission denied");
    }

    #[test]
    fn fields_are_in_the_order_of_the_labels() {
        let labels = INFO.info().labels.iter().map(|label| label.to_uppercase());
        assert!(labels.chain(["SUPPORT_END".to_owned()]).eq(NAMES));
    }

    #[track_caller]
    fn check(line: &str, bad_line: &str, left: &str, complaint: &str) {
        given(&etc(&FILE.replace(line, bad_line))).fails::<Os>(left, complaint);
    }

    #[test]
    fn a_bad_line_costs_the_families_that_need_it() {
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
    fn unused_fields_are_not_validated() {
        given(&etc(&FILE.replace("basalt.example/\"", "basalt.example/")))
            .emits::<Os>(&format!("{INFO_LINE}{END_LINE}{VERSION_LINE}"));
    }

    #[test]
    fn scrapes_are_independent() {
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
