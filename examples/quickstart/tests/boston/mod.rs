//! An export of Boston's shape, generated, and what its figures must be.

use std::collections::BTreeMap;

/// A small generator: the same numbers for the same seed.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn among<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

const BOSTON: [&str; 29] = [
    "case_enquiry_id",
    "open_dt",
    "target_dt",
    "closed_dt",
    "ontime",
    "case_status",
    "closure_reason",
    "case_title",
    "subject",
    "reason",
    "type",
    "queue",
    "department",
    "submittedphoto",
    "closedphoto",
    "location",
    "fire_district",
    "pwd_district",
    "city_council_district",
    "police_district",
    "neighborhood",
    "neighborhood_services_district",
    "ward",
    "precinct",
    "location_street_name",
    "location_zipcode",
    "latitude",
    "longitude",
    "source",
];

/// What the figures of an export must be, by plain counting.
#[derive(Default)]
pub(crate) struct Plain {
    pub(crate) total: u64,
    pub(crate) by: [BTreeMap<String, u64>; 3],
    pub(crate) opened: BTreeMap<String, u64>,
    pub(crate) closed: BTreeMap<String, u64>,
    pub(crate) hours: Vec<f64>,
    pub(crate) within: u64,
    pub(crate) late: u64,
    /// By week, weekday, hour and day, and by zone.
    pub(crate) when: [BTreeMap<String, u64>; 4],
    pub(crate) zones: BTreeMap<String, u64>,
    /// By month, type and channel: the delays, and how many promises were kept and broken.
    pub(crate) delays: [BTreeMap<String, Vec<f64>>; 3],
    pub(crate) promises: [BTreeMap<String, (u64, u64)>; 3],
}

fn moment(seconds: u64) -> chrono::NaiveDateTime {
    let start = chrono::NaiveDate::from_ymd_opt(2011, 7, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
    start + chrono::Duration::seconds(i64::try_from(seconds).unwrap())
}

fn at(seconds: u64) -> String {
    moment(seconds).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A row that must be refused: its line, the column, the code.
pub(crate) type Wrong = (u64, &'static str, &'static str);

/// The month of a moment, so many seconds after the beginning.
fn month(seconds: u64) -> String {
    at(seconds).chars().take(7).collect()
}

/// An export of Boston's shape, what its figures must be, and the lines that must be refused.
pub(crate) fn boston(rows: u64) -> (Vec<u8>, Plain, Vec<Wrong>) {
    let mut seeded = Seeded(2011);
    let mut plain = Plain::default();
    let mut refused = Vec::new();
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(BOSTON).unwrap();
    for n in 0..rows {
        let line = n + 2;
        let open = seeded.below(184 * 86_400);
        let close = open + seeded.below(40 * 86_400);
        let target = open + seeded.below(30 * 86_400);
        let is_closed = seeded.below(10) > 0;
        let has_target = seeded.below(5) > 0;
        let mut row: BTreeMap<&str, String> = BOSTON.iter().map(|column| (*column, String::new())).collect();
        row.insert("case_enquiry_id", format!("1010{n:08}"));
        row.insert("open_dt", at(open));
        if is_closed {
            row.insert("closed_dt", at(close));
            row.insert("closure_reason", "Case Closed, \"done\" ".to_owned());
        }
        if has_target {
            row.insert("target_dt", at(target));
        }
        let type_ = seeded.among(&[
            "Pothole (Internal)",
            "pothole (internal)",
            "Graffiti, «tags»",
            "Graffiti tags ",
            "O'Neil \"x\"",
        ]);
        let channel = seeded.among(&["Constituent Call", "Self Service", "Twitter"]);
        let service = seeded.among(&["Public Works", "Parks & Recreation", "parks recreation"]);
        row.insert("type", type_.to_owned());
        row.insert("source", channel.to_owned());
        row.insert("subject", service.to_owned());
        row.insert(
            "neighborhood",
            seeded.among(&["Roxbury", "", " ", "South Boston / Waterfront"]).to_owned(),
        );
        row.insert("latitude", "42.2715".to_owned());
        row.insert("longitude", "-71.0772".to_owned());
        let mut refuse = |column: &'static str, value: &str, code: &'static str| {
            row.insert(column, value.to_owned());
            refused.push((line, column, code));
            true
        };
        let bad = match n % 50 {
            7 => refuse("open_dt", "2011-02-30 10:00:00", "row.date"),
            14 => refuse("open_dt", "", "value.missing"),
            21 => refuse("closed_dt", "2999-01-01 00:00:00", "date.future"),
            28 => refuse("latitude", "north", "place.point"),
            35 => refuse("source", "  ", "value.missing"),
            42 if n > 50 => refuse("case_enquiry_id", "101000000000", "source.duplicate"),
            _ => false,
        };
        let mut cells: Vec<&str> = BOSTON.iter().map(|column| row[column].as_str()).collect();
        if n % 50 == 49 {
            cells.pop();
            refused.push((line, "28 cells", "row.cells"));
        } else if !bad {
            plain.total += 1;
            for (counts, value) in plain.by.iter_mut().zip([channel, type_, service]) {
                *counts.entry(value.to_owned()).or_default() += 1;
            }
            *plain.opened.entry(month(open)).or_default() += 1;
            for (counts, format) in plain.when.iter_mut().zip(["%G-W%V", "%u", "%H", "%Y-%m-%d"]) {
                *counts.entry(moment(open).format(format).to_string()).or_default() += 1;
            }
            if !row["neighborhood"].trim().is_empty() {
                *plain.zones.entry(row["neighborhood"].clone()).or_default() += 1;
            }
            let names = [month(open), type_.to_owned(), channel.to_owned()];
            if is_closed {
                for ((delays, promises), name) in plain.delays.iter_mut().zip(&mut plain.promises).zip(&names)
                {
                    delays.entry(name.clone()).or_default().push((close - open) as f64 / 3600.0);
                    if has_target {
                        let (kept, broken) = promises.entry(name.clone()).or_default();
                        *(if close <= target { kept } else { broken }) += 1;
                    }
                }
                *plain.closed.entry(month(close)).or_default() += 1;
                plain.hours.push((close - open) as f64 / 3600.0);
                if has_target {
                    *(if close <= target { &mut plain.within } else { &mut plain.late }) += 1;
                }
            }
        }
        writer.write_record(&cells).unwrap();
    }
    plain.hours.sort_by(f64::total_cmp);
    (writer.into_inner().unwrap(), plain, refused)
}
