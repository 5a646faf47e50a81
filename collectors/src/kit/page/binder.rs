//! The pages of all collectors become one.

use super::foreign::{ForeignFamily, ForeignPage};
use super::{Buffer, Finished, Format, Page, order};

/// Puts pages together, in memory that is used again.
#[derive(Default, Debug)]
pub(crate) struct Binder {
    /// Every buffer in the order of the families' names.
    order: Vec<Place>,
    /// How many buffers each page had when they were put into order.
    counts: Vec<(usize, usize)>,
    lines: Vec<order::Line>,
}

/// Where a buffer is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place {
    is_made: bool,
    page: usize,
    at: usize,
}

impl Place {
    fn buffer(self, pages: &[Option<Page>]) -> Option<&Buffer> {
        let page = pages.get(self.page)?.as_ref()?;
        if self.is_made { page.made.get(self.at) } else { page.declared.get(self.at) }
    }
}

impl Binder {
    /// Appends the text of all pages to `out`. A sample that is there twice is written once, and of two families of one
    /// name the one that was declared first.
    pub(crate) fn bind(
        &mut self,
        pages: &[Option<Page>],
        foreign: &mut ForeignPage,
        format: Format,
        out: &mut Vec<u8>,
    ) -> Finished {
        self.sort(pages);
        let mut writer = Writer { pages, order: &self.order, format, finished: Finished::default() };
        foreign.sort();
        let names = &*foreign;
        let mut others = foreign.families().peekable();
        let mut last: &[u8] = b"";
        for buffer in self.order.iter().filter_map(|place| place.buffer(pages)).filter(|buffer| !buffer.is_empty()) {
            if buffer.name() == last {
                writer.finished.clashes.push(String::from_utf8_lossy(last).into_owned());
                continue;
            }
            last = buffer.name();
            while let Some((_, family)) = others.next_if(|(name, _)| name.as_bytes() < last) {
                writer.foreign(family, names, out);
            }
            if let Some((name, _)) = others.next_if(|(name, _)| name.as_bytes() == last) {
                writer.finished.clashes.push(name.to_owned());
            }
            let has_short_name = writer.is_free(buffer.short_name(), names);
            writer.finished.duplicates += buffer.write_to(format, has_short_name, &mut self.lines, out);
        }
        for (_, family) in others {
            writer.foreign(family, names, out);
        }
        if format == Format::OpenMetrics {
            out.extend_from_slice(b"# EOF\n");
        }
        writer.finished
    }

    fn sort(&mut self, pages: &[Option<Page>]) {
        let counts = || pages.iter().map(|page| page.as_ref().map_or((0, 0), Page::counts));
        if counts().eq(self.counts.iter().copied()) {
            return;
        }
        self.counts.clear();
        self.counts.extend(counts());
        self.order.clear();
        for (page, (declared, made)) in self.counts.iter().enumerate() {
            let places = |is_made, count| (0..count).map(move |at| Place { is_made, page, at });
            self.order.extend(places(false, *declared).chain(places(true, *made)));
        }
        let name = |place: &Place| place.buffer(pages).map(Buffer::name);
        self.order.sort_unstable_by(|a, b| name(a).cmp(&name(b)).then(a.cmp(b)));
    }
}

/// What has to be known to write a family.
struct Writer<'a> {
    pages: &'a [Option<Page>],
    order: &'a [Place],
    format: Format,
    finished: Finished,
}

impl Writer<'_> {
    fn foreign(&mut self, family: &ForeignFamily, names: &ForeignPage, out: &mut Vec<u8>) {
        let header = family.header();
        let has_short_name = self.is_free(header.short_name(), names);
        self.finished.duplicates += family.write_to(&header, self.format, has_short_name, out);
    }

    /// Whether no family on the page has this name; only OpenMetrics asks.
    fn is_free(&self, name: Option<&[u8]>, foreign: &ForeignPage) -> bool {
        let Some(name) = name.filter(|_| self.format == Format::OpenMetrics) else { return true };
        let buffer = |place: &Place| place.buffer(self.pages);
        let from = self.order.partition_point(|place| buffer(place).map(Buffer::name) < Some(name));
        let same = self
            .order
            .get(from..)
            .unwrap_or_default()
            .iter()
            .map_while(|place| buffer(place).filter(|buffer| buffer.name() == name));
        same.into_iter().all(Buffer::is_empty) && !foreign.has(name)
    }
}
