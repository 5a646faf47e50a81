//! Plots as inline SVG, coloured by the styles of the page.

use std::fmt::Write as _;

use super::report::{CollectorCost, SizeCost, Unit};

/// The width of the coordinate system; the page scales it.
const WIDTH: f64 = 760.0;
const ROW: f64 = 22.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 34.0;

/// Text escaped for HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A linear or logarithmic scale from values to positions.
#[derive(Clone, Copy, Debug)]
struct Scale {
    least: f64,
    most: f64,
    from: f64,
    to: f64,
    is_logarithmic: bool,
}

impl Scale {
    /// A logarithmic scale between the powers of ten around the values.
    fn powers(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let positive = values.filter(|value| value.is_finite() && *value > 0.0);
        let (least, most) =
            positive.fold((f64::INFINITY, 0_f64), |(least, most), value| (least.min(value), most.max(value)));
        let (least, most) = if least > most { (1.0, 10.0) } else { (least, most) };
        let (least, most) = (10_f64.powf(least.log10().floor()), 10_f64.powf(most.log10().ceil()));
        Self { least, most: most.max(least * 10.0), from, to, is_logarithmic: true }
    }

    /// A linear scale from zero to a round number above the values.
    fn from_zero(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let most = values.filter(|value| value.is_finite()).fold(0_f64, f64::max);
        let step = 10_f64.powf(most.max(1e-9).log10().floor());
        let most = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * step).find(|round| *round >= most);
        Self { least: 0.0, most: most.unwrap_or(step * 10.0), from, to, is_logarithmic: false }
    }

    fn at(self, value: f64) -> f64 {
        let place = |value: f64| if self.is_logarithmic { value.max(self.least).log10() } else { value };
        let (least, most) = (place(self.least), place(self.most));
        self.from + (place(value) - least) / (most - least) * (self.to - self.from)
    }

    fn ticks(self) -> Vec<f64> {
        if !self.is_logarithmic {
            return (0..=4).map(|quarter| self.most * f64::from(quarter) / 4.0).collect();
        }
        let powers = std::iter::successors(Some(self.least), |tick| Some(tick * 10.0));
        powers.take_while(|tick| *tick <= self.most * 1.001).collect()
    }
}

fn begin(height: f64, title: &str) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{}\">", escaped(title))
}

fn line(svg: &mut String, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
    let _ = write!(svg, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
}

fn polyline(svg: &mut String, class: &str, points: impl Iterator<Item = [f64; 2]>) {
    let _ = write!(svg, "<polyline class=\"{class}\" points=\"");
    for [x, y] in points {
        let _ = write!(svg, "{x:.1},{y:.1} ");
    }
    svg.push_str("\"/>");
}

fn text(svg: &mut String, anchor: &str, [x, y]: [f64; 2], words: &str) {
    let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(words));
}

fn dot(svg: &mut String, class: &str, [x, y]: [f64; 2], words: &str) {
    let words = escaped(words);
    let _ =
        write!(svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"><title>{words}</title></circle>");
}

/// One row per collector: plain reads, our time and the peer's, on a logarithmic scale; most expensive first.
pub(super) fn collectors(costs: &[CollectorCost]) -> String {
    let mut costs: Vec<&CollectorCost> = costs.iter().collect();
    costs.sort_by(|one, other| other.nanoseconds.total_cmp(&one.nanoseconds));
    let height = TOP + ROW * costs.len() as f64 + BOTTOM;
    let mut svg = begin(height, "Time of each collector beside plain reads and the peer");
    let values = costs.iter().flat_map(|cost| {
        [Some(cost.nanoseconds), Some(cost.floor_nanoseconds), cost.peer_nanoseconds].into_iter().flatten()
    });
    let scale = Scale::powers(values, LEFT, WIDTH - RIGHT);
    for tick in scale.ticks() {
        let x = scale.at(tick);
        line(&mut svg, "grid", [x, TOP - 6.0, x, height - BOTTOM + 6.0]);
        text(&mut svg, "middle", [x, TOP - 12.0], &Unit::Nanoseconds.show(tick));
    }
    for (row, cost) in costs.iter().enumerate() {
        let y = TOP + ROW * (row as f64 + 0.5);
        text(&mut svg, "end", [LEFT - 12.0, y + 4.0], cost.name);
        let of = |value: f64| (value > 0.0).then(|| scale.at(value));
        let places = [of(cost.floor_nanoseconds), of(cost.nanoseconds), cost.peer_nanoseconds.and_then(of)];
        let there = || places.iter().flatten().copied();
        let (first, last) = (there().fold(f64::INFINITY, f64::min), there().fold(0_f64, f64::max));
        if first < last {
            line(&mut svg, "span", [first, y, last, y]);
        }
        let peer = cost.peer_nanoseconds.unwrap_or_default();
        let all = [("floor", cost.floor_nanoseconds), ("ours", cost.nanoseconds), ("peer", peer)];
        for ((class, value), x) in all.into_iter().zip(places) {
            if let Some(x) = x {
                dot(&mut svg, class, [x, y], &format!("{}, {class}: {}", cost.name, Unit::Nanoseconds.show(value)));
            }
        }
    }
    svg + "</svg>"
}

