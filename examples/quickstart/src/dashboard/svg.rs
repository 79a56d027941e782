//! Charts as SVG: drawn by hand, coloured by the page's classes `s0` to `s7`, then from the first again.

use super::page::escape;
use std::fmt::Write;

/// Numbers with one name.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
}

/// What is drawn.
#[derive(Debug)]
pub(super) struct Chart {
    /// An id of its own in the page.
    pub(super) id: &'static str,
    pub(super) title: String,
    /// What can be read off it, for who does not see it.
    pub(super) desc: String,
    pub(super) labels: Vec<String>,
    pub(super) series: Vec<Series>,
    /// How a value is written.
    pub(super) text: fn(f64) -> String,
}

/// How columns of several series stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    Beside,
    Stacked,
    /// Each before the one that follows it: the last is the highest.
    Before,
}

/// How many colours there are.
const COLOURS: usize = 8;
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 34.0;
const BOTTOM: f64 = 36.0;
const TOP: f64 = 10.0;

/// The step of an axis that reaches a value in at most five steps: 1, 2 or 5 times a power of ten.
fn step(greatest: f64) -> f64 {
    let mut step = 1.0;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle().take(36) {
        if greatest <= step * 5.0 {
            break;
        }
        step *= factor;
    }
    step
}

impl Chart {
    fn open(&self, out: &mut String, height: f64) {
        let (id, title, desc) = (self.id, escape(&self.title), escape(&self.desc));
        let _ = write!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"t-{id} d-{id}\">\
             <title id=\"t-{id}\">{title}</title><desc id=\"d-{id}\">{desc}</desc>"
        );
    }

    fn value(&self, series: usize, place: usize) -> f64 {
        self.series.get(series).and_then(|series| series.values.get(place)).copied().unwrap_or(0.0)
    }

    fn greatest(&self) -> f64 {
        self.series.iter().flat_map(|series| series.values.iter().copied()).fold(0.0, f64::max)
    }

    /// What each colour is, where there are several.
    pub(super) fn legend(&self) -> String {
        if self.series.len() < 2 {
            return String::new();
        }
        let items: String = self
            .series
            .iter()
            .enumerate()
            .map(|(n, series)| format!("<li><i class=\"s{}\"></i>{}</li>", n % COLOURS, escape(&series.name)))
            .collect();
        format!("<ul class=\"legend\" aria-hidden=\"true\">{items}</ul>")
    }

    /// Bars that lie, under a label each, with their numbers; or one of all series end to end, with their sum.
    pub(super) fn bars(&self, stacked: bool) -> String {
        const THICK: f64 = 14.0;
        const ROOM: f64 = WIDTH - 84.0;
        let count = self.series.len();
        let sum = |place| (0..count).map(|n| self.value(n, place).max(0.0)).sum::<f64>();
        let places = 0..self.labels.len();
        let greatest = if stacked { places.map(sum).fold(0.0, f64::max) } else { self.greatest() };
        let row = 24.0 + THICK * if stacked { 1.0 } else { count as f64 };
        let mut out = String::new();
        self.open(&mut out, row * self.labels.len() as f64);
        for (place, label) in self.labels.iter().enumerate() {
            let top = row * place as f64 + 12.0;
            let _ = write!(out, "<text x=\"0\" y=\"{top:.1}\">{}</text>", escape(&short(label, 52)));
            let mut from = 0.0;
            for n in 0..count {
                let value = self.value(n, place);
                let y = top + 5.0 + if stacked { 0.0 } else { THICK * n as f64 };
                let width = if greatest > 0.0 { value.max(0.0) / greatest * ROOM } else { 0.0 };
                let colour = n % COLOURS;
                let _ = write!(
                    out,
                    "<rect class=\"s{colour}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
                    THICK - 2.0,
                );
                let last = n + 1 == count;
                if stacked {
                    from += width;
                }
                if !stacked || last {
                    let shown = if stacked { sum(place) } else { value };
                    let x = if stacked { from } else { width } + 5.0;
                    let text = escape(&(self.text)(shown));
                    let _ = write!(out, "<text class=\"n\" x=\"{x:.1}\" y=\"{:.1}\">{text}</text>", y + 10.0);
                }
            }
        }
        out.push_str("</svg>");
        out
    }

    /// The axes of a chart that stands; answers the height of a unit.
    fn axes(&self, out: &mut String, greatest: f64) -> f64 {
        let step = step(greatest);
        let steps = (greatest / step).ceil().max(1.0);
        let unit = (HEIGHT - BOTTOM - TOP) / (steps * step);
        let mut tick = 0.0;
        while tick <= steps * step + step / 2.0 {
            let y = HEIGHT - BOTTOM - tick * unit;
            let _ = write!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"n end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                LEFT - 5.0,
                y + 4.0,
                escape(&(self.text)(tick))
            );
            tick += step;
        }
        unit
    }

    /// A label under the axis; its second part, after a blank, on a line of its own.
    fn under(out: &mut String, x: f64, label: &str) {
        let (first, second) = label.split_once(' ').unwrap_or((label, ""));
        let (one, two) = (HEIGHT - BOTTOM + 14.0, HEIGHT - BOTTOM + 27.0);
        let _ = write!(
            out,
            "<text class=\"n mid\" x=\"{x:.1}\" y=\"{one:.1}\">{}</text>\
             <text class=\"n mid\" x=\"{x:.1}\" y=\"{two:.1}\">{}</text>",
            escape(first),
            escape(second)
        );
    }

    /// Columns that stand, a place a label.
    pub(super) fn columns(&self, how: Columns) -> String {
        let sum = |place| (0..self.series.len()).map(|n| self.value(n, place)).sum::<f64>();
        let greatest = match how {
            Columns::Stacked => (0..self.labels.len()).map(sum).fold(0.0, f64::max),
            _ => self.greatest(),
        };
        let mut out = String::new();
        self.open(&mut out, HEIGHT);
        let unit = self.axes(&mut out, greatest);
        let wide = (WIDTH - LEFT) / self.labels.len().max(1) as f64;
        for (place, label) in self.labels.iter().enumerate() {
            let x = LEFT + wide * place as f64;
            Self::under(&mut out, x + wide / 2.0, label);
            let mut below = 0.0;
            let count = self.series.len();
            let order: Vec<usize> = match how {
                // What is behind is drawn first.
                Columns::Before => (0..count).rev().collect(),
                _ => (0..count).collect(),
            };
            for n in order {
                let tall = self.value(n, place).max(0.0) * unit;
                let (x, width) = match how {
                    Columns::Beside => {
                        let width = wide * 0.8 / count as f64;
                        (x + wide * 0.1 + width * n as f64, width)
                    }
                    Columns::Stacked => (x + wide * 0.12, wide * 0.76),
                    Columns::Before => {
                        let narrower = wide * 0.14 * (count - n) as f64;
                        (x + narrower, wide - 2.0 * narrower)
                    }
                };
                let y = HEIGHT - BOTTOM - below - tall;
                let colour = n % COLOURS;
                let _ = write!(
                    out,
                    "<rect class=\"s{colour}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{tall:.1}\"/>"
                );
                if how == Columns::Stacked {
                    below += tall;
                }
            }
        }
        out.push_str("</svg>");
        out
    }

    /// A line through all values of the first series.
    pub(super) fn line(&self) -> String {
        let mut out = String::new();
        self.open(&mut out, HEIGHT);
        let unit = self.axes(&mut out, self.greatest());
        let wide = (WIDTH - LEFT - 14.0) / self.labels.len().saturating_sub(1).max(1) as f64;
        let every = self.labels.len().div_ceil(8).max(1);
        let mut points = String::new();
        for (place, label) in self.labels.iter().enumerate() {
            let x = LEFT + 4.0 + wide * place as f64;
            let y = HEIGHT - BOTTOM - self.value(0, place) * unit;
            let _ = write!(points, "{x:.1},{y:.1} ");
            if place % every == 0 {
                Self::under(&mut out, x, label);
            }
        }
        let _ = write!(out, "<polyline class=\"line\" points=\"{}\"/></svg>", points.trim_end());
        out
    }
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_at_most_five_round_steps() {
        for (greatest, expected) in
            [(0.0, 1.0), (5.0, 1.0), (5.5, 2.0), (24.0, 5.0), (176.0, 50.0), (1_000.0, 200.0)]
        {
            assert!((step(greatest) - expected).abs() < 1e-9, "{greatest}: {}", step(greatest));
        }
    }

    #[test]
    fn what_is_drawn_is_escaped_and_in_proportion() {
        let chart = Chart {
            id: "x",
            title: "<b>".to_owned(),
            desc: "a & b".to_owned(),
            labels: vec!["\"one\"".to_owned(), "two".to_owned()],
            series: vec![Series { name: "s".to_owned(), values: vec![10.0, 5.0] }],
            text: |value| value.to_string(),
        };
        for drawn in [chart.bars(false), chart.columns(Columns::Stacked), chart.line()] {
            assert!(drawn.contains("&lt;b&gt;") && drawn.contains("a &amp; b"), "{drawn}");
            assert!(!drawn.contains("<b>") && drawn.ends_with("</svg>"));
        }
        let bars = chart.bars(false);
        assert!(bars.contains("width=\"276.0\"") && bars.contains("width=\"138.0\""), "{bars}");
        assert!(chart.legend().is_empty(), "one series needs no legend");
    }
}
