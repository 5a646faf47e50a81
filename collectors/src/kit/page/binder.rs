//! Joins the pages of all collectors.

use super::foreign::{ForeignFamily, ForeignPage};
use super::{Buffer, Finished, Format, Page, order};

/// Joins pages, with memory that the next scrape reuses.
#[derive(Default, Debug)]
pub(crate) struct Binder {
    /// The positions of all buffers, sorted by family name.
    order: Vec<BufferPosition>,
    /// The number of buffers of each page at the last sort.
    counts: Vec<usize>,
    lines: Vec<order::Line>,
}

/// The position of a buffer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct BufferPosition {
    page: usize,
    at: usize,
}

impl BufferPosition {
    fn page(self, pages: &[Option<Page>]) -> Option<&Page> {
        pages.get(self.page)?.as_ref()
    }

    fn buffer(self, pages: &[Option<Page>]) -> Option<&Buffer> {
        self.page(pages)?.families.get(self.at)
    }

    /// The buffer at a position, if it has samples.
    fn filled(self, pages: &[Option<Page>]) -> Option<&Buffer> {
        self.page(pages)?.filled(self.at)
    }

    fn buffer_mut(self, pages: &mut [Option<Page>]) -> Option<&mut Buffer> {
        pages.get_mut(self.page)?.as_mut()?.families.get_mut(self.at)
    }

    fn is_made(self, pages: &[Option<Page>]) -> bool {
        self.page(pages).is_some_and(|page| self.at >= page.declared)
    }
}

impl Binder {
    /// Appends the text of all pages to `out`. A duplicate sample is written once; of two families of one name, the first
    /// declared one is written.
    pub(crate) fn bind(
        &mut self,
        pages: &mut [Option<Page>],
        foreign: &mut ForeignPage,
        format: Format,
        out: &mut Vec<u8>,
    ) -> Finished {
        self.bind_as(pages, foreign, format, false, out)
    }

    /// Appends the text of all pages to `out` like [`Binder::bind`], and leaves the pages unchanged.
    pub(crate) fn bind_copy(
        &mut self,
        pages: &mut [Option<Page>],
        foreign: &mut ForeignPage,
        format: Format,
        out: &mut Vec<u8>,
    ) -> Finished {
        self.bind_as(pages, foreign, format, true, out)
    }

    fn bind_as(
        &mut self,
        pages: &mut [Option<Page>],
        foreign: &mut ForeignPage,
        format: Format,
        keeps_pages: bool,
        out: &mut Vec<u8>,
    ) -> Finished {
        self.sort(pages);
        let mut writer = Writer { order: &self.order, format, finished: Finished::default() };
        foreign.sort();
        let names = &*foreign;
        let mut others = foreign.families().peekable();
        let mut last: Option<BufferPosition> = None;
        for &place in &self.order {
            let Some(buffer) = place.filled(pages) else { continue };
            let name = buffer.name();
            if last.and_then(|last| last.buffer(pages)).is_some_and(|last| last.name() == name) {
                writer.finished.clashes.push(String::from_utf8_lossy(name).into_owned());
                continue;
            }
            last = Some(place);
            while let Some((_, family)) = others.next_if(|(other, _)| other.as_bytes() < name) {
                writer.foreign(family, pages, names, out);
            }
            if let Some((name, _)) = others.next_if(|(other, _)| other.as_bytes() == name) {
                writer.finished.clashes.push(name.to_owned());
            }
            let has_short_name = writer.is_free(buffer.short_name(), pages, names);
            if !keeps_pages && buffer.is_worth_handing_over(out.len()) {
                if let Some(buffer) = place.buffer_mut(pages) {
                    buffer.hand_over(format, has_short_name, out);
                }
                continue;
            }
            writer.finished.duplicates += buffer.write_to(format, has_short_name, &mut self.lines, out);
        }
        for (_, family) in others {
            writer.foreign(family, pages, names, out);
        }
        if format == Format::OpenMetrics {
            out.extend_from_slice(b"# EOF\n");
        }
        writer.finished
    }

    fn sort(&mut self, pages: &[Option<Page>]) {
        let counts = || pages.iter().map(|page| page.as_ref().map_or(0, |page| page.families.len()));
        if counts().eq(self.counts.iter().copied()) {
            return;
        }
        self.counts.clear();
        self.counts.extend(counts());
        self.order.clear();
        let all = self.counts.iter().enumerate();
        self.order.extend(all.flat_map(|(page, count)| (0..*count).map(move |at| BufferPosition { page, at })));
        let name = |place: &BufferPosition| place.buffer(pages).map(Buffer::name);
        let by_declaration =
            |a: &BufferPosition, b: &BufferPosition| a.is_made(pages).cmp(&b.is_made(pages)).then(a.cmp(b));
        self.order.sort_unstable_by(|a, b| name(a).cmp(&name(b)).then_with(|| by_declaration(a, b)));
    }
}

/// State of a page that is being written.
struct Writer<'a> {
    order: &'a [BufferPosition],
    format: Format,
    finished: Finished,
}

impl Writer<'_> {
    fn foreign(&mut self, family: &ForeignFamily, pages: &[Option<Page>], names: &ForeignPage, out: &mut Vec<u8>) {
        let header = family.header();
        let has_short_name = self.is_free(header.short_name(), pages, names);
        self.finished.duplicates += family.write_to(&header, self.format, has_short_name, out);
    }

    /// Whether no family of the page has this name; needed for OpenMetrics only.
    fn is_free(&self, name: Option<&[u8]>, pages: &[Option<Page>], foreign: &ForeignPage) -> bool {
        let Some(name) = name.filter(|_| self.format == Format::OpenMetrics) else { return true };
        let buffer = |place: &BufferPosition| place.buffer(pages);
        let from = self.order.partition_point(|place| buffer(place).map(Buffer::name) < Some(name));
        let after = self.order.get(from..).unwrap_or_default().iter();
        let mut same = after.take_while(|place| buffer(place).is_some_and(|buffer| buffer.name() == name));
        same.all(|place| place.filled(pages).is_none()) && !foreign.has(name)
    }
}