/// Time per sample by page size: a level line where it does not grow.
pub(super) fn sizes(sizes: &[SizeCost]) -> String {
    let mut sizes: Vec<&SizeCost> = sizes.iter().filter(|size| size.samples > 0).collect();
    sizes.sort_by_key(|size| size.samples);
    let height = 360.0;
    let mut svg = begin(height, "Time per sample by page size");
    let each = |time: f64, size: &SizeCost| time / size.samples as f64;
    let x = Scale::powers(sizes.iter().map(|size| size.samples as f64), 70.0, WIDTH - RIGHT);
    let y = Scale::from_zero(sizes.iter().map(|size| each(size.nanoseconds, size)), height - BOTTOM, TOP);
    for tick in y.ticks() {
        line(&mut svg, "grid", [70.0, y.at(tick), WIDTH - RIGHT, y.at(tick)]);
        text(&mut svg, "end", [62.0, y.at(tick) + 4.0], &Unit::Nanoseconds.show(tick));
    }
    for tick in x.ticks() {
        text(&mut svg, "middle", [x.at(tick), height - BOTTOM + 20.0], &format!("{tick:.0}"));
    }
    let floor: fn(&SizeCost) -> f64 = |size| size.floor_nanoseconds;
    let ours: fn(&SizeCost) -> f64 = |size| size.nanoseconds;
    for (class, time) in [("floor", floor), ("ours", ours)] {
        let place = |size: &&&SizeCost| [x.at(size.samples as f64), y.at(each(time(size), size))];
        polyline(&mut svg, class, sizes.iter().map(|size| place(&size)));
        for size in &sizes {
            let words = format!(
                "{}, {} samples: {} each",
                size.host,
                size.samples,
                Unit::Nanoseconds.show(each(time(size), size))
            );
            dot(&mut svg, class, place(&size), &words);
        }
    }
    svg + "</svg>"
}

/// One figure over all runs as a ratio to its goal.
pub(super) fn runs(values: &[f64], goal: f64, title: &str) -> String {
    let (width, height, edge) = (240.0, 64.0, 8.0);
    let label = escaped(title);
    let mut svg = format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">");
    let y = Scale::from_zero(values.iter().copied().chain([goal]), height - edge, edge);
    line(&mut svg, "goal", [edge, y.at(goal), width - edge, y.at(goal)]);
    let step = (width - 2.0 * edge) / (values.len().saturating_sub(1)).max(1) as f64;
    let mut places = values.iter().enumerate().map(|(at, value)| [edge + step * at as f64, y.at(*value)]);
    polyline(&mut svg, "ours", places.clone());
    if let (Some(place), Some(value)) = (places.next_back(), values.last()) {
        dot(&mut svg, "ours", place, &format!("{title}: {value}"));
    }
    svg + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_cover_all_values_and_end_at_round_numbers() {
        let scale = Scale::powers([30.0, 2_000.0].into_iter(), 0.0, 300.0);
        assert_eq!(
            scale.ticks().iter().map(|tick| tick.round()).map(f64::to_bits).collect::<Vec<_>>(),
            [10.0, 100.0, 1_000.0, 10_000.0].map(f64::to_bits)
        );
        assert!((scale.at(100.0) - 100.0).abs() < 1e-6 && scale.at(10.0).abs() < 1e-6);
        let scale = Scale::from_zero([30.0, 42.0].into_iter(), 100.0, 0.0);
        assert!((scale.most - 50.0).abs() < 1e-6 && (scale.at(25.0) - 50.0).abs() < 1e-6);
        let empty = Scale::powers(std::iter::empty(), 0.0, 1.0);
        assert!(empty.at(5.0).is_finite() && Scale::from_zero(std::iter::empty(), 0.0, 1.0).at(0.0).is_finite());
    }

    #[test]
    fn coordinates_are_finite_numbers() {
        let cost = CollectorCost {
            name: "cpu",
            nanoseconds: 5_000.0,
            peer_nanoseconds: Some(60_000.0),
            ..CollectorCost::default()
        };
        let size = SizeCost { host: "<vm>".to_owned(), samples: 500, nanoseconds: 40_000.0, ..SizeCost::default() };
        for svg in [
            collectors(&[cost]),
            collectors(&[]),
            sizes(&[size]),
            sizes(&[]),
            runs(&[0.1, 0.2], 0.1, "a"),
            runs(&[], 1.0, "b"),
        ] {
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("<vm>"), "{svg}");
        }
    }
}
